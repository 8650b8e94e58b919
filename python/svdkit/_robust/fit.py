"""One robust SVD: arguments checked, cells through the gate, engine called, result out."""

from __future__ import annotations

import time
import warnings
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _arguments as check
from .._by_rule import is_rule
from .._dense_cells import CellMatrix, open_cells
from .._progress import hook, progress_bar
from .._report import Report
from .._scalars import OPERATORS
from .._spectrum import spectrum_of
from .._tsvd import Request
from .._tsvd import run as run_tsvd
from ..errors import ConvergenceError, ConvergenceWarning
from .result import RobustResult

GRID = (0.1, 0.2, 0.3, 0.4, 0.5)
SCALES = ("mdpde", "mad", "iqr")


@dataclass(slots=True)
class RobustRequest:
    """What was asked for, besides the matrix; checked."""

    k: Any
    alpha: Any
    missing: Any
    init: Any
    tol: Any
    max_iter: Any
    method: Any
    scale: Any
    loss: Any
    weights: Any
    unsupported: Any
    rng: Any
    threads: Any
    callback: Any
    progress: bool
    time_limit: Any
    on_fail: Any
    sigma: float = 0.0  # a fixed scale

    def __post_init__(self) -> None:
        if self.alpha != "auto":
            self.alpha = check.number("alpha", self.alpha)
            if not 0 <= self.alpha <= 1:
                raise ValueError(f"alpha = {self.alpha!r}, but must be in [0, 1] or 'auto'; 0.3 is the default")
        check.choice("missing", self.missing, ("raise", "mask"))
        check.choice("method", self.method, ("joint", "deflation"))
        check.choice("loss", self.loss, ("dpd", "huber", "welsch"))
        check.choice("unsupported", self.unsupported, ("zero", "keep"))
        check.choice("on_fail", self.on_fail, ("warn", "raise"))
        self._check_scale()
        self.tol = check.tolerance(self.tol)
        self.max_iter = check.positive_int("max_iter", self.max_iter)
        self.threads = check.optional_int("threads", self.threads)
        self.time_limit = check.seconds("time_limit", self.time_limit)
        self.rng = check.seed(self.rng)
        if self.init is not None and self.method == "deflation":
            raise ValueError("init = ... starts all components at once, which is method='joint'; leave it out")
        if self.alpha == "auto" and (self.loss != "dpd" or self.method != "joint"):
            raise ValueError("alpha = 'auto' needs loss='dpd' and method='joint'; give a number")

    def _check_scale(self) -> None:
        if self.scale is None:
            self.scale = "mdpde" if self.loss == "dpd" else "mad"
        if isinstance(self.scale, str):
            check.choice("scale", self.scale, SCALES)
            if self.scale == "mdpde" and self.loss != "dpd":
                raise ValueError(f"scale = 'mdpde' belongs to loss='dpd', but loss = {self.loss!r}; use scale='mad'")
            return
        self.sigma, self.scale = check.number("scale", self.scale), "fixed"
        if not 0 < self.sigma < np.inf:
            raise ValueError(f"scale = {self.sigma!r}, but a given noise level must be positive and finite")


def run(A: Any, request: RobustRequest) -> RobustResult:
    cells = open_cells(A, request.weights, request.missing, request.threads)
    if is_rule(request.k):
        return _conclude(_of_chosen_rank(cells, request), request)
    k = check.rank(request.k, cells.x.shape)
    if k == 0:
        return _nothing(cells, request)
    return _conclude(_fit(cells, k, request), request)


def _fit(cells: CellMatrix, k: int, request: RobustRequest) -> RobustResult:
    if request.alpha == "auto":
        return _best_alpha(cells, k, request)
    if request.alpha == 0 and request.loss == "dpd" and cells.complete:
        return _plain(cells, k, request)
    return solve(cells, k, request, request.alpha, request.init)


def solve(cells: CellMatrix, k: int, request: RobustRequest, alpha: float, init: Any) -> RobustResult:
    """One call of the engine."""
    left, right = starting_factors(init, k, cells.x)
    with progress_bar(request.progress, k) as bar:
        triplets, found = OPERATORS[cells.x.dtype].robust_svd(
            *(cells.x, cells.prior, k, alpha, request.method, request.loss, request.scale, request.sigma),
            *(request.tol, request.max_iter, request.unsupported == "keep", left, right, request.rng),
            *(request.threads, hook(request.callback, bar), request.time_limit),
        )
    U, s, Vh, fields = triplets
    report = Report(**fields)
    what = f"alpha = {alpha:g}" if request.loss == "dpd" else f"loss {request.loss}"
    report.reason = f"{what}, scale {request.scale if request.scale != 'fixed' else 'given'}"
    report.notes[:0] = cells.notes
    if found.pop("order_changed"):
        report.notes.append("a later component was larger than an earlier one; they were sorted")
    for name in ("rows", "cols"):
        lost = found[f"unsupported_{name}"]
        if lost.size:
            report.notes.append(f"{lost.size} {name} without support")
    return RobustResult(U, s, Vh, report, cells=cells, alpha=alpha, loss=request.loss, **found)


def starting_factors(init: Any, k: int, x: np.ndarray) -> tuple[Any, Any]:
    """(left, right) with A ~ left right^T, right orthonormal; left None where only right vectors are given."""
    if init is None:
        return None, None
    V = check.start_vectors(init, x.shape[1], np.dtype(np.float64))
    if V is None or V.shape[1] != k:
        raise ValueError(f"init has {0 if V is None else V.shape[1]} right vectors, but k = {k} are needed")
    U, s = (init.U, init.s) if hasattr(init, "Vh") else init[:2] if isinstance(init, tuple) else (None, None)
    Q, R = np.linalg.qr(V)
    right = np.ascontiguousarray(Q, x.dtype)
    if U is None:
        return None, right
    U = np.asarray(U, dtype=float)
    if U.shape != (x.shape[0], k) or not np.isfinite(U).all() or not np.isfinite(s).all():
        raise ValueError(f"init has U of shape {U.shape}, but finite entries of shape {(x.shape[0], k)} are needed")
    return np.ascontiguousarray((U * np.asarray(s)) @ R.T, x.dtype), right


