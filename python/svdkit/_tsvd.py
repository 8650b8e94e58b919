"""One truncated SVD: arguments checked, matrix through the gate, engine called, result out."""

from __future__ import annotations

import warnings
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _arguments as check
from ._arrays import as_array
from ._batched import open_stack, standardized_stack
from ._by_rule import decompose_by_rule, is_rule
from ._columns import standardize
from ._inputs import Matrix, is_sparse, open_matrix
from ._progress import hook, progress_bar
from ._report import Report
from ._result import SVDResult
from ._scalars import OPERATORS, real_dtype
from .errors import ConvergenceError, ConvergenceWarning

Triplets = tuple[Any, np.ndarray, Any, Report]  # U and Vh are None where only values are wanted


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

    def engine_arguments(self, k: int, n: int, dtype: np.dtype[Any], bar: Any, passes: int = 0) -> tuple[Any, ...]:
        start = check.start_vectors(self.warm_start, n, dtype)
        listener = hook(self.callback, bar)
        max_passes = max(self.max_passes - passes, 1) if self.max_passes else 0  # some are spent already
        return (
            *(k, self.tol, self.which, self.method, self.vectors, self.block_size, max_passes),
            *(self.rng, self.threads, start, listener, self.time_limit),
        )


def run(A: Any, request: Request) -> Any:
    """The result for one matrix or for a stack of them; a warning or an error where it did not converge."""
    if isinstance(A, list | tuple):
        A = as_array(A, "A")
    if getattr(A, "ndim", 2) == 3 and not is_sparse(A):
        return _conclude(_decompose_stack(A, request), request)
    return _conclude(decompose(A, request), request)


def decompose(A: Any, request: Request) -> Triplets:
    """The triplets of one matrix; what did not converge is in the report."""
    matrix = open_matrix(A, threads=request.threads)
    by_rule = is_rule(request.k)
    k = min(matrix.shape) if by_rule else check.rank(request.k, matrix.shape)
    if k == 0:
        return _nothing(matrix.shape, matrix.dtype, request)
    if request.center is not False or request.scale is not None:
        standardize(matrix, request.center, request.scale, request.threads)
    triplets = _of_chosen_rank(matrix, request) if by_rule else _solve(matrix, k, request)
    report = triplets[3]
    if matrix.notes:
        report.notes[:0] = matrix.notes
    report.passes += matrix.passes
    return triplets


def _solve(matrix: Matrix, k: int, request: Request, passes: int = 0) -> Triplets:
    with progress_bar(request.progress, k) as bar:
        arguments = request.engine_arguments(k, matrix.shape[1], matrix.dtype, bar, matrix.passes + passes)
        U, s, Vh, fields = matrix.core.tsvd(*arguments, matrix.max_abs)
    return U, s, Vh, Report(**fields)


def _of_chosen_rank(matrix: Matrix, request: Request) -> Triplets:
    if request.which == "smallest":
        raise ValueError(
            f"k = {request.k!r} chooses a number of leading triplets; with which='smallest' give an integer"
        )

    def solve(k: int, start: Any, passes: int, seconds_left: float | None) -> Triplets:
        part = copy(request)  # checked already
        part.vectors, part.time_limit = True, seconds_left or 0.0
        if start is not None:
            part.warm_start = start.conj().T
        return _solve(matrix, k, part, passes)

    U, s, Vh, report = decompose_by_rule(matrix, request.k, request.time_limit, request.threads, solve)
    return (U, s, Vh, report) if request.vectors else (None, s, None, report)


def _decompose_stack(A: Any, request: Request) -> Triplets:
    notes: list[str] = []
    stack = open_stack(A, request.threads, notes)
    if is_rule(request.k):
        raise TypeError(f"k = {request.k!r}, but a stack needs one number of triplets for all its matrices: an integer")
    k = check.rank(request.k, stack.shape)
    if k == 0:
        return _nothing(stack.shape, stack.dtype, request)
    stack = standardized_stack(stack, request.center, request.scale, notes)
    with progress_bar(request.progress, len(stack)) as bar:
        arguments = request.engine_arguments(k, stack.shape[2], stack.dtype, bar)
        U, s, Vh, fields = OPERATORS[stack.dtype].tsvd_stack(stack, *arguments)
    report = Report(**fields)
    report.notes[:0] = notes
    return U, s, Vh, report


def _conclude(triplets: Triplets, request: Request) -> Any:
    U, s, Vh, report = triplets
    return judged(SVDResult(U, s, Vh, report) if request.vectors else s, s, report, request, stacklevel=5)


def judged(result: Any, s: np.ndarray, report: Report, request: Request, stacklevel: int) -> Any:
    """`result`, after a warning, or instead of it an error, where some of its triplets did not converge."""
    if not report.converged:
        message = _shortfall(s, report, s.shape[-1] if is_rule(request.k) else request.k)
        if request.on_fail == "raise":
            raise ConvergenceError(message, result, report)
        warnings.warn(message, ConvergenceWarning, stacklevel=stacklevel)
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


def _nothing(shape: tuple[int, ...], dtype: np.dtype[Any], request: Request) -> Triplets:
    """The decomposition of matrices without rows or columns."""
    *stack, m, n = shape
    residuals = np.empty((*stack, 0))
    report = Report("full", "the matrix is empty", True, residuals, request.tol, 0, 0, {}, 0, 1, request.rng)
    U, s, Vh = (
        np.empty((*stack, m, 0), dtype),
        np.empty((*stack, 0), real_dtype(dtype)),
        np.empty((*stack, 0, n), dtype),
    )
    return U, s, Vh, report
