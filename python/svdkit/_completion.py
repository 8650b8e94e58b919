"""Weighted fits of single entries, and matrices with missing ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from . import _arguments as check
from ._cells import CellData, open_cells
from ._completion_penalty import chosen_penalty, given_penalty
from ._completion_rank import chosen_rank, given_rank
from ._completion_result import CompletionResult, FitDetails
from ._completion_task import Task, check_rank, task_of
from ._fitter import Watch
from ._progress import Progress, progress_bar
from ._report import Report
from .errors import ConvergenceError, ConvergenceWarning

Method = Literal["auto", "als", "em", "em_acc", "soft"]


def complete(
    A: Any,
    k: Any = None,
    elements: Any = "observed",
    *,
    method: Method = "auto",
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
    """Return the plain SVD of a low-rank matrix Z that fits weighted single entries of A.

    Minimises ``sum w_ij (a_ij - z_ij)^2`` over matrices of rank k, or ``loss / 2 + penalty * ||Z||_*``. Entries of
    weight 0 are missing: whatever A holds there is not looked at.

    Parameters
    ----------
    A : array or sparse matrix, shape (m, n)
        Real. Dense: may be NaN where the weight is 0. Sparse: what is not stored is 0 where weights ask for it.
    k : int, sequence of int, or None
        Rank of the fit; of a sequence the rank that predicts held-out cells best; None: a penalty is chosen by
        held-out cells instead, and it chooses the rank. With a penalty, the largest rank allowed (None: min(m, n)).
    elements : "observed", array or sparse matrix, shape (m, n)
        Weights >= 0. "observed": 1 for every entry of a dense A that is not NaN, for every stored entry of a sparse A
        (explicit zeros count). Sparse weights: what is not stored is 0; the pattern need not be that of A.
    method : {"auto", "als", "em", "em_acc", "soft"}
        Alternating least squares, expectation-maximisation (also accelerated), or a penalised path. "auto": "als" up to
        k = 32, else "em_acc"; "soft" for ``k=None``.
    penalty : float or sequence of float, optional
        Weight of the nuclear norm; of a sequence the one that predicts held-out cells best.
    tol : float
        Largest gradient allowed, as the residuals below, relative to ``s[0]``. Default: 1e-6.
    max_iter : int, optional
        Sweeps or steps of one iteration. Default: 200 sweeps, 5000 steps, 2000 accelerated ones.
    n_init : int
        Starts: the first is spectral, the others random; the fit of the smallest loss is kept. Without a penalty only.
    warm_start : SVDResult or (U, s, Vh), optional
        A fit to start from.
    held_out : float
        Share of the cells that choose `penalty` or `k`; the fit that is returned has seen all of them.
    debias : bool, optional
        One sweep of least squares without penalty at the end. Default: for a chosen penalty, if that predicts held-out
        cells better; for a given one, no.
    rng, threads, callback, progress, time_limit, on_fail
        As in :func:`svdkit.tsvd`.

    Returns
    -------
    CompletionResult
        ``U, s, Vh`` of Z, ``loss``, ``relative_error``, ``history``, ``stationarity``, ``held_out_error``,
        ``candidates`` and ``predict(rows, cols)``. ``report.residuals`` are
        ``max(||S v - penalty u||, ||S^T u - penalty v||)`` over the mean weight, ``S = W o (A - Z)``: what keeps the
        triplet from being one of the matrix that is completed by Z itself.

    Raises
    ------
    ValueError, TypeError
        If a weight is negative or not finite, if an entry of positive weight is not finite, if an argument is wrong.
    ConvergenceError
        With ``on_fail="raise"``, if the fit is not stationary to `tol`.

    Warns
    -----
    ConvergenceWarning
        If the fit is not stationary to `tol`.

    Notes
    -----
    Without a penalty the problem is NP-hard, already for rank 1 and for weights 0 and 1, and so is coming near to the
    optimum [1]_. The result is a stationary point, the objective never rises on the way to it, and ``n_init`` tries
    others. Solved exactly: constant weights (``tsvd``), and weights ``w_ij = p_i q_j`` (``tsvd`` of the scaled matrix).
    Recovery of the missing entries is a theorem for random missingness and spread-out vectors only.

    With a penalty the problem is convex. The path [2]_ goes from large penalties to small ones; each fit is extended
    until the residual beyond it is at most ``penalty`` in norm (to 0.1 %), which proves it optimal.

    Rows and columns with fewer than k cells do not determine a fit: without a penalty they are pulled towards zero,
    by 1e-3 of their mean weight on each entry, and the report says how many. Rows without cells are zero.

    Cost per step for c cells: "als" ``2 c (k^2 + 4 k) + (m + n) k^3 / 3`` flops in double precision; "em" ``8 c k``
    (momentum: 12 c k); two reads of the cells each. Memory: factors; listed cells once more by columns; a dense A and
    dense weights stay where they are.

    References
    ----------
    .. [1] N. Gillis and F. Glineur, Low-rank matrix approximation with weights or missing data is NP-hard, SIAM J.
       Matrix Anal. Appl. 32 (2011).
    .. [2] R. Mazumder, T. Hastie and R. Tibshirani, Spectral regularization algorithms for learning large incomplete
       matrices, J. Mach. Learn. Res. 11 (2010); T. Hastie, R. Mazumder, J. Lee and R. Zadeh, Matrix completion and
       low-rank SVD via fast alternating least squares, J. Mach. Learn. Res. 16 (2015).
    .. [3] N. Srebro and T. Jaakkola, Weighted low-rank approximations, ICML 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit._completion import complete
    >>> A = np.outer(np.arange(1.0, 7.0), np.ones(5))
    >>> A[2, 3] = A[4, 0] = np.nan
    >>> fit = complete(A, 1)
    >>> fit.predict([2, 4], [3, 0]).round(6)
    array([3., 5.])
    """
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
        warnings.warn(f"{notes[-1]}, and the fit is zero; check elements", ConvergenceWarning, stacklevel=3)
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
    warnings.warn(message, ConvergenceWarning, stacklevel=3)
