"""What AdaLoRA adds to a budget of ranks: importance scores of triplets, and a budget that shrinks while training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Sensitivity:
    """Smoothed importance of every weight: |w g| averaged over steps, times its average deviation.

    Zhang et al., AdaLoRA, ICLR 2023, equations 9 to 11.

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.rank import Sensitivity
    >>> sensitivity = Sensitivity()
    >>> sensitivity.update(np.array([1.0, 2.0]), np.array([0.5, 0.1])).shape
    (2,)
    """

    beta1: float = 0.85
    beta2: float = 0.85
    _mean: Any = field(default=None, repr=False)
    _deviation: Any = field(default=None, repr=False)

    def update(self, weights: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """Take the weights and gradients of one step in; the scores after it, of the same shape."""
        now = np.abs(np.asarray(weights) * np.asarray(gradients))
        if self._mean is None:
            self._mean, self._deviation = np.zeros_like(now), np.zeros_like(now)
        self._mean = self.beta1 * self._mean + (1 - self.beta1) * now
        self._deviation = self.beta2 * self._deviation + (1 - self.beta2) * np.abs(now - self._mean)
        return np.asarray(self._mean * self._deviation)


def triplet_scores(values: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return scores of k triplets from those of their values (k,), columns of P (m, k) and rows of Q (k, n)."""
    return np.asarray(values + left.mean(axis=0) + right.mean(axis=1))


def budget_at(step: int, first: int, last: int, total_steps: int, warmup: int, final: int) -> int:
    """Return the budget of a step: `first` for `warmup` steps, cubically down to `last`, held for `final` steps."""
    if step <= warmup:
        return first
    if step >= total_steps - final:
        return last
    done = (step - warmup) / (total_steps - warmup - final)
    return int(last + (first - last) * (1 - done) ** 3)
