"""One truncated SVD: arguments checked, matrix through the gate, engine called, result out."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _arguments as check
from ._arrays import as_array
from ._batched import Triplets, decompose_stack
from ._columns import standardize
from ._inputs import Matrix, is_sparse, open_matrix
from ._progress import hook, progress_bar
from ._report import Report
from ._result import SVDResult
from ._scalars import real_dtype
from .errors import ConvergenceError, ConvergenceWarning


@dataclass(slots=True)
class Request:
    """What was asked for, besides the matrix; checked, and the same for every matrix of a stack."""

    k: Any
    tol: Any
    which: Any
    vectors: bool
    center: Any
    scale: Any
    warm_start: Any
    method: Any
    block_size: Any
    max_passes: Any
    rng: Any
    threads: Any
    callback: Any
    progress: bool
    time_limit: Any
    on_fail: Any

    def __post_init__(self) -> None:
        self.tol = check.tolerance(self.tol)
        check.choice("which", self.which, ("largest", "smallest"))
        check.choice("method", self.method, ("auto", "lanczos", "full"))
        check.choice("on_fail", self.on_fail, ("warn", "raise"))
        self.block_size = check.optional_int("block_size", self.block_size)
        self.max_passes = check.optional_int("max_passes", self.max_passes)
        self.threads = check.optional_int("threads", self.threads)
        self.time_limit = check.seconds("time_limit", self.time_limit)
        self.rng = check.seed(self.rng)


def run(A: Any, request: Request) -> Any:
    """The result for one matrix or for a stack of them; a warning or an error where it did not converge."""
    if isinstance(A, list | tuple):
        A = as_array(A, "A", [])
    if getattr(A, "ndim", 2) == 3 and not is_sparse(A):
        return _conclude(decompose_stack(A, lambda matrix: _decompose(matrix, request)), request)
    return _conclude(_decompose(A, request), request)


def _decompose(A: Any, request: Request) -> Triplets:
    matrix = open_matrix(A, threads=request.threads)
    k = check.rank(request.k, matrix.shape)
    if k == 0:
        return _nothing(matrix, request)
    if request.center is not False or request.scale is not None:
        standardize(matrix, request.center, request.scale, request.threads)
    start = check.start_vectors(request.warm_start, matrix.shape[1], matrix.dtype)
    with progress_bar(request.progress, k) as bar:
        U, s, Vh, fields = matrix.core.tsvd(
            k,
            request.tol,
            request.which,
            request.method,
            request.vectors,
            request.block_size,
            request.max_passes,
            request.rng,
            request.threads,
            start,
            hook(request.callback, bar),
            request.time_limit,
        )
    report = Report(**fields)
    if matrix.notes:
        report.notes[:0] = matrix.notes
    report.passes += matrix.passes
    return U, s, Vh, report


def _conclude(triplets: Triplets, request: Request) -> Any:
    U, s, Vh, report = triplets
    result = SVDResult(U, s, Vh, report) if request.vectors else s
    if not report.converged:
        message = _shortfall(s, report, request.k)
        if request.on_fail == "raise":
            raise ConvergenceError(message, result, report)
        warnings.warn(message, ConvergenceWarning, stacklevel=4)
    return result


def _shortfall(s: np.ndarray, report: Report, k: int) -> str:
    allowed = report.tol * float(np.max(s, initial=0))
    wanted = report.residuals.size // max(s.shape[-1], 1) * k
    good = int(np.count_nonzero(report.residuals <= allowed))
    why = f" ({'; '.join(report.notes)})" if report.notes else ""
    return (
        f"{wanted - good} of {wanted} triplets did not converge: the largest residual is "
        f"{float(np.max(report.residuals, initial=0)):.1e}, allowed is {allowed:.1e} = tol * s[0]{why}; "
        f"allow more with time_limit, max_passes or tol, go on from this result with warm_start, or use method='full'"
    )


def _nothing(matrix: Matrix, request: Request) -> Triplets:
    """The decomposition of a matrix without rows or columns."""
    m, n = matrix.shape
    report = Report("full", "the matrix is empty", True, np.empty(0), request.tol, 0, 0, {}, 0, 1, request.rng)
    s = np.empty(0, real_dtype(matrix.dtype))
    return np.empty((m, 0), matrix.dtype), s, np.empty((0, n), matrix.dtype), report
