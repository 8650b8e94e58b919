"""Weighted fits of single entries, and matrices with missing ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from .. import _arguments as check
from .._progress import Progress, progress_bar
from .._report import Report
from ..errors import ConvergenceError, ConvergenceWarning
from .cells import CellData, open_cells
from .fitter import Watch
from .penalty import chosen_penalty, given_penalty
from .rank import chosen_rank, given_rank
from .result import CompletionResult, FitDetails
from .task import Task, check_rank, task_of


def complete(
    A: Any,
    k: Any,
    elements: Any,
    *,
    method: str = "auto",
    penalty: Any = None,
    tol: float | None = None,
    max_iter: int | None = None,
    n_init: int = 1,
    warm_start: Any = None,
    held_out: float = 0.05,
    debias: bool | None = None,
    rng: Any = 0,
    threads: int | None = None,
    callback: Callable[[Progress], Any] | None = None,
    progress: bool = False,
    time_limit: float | None = None,
    on_fail: Literal["warn", "raise"] = "warn",
) -> CompletionResult:
    """The fit of :func:`svdkit.weighted_svd` with `elements`, where the arguments are explained."""
    task = task_of(k, method, penalty, tol, max_iter, n_init, warm_start, held_out, debias, rng, threads)
    check.choice("on_fail", on_fail, ("warn", "raise"))
    limit = check.seconds("time_limit", time_limit)
    cells = open_cells(A, elements)
    check_rank(task, cells.shape)
    if cells.count == 0 or cells.max_abs == 0:
        return _zero_fit(cells, task)
    with progress_bar(progress, 1) as bar:
        result = _solve(cells, task, Watch(callback, bar, limit))
    if not result.report.converged:
        _complain(result, on_fail)
    return result


def _solve(cells: CellData, task: Task, watch: Watch) -> CompletionResult:
    chooses = task.k is None or task.method == "soft"
    if isinstance(task.penalty, list) or (chooses and not task.penalty):
        return chosen_penalty(cells, task, watch)
    if task.penalty:
        return given_penalty(cells, task, watch)
    if isinstance(task.k, list):
        return chosen_rank(cells, task, watch)
    assert task.k is not None
    return given_rank(cells, task, task.k, watch)


def _zero_fit(cells: CellData, task: Task) -> CompletionResult:
    m, n = cells.shape
    k = min(m, n, task.k if isinstance(task.k, int) else 1)
    notes = [*cells.notes, "A is zero where it counts" if cells.count else "no entry counts: every weight is 0"]
    if not cells.count and m * n:
        warnings.warn(f"{notes[-1]}, and the fit is zero; check elements", ConvergenceWarning, stacklevel=4)
    report = Report(
        "none", "nothing to fit", True, np.zeros(k), task.tol, 0, 0, {}, 0, 1, task.seed, notes
    )  # fmt: skip
    details = FitDetails(0.0, 0.0, 0.0, 0.0, np.zeros(1))
    U, Vh = np.eye(m, k, dtype=cells.dtype), np.eye(k, n, dtype=cells.dtype)
    return CompletionResult(U, np.zeros(k, cells.dtype), Vh, report, details)


def _complain(result: CompletionResult, on_fail: str) -> None:
    report = result.report
    message = (
        f"the fit is not stationary: the largest residual is {float(np.max(report.residuals, initial=0)):.1e}, allowed "
        f"is {report.tol:.1e} * s[0] ({'; '.join(report.notes)}); allow more with max_iter, time_limit or tol, go on "
        f"from this result with warm_start, or try another method"
    )
    if on_fail == "raise":
        raise ConvergenceError(message, result, report)
    warnings.warn(message, ConvergenceWarning, stacklevel=4)
