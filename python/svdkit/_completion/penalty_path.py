"""Soft-impute: fits with a nuclear-norm penalty, from large penalties to small ones, each certified.

At the optimum for a penalty the residual ``S = W o (A - Z)`` is ``penalty * U V^T`` plus a rest N of norm at most
``penalty``. Where N has a larger singular value, its vectors are the directions that are missing: they join the basis.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .._scalars import OPERATORS
from .fitter import Factors, Fit, Fitter
from .held_out import HeldOut, score
from .result import Candidate

ALS_MOST = 32  # ranks up to which alternating least squares is the faster method
STEP = 0.7  # from one penalty to the next
LEAST = 1e-3  # smallest penalty of a path, of the largest
PATIENCE = 3  # penalties without a better error, shrunk or debiased
SLACK = 1e-3  # of the penalty, in the certificate
MOST_FIRST, MOST_NEW = 16, 8  # directions that join an empty fit, and later, at a time
CLEAR = 1.2  # what stands so far above the smallest value in sight is no noise
ROUGH, PRECISE = 1e-2, SLACK / 4  # tolerances of the certificate: far from the penalty the first says enough
GLANCE, LOOK = 12, 24  # reads of the cells: to find what is missing, and for the rough certificate
LOOSE, FEW = 1e-2, 10  # tolerance and steps of fits that still miss directions


class PenaltyPath:
    """The state of a path: the fit for the last penalty."""

    def __init__(self, fitter: Fitter, cap: int, method: str = "auto", start: Factors | None = None) -> None:
        self.fitter, self.cap, self.method = fitter, cap, method
        self.factors = fitter.nothing() if start is None else start
        self.beyond = np.inf  # |N|, of the penalty, after the last fit
        self._known: np.ndarray | None = None  # leading right vectors of the last residual

    def largest(self) -> float:
        """The penalty from which on the fit is zero: ``||W o A||_2``."""
        s = self._leading(self.fitter.residual(self.fitter.nothing())[0], 1, PRECISE)[1]
        return float(s[0])

    def advance(self, penalty: float, tol: float = 0.0) -> Fit:
        """The certified fit for a penalty: loose fits while directions are missing, then one to the tolerance."""
        self._grow(penalty, None, GLANCE)
        while True:
            fit = self._fit(penalty, max(tol or self.fitter.tol, LOOSE), FEW)
            if self.fitter.watch.over or not self._grow(penalty, fit, GLANCE):
                fit = self._fit(penalty, tol)
                if self.fitter.watch.over or not self._grow(penalty, fit, LOOK):
                    return fit

    def _fit(self, penalty: float, tol: float, steps: int | None = None) -> Fit:
        width = max(self.factors[0].shape[1], 1)
        start = self.factors if self.factors[0].shape[1] else self._zero()
        fit = self.fitter.fit(start, width, self.method_for(width), penalty, tol, steps)
        self.factors = fit.factors()
        return fit

    def _zero(self) -> Factors:
        m, n = self.fitter.cells.shape
        return np.zeros((m, 1), self.fitter.cells.dtype), np.zeros((n, 1), self.fitter.cells.dtype)

    def method_for(self, width: int) -> str:
        if self.method != "auto":
            return self.method
        return "als" if width <= ALS_MOST else "em_acc"

    def _grow(self, penalty: float, fit: Fit | None, passes: int) -> bool:
        """Directions along which the penalty does not hold the residual join the factors; LOOK passes: all of them."""
        rest, dtype = self.fitter.residual(self.factors)
        if fit is not None and fit.rank:
            U, V = fit.U.astype(dtype, copy=False), fit.Vh.T.astype(dtype, copy=False)
            known = OPERATORS[dtype].low_rank(U, np.ones(fit.rank, dtype), V)
            rest = type(rest).sum(rest, known, 1.0, -penalty)
        room = self.cap - self.factors[0].shape[1]
        wanted = max(1, min(MOST_NEW if self.factors[0].shape[1] else MOST_FIRST, room))
        U, s, Vh, error = self._leading(rest, wanted, ROUGH, passes)
        if passes == LOOK and s[0] / penalty < 1 + 2 * ROUGH and (s[0] + error) / penalty > 1 - 2 * ROUGH:
            U, s, Vh, _ = self._leading(rest, wanted, PRECISE)  # too near the penalty for a rough look
        self.beyond = float(s[0]) / penalty
        if room == 0 or self.beyond <= 1 + SLACK:
            return False
        noise = CLEAR * s[-1] if s[0] > CLEAR * s[-1] else 0
        new = s > max(penalty, s[0] / 2, noise)  # what is smaller may be due to what is missing
        root = np.sqrt(s[new] - penalty).astype(s.dtype)
        self.factors = self.fitter.factors(
            np.hstack([self.factors[0], U[:, new] * root]), np.hstack([self.factors[1], Vh[new].T * root])
        )
        return True

    def _leading(self, matrix: Any, k: int, tol: float, passes: int = 0) -> Any:
        fitter = self.fitter
        U, s, Vh, fields = matrix.tsvd(
            min(k, *fitter.cells.shape), tol=tol, max_passes=passes, seed=fitter.seed, threads=fitter.threads,
            warm_start=self._known,
        )  # fmt: skip
        self._known = Vh.T
        return U, s, Vh, float(fields["residuals"][0])


def penalties_down_to(largest: float, smallest: float) -> list[float]:
    """A geometric path that ends at `smallest`; only it, where that is beyond the largest."""
    if not 0 < smallest < largest:
        return [smallest]
    steps = int(np.ceil(np.log(smallest / largest) / np.log(STEP)))
    return list(largest * (smallest / largest) ** (np.arange(1, steps + 1) / steps))


def follow(
    path: PenaltyPath, penalties: list[float], held_out: HeldOut, debias: bool
) -> tuple[Candidate, list[Candidate], Factors]:
    """The best of the penalties for the held-out cells (in the engine's units), all that were tried, its factors."""
    tried: list[Candidate] = []
    best, factors, since, least = Candidate(penalties[0], 0, np.inf), path.factors, 0, np.inf
    for penalty in penalties:
        fit = path.advance(penalty, tol=1e-4)
        candidate = Candidate(penalty, fit.rank, held_out.error(*path.factors))
        if debias and fit.rank:
            sharp = debiased(path.fitter, fit)
            candidate = replace(candidate, debiased_error=held_out.error(*sharp.factors()))
        tried.append(candidate)
        since = 0 if candidate.error < least or score(candidate) < score(best) else since + 1
        least = min(least, candidate.error)
        if score(candidate) < score(best):
            best, factors = candidate, path.factors
        if since >= PATIENCE or path.fitter.watch.over:
            break
    return best, tried, factors


def debiased(fitter: Fitter, fit: Fit) -> Fit:
    """One sweep of least squares without penalty from a fit: its values are no longer shrunk."""
    return fitter.fit(fit.factors(), fit.rank, "als", 0.0, steps=1)
