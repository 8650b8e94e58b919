"""Weighted fits with a nuclear-norm penalty, given or chosen by held-out cells."""

from __future__ import annotations

import numpy as np

from .cells import CellData
from .fitter import Factors, Fit, Fitter, Watch
from .held_out import hold_out, record
from .penalty_path import LEAST, PenaltyPath, debiased, follow, penalties_down_to
from .rank import first_start
from .result import CompletionResult
from .task import Task


def _cap(task: Task, cells: CellData) -> int:
    return task.k if isinstance(task.k, int) else min(cells.shape)


def _inner(task: Task) -> str:
    return "auto" if task.method == "soft" else task.method


def given_penalty(cells: CellData, task: Task, watch: Watch) -> CompletionResult:
    assert isinstance(task.penalty, float)
    fitter = task.fitter(cells, watch)
    start = None if task.warm_start is None else _warm_factors(fitter, task)
    path = PenaltyPath(fitter, _cap(task, cells), _inner(task), start)
    penalty = fitter.penalty_in(task.penalty)
    return _finish(path, penalty, bool(task.debias), "a penalty was given")


def _warm_factors(fitter: Fitter, task: Task) -> Factors:
    left, right = first_start(fitter, task, len(task.warm_start[1]))
    size = np.sqrt(np.linalg.norm(left, axis=0))  # the values shared between the two
    return np.ascontiguousarray(left / np.where(size > 0, size, 1)), np.ascontiguousarray(right * size)


def chosen_penalty(cells: CellData, task: Task, watch: Watch) -> CompletionResult:
    train, out = hold_out(cells, task.held_out, task.seed)
    path = PenaltyPath(task.fitter(train, watch), _cap(task, cells), _inner(task))
    if isinstance(task.penalty, list):
        penalties = [path.fitter.penalty_in(each) for each in task.penalty]
    else:
        largest = path.largest()
        penalties = penalties_down_to(largest, LEAST * largest)
    best, tried, factors = follow(path, penalties, out, task.debias is not False)
    fitter = task.fitter(cells, watch)
    sharp = task.debias or (task.debias is None and best.debiased_error < best.error)
    why = f"of {len(tried)} penalties held-out cells chose one"
    result = _finish(PenaltyPath(fitter, _cap(task, cells), _inner(task), factors), best.penalty, bool(sharp), why)
    record(result, best, tried, out.unit, fitter.penalty_out(1.0))
    return result


def _finish(path: PenaltyPath, penalty: float, sharp: bool, why: str) -> CompletionResult:
    fitter = path.fitter
    fit: Fit = path.advance(penalty)
    certificate = f"the residual beyond the fit is {path.beyond:.4f} of the penalty"
    if path.beyond > 1.01:
        certificate += ": a larger k would fit better"
    if sharp and fit.rank:
        converged = fit.fields["converged"]
        fit = debiased(fitter, fit)
        fit.fields |= {"converged": converged, "notes": []}  # one sweep is all that was wanted
        certificate += "; then one sweep without penalty"
    inner = path.method_for(max(fit.rank, 1))
    result = fitter.result(fit, f"soft ({inner})", why, penalty)
    result.report.notes.append(certificate)
    return result
