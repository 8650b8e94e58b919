"""Columns centred and scaled, without touching the entries of the matrix: A -> (A - 1 c^T) diag(1 / d)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._deviations import standard_deviations
from ._inputs import Matrix
from ._scalars import real_dtype


def standardize(matrix: Matrix, center: Any, scale: Any, threads: int) -> None:
    """Subtract column means (True) or given numbers, then divide by standard deviations (True) or given numbers."""
    wants_means, wants_deviations = is_true(center), is_true(scale)
    offsets = divisors = None
    if wants_means or wants_deviations:
        means = matrix.core.column_means(threads)
        matrix.passes += 1
        if wants_means:
            offsets = means
        if wants_deviations:
            divisors = standard_deviations(matrix, means)
            matrix.passes += 1
    if not wants_means and center is not None and center is not False:
        offsets = vector_of("center", center, matrix.shape[1], matrix.dtype)
    if not wants_deviations and scale is not None and scale is not False:
        divisors = divisors_of(scale, matrix.shape[1])
    operator = type(matrix.core)
    matrix.max_abs = 0.0
    matrix.offsets, matrix.divisors = offsets, divisors
    if offsets is not None:
        matrix.core = operator.centered(matrix.core, offsets)
    if divisors is not None:
        weights = (1 / divisors).astype(real_dtype(matrix.dtype))
        matrix.core = operator.scaled(matrix.core, np.empty(0, weights.dtype), weights)


def is_true(value: Any) -> bool:
    return isinstance(value, bool | np.bool_) and bool(value)


def divisors_of(scale: Any, n: int) -> np.ndarray:
    divisors = vector_of("scale", scale, n, np.dtype(np.float64))
    positive = divisors > 0
    if not positive.all():
        i = int(np.argmin(positive))
        raise ValueError(f"scale[{i}] = {divisors[i]}, but all divisors must be positive; use 1 to keep a column")
    return divisors


def vector_of(name: str, value: Any, n: int, dtype: np.dtype[Any]) -> np.ndarray:
    vector = np.asarray(value)
    if vector.shape != (n,):
        found = f"{name} = {value!r}" if vector.ndim == 0 else f"{name} has shape {vector.shape}"
        raise ValueError(f"{found}, but must be True, or a vector of length n = {n}")
    if vector.dtype.kind not in "biufc" or (vector.dtype.kind == "c" and dtype.kind != "c"):
        raise TypeError(f"{name} has dtype {vector.dtype}, but must be {'' if dtype.kind == 'c' else 'real '}numbers")
    finite = np.isfinite(vector)
    if not finite.all():
        i = int(np.argmin(finite))
        raise ValueError(f"{name}[{i}] is {vector[i]}, but all entries must be finite")
    return np.ascontiguousarray(vector, dtype)
