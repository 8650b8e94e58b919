"""Sparse matrices of SciPy: CSR and CSC in place, other formats converted once."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._scalars import OPERATORS, compute_dtype, megabytes


def sparse_operator(A: Any, name: str, threads: int, notes: list[str]) -> tuple[Any, Any, float]:
    """The operator, the CSR or CSC matrix that it views, and the largest magnitude of a stored value."""
    if A.ndim != 2:
        raise ValueError(f"{name} has shape {A.shape}, but must have 2 dimensions; use {name}.reshape(m, n)")
    dtype = compute_dtype(A.dtype, name)
    if A.format not in ("csr", "csc"):
        source = A.format.upper()
        A = A.tocsr()
        notes.append(f"{name} was converted from {source} to CSR ({megabytes(_nbytes(A))})")
    if A.dtype != dtype:
        size = megabytes(A.data.size * dtype.itemsize)
        notes.append(f"{name}'s values were copied from {A.dtype} to {dtype} ({size})")
        A = A.astype(dtype)
    by_columns = A.format == "csc"
    indptr, indices = indices_of(A, name, notes)
    data = np.ascontiguousarray(A.data)
    rows, cols = A.shape
    core = OPERATORS[dtype].sparse(indptr, indices, data, rows, cols, by_columns)
    max_abs, _, bad = OPERATORS[dtype].scan_values(data[: indptr[-1]], threads)
    if bad >= 0:
        major, minor = int(np.searchsorted(indptr, bad, side="right")) - 1, int(indices[bad])
        row, col = (minor, major) if by_columns else (major, minor)
        raise ValueError(
            f"{name}[{row}, {col}] is {data[bad]}, but all entries must be finite (this is the first stored one "
            f"that is not); remove or impute such entries, e.g. in {name}.data"
        )
    return core, A, max_abs


def indices_of(A: Any, name: str, notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Row pointers and column indices, of one integer type, 32 or 64 bits wide."""
    kind = A.indices.dtype
    if kind not in (np.int32, np.int64) or A.indptr.dtype != kind:
        kind = np.dtype(np.int64)
        notes.append(f"{name}'s indices were copied to int64 ({megabytes(A.indices.size * 8)})")
    return np.ascontiguousarray(A.indptr, kind), np.ascontiguousarray(A.indices, kind)


def _nbytes(A: Any) -> int:
    return int(A.data.nbytes + A.indices.nbytes + A.indptr.nbytes)
