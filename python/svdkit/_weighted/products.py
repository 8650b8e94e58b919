"""Triplets by products with A and its metrics: few of them, or metrics that are known in no other way.

Values appear squared, so the products are in double precision. Single-precision entries are searched in their own
precision first, at a fraction of the cost, where there is one metric: what the search finds is taken through products
in double precision, which give the triplets and their residuals, or show that they are not good enough.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._by_rule import is_rule
from .._error_estimate import product
from .._progress import hook, progress_bar
from .._report import Report
from .._scalars import DTYPES, real_dtype
from .._tsvd import Request
from .metric import Metric
from .metric_inputs import in_double
from .problem import WeightedProblem

LOOSEST = 1e-5  # default tolerance of single precision: tighter ones are not searched in it
MOST = 60  # reads of A by a search, and one a triplet more: slower ones are left to double precision
STEPS = 2  # block power steps in double precision: each takes off most of the rounding, which lies in all directions


@dataclass(slots=True)
class Found:
    """Vectors of A with the roots of diagonal metrics on it, before they are unfolded."""

    U: np.ndarray
    s: np.ndarray
    V: np.ndarray
    report: Report


def by_products(problem: WeightedProblem, request: Request) -> tuple[np.ndarray, np.ndarray, np.ndarray, Report]:
    """U, s, V and the report; block Krylov on the shorter side, diagonal metrics become part of A."""
    if is_rule(request.k):
        raise TypeError(f"k = {request.k!r}, but with metrics known by products only k must be an integer")
    if request.which == "smallest":
        raise ValueError("which = 'smallest' needs factors, and a metric is known by its products only")
    begin, narrow = time.perf_counter(), problem.matrix.dtype
    plain = _is_plain(problem.rows), _is_plain(problem.cols)
    searched = _is_searched(problem, request, plain)
    m, n = problem.matrix.shape
    flipped = plain[1] if searched else m > n  # a search needs no metric on the side of its vectors
    side = problem.adjoint() if flipped else problem
    core, notes = in_double(side.matrix)
    with progress_bar(request.progress, request.k) as bar:
        listener = hook(request.callback, bar)
        found = _searched(side, core, request, listener) if searched else None
        if found is None:
            found = _in_double(side, core, request, listener, begin)
    report = found.report
    report.seconds["total"] = time.perf_counter() - begin
    must = any(each is not None and each.products_only for each in problem.sides)
    report.reason = "metrics by their products only" if must else "few triplets: metrics are not factored"
    report.notes[:0] = [*problem.matrix.notes, *notes]
    report.passes += problem.matrix.passes
    U, V = side.unfold(core, found.U, found.s, found.V)
    if flipped:
        U, V = V, U
    U, V = (np.ascontiguousarray(X.astype(narrow)) for X in (U, V))
    return U, found.s.astype(real_dtype(narrow)), V, report


def _is_plain(metric: Metric | None) -> bool:
    return metric is None or metric.root is not None


def _tolerance(problem: WeightedProblem, request: Request) -> float:
    return request.tol or (LOOSEST if real_dtype(problem.matrix.dtype) == np.float32 else 1e-10)


def _in_double(side: WeightedProblem, core: Any, request: Request, listener: Any, begin: float) -> Found:
    metrics = [None if each is None or _is_plain(each) else each.core(DTYPES[type(core)]) for each in side.sides]
    limit = max(request.time_limit - (time.perf_counter() - begin), 1e-9) if request.time_limit else 0.0
    U, s, Vh, fields = side.scaled(core).metric_lanczos(
        *metrics, request.k, _tolerance(side, request), 0, request.rng, request.threads, listener, limit, 0.0
    )
    report = Report(**fields)
    report.residuals = report.residuals[s > 0]
    return Found(U[:, s > 0], s[s > 0], Vh.conj().T[:, s > 0], report)


def _is_searched(problem: WeightedProblem, request: Request, plain: tuple[bool, bool]) -> bool:
    """Whether a search in single precision comes first: one metric, its entries at hand, and the usual tolerance."""
    if real_dtype(problem.matrix.dtype) != np.float32 or sum(plain) != 1:
        return False
    metric = problem.sides[plain.index(False)]
    return metric is not None and metric.dense is not None and _tolerance(problem, request) >= LOOSEST


def _searched(side: WeightedProblem, core: Any, request: Request, listener: Any) -> Found | None:
    """What a search in single precision leads to; None where that is too little. The metric is that of the columns."""
    assert side.cols is not None
    dtype, wanted = side.matrix.dtype, min(request.k, *side.matrix.shape)
    tol = _tolerance(side, request)
    U, s, _, fields = side.scaled(side.matrix.core).metric_search(
        None, side.cols.core(dtype), wanted, tol, MOST + wanted, request.rng, request.threads, listener,
        request.time_limit, 0.0,
    )  # fmt: skip
    report = Report(**fields)
    stopped = not report.converged and bool(report.notes)
    if not stopped and np.count_nonzero(s) < wanted:  # values that single precision does not tell from zero
        return None
    U, scaled, (m, n) = U[:, s > 0], side.scaled(core), side.matrix.shape
    for _ in range(1 if stopped else 1 + STEPS):
        Q = np.linalg.qr(U.astype(np.result_type(dtype, np.float64)))[0]
        Z = product(scaled, Q, n, adjoint=True)
        U = product(scaled, side.cols.times(Z), m)
        report.passes += 2
        theta, turn = np.linalg.eigh(Q.conj().T @ U)
        theta, turn = np.maximum(theta[::-1], np.finfo(float).tiny), turn[:, ::-1]
        values = np.sqrt(theta)
        left = Q @ turn
        report.residuals = np.linalg.norm((U @ turn) / values - left * values, axis=0)
        report.converged = bool((report.residuals <= tol * values.max(initial=0)).all())
        if report.converged or stopped:
            report.converged &= not stopped
            report.notes.append("searched in single precision, finished in double")
            return Found(left, values, (Z @ turn) / values, report)
    return None
