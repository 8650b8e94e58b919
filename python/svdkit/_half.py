"""16-bit floating point: the engine reads the bits in place and computes in float32."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _core

BFLOAT16 = np.dtype([("bfloat16", np.uint16)])  # stands for bfloat16, which NumPy does not know


def is_half(dtype: np.dtype[Any]) -> bool:
    return dtype == np.float16 or is_bfloat16(dtype)


def is_bfloat16(dtype: np.dtype[Any]) -> bool:
    return dtype.name == "bfloat16" or dtype == BFLOAT16


def half_name(dtype: np.dtype[Any]) -> str:
    return "bfloat16" if is_bfloat16(dtype) else "float16"


def half_operator(a: np.ndarray) -> Any:
    return _core.OperatorF32.dense_16(a.view(np.uint16), is_bfloat16(a.dtype))


def scan_half(a: np.ndarray, threads: int) -> tuple[float, int, int]:
    return _core.OperatorF32.scan_16(a.view(np.uint16), is_bfloat16(a.dtype), threads)


def widen(a: np.ndarray) -> np.ndarray:
    """A copy in float32."""
    if is_bfloat16(a.dtype):
        return (a.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return a.astype(np.float32)
