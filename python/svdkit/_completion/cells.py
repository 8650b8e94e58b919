"""The gate of weighted fits: a matrix and its elementwise weights become cells of the engine.

The weights say which cells there are, the matrix says what stands in them. Nothing as large as the matrix is copied
without a note.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import _core
from .._arrays import as_array
from .._half import is_half, widen
from .._inputs import SINGLE, in_place, is_sparse
from .._scalars import compute_dtype, megabytes

CORES: dict[np.dtype[Any], Any] = {np.dtype(np.float32): _core.CellsF32, np.dtype(np.float64): _core.CellsF64}
SPARSE_BELOW = 0.25  # share of cells below which a dense matrix is listed
BLOCK = 1 << 21  # entries looked at together


@dataclass(slots=True)
class CellData:
    """Checked cells. `A` and `weights` are dense, or CSR of one pattern; `weights` None stands for ones."""

    A: Any
    weights: Any
    dtype: np.dtype[Any]
    count: int
    max_abs: float
    max_weight: float
    notes: list[str] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int]:
        m, n = self.A.shape
        return m, n

    @property
    def is_sparse(self) -> bool:
        return is_sparse(self.A)

    @property
    def value_unit(self) -> float:
        """A power of two that brings the entries near one."""
        most = 120 if self.dtype == SINGLE else 1000
        exponent = math.frexp(self.max_abs)[1] if self.max_abs > 0 else 0
        return math.ldexp(1.0, max(-most, min(most, -exponent)))

    @property
    def weight_unit(self) -> float:
        return 1 / self.max_weight if self.max_weight > 0 else 1.0

    def open(self) -> Any:
        """The engine's view of the cells."""
        units = (self.value_unit, self.weight_unit)
        if not self.is_sparse:
            return CORES[self.dtype].dense(self.A, self.weights, *units)
        sides = (*_compressed(self.A, self.weights), *_compressed(self.A, self.weights, by_columns=True))
        return CORES[self.dtype].sparse(*sides, *units)

    def without(self, held_out: np.ndarray) -> CellData:
        """The cells but those of `held_out`: positions in the list (sparse), or a mask (dense)."""
        if self.is_sparse:
            kept = np.ones(self.count, bool)
            kept[held_out] = False
            A, weights = (None if part is None else _subset(part, kept) for part in (self.A, self.weights))
        else:
            A = self.A
            weights = (~np.isnan(A)).astype(self.dtype) if self.weights is None else self.weights.copy()
            weights[held_out] = 0
        return CellData(A, weights, self.dtype, self.count - _size(held_out), self.max_abs, self.max_weight, [])


def _size(held_out: np.ndarray) -> int:
    return int(np.count_nonzero(held_out)) if held_out.dtype == bool else held_out.size


def open_cells(A: Any, elements: Any) -> CellData:
    """`elements`: "observed", or weights >= 0 of the shape of A, dense or sparse."""
    notes: list[str] = []
    A = _matrix(A, "A", notes)
    if isinstance(elements, str):
        if elements != "observed":
            raise ValueError(f"elements = {elements!r}, but must be 'observed' or weights of the shape of A")
        return _listed(A, None, notes) if is_sparse(A) else _dense(A, None, notes)
    W = _matrix(elements, "elements", notes, A.dtype)
    if W.shape != A.shape:
        raise ValueError(f"elements has shape {W.shape} and A {A.shape}, but there must be one weight for every entry")
    if is_sparse(W):
        W = _positive(W)
        return _listed(_at_cells(A, W, notes), W, notes)
    if is_sparse(A):
        _check_weights(W)
        if np.count_nonzero(W) < SPARSE_BELOW * W.size:
            return open_cells(A, _csr(W, W > 0))
        notes.append(f"A was written out as a dense matrix ({megabytes(W.size * A.dtype.itemsize)})")
        A = A.toarray()
    return _dense(A, W, notes)


# --- dense ----------------------------------------------------------------------------------------------------------


