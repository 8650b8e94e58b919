"""The rank behind noise and wrong cells: a divergence criterion on robust fits."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .._spectrum import Spectrum
from ..errors import ConvergenceWarning
from ..robust import RobustResult, robust_svd
from ._rule import Decision, positive
from .resampling import DataRule

Fit = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray, np.ndarray]]


class DICMR(DataRule):
    """Divergence information criterion: the density power divergence of the residuals, and a penalty for the rank.

    ``C [(1 + a)^(-1/2) - (1 + 1/a) mean exp(-a E^2 / (2 sigma^2))] + kappa (1 + a) C ((1 + a) / (1 + 2a))^(3/2)
    k (1/m + 1/n)`` with ``C = (2 pi)^(-a/2) sigma^(-a)``, E what the fit of rank k leaves and sigma its 1.4826 median
    ``|E|``, is smallest at the rank; 0 is possible, and ties go to the smaller rank.

    Parameters
    ----------
    alpha : float
        Robustness: 0.3..1; towards 0 the criterion becomes unreliable.
    kmax : int, optional
        Default: at most 10, and so few that the parameters are at most a quarter of the cells.
    variant : {"dpd", "rsvddpd"}
        The divergence of a normal density with its penalty, or the formula of the R package, which over-selects.
    fit : callable, optional
        ``fit(X, k)`` gives ``(U, s, Vh)``, once, for the largest rank. Default: :func:`svdkit.robust_svd` with this
        alpha, jointly for every rank; for "rsvddpd" once, by the rule of the package.
    kappa : float
        Multiplies the penalty: 1 is that of AIC, ``log(min(m, n)) / 2`` that of BIC.

    Notes
    -----
    ``details["sigma"]`` has the noise left by every rank, ``details["energy"]`` the robust energy curve: the share of
    ``||L||^2 + m n sigma^2`` of the largest fit that the fit of rank k has. Cost: kmax robust fits, 50 sweeps at most.

    References
    ----------
    S. Roy, A. Ghosh and A. Basu, arXiv 2510.19583 (2025).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> rng = np.random.default_rng(0)
    >>> A = np.outer(np.arange(1.0, 81), np.ones(60)) + rng.standard_normal((80, 60))
    >>> A[3, 4] = A[20, 7] = 1000.0
    >>> svdkit.robust_svd(A, svdkit.rank.DICMR()).rank
    1
    """

    def __init__(
        self,
        alpha: float = 0.5,
        kmax: int | None = None,
        variant: str = "dpd",
        fit: Fit | None = None,
        kappa: float = 1.0,
    ) -> None:
        if variant not in ("dpd", "rsvddpd"):
            raise ValueError(f"variant = {variant!r}, but must be 'dpd' or 'rsvddpd'")
        self.alpha, self.kmax, self.variant, self.fit = positive("alpha", alpha), kmax, variant, fit
        self.kappa = positive("kappa", kappa)

    def decide(self, spectrum: Spectrum) -> Decision | None:
        X = self._data(spectrum)
        m, n = X.shape
        kmax = min(self.kmax or max(1, min(m * n // (4 * (m + n)), 10)), min(m, n))
        scores, sigmas, energies = np.full(kmax + 1, np.inf), np.full(kmax + 1, np.nan), np.full(kmax + 1, np.nan)
        floor = np.finfo(float).eps * np.abs(X).max(initial=0)
        rank = None
        for k, (residual, energy) in enumerate(self._fits(X, kmax)):
            sigma = 1.4826 * float(np.median(np.abs(residual)))
            sigmas[k], energies[k] = sigma, energy
            if sigma <= floor:  # explained to rounding
                rank = k
                break
            scores[k] = self._score(residual / sigma, sigma / spectrum.unit, k * (1 / m + 1 / n))
        last = int(np.flatnonzero(np.isfinite(sigmas))[-1])
        total = energies[last] + m * n * sigmas[last] ** 2
        share = energies / total if total > 0 else np.zeros_like(energies)
        rank = int(np.argmin(scores)) if rank is None else rank
        return Decision(rank, scores=scores, details={"sigma": sigmas * spectrum.unit, "energy": share})

    def _fits(self, X: np.ndarray, kmax: int) -> Iterator[tuple[np.ndarray, float]]:
        """What rank 0, 1, ..., kmax leaves of X, and the energy of the fit."""
        yield X, 0.0
        if self.fit is not None or self.variant == "rsvddpd":
            U, s, Vh = self.fit(X, kmax) if self.fit else self._robust(X, kmax, method="deflation", scale="iqr")
            for k in range(1, kmax + 1):
                X = X - np.outer(U[:, k - 1] * s[k - 1], Vh[k - 1])
                yield X, float(np.sum(np.square(s[:k])))
            return
        for k in range(1, kmax + 1):
            result = self._robust(X, k)
            yield X - result.reconstruct(), float(np.sum(np.square(result.s)))

    def _robust(self, X: np.ndarray, k: int, **options: Any) -> RobustResult:
        with warnings.catch_warnings():  # components of noise hardly converge, and need not
            warnings.simplefilter("ignore", ConvergenceWarning)
            return robust_svd(X, k, alpha=min(self.alpha, 1.0), tol=1e-4, max_iter=50, **options)

    def _score(self, residual: np.ndarray, sigma: float, parameters: float) -> float:
        a = self.alpha
        factor = (2 * np.pi) ** (-a / 2) * sigma**-a
        paper = self.variant == "dpd"
        fit = np.mean(np.exp(-a * residual**2 / (2 if paper else 1)))
        divergence = (1 + a) ** -0.5 - (1 + 1 / a) * fit
        penalty = self.kappa * (1 + a if paper else 1) * ((1 + a) / (1 + 2 * a)) ** 1.5 * parameters
        return float(factor * (divergence + penalty))