def _best_alpha(cells: CellMatrix, k: int, request: RobustRequest) -> RobustResult:
    """The alpha whose estimated squared error is least: distance to a safe pilot, and variance of the fit."""
    pilot = solve(cells, k, request, GRID[-1], request.init)
    m, n = cells.x.shape
    fits, scores = [], []
    for alpha in GRID:
        fit = pilot if alpha == GRID[-1] else solve(cells, k, request, alpha, pilot)
        variance = float(pilot.sigma[0]) ** 2 * k * (m + n) * (1 + alpha**2 / (1 + 2 * alpha)) ** 1.5
        fits.append(fit)
        scores.append(squared_distance(fit, pilot) + variance)
    best = fits[int(np.argmin(scores))]
    table = ", ".join(f"{alpha:g}: {score:.4g}" for alpha, score in zip(GRID, scores, strict=True))
    best.report.notes.append(f"alpha chosen by estimated squared error ({table})")
    best.report.passes = sum(fit.report.passes for fit in fits)
    return best


def squared_distance(a: Any, b: Any) -> float:
    """``||A - B||_F^2`` of two results from small cores, without cancellation of large norms."""
    left = np.linalg.qr(np.hstack([a.U * a.s, -b.U * b.s]).astype(float))[1]
    right = np.linalg.qr(np.hstack([a.Vh.T, b.Vh.T]).astype(float))[1]
    return float(np.sum((left @ right.T) ** 2))


def _plain(cells: CellMatrix, k: int, request: RobustRequest) -> RobustResult:
    """alpha = 0 is the truncated SVD, and sigma the root of the mean square it leaves."""
    plain = Request(
        k, None, "largest", True, False, None, None, "auto", None, None, request.rng, request.threads or None,
        request.callback, request.progress, request.time_limit or None, "warn",
    )  # fmt: skip
    result = run_tsvd(cells.x, plain)
    rest = cells.x - result.reconstruct()
    sigma = np.full(k, np.sqrt(np.mean(np.square(rest, dtype=np.float64))))
    none = np.empty(0, np.int64)
    result.report.notes.append("alpha = 0 is the truncated SVD")
    return RobustResult(
        result.U, result.s, result.Vh, result.report, cells=cells, alpha=0.0, loss="dpd", sigma=sigma,
        objective=np.empty(0), unsupported_rows=none, unsupported_cols=none,
    )  # fmt: skip


def _of_chosen_rank(cells: CellMatrix, request: RobustRequest) -> RobustResult:
    """Ranks by a rule that looks at the entries, or at the singular values of robust fits."""
    begin = time.perf_counter()
    if not cells.complete:
        raise ValueError(f"k = {request.k!r} looks at all cells, but some are missing or weighted; give an integer")
    rule = request.k
    if rule.needs == "the matrix itself":
        k = rule.decide(spectrum_of(np.empty(0), cells.x.shape, data=cells.x)).rank
    else:
        k = _rank_from_values(cells, request)
    part = copy(request)
    if request.time_limit:
        part.time_limit = max(request.time_limit - (time.perf_counter() - begin), 1e-9)
    if k == 0:
        return _nothing(cells, request)
    result = _fit(cells, k, part)
    result.report.reason += f"; {rule!r} chose rank {k}"
    return result


def _rank_from_values(cells: CellMatrix, request: RobustRequest) -> int:
    """More and more components until the rule can tell; their energy and that of the noise is all there is."""
    p = min(cells.x.shape)
    k = min(max(request.k.first_look(cells.x.shape), 1), p)
    while True:
        fit = _fit(cells, k, request)
        energy = float(np.sum(fit.s.astype(float) ** 2) + cells.x.size * fit.sigma[-1] ** 2)
        decision = request.k.decide(spectrum_of(fit.s, cells.x.shape, energy_total=energy))
        if decision is not None or k == p:
            return k if decision is None else min(decision.rank, k)
        k = min(2 * k, p)


def _nothing(cells: CellMatrix, request: RobustRequest) -> RobustResult:
    m, n = cells.x.shape
    dtype = cells.x.dtype
    report = Report(request.method, "nothing to fit", True, np.empty(0), 0.0, 0, 0, {}, 0, 1, request.rng, cells.notes)
    none = np.empty(0, np.int64)
    alpha = 0.3 if request.alpha == "auto" else request.alpha
    return RobustResult(
        np.zeros((m, 0), dtype), np.zeros(0, dtype), np.zeros((0, n), dtype), report, cells=cells, alpha=alpha,
        loss=request.loss, sigma=np.empty(0), objective=np.empty(0), unsupported_rows=none, unsupported_cols=none,
    )  # fmt: skip


def _conclude(result: RobustResult, request: RobustRequest) -> RobustResult:
    report = result.report
    if not report.converged:
        message = (
            f"the robust fit still moves after {report.iterations} sweeps (tol = {report.tol:.1e}"
            f"{'; ' + '; '.join(report.notes) if report.notes else ''}); allow more with max_iter, time_limit or tol, "
            f"or go on from this result with init"
        )
        if request.on_fail == "raise":
            raise ConvergenceError(message, result, report)
        warnings.warn(message, ConvergenceWarning, stacklevel=4)
    return result