def row_blocks(A: Any) -> list[slice]:
    """Slices of rows of about BLOCK entries."""
    step = max(1, BLOCK // max(1, A.shape[1]))
    return [slice(first, first + step) for first in range(0, A.shape[0], step)]


def _matrix(A: Any, name: str, notes: list[str], dtype: Any = None) -> Any:
    if not is_sparse(A):
        A = as_array(A, name)
    if getattr(A, "ndim", 0) != 2:
        raise ValueError(f"{name} has shape {np.shape(A)}, but must have 2 dimensions")
    if A.dtype.kind == "c":
        raise TypeError(f"{name} is complex, but elementwise weights need real numbers; fit its parts, or use tsvd")
    if is_half(A.dtype):
        A = np.stack([widen(row) for row in A]) if A.size else A.astype(SINGLE)
        notes.append(f"{name} was copied to float32 ({megabytes(A.nbytes)})")
    target = compute_dtype(A.dtype, name) if dtype is None else np.dtype(dtype)
    if is_sparse(A):
        return _canonical(A, name, target, notes)
    if A.dtype != target:
        notes.append(f"{name} was copied from {A.dtype} to {target} ({megabytes(A.size * target.itemsize)})")
        A = A.astype(target)
    return in_place(A, name, notes)


def _dense(A: np.ndarray, W: np.ndarray | None, notes: list[str]) -> CellData:
    if W is not None:
        _check_weights(W)
    count, max_abs = 0, 0.0
    for rows in row_blocks(A):
        seen = ~np.isnan(A[rows]) if W is None else W[rows] > 0
        values = A[rows][seen]
        bad = ~np.isfinite(values)
        if bad.any():
            i, j = np.argwhere(seen)[int(np.argmax(bad))]
            i += rows.start
            raise ValueError(
                f"A[{i}, {j}] is {A[i, j]}, but entries that count must be finite (this is the first that is not); "
                f"give it the weight 0" + (", or make it NaN" if W is None else "")
            )
        count += values.size
        max_abs = max(max_abs, float(np.abs(values).max(initial=0)))
    if count < SPARSE_BELOW * A.size:
        seen = ~np.isnan(A) if W is None else W > 0
        cells = _listed(_csr(A, seen), None if W is None else _csr(W, seen), notes)
        size = count * (2 if W is None else 3) * A.dtype.itemsize
        notes.append(f"{count / max(A.size, 1):.0%} of the entries count: they were listed ({megabytes(size)})")
        return cells
    max_weight = 1.0 if W is None else float(W.max(initial=0))
    return CellData(A, W, A.dtype, count, max_abs, max_weight, notes)


def _check_weights(W: np.ndarray) -> None:
    for rows in row_blocks(W):
        bad = ~((W[rows] >= 0) & np.isfinite(W[rows]))
        if bad.any():
            i, j = np.argwhere(bad)[0]
            i += rows.start
            raise _bad_weight(i, j, W[i, j])


def _bad_weight(i: int, j: int, weight: Any) -> ValueError:
    return ValueError(
        f"elements[{i}, {j}] is {weight}, but weights must be finite and not negative (this is the first that is "
        f"not); use 0 for a missing entry"
    )


# --- sparse ---------------------------------------------------------------------------------------------------------


def _canonical(A: Any, name: str, dtype: np.dtype[Any], notes: list[str]) -> Any:
    """CSR, sorted, duplicates added up."""
    if A.shape[0] >= 2**31 or A.shape[1] >= 2**31:
        raise ValueError(f"{name} has shape {A.shape}, but elementwise weights need extents below 2^31")
    source, fmt = A, A.format
    A = A.tocsr()
    if not A.has_canonical_format:
        A = A.copy() if A is source else A
        A.sum_duplicates()
    if A.dtype != dtype:
        A = A.astype(dtype)
    if A is not source:
        notes.append(f"{name} was copied from {fmt.upper()} to sorted CSR ({megabytes(A.data.nbytes)})")
    return A


def _csr(A: np.ndarray, seen: np.ndarray) -> Any:
    from scipy.sparse import csr_array

    pointers = np.concatenate([[0], np.cumsum(np.count_nonzero(seen, axis=1))])
    return csr_array((A[seen], np.nonzero(seen)[1].astype(np.int32), pointers), shape=A.shape)


def _subset(A: Any, kept: np.ndarray) -> Any:
    pointers = np.concatenate([[0], np.cumsum(kept)])[A.indptr]
    return type(A)((A.data[kept], A.indices[kept], pointers), shape=A.shape)


def rows_of(A: Any) -> np.ndarray:
    """The row of every stored entry of a CSR matrix."""
    return np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))


def _positive(W: Any) -> Any:
    bad = ~((W.data >= 0) & np.isfinite(W.data))
    if bad.any():
        p = int(np.argmax(bad))
        raise _bad_weight(int(rows_of(W)[p]), int(W.indices[p]), W.data[p])
    return W if np.all(W.data > 0) else _subset(W, W.data > 0)


def _at_cells(A: Any, W: Any, notes: list[str]) -> Any:
    """The entries of A at the cells of W, in W's pattern."""
    if is_sparse(A) and np.array_equal(A.indptr, W.indptr) and np.array_equal(A.indices, W.indices):
        return A
    values = np.asarray(A[rows_of(W), W.indices]).ravel()
    notes.append(f"the entries of A at the cells of elements were copied ({megabytes(values.nbytes)})")
    return type(W)((values, W.indices, W.indptr), shape=W.shape)


def _listed(A: Any, W: Any, notes: list[str]) -> CellData:
    bad = ~np.isfinite(A.data)
    if bad.any():
        p = int(np.argmax(bad))
        raise ValueError(
            f"A[{rows_of(A)[p]}, {A.indices[p]}] is {A.data[p]}, but entries that count must be finite (this is the "
            f"first that is not); do not store it, or give it the weight 0"
        )
    max_weight = 1.0 if W is None else float(W.data.max(initial=0))
    notes.append(
        f"the cells were copied by columns ({megabytes(A.nnz * (A.dtype.itemsize * (1 if W is None else 2) + 4))})"
    )
    return CellData(A, W, A.dtype, A.nnz, float(np.abs(A.data).max(initial=0)), max_weight, notes)


def _compressed(A: Any, W: Any, by_columns: bool = False) -> tuple[Any, ...]:
    if by_columns:
        A, W = A.tocsc(), None if W is None else W.tocsc()
    weights = None if W is None else np.ascontiguousarray(W.data)
    return (
        np.ascontiguousarray(A.indptr, np.int64),
        np.ascontiguousarray(A.indices, np.int32),
        np.ascontiguousarray(A.data),
        weights,
    )
