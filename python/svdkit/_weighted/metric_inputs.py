"""What a metric is made of, checked: arrays, their symmetry, and any matrix in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._error_estimate import gaussian
from .._error_estimate import product as block_product
from .._half import is_half, widen
from .._inputs import Matrix, is_sparse, open_matrix, scan
from .._scalars import OPERATORS, megabytes

ASYMMETRY = 1e-5  # relative to the largest entry: more is a mistake, less is rounding of single-precision sums


def in_double(matrix: Matrix, dtype: np.dtype[Any] | None = None) -> tuple[Any, list[str]]:
    """The opened matrix as an operator in double precision, and what was copied for that."""
    wide = np.result_type(matrix.dtype, np.float64) if dtype is None else dtype
    A = matrix.entries
    if matrix.dtype == wide:
        return matrix.core, []
    if matrix.dtype.kind == "c" and wide.kind != "c":
        raise TypeError("a metric is complex and A is real; pass A.astype(complex)")
    if isinstance(A, np.ndarray) and A.dtype == np.float32 and wide == np.float64:
        return OPERATORS[wide].dense_32(A), []
    if A is None:

        def product(core: Any, X: np.ndarray, rows: int, adjoint: bool = False) -> np.ndarray:
            return block_product(core, X.astype(matrix.dtype), rows, adjoint)

        (m, n), core = matrix.shape, matrix.core
        callback = OPERATORS[wide].callback(
            m, n, lambda X: product(core, X, m).astype(wide), lambda Y: product(core, Y, n, True).astype(wide)
        )
        return callback, []
    copy = (widen(A) if is_half(A.dtype) else A).astype(wide)
    size = copy.data.nbytes if is_sparse(copy) else copy.nbytes
    note = f"a matrix was copied from {A.dtype} to {wide}, for values appear squared ({megabytes(size)})"
    return open_matrix(copy).core, [note]


def numeric(name: str, value: Any) -> np.ndarray:
    array = np.asarray(value)
    if is_half(array.dtype):
        array = widen(array)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{name} has dtype {array.dtype}, but must be numeric")
    if array.dtype not in OPERATORS:
        array = array.astype(np.float64)
    if array.ndim in (1, 2) and scan(np.atleast_2d(array), 0)[1] >= 0:
        raise ValueError(f"{name} has entries that are not finite")
    return array


def symmetric(C: np.ndarray) -> np.ndarray:
    """C, averaged with its adjoint where sums in another order made the two differ by rounding.

    Both are multiplied with random vectors, which a difference does not survive unseen: two reads of C.
    """
    core, n = OPERATORS[C.dtype].dense(C), len(C)
    x = gaussian(n, 4, C.dtype, 1)
    forth = block_product(core, x, n)
    gap = float(np.abs(forth - block_product(core, x, n, adjoint=True)).max(initial=0))
    size = float(np.abs(forth).max(initial=0))
    if gap > ASYMMETRY * size:
        i, j = np.unravel_index(int(np.argmax(np.abs(C - C.conj().T))), C.shape)
        raise ValueError(
            f"matrix[{i}, {j}] = {C[i, j]} and matrix[{j}, {i}] = {C[j, i]}, but a metric must be symmetric; "
            f"use (C + C.T) / 2 if it should be"
        )
    return (C + C.conj().T) / 2 if gap > 100 * np.finfo(C.dtype).eps * size else C
