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
from ._scalars import DTYPES, OPERATORS, compute_dtype, megabytes
from ._sparse import sparse_operator


@dataclass(slots=True)
class Matrix:
    """A matrix that passed the gate."""

    core: Any  # operator of the engine
    dtype: np.dtype[Any]
    shape: tuple[int, int]
    notes: list[str] = field(default_factory=list)
    passes: int = 0  # times it was read so far
    entries: Any = None  # the array or sparse matrix itself, where there is one


def open_matrix(A: Any, name: str = "A", threads: int = 0) -> Matrix:
    """`A` as an operator: arrays and sparse matrices in place, functions after a check that they are adjoint."""
    if type(A) is np.ndarray:
        return _open_dense(A, name, threads, [])
    core: Any = getattr(A, "_core", None)
    if type(core) in DTYPES:  # svdkit.operators.*
        return Matrix(core, DTYPES[type(core)], core.shape, list(A.notes))
    if is_sparse(A):
        notes: list[str] = []
        core, entries = sparse_operator(A, name, threads, notes)
        return Matrix(core, DTYPES[type(core)], entries.shape, notes, entries=entries)
    if hasattr(A, "matmat") and hasattr(A, "shape"):  # scipy's LinearOperator and its like
        core = function_operator(A.shape, A.matmat, getattr(A, "rmatmat", None), getattr(A, "dtype", None), name)
        return Matrix(core, DTYPES[type(core)], core.shape, passes=2)
    notes = []
    return _open_dense(as_array(A, name, notes), name, threads, notes)


def is_sparse(A: Any) -> bool:
    """Whether `A` is of scipy.sparse, without importing it."""
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(A))


def _open_dense(a: np.ndarray, name: str, threads: int, notes: list[str]) -> Matrix:
    if a.ndim != 2:
        remedy = f"use {name}[:, None] or {name}[None, :]" if a.ndim == 1 else f"use {name}.reshape(m, n)"
        raise ValueError(f"{name} has shape {a.shape}, but must have 2 dimensions; {remedy}")
    dtype = a.dtype
    operator = OPERATORS.get(dtype)
    if operator is None:
        dtype = compute_dtype(dtype, name)
        operator = OPERATORS[dtype]
        notes.append(f"{name} was copied from {a.dtype} to {dtype} ({megabytes(a.size * dtype.itemsize)})")
        a = a.astype(dtype)
    elif not a.flags.aligned or any(stride % a.itemsize for stride in a.strides):
        notes.append(f"{name} was copied because its entries are not aligned ({megabytes(a.nbytes)})")
        a = a.copy()
    if a.size:
        row, col = operator.scan(a, threads)
        if row >= 0:
            raise ValueError(
                f"{name}[{row}, {col}] is {a[row, col]}, but all entries must be finite (this is the first that is "
                f"not); remove or impute such entries, e.g. with numpy.nan_to_num({name})"
            )
    return Matrix(operator.dense(a), dtype, a.shape, notes, entries=a)
