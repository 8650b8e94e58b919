"""ScreeNOT: the optimal hard threshold for noise of unknown colour."""

from __future__ import annotations

import numpy as np

from .._spectrum import Spectrum
from ._rule import CompleteRule, Decision, dimensions


class ScreeNOT(CompleteRule):
    """Hard threshold of least mean squared error for a low-rank matrix in noise of unknown, correlated law.

    Parameters
    ----------
    bound : int, optional
        An upper bound of the rank; the result hardly depends on it. Default: ``min(min(m, n) // 4, 50)``.

    Notes
    -----
    The `bound` leading values are replaced by what the noise would have there, and the threshold T solves
    ``T D'(T) / D(T) = -4`` for the D-transform of the values. It is solved to a relative accuracy of 1e-12 in units of
    the noise, so that scaling A scales T exactly.

    References
    ----------
    D. L. Donoho, M. Gavish and E. Romanov, Ann. Statist. 51 (2023).
    """

    def __init__(self, bound: int | None = None) -> None:
        if bound is not None and bound < 1:
            raise ValueError(f"bound = {bound}, but must be a positive integer")
        self.bound = bound

    def decide(self, spectrum: Spectrum) -> Decision | None:
        m, n = dimensions(spectrum, self)
        if not spectrum.complete:
            return None
        bound = self.bound or max(1, min(min(m, n) // 4, 50))
        if 2 * bound + 1 >= min(m, n):
            raise ValueError(f"bound = {bound} needs more than {2 * bound + 1} singular values, there are {min(m, n)}")
        noise = _pseudo_noise(spectrum.s, bound)
        unit = noise[bound]
        if unit == 0:
            rank = int(np.count_nonzero(spectrum.s))
            return Decision(rank, 0.0, warnings=("no noise: all values that are not zero are kept",))
        threshold = _solve(noise / unit, min(m, n) / max(m, n)) * unit
        rank = int(np.count_nonzero(spectrum.s > threshold))
        warnings = ("the rank exceeds the bound: choose a larger one",) if rank > bound else ()
        return Decision(rank, threshold * spectrum.unit, warnings=warnings, details={"bound": bound})


def _pseudo_noise(s: np.ndarray, k: int) -> np.ndarray:
    """The spectrum with its k leading values imputed from the next k + 1 (square-root edge)."""
    noise = s.copy()
    rise = (1 - (np.arange(k) / k) ** (2 / 3)) / (2 ** (2 / 3) - 1)
    noise[:k] = s[k] + rise * (s[k] - s[2 * k])
    return noise


def _solve(noise: np.ndarray, beta: float) -> float:
    """The root of Psi(y) = -4 above max(noise), by bisection in relative accuracy."""
    squares = noise**2

    def psi(y: float) -> float:
        gap = y * y - squares
        phi, slope = np.mean(y / gap), -np.mean((y * y + squares) / gap**2)
        other, other_slope = beta * phi + (1 - beta) / y, beta * slope - (1 - beta) / y**2
        return float(y * (slope * other + phi * other_slope) / (phi * other))

    edge = float(noise.max())
    low, high = edge * (1 + 1e-12), 2 * edge
    while psi(high) < -4:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if psi(middle) < -4 else (low, middle)
    return (low + high) / 2
