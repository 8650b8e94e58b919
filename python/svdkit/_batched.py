"""A stack of matrices, (B, m, n): one call of the engine, which spreads its threads over the matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._arrays import as_array
from ._columns import divisors_of, is_true, vector_of
from ._half import half_name, is_half, widen
from ._inputs import check_finite, in_place, scan
from ._scalars import megabytes


def open_stack(A: Any, threads: int, notes: list[str]) -> np.ndarray:
    """The stack as an array of one of the engine's scalars, all finite; every copy with a note."""
    stack = in_place(as_array(A, "A"), "A", notes)
    if not len(stack):
        raise ValueError(f"A has shape {stack.shape}: a stack needs at least one matrix")
    count, m, n = stack.shape
    if not stack.flags.c_contiguous or scan(stack.reshape(count, m * n), threads)[1] >= 0:
        for b, matrix in enumerate(stack):
            check_finite(matrix, f"A[{b}]", "A", threads)
    if not is_half(stack.dtype):
        return stack
    notes.append(f"A was copied from {half_name(stack.dtype)} to float32 ({megabytes(2 * stack.nbytes)})")
    return widen(stack)


def standardized_stack(stack: np.ndarray, center: Any, scale: Any, notes: list[str]) -> np.ndarray:
    """A copy, every matrix centred and scaled as :func:`svdkit.tsvd` says."""
    centers, scales = center is not None and center is not False, scale is not None and scale is not False
    if not (centers or scales):
        return stack
    notes.append(f"A was copied to centre or scale its columns ({megabytes(stack.nbytes)})")
    n, original = stack.shape[2], stack
    if centers:
        offsets = stack.mean(axis=1, keepdims=True) if is_true(center) else vector_of("center", center, n, stack.dtype)
        stack = stack - offsets
    if scales and is_true(scale):
        deviations = original.std(axis=1, keepdims=True)
        stack = stack / np.where(deviations > 0, deviations, 1)
    elif scales:
        stack = (stack / divisors_of(scale, n)).astype(original.dtype, copy=False)
    return stack
