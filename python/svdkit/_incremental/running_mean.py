"""The mean of a stream of rows, and the rows whose Gram matrix is that of the centred stream.

    sum (x - mean)(x - mean)^T = old + sum (x - mean_b)(x - mean_b)^T + n b / (n + b) (mean - mean_b)(mean - mean_b)^T

for b new rows after n: exact, nothing is subtracted from a Gram matrix. Ross, Lim, Lin & Yang, IJCV 77 (2008).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._core import TallVectors
from .._inputs import is_sparse

DENSE = 2**23  # entries of a sparse batch that are written out together


class RunningMean:
    """Count, or sum of squared weights where old rows are forgotten, and mean of the rows seen."""

    def __init__(self) -> None:
        self.rows = 0
        self.weight = 0.0
        self.mean: np.ndarray | None = None

    def to_parts(self) -> tuple[Any, dict[str, np.ndarray]]:
        """Numbers, and arrays by name."""
        return [self.rows, self.weight], {} if self.mean is None else {"mean": self.mean}

    @classmethod
    def from_parts(cls, _settings: Any, numbers: Any, arrays: dict[str, np.ndarray]) -> RunningMean:
        state = cls()
        state.rows, state.weight = numbers
        state.mean = arrays.get("mean")
        return state

    def in_one_step(self, B: Any) -> bool:
        """Whether the batch makes a single block."""
        return not is_sparse(B) or B.shape[0] <= _rows_at_once(B)

    def blocks(self, B: Any, forget: float) -> Iterator[tuple[Any, float]]:
        """The centred rows of a batch and the row that moves the mean, as vectors; what is known is forgotten first."""
        if not is_sparse(B):
            yield from self._block(B, forget)
            return
        by_row, few = B.tocsr(), _rows_at_once(B)
        for first in range(0, B.shape[0], few):
            yield from self._block(
                by_row[first : first + few].toarray().astype(np.float64), forget if first == 0 else 1
            )

    def _block(self, X: np.ndarray, forget: float) -> Iterator[tuple[Any, float]]:
        count = X.shape[0]
        if count == 0:
            return
        old = self.weight * forget**2
        try:
            vectors, mean = TallVectors.centered(X.T, np.zeros(0) if self.mean is None else self.mean, old)
        except ValueError as error:
            raise ValueError(f"B: {error}") from None
        yield vectors, forget
        # Not before the model has taken them in.
        self.rows, self.weight = self.rows + count, old + count
        self.mean = mean if self.mean is None else self.mean + (mean - self.mean) * (count / self.weight)


def _rows_at_once(B: Any) -> int:
    return max(1, DENSE // max(B.shape[1], 1))
