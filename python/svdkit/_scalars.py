"""The four scalars of the engine, and the one in which a matrix of another dtype is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _core

OPERATORS: dict[np.dtype[Any], Any] = {
    np.dtype(np.float32): _core.OperatorF32,
    np.dtype(np.float64): _core.OperatorF64,
    np.dtype(np.complex64): _core.OperatorC64,
    np.dtype(np.complex128): _core.OperatorC128,
}
DTYPES: dict[type, np.dtype[Any]] = {operator: dtype for dtype, operator in OPERATORS.items()}


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of the singular values."""
    return np.dtype(np.float32 if dtype.char in "fF" else np.float64)


def compute_dtype(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    if dtype in OPERATORS:
        return dtype
    if not dtype.isnative and dtype.newbyteorder("=") in OPERATORS:
        return dtype.newbyteorder("=")
    if dtype.kind in "biu":
        return np.dtype(np.float64)
    if dtype.newbyteorder("=") == np.float16:
        return np.dtype(np.float32)
    raise TypeError(
        f"{name} has dtype {dtype}, but must be float32, float64, complex64, complex128, or float16, bfloat16, "
        f"integer or bool (which are widened); convert it, e.g. with {name}.astype(float)"
    )


def megabytes(count: int) -> str:
    return f"{count / 1e6:.3g} MB"
