"""The gate: whatever a user calls a matrix becomes an operator of the engine, or an error that says what to do.

Nothing as large as the matrix is copied without a note.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._arrays import as_array
from ._functions import function_operator
from ._half import half_operator, is_half, scan_half, widen
from ._scalars import DTYPES, OPERATORS, compute_dtype, megabytes
from ._sparse import sparse_operator

SINGLE = np.dtype(np.float32)


@dataclass(slots=True)
class Matrix:
    """A matrix that passed the gate."""

    core: Any  # operator of the engine
    dtype: np.dtype[Any]
    shape: tuple[int, int]
    notes: list[str] = field(default_factory=list)
    passes: int = 0  # times it was read so far
    entries: Any = None  # the array or sparse matrix itself, where there is one
    max_abs: float = 0.0  # largest magnitude, where it is known
    offsets: Any = None  # subtracted from the columns
    divisors: Any = None  # of the columns, after that


def open_matrix(A: Any, name: str = "A", threads: int = 0) -> Matrix:
    """`A` as an operator: arrays and sparse matrices in place, functions after a check that they are adjoint."""
    if type(A) is np.ndarray:
        return _open_dense(A, name, threads, [])
    core: Any = getattr(A, "_core", None)
    if type(core) in DTYPES:  # svdkit.operators.*
        return Matrix(core, DTYPES[type(core)], core.shape, list(A.notes))
    if is_sparse(A):
        notes: list[str] = []
        core, entries, max_abs = sparse_operator(A, name, threads, notes)
        return Matrix(core, DTYPES[type(core)], entries.shape, notes, entries=entries, max_abs=max_abs)
    if hasattr(A, "matmat") and hasattr(A, "shape"):  # scipy's LinearOperator and its like
        core = function_operator(A.shape, A.matmat, getattr(A, "rmatmat", None), getattr(A, "dtype", None), name)
        return Matrix(core, DTYPES[type(core)], core.shape, passes=2)
    return _open_dense(as_array(A, name), name, threads, [])


def is_sparse(A: Any) -> bool:
    """Whether `A` is of scipy.sparse, without importing it."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(A))


def _open_dense(a: np.ndarray, name: str, threads: int, notes: list[str]) -> Matrix:
    if a.ndim != 2:
        remedy = f"use {name}[:, None] or {name}[None, :]" if a.ndim == 1 else f"use {name}.reshape(m, n)"
        raise ValueError(f"{name} has shape {a.shape}, but must have 2 dimensions; {remedy}")
    a = in_place(a, name, notes)
    half = is_half(a.dtype)
    dtype = SINGLE if half else a.dtype
    max_abs = check_finite(a, name, name, threads)
    core = half_operator(a) if half else OPERATORS[dtype].dense(a)
    return Matrix(core, dtype, a.shape, notes, entries=a, max_abs=max_abs)


def check_finite(a: np.ndarray, name: str, whole: str, threads: int) -> float:
    """The largest magnitude in the matrix `name`, which may be one of the stack `whole`."""
    max_abs, row, col = scan(a, threads)
    if row >= 0:
        bad = a[row : row + 1, col]
        raise ValueError(
            f"{name}[{row}, {col}] is {(widen(bad) if is_half(a.dtype) else bad)[0]}, but all entries must be finite "
            f"(this is the first that is not); remove or impute such entries, e.g. with numpy.nan_to_num({whole})"
        )
    return max_abs


def scan(a: np.ndarray, threads: int) -> tuple[float, int, int]:
    """The largest magnitude; row and column of the first entry that is not finite, or -1."""
    if not a.size:
        return 0.0, -1, -1
    return scan_half(a, threads) if is_half(a.dtype) else OPERATORS[a.dtype].scan(a, threads)


def in_place(a: np.ndarray, name: str, notes: list[str]) -> np.ndarray:
    """`a` if the engine can read it where it lies, else a copy with a note."""
    if a.dtype in OPERATORS or is_half(a.dtype):
        if a.flags.aligned and not any(stride % a.itemsize for stride in a.strides):
            return a
        notes.append(f"{name} was copied because its entries are not aligned ({megabytes(a.nbytes)})")
        return a.copy()
    dtype = compute_dtype(a.dtype, name)
    why = "" if a.dtype.isnative else ", from the other byte order"
    notes.append(f"{name} was copied from {a.dtype} to {dtype}{why} ({megabytes(a.size * dtype.itemsize)})")
    return a.astype(dtype)
