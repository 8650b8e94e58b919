"""Optimal hard thresholds and shrinkers for white noise (Gavish & Donoho)."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np

from .._spectrum import Spectrum, shape_of, spectrum_of
from ._rule import Decision, Rule, dimensions, positive


def threshold_factor(beta: float) -> float:
    """``lambda(beta)``: the optimal hard threshold in units of ``noise * sqrt(max(m, n))``."""
    return math.sqrt(2 * (beta + 1) + 8 * beta / (beta + 1 + math.sqrt(beta * beta + 14 * beta + 1)))


def marchenko_pastur_median(beta: float) -> float:
    """Median of the Marchenko-Pastur law of aspect ratio `beta` in (0, 1], to working precision.

    The distribution function has a closed form in u, where ``x = 1 + beta + 2 sqrt(beta) u``; its root is bisected.
    """
    if not 0 < beta <= 1:
        raise ValueError(f"beta = {beta!r}, but must be in (0, 1]: the shorter side over the longer")
    if beta < 1e-8:
        return 1 - beta / 3
    root = math.sqrt(beta)

    def place(u: float) -> float:
        return 1 + beta + 2 * root * u

    def excess(u: float) -> float:  # 2 pi beta (F(x) - 1/2)
        other = min(1.0, max(-1.0, (2 * root + (1 + beta) * u) / place(u)))
        return 2 * root * math.sqrt(1 - u * u) + (1 + beta) * math.asin(u) - (1 - beta) * math.asin(other)

    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) > 0 else (middle, high)
    return place((low + high) / 2)


def median_factor(beta: float) -> float:
    """``omega(beta)``: the optimal hard threshold in units of the median singular value."""
    return threshold_factor(beta) / math.sqrt(marchenko_pastur_median(beta))


class _WhiteNoiseRule(Rule):
    needs = "all singular values, or leading values and the noise level"

    def __init__(self, noise: float | None = None) -> None:
        self.noise = None if noise is None else positive("noise", noise)

    def first_look(self, shape: tuple[int, int]) -> int:
        return min(shape) if self.noise is None else min(16, *shape)

    def decide(self, spectrum: Spectrum) -> Decision | None:
        m, n = dimensions(spectrum, self)
        noise = self.level(spectrum)
        if noise is None:
            return None
        decision = self._choose(spectrum, m, n, noise)
        return None if decision.rank == spectrum.s.size and not spectrum.complete else decision

    def level(self, spectrum: Spectrum) -> float | None:
        """The given noise, or ``median(s) / sqrt(max(m, n) mu_beta)``; None where values are missing for the median."""
        m, n = dimensions(spectrum, self)
        if self.noise is not None:
            return spectrum.scaled(self.noise)
        if not spectrum.complete:
            return None
        if not spectrum.s.size:
            return 0.0
        return float(np.median(spectrum.s)) / math.sqrt(max(m, n) * marchenko_pastur_median(min(m, n) / max(m, n)))

    @abstractmethod
    def _choose(self, spectrum: Spectrum, m: int, n: int, noise: float) -> Decision:
        """The rank of what is given, for this noise level."""


class GavishDonoho(_WhiteNoiseRule):
    """The hard threshold of least mean squared error for a low-rank matrix in white noise.

    Values above ``lambda(beta) sqrt(max(m, n)) noise`` are kept, or above ``omega(beta) median(s)`` where the noise is
    not known; beta = min(m, n) / max(m, n). Constants are exact, not the published cubic fit.

    Parameters
    ----------
    noise : float, optional
        Standard deviation of the entries' noise. Without it all singular values are needed, and more than half of them
        must be noise.

    References
    ----------
    M. Gavish and D. L. Donoho, IEEE Trans. Inform. Theory 60 (2014).

    Examples
    --------
    >>> from svdkit.rank import GavishDonoho, select_rank
    >>> select_rank([30.0, 25.0, 3.0, 2.5, 2.0], GavishDonoho(), shape=(5, 8))
    2
    """

    def _choose(self, spectrum: Spectrum, m: int, n: int, noise: float) -> Decision:
        if min(m, n) == 0:
            return Decision(0)
        threshold = threshold_factor(min(m, n) / max(m, n)) * math.sqrt(max(m, n)) * noise
        rank = int(np.count_nonzero(spectrum.s > threshold))
        many = self.noise is None and 2 * rank >= min(m, n) > 1
        warnings = ("half of the values or more are above: their median is no measure of the noise",) if many else ()
        return Decision(rank, threshold * spectrum.unit, warnings=warnings, details={"noise": noise * spectrum.unit})


class OptimalShrinkage(_WhiteNoiseRule):
    """The values that the optimal shrinkers keep: those above the edge ``(1 + sqrt(beta)) sqrt(max(m, n)) noise``.

    :func:`optimal_shrinkage` gives the shrunken values. Gavish & Donoho, IEEE Trans. Inform. Theory 63 (2017).
    """

    def __init__(self, noise: float | None = None, loss: str = "fro") -> None:
        super().__init__(noise)
        if loss not in ("fro", "op", "nuclear"):
            raise ValueError(f"loss = {loss!r}, but must be 'fro', 'op' or 'nuclear'")
        self.loss = loss

    def _choose(self, spectrum: Spectrum, m: int, n: int, noise: float) -> Decision:
        shrunk = _shrink(spectrum.s, m, n, noise, self.loss)
        rank = int(np.count_nonzero(shrunk))
        edge = (math.sqrt(m) + math.sqrt(n)) * noise
        return Decision(rank, edge * spectrum.unit, details={"values": shrunk[:rank] * spectrum.unit})


def optimal_shrinkage(s: Any, shape: Any, *, noise: float | None = None, loss: str = "fro") -> np.ndarray:
    """Return singular values shrunk to the least asymptotic loss for a low-rank matrix in white noise.

    Parameters
    ----------
    s : array_like, shape (k,)
        Singular values, descending; all of them if `noise` is not given.
    shape : (int, int)
        Of the matrix.
    noise : float, optional
        Standard deviation of the noise of the entries. Default: from the median singular value.
    loss : {"fro", "op", "nuclear"}
        Frobenius, spectral or nuclear norm of the error.

    Returns
    -------
    ndarray, shape (k,)
        Zero at and below the edge of the noise; ``nuclear <= fro <= op <= s``.

    References
    ----------
    M. Gavish and D. L. Donoho, IEEE Trans. Inform. Theory 63 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.rank import optimal_shrinkage
    >>> np.round(optimal_shrinkage([40.0, 20.0], (100, 100), noise=1.0), 3)
    array([34.641,  0.   ])
    """
    spectrum = spectrum_of(s, shape)
    rule = OptimalShrinkage(noise, loss)
    level = rule.level(spectrum)
    if level is None:
        raise ValueError(f"noise = None needs all {min(shape_of(shape))} singular values, {spectrum.s.size} are given")
    m, n = dimensions(spectrum, rule)
    return np.asarray(_shrink(spectrum.s, m, n, level, rule.loss) * spectrum.unit)


def _shrink(s: np.ndarray, m: int, n: int, noise: float, loss: str) -> np.ndarray:
    if noise == 0 or not s.size:
        return s.copy()
    beta, unit = min(m, n) / max(m, n), noise * math.sqrt(max(m, n))
    y = s / unit
    above = y > 1 + math.sqrt(beta)
    y = np.where(above, y, np.inf)
    y2 = np.where(above, y * y, 0.0)
    middle = np.where(above, y2 - beta - 1, 0.0)
    root = np.sqrt(np.maximum(middle**2 - 4 * beta, 0))
    if loss == "fro":
        eta = root / y
    else:
        x2 = (middle + root) / 2
        x = np.sqrt(x2)
        with np.errstate(divide="ignore", invalid="ignore"):
            eta = x if loss == "op" else np.maximum(0, (x2**2 - beta - math.sqrt(beta) * x * y) / (x2 * y))
    return np.where(above, eta * unit, 0.0)
