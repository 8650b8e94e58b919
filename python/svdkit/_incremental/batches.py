"""What an update brings, as tall vectors of the engine: rows, columns, or the factors of a low-rank change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .._arrays import as_array
from .._core import TallVectors
from .._half import is_half, widen
from .._inputs import is_sparse
from .._scalars import compute_dtype
from .._sparse import indices_of


def rows_of(B: Any, length: int | None, name: str = "B") -> tuple[Any, np.dtype[Any], tuple[int, int]]:
    """The rows of a (t, length) matrix; any length where that is None. Also the dtype, and the shape."""
    return _open(B, length, name, by_rows=True)


def columns_of(B: Any, length: int | None, name: str = "B") -> tuple[Any, np.dtype[Any], tuple[int, int]]:
    """The columns of a (length, t) matrix."""
    return _open(B, length, name, by_rows=False)


def rows_to_center(B: Any, length: int | None) -> Any:
    """The rows as they are, checked, but for the entries of dense ones, which are looked at when they are read."""
    array, dtype = _checked(B, length, "B", by_rows=True)
    if not is_sparse(array):
        return _plain(array, dtype), dtype
    array = array.tocsr()
    with _named("B"):
        TallVectors.check_sparse(*_compressed(array, "B", dtype), array.shape[1])
    return array, dtype


def _open(B: Any, length: int | None, name: str, by_rows: bool) -> tuple[Any, np.dtype[Any], tuple[int, int]]:
    array, dtype = _checked(B, length, name, by_rows)
    with _named(name):
        vectors = _sparse(array, name, dtype, by_rows) if is_sparse(array) else _dense(array, dtype, by_rows)
    return vectors, dtype, array.shape


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Errors of the engine begin with the argument that they are about."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _checked(B: Any, length: int | None, name: str, by_rows: bool) -> tuple[Any, np.dtype[Any]]:
    array = B if is_sparse(B) else as_array(B, name)
    if array.ndim != 2:
        remedy = f"use {name}[None, :] or {name}[:, None]" if array.ndim == 1 else f"use {name}.reshape(t, -1)"
        raise ValueError(f"{name} has shape {array.shape}, but must have 2 dimensions; {remedy}")
    dtype = _real_dtype(array.dtype, name)
    if length is not None and array.shape[1 if by_rows else 0] != length:
        what = "columns" if by_rows else "rows"
        raise ValueError(f"{name} has shape {array.shape}, but must have {length} {what}, as the matrix has")
    return array, dtype


def _real_dtype(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    if is_half(dtype):
        return np.dtype(np.float32)
    dtype = compute_dtype(dtype, name)
    if dtype.kind == "c":
        raise TypeError(f"{name} has dtype {dtype}, but must be real; complex data are for tsvd, svdvals and rsvd")
    return dtype


def _sparse(B: Any, name: str, dtype: np.dtype[Any], by_rows: bool) -> Any:
    length = B.shape[1 if by_rows else 0]
    wanted = "csr" if by_rows else "csc"
    if B.format != wanted:
        B = B.asformat(wanted)
    return TallVectors.sparse(*_compressed(B, name, dtype), length)


def _compressed(B: Any, name: str, dtype: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """indptr, indices and data as the engine reads them."""
    return *indices_of(B, name, []), np.ascontiguousarray(B.data, dtype)


def _dense(B: np.ndarray, dtype: np.dtype[Any], by_rows: bool) -> Any:
    B = _plain(B, dtype)
    return TallVectors.dense(B.T if by_rows else B)


def _plain(B: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """As the engine reads it."""
    if B.dtype != dtype:
        B = widen(B) if is_half(B.dtype) else B.astype(dtype)
    elif not B.flags.aligned or any(stride % B.itemsize for stride in B.strides):
        B = B.copy()
    return B


def entry_changes(
    rows: Any, cols: Any, values: Any, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places and values of changed entries, checked."""
    i, j = (np.atleast_1d(np.asarray(x)) for x in (rows, cols))
    v = np.atleast_1d(np.asarray(values))
    i, j, v = np.broadcast_arrays(i, j, v)
    for name, index, size in (("rows", i, shape[0]), ("cols", j, shape[1])):
        check_indices(name, index, size)
    if v.dtype.kind not in "biuf":
        raise TypeError(f"values has dtype {v.dtype}, but must be real numbers")
    v = v.astype(np.float64)
    if not np.isfinite(v).all():
        at = int(np.argmin(np.isfinite(v)))
        raise ValueError(f"values[{at}] is {v[at]}, but all entries must be finite")
    return i.astype(np.int64), j.astype(np.int64), v


def changes_as_product(i: np.ndarray, j: np.ndarray, v: np.ndarray, shape: tuple[int, int]) -> tuple[Any, Any]:
    """D and E with D E^T the matrix of these entries: D picks the rows, or E the columns, whichever are fewer."""
    lines, inverse_i = np.unique(i, return_inverse=True)
    columns, inverse_j = np.unique(j, return_inverse=True)
    if lines.size <= columns.size:
        return _unit(lines, shape[0]), _grouped(inverse_i, j, v, lines.size, shape[1])
    return _grouped(inverse_j, i, v, columns.size, shape[0]), _unit(columns, shape[1])


def _unit(places: np.ndarray, length: int) -> Any:
    return TallVectors.sparse(np.arange(places.size + 1), places, np.ones(places.size), length)


def _grouped(vector: np.ndarray, place: np.ndarray, value: np.ndarray, count: int, length: int) -> Any:
    order = np.argsort(vector, kind="stable")
    begin = np.concatenate([[0], np.cumsum(np.bincount(vector, minlength=count))]).astype(np.int64)
    return TallVectors.sparse(begin, place[order], value[order], length)


def check_indices(name: str, index: np.ndarray, size: int) -> None:
    if index.dtype.kind not in "iu" and index.size:
        raise TypeError(f"{name} has dtype {index.dtype}, but must be integers")
    bad = np.flatnonzero((index < 0) | (index >= size))
    if bad.size:
        raise ValueError(f"{name}[{bad[0]}] = {index[bad[0]]}, but must be in 0..{size - 1}")


def ascending(which: Any, size: int, name: str) -> list[int]:
    """Distinct indices, ascending."""
    index = np.unique(np.atleast_1d(np.asarray(which)))
    check_indices(name, index, size)
    return [int(i) for i in index]
