"""Weighted fits of a given rank, or of the rank that held-out cells choose."""

from __future__ import annotations

import numpy as np

from .cells import CellData
from .fitter import Factors, Fitter, Watch
from .held_out import hold_out, record, score
from .result import Candidate, CompletionResult
from .task import ALS_MOST, Task
from .weights import closed_form


def given_rank(cells: CellData, task: Task, k: int, watch: Watch) -> CompletionResult:
    fitter = task.fitter(cells, watch)
    if task.method == "auto":
        closed = closed_form(cells, k, task.seed, task.threads)
        if closed is not None:
            fit = fitter.measured(closed[0], closed[0][0].shape[1])
            return fitter.result(fit, "tsvd", closed[1])
    method = task.iteration(k)
    why = "asked for" if task.method == method else f"k = {k} {'<=' if k <= ALS_MOST else '>'} {ALS_MOST}"
    starts = [first_start(fitter, task, k)] + [fitter.random_start(k, i) for i in range(1, task.n_init)]
    fits = [fitter.fit(start, k, method) for start in starts if start is starts[0] or not watch.over]
    best = min(fits, key=lambda fit: fit.more["loss"])
    result = fitter.result(best, method, why)
    if len(fits) > 1:
        losses = ", ".join(f"{fit.more['loss'] / best.more['loss'] - 1:.1e}" for fit in fits)
        result.report.notes.append(f"{len(fits)} starts; their losses above the best: {losses}")
    return result


def first_start(fitter: Fitter, task: Task, k: int) -> Factors:
    if task.warm_start is None:
        return fitter.spectral_start(k)
    try:
        U, s, Vh = (np.asarray(part, dtype=fitter.cells.dtype) for part in task.warm_start)
    except (TypeError, ValueError) as error:
        raise TypeError("warm_start must be a result or (U, s, Vh)") from error
    if (U.shape[0], Vh.shape[1]) != fitter.cells.shape or not U.shape[1] == s.size == Vh.shape[0] >= 1:
        raise ValueError(f"warm_start has shapes {U.shape}, {s.shape}, {Vh.shape}; they do not fit A")
    if not all(np.isfinite(part).all() for part in (U, s, Vh)):
        raise ValueError("warm_start has entries that are not finite; leave it out")
    left, right = U[:, :k] * (s[:k] * fitter.cells.value_unit), Vh[:k].T
    if s.size < k:  # more directions than the start has
        more = fitter.random_start(k - s.size, 0)
        left, right = np.hstack([left, 1e-3 * more[0]]), np.hstack([right, more[1]])
    return np.ascontiguousarray(left, fitter.cells.dtype), np.ascontiguousarray(right, fitter.cells.dtype)


def chosen_rank(cells: CellData, task: Task, watch: Watch) -> CompletionResult:
    assert isinstance(task.k, list)
    train, out = hold_out(cells, task.held_out, task.seed)
    fitter = task.fitter(train, watch)
    tried: list[Candidate] = []
    for k in sorted(set(task.k)):
        if tried and watch.over:
            break
        fit = fitter.fit(fitter.spectral_start(k), k, task.iteration(k), tol=max(task.tol, 1e-4))
        tried.append(Candidate(0.0, k, out.error(*fit.factors())))
    best = min(tried, key=score)
    result = given_rank(cells, task, best.rank, watch)
    result.report.reason += f"; of {len(tried)} ranks held-out cells chose {best.rank}"
    record(result, best, tried, out.unit, 1.0)
    return result
