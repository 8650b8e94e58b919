"""Array-likes as NumPy arrays: DLPack and array-API arrays without a copy, the rest as numpy.asarray does it."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from ._half import BFLOAT16

HOST = (1, 3)  # DLPack device types: ordinary memory, and memory pinned for a GPU


def as_array(A: Any, name: str) -> np.ndarray:
    if isinstance(A, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, and its mask would be lost; fill it first, e.g. with {name}.filled(0)"
        )
    if isinstance(A, np.ndarray):
        return np.asarray(A)
    if hasattr(A, "__dlpack__"):
        return _from_dlpack(A, name)
    if isinstance(A, str | bytes) or A is None:
        raise TypeError(f"{name} is {A!r}, but must be a matrix: an array, a sparse matrix or an operator")
    try:
        array = np.asarray(A)
    except (TypeError, ValueError, RuntimeError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"{name} of type {type(A).__name__} cannot be viewed as an array: {error}") from error
    if array.dtype == object:
        raise TypeError(
            f"{name} of type {type(A).__name__} is not an array of numbers (NumPy sees dtype object); "
            f"pass an array, a scipy.sparse matrix, a LinearOperator or one of svdkit.operators"
        )
    return array


def _from_dlpack(A: Any, name: str) -> np.ndarray:
    kind, number = A.__dlpack_device__()
    if int(kind) not in HOST:
        raise TypeError(
            f"{name} lives on device {getattr(A, 'device', (int(kind), number))}, but must be in host memory; "
            f"move it there, e.g. with {name}.cpu() or numpy.asarray({name})"
        )
    if getattr(A, "requires_grad", False):
        raise TypeError(f"{name} requires gradients, which are not tracked here; pass {name}.detach()")
    if "bfloat16" in str(getattr(A, "dtype", "")):
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(A, torch.Tensor):
            return np.from_dlpack(A.view(torch.int16)).view(BFLOAT16)
        return np.asarray(A)  # jax brings its own NumPy dtype
    try:
        return np.from_dlpack(A)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        raise TypeError(
            f"{name} of type {type(A).__name__} cannot be viewed as a NumPy array: {error}; "
            f"make it an ordinary array, e.g. with numpy.asarray({name}); in torch with .resolve_conj() or .to_dense()"
        ) from error


def product_entries(left: np.ndarray, right: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """The entries (rows[t], cols[t]) of left right^T, in pieces of a few megabytes."""
    entries = np.empty(rows.size, left.dtype)
    step = max(1, 2**20 // max(left.shape[1], 1))
    for first in range(0, rows.size, step):
        part = slice(first, first + step)
        np.einsum("tk,tk->t", left[rows[part]], right[cols[part]], out=entries[part])
    return entries
