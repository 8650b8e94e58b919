"""Criteria on the equality of the smallest eigenvalues of a sample covariance: Wax-Kailath, Nadakuditi-Edelman, Minka.

The rows or the columns of the matrix are samples; by default the longer side is.
"""

from __future__ import annotations

import math

import numpy as np

from .._spectrum import Spectrum
from ._rule import CompleteRule, Decision, dimensions

SAMPLES = (None, "rows", "columns")


class _CovarianceRule(CompleteRule):
    samples: str | None

    def _sizes(self, spectrum: Spectrum) -> tuple[int, int]:
        """Number of samples and of variables."""
        m, n = dimensions(spectrum, self)
        rows = self.samples == "rows" or (self.samples is None and m >= n)
        return (m, n) if rows else (n, m)


def _side(samples: str | None) -> str | None:
    if samples not in SAMPLES:
        raise ValueError(f"samples = {samples!r}, but must be 'rows' or 'columns', or None for the longer side")
    return samples


class WaxKailath(_CovarianceRule):
    """Signals in white noise by AIC or MDL: arithmetic against geometric mean of the smallest eigenvalues.

    Parameters
    ----------
    criterion : {"MDL", "AIC"}
    samples : {None, "rows", "columns"}
        Which side of the matrix counts samples; they must outnumber the variables.
    real : bool
        Count the free parameters of real (True) or of complex vectors, as in the paper (False).

    References
    ----------
    M. Wax and T. Kailath, IEEE Trans. Acoust. Speech Signal Process. 33 (1985).
    """

    def __init__(self, criterion: str = "MDL", samples: str | None = None, real: bool = False) -> None:
        if criterion not in ("MDL", "AIC"):
            raise ValueError(f"criterion = {criterion!r}, but must be 'MDL' or 'AIC'")
        self.criterion, self.samples, self.real = criterion, _side(samples), bool(real)

    def decide(self, spectrum: Spectrum) -> Decision | None:
        count, p = self._sizes(spectrum)
        if not spectrum.complete:
            return None
        if count <= p or not spectrum.s.size or spectrum.s[-1] <= count * np.finfo(float).eps * spectrum.s[0]:
            raise ValueError(
                f"{self!r} needs more samples than variables and no zero singular value, but has {count} samples of "
                f"{p} variables and the smallest value {float(spectrum.s[-1]) if spectrum.s.size else 0:.1e}; "
                f"use NadakuditiEdelman()"
            )
        values = spectrum.s**2 / count
        k = np.arange(p)
        left = p - k
        means = np.cumsum(values[::-1])[::-1] / left
        logs = np.cumsum(np.log(values[::-1]))[::-1] / left
        likelihood = count * left * (np.log(means) - logs)
        free = k * (2 * p - k + 1) / 2 + 1 if self.real else k * (2 * p - k)
        scores = 2 * likelihood + 2 * free if self.criterion == "AIC" else likelihood + 0.5 * free * math.log(count)
        return Decision(int(np.argmin(scores)), scores=scores)


class NadakuditiEdelman(_CovarianceRule):
    """Signals in white noise, also with fewer samples than variables, from the moments of the smallest eigenvalues.

    R. R. Nadakuditi and A. Edelman, IEEE Trans. Signal Process. 56 (2008).
    """

    def __init__(self, samples: str | None = None) -> None:
        self.samples = _side(samples)

    def decide(self, spectrum: Spectrum) -> Decision | None:
        count, p = self._sizes(spectrum)
        if not spectrum.complete:
            return None
        if not spectrum.s.size or spectrum.s[0] == 0:
            return Decision(0)
        values = spectrum.s**2 / count
        k = np.arange(min(p, count))
        sums, squares = np.cumsum(values[::-1])[::-1], np.cumsum(values[::-1] ** 2)[::-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.where(sums > 0, (p - k) * squares / sums**2, np.inf)
        t = p * (spread - (1 + p / count)) - p / count
        scores = 0.25 * (count / p) ** 2 * t**2 + 2 * (k + 1)
        return Decision(int(np.argmin(scores)), scores=scores)


class Minka(_CovarianceRule):
    """Laplace approximation of the evidence of probabilistic PCA, as ``n_components="mle"`` of scikit-learn.

    Values are those of the centred data. Needs at least as many samples as variables. Unlike there, 0 is a possible
    answer and thresholds are relative to the largest value.

    References
    ----------
    T. P. Minka, Automatic choice of dimensionality for PCA, NIPS 13 (2000).
    """

    def __init__(self, samples: str | None = None) -> None:
        self.samples = _side(samples)

    def decide(self, spectrum: Spectrum) -> Decision | None:
        count, d = self._sizes(spectrum)
        if not spectrum.complete:
            return None
        if count < max(d, 2):
            raise ValueError(f"{self!r} needs at least as many samples as variables, but has {count} of {d}")
        values = spectrum.s**2 / (count - 1)
        if not values.size or values[0] == 0:
            return Decision(0)
        scores = np.array([_evidence(values, rank, count) for rank in range(d)])
        return Decision(int(np.argmax(scores)), scores=scores)


def _evidence(values: np.ndarray, rank: int, count: int) -> float:
    d = values.size
    if rank and values[rank - 1] < 1e-15 * values[0]:
        return -math.inf
    noise = max(np.finfo(float).eps * values[0], float(values[rank:].mean()))
    half = (d - np.arange(rank)) / 2
    prior = -rank * math.log(2) + math.fsum(math.lgamma(h) - h * math.log(math.pi) for h in half)
    likelihood = -count / 2 * (float(np.log(values[:rank]).sum()) + (d - rank) * math.log(noise))
    free = d * rank - rank * (rank + 1) / 2
    tail = np.where(np.arange(d) < rank, values, noise)
    i, j = np.triu_indices(d, 1)
    i, j = i[i < rank], j[i < rank]
    closest = np.finfo(float).eps * values[0]  # equal values: their distance is rounding
    distance = np.maximum(values[i] - values[j], closest) * np.maximum(1 / tail[j] - 1 / tail[i], closest)
    hessian = float(np.log(distance).sum()) + i.size * math.log(count)
    shape = (free + rank) / 2 * math.log(2 * math.pi)
    return prior + likelihood + shape - hessian / 2 - rank / 2 * math.log(count)
