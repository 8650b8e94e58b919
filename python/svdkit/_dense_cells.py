"""The gate for matrices whose cells are looked at one by one: dense, real, possibly with missing ones and weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ._arrays import as_array
from ._half import is_half, widen
from ._inputs import check_finite, in_place, is_sparse, scan
from ._scalars import megabytes


@dataclass(slots=True)
class CellMatrix:
    """A matrix that passed the gate: float32 or float64, rows or columns contiguous."""

    x: np.ndarray
    prior: Any = None  # weights >= 0 of the same dtype and layout; None: ones
    complete: bool = True  # every cell is there, and all count alike
    notes: list[str] = field(default_factory=list)


def open_cells(A: Any, weights: Any, missing: str, threads: int) -> CellMatrix:
    notes: list[str] = []
    x = _contiguous(_dense(A, notes), "A", notes)
    if weights is not None:
        prior = _prior(weights, x, notes)
        if missing == "raise":
            _check_counted(x, prior)
        return CellMatrix(x, prior, False, notes)
    if missing == "raise":
        check_finite(x, "A", "A", threads)
        return CellMatrix(x, None, True, notes)
    complete = scan(x, threads)[1] < 0
    return CellMatrix(x, None, complete, notes)


def _dense(A: Any, notes: list[str]) -> np.ndarray:
    if is_sparse(A):
        A = A.toarray()
        notes.append(f"the sparse matrix was written out ({megabytes(A.nbytes)})")
    elif (hasattr(A, "matmat") or hasattr(A, "_core")) and not isinstance(A, np.ndarray):
        raise TypeError(
            f"A of type {type(A).__name__} is known by its products only, but every cell is needed; pass an array"
        )
    x = as_array(A, "A")
    if x.ndim != 2:
        raise ValueError(f"A has shape {x.shape}, but must have 2 dimensions; reshape it to (m, n)")
    x = in_place(x, "A", notes)
    if is_half(x.dtype):
        notes.append(f"A was copied from {x.dtype} to float32 ({megabytes(4 * x.size)})")
        x = widen(x)
    if x.dtype.kind == "c":
        raise TypeError(f"A has dtype {x.dtype}, but must be real; fit real and imaginary parts stacked, or use tsvd")
    return x


def _contiguous(x: np.ndarray, name: str, notes: list[str]) -> np.ndarray:
    if x.itemsize in x.strides or x.size == 0:
        return x
    notes.append(f"{name} was copied because neither its rows nor its columns are contiguous ({megabytes(x.nbytes)})")
    return np.ascontiguousarray(x)


def _prior(weights: Any, x: np.ndarray, notes: list[str]) -> np.ndarray:
    prior = as_array(weights, "weights")
    if prior.shape != x.shape:
        raise ValueError(f"weights has shape {prior.shape}, but needs one for every cell of A: {x.shape}")
    if prior.dtype.kind not in "biuf":
        raise TypeError(f"weights has dtype {prior.dtype}, but must be real numbers or a boolean mask")
    by_rows = x.strides[1] == x.itemsize
    laid_out = np.asarray(prior, x.dtype, order="C" if by_rows else "F")
    if laid_out is not prior:
        notes.append(f"weights was copied to the dtype and layout of A ({megabytes(laid_out.nbytes)})")
    smallest = float(laid_out.min(initial=0))
    if not (smallest >= 0 and np.isfinite(laid_out.max(initial=0))):
        i, j = np.argwhere(~((laid_out >= 0) & np.isfinite(laid_out)))[0]
        raise ValueError(f"weights[{i}, {j}] = {laid_out[i, j]}, but must be finite and not negative; 0 is missing")
    return laid_out


def _check_counted(x: np.ndarray, prior: np.ndarray) -> None:
    bad = ~np.isfinite(x) & (prior > 0)
    if bad.any():
        i, j = np.argwhere(bad)[0]
        raise ValueError(
            f"A[{i}, {j}] is {x[i, j]} and weights[{i}, {j}] = {prior[i, j]}, but cells that count must be finite; "
            f"give such cells the weight 0, or use missing='mask'"
        )
