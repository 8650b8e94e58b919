"""The entries of a dense real matrix, some of which may be missing: what methods read that look at single cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _arguments as check
from ._arrays import as_array
from ._half import is_half, widen
from ._inputs import check_finite, in_place, is_sparse
from ._scalars import OPERATORS, megabytes


@dataclass(slots=True)
class Cells:
    """A matrix that can be read cell by cell."""

    array: np.ndarray  # float32 or float64, any strides; NaN where a cell is missing
    core: Any  # the engine of its precision
    notes: list[str]
    max_abs: float  # 0 where it was not looked up


def open_cells(A: Any, missing: str, threads: int, user: str, name: str = "A") -> Cells:
    """`A` where it lies; `missing` is "raise" (NaN is an error) or "mask" (NaN marks a missing cell)."""
    check.choice("missing", missing, ("raise", "mask"))
    if is_sparse(A) or hasattr(A, "_core") or (hasattr(A, "matmat") and not isinstance(A, np.ndarray)):
        raise TypeError(
            f"{name} is a {type(A).__name__}, but {user} looks at every cell and takes dense arrays; use "
            f"{name}.toarray() or {name}.to_dense(), or svdkit.tsvd, which takes it as it is"
        )
    array, notes = as_array(A, name), list[str]()
    if array.ndim != 2:
        raise ValueError(f"{name} has shape {array.shape}, but must have 2 dimensions; use {name}.reshape(m, n)")
    if array.dtype.kind == "c":
        raise TypeError(
            f"{name} has dtype {array.dtype}, but {user} takes real numbers; svdkit.tsvd takes complex ones"
        )
    if is_half(array.dtype):
        notes.append(f"{name} was copied from {array.dtype} to float32 ({megabytes(4 * array.size)})")
        array = widen(array)
    array = in_place(array, name, notes)
    max_abs = check_finite(array, name, name, threads) if missing == "raise" else 0.0
    return Cells(array, OPERATORS[array.dtype], notes, max_abs)
