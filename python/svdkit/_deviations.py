"""Standard deviations of the columns of a dense or sparse matrix, a few rows or entries at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ._half import is_half, widen
from ._inputs import Matrix, is_sparse

CHUNK = 2**20  # entries looked at together


def standard_deviations(matrix: Matrix, means: np.ndarray) -> np.ndarray:
    """As ``numpy.std(A, axis=0)`` in double precision, and 1 for a column that is constant."""
    A = matrix.entries
    if A is None:
        raise ValueError(
            "scale=True needs the entries of A, and an operator shows none; "
            "pass the n divisors themselves, scale=deviations"
        )
    peak = matrix.max_abs or 1.0  # squares of A / peak do not overflow
    wide = means.astype(np.result_type(means, np.float64)) / peak
    squares = (_sparse if is_sparse(A) else _dense)(A, wide, peak, matrix.notes)
    deviations = peak * np.sqrt(squares / matrix.shape[0])
    noise = 4 * np.finfo(matrix.dtype).eps * peak * np.abs(wide)
    constant = deviations <= noise
    if constant.any():
        matrix.notes.append(f"scale=True: {int(constant.sum())} constant columns were not scaled")
        deviations[constant] = 1
    return deviations


def norm_fro(matrix: Matrix, threads: int) -> float | None:
    """Frobenius norm, of the centred and scaled columns where they are; None where no entries are to be seen."""
    norm = matrix.core.norm_fro(threads)
    A = matrix.entries
    if norm is not None or A is None:
        return None if norm is None else float(norm)
    matrix.passes += 1
    n = matrix.shape[1]
    offsets = np.zeros(n) if matrix.offsets is None else matrix.offsets
    peak = (
        max(float(np.abs(A.data if is_sparse(A) else A).max(initial=0)), float(np.abs(offsets).max(initial=0))) or 1.0
    )
    wide = offsets.astype(np.result_type(offsets, np.float64)) / peak
    squares = (_sparse if is_sparse(A) else _dense)(A, wide, peak, matrix.notes)
    divisors = np.ones(n) if matrix.divisors is None else matrix.divisors
    return float(peak * np.sqrt(np.sum(squares / divisors**2)))


def _dense(A: np.ndarray, means: np.ndarray, peak: float, notes: list[str]) -> np.ndarray:
    m, n = A.shape
    squares = np.zeros(n)
    rows = max(1, CHUNK // n)
    for top in range(0, m, rows):
        strip = A[top : top + rows]
        difference = np.abs((widen(strip) if is_half(A.dtype) else strip) / peak - means)
        squares += np.einsum("ij,ij->j", difference, difference)
    return squares


def _sparse(A: Any, means: np.ndarray, peak: float, notes: list[str]) -> np.ndarray:
    if not A.has_canonical_format:
        A = A.copy()
        A.sum_duplicates()
        notes.append("A was copied to add up its duplicate entries")
    m, n = A.shape
    squares, stored = np.zeros(n), np.zeros(n)
    for part, columns in _entries(A):
        difference = np.abs(A.data[part] / peak - means[columns])
        squares += np.bincount(columns, difference**2, n)
        stored += np.bincount(columns, minlength=n)
    return squares + (m - stored) * np.abs(means) ** 2


def _entries(A: Any) -> Iterator[tuple[slice, np.ndarray]]:
    """Stored entries in chunks, with the column of each."""
    count = int(A.indptr[-1])
    for first in range(0, count, CHUNK):
        last = min(first + CHUNK, count)
        if A.format == "csr":
            columns = A.indices[first:last]
        else:
            columns = np.searchsorted(A.indptr, np.arange(first, last), side="right") - 1
        yield slice(first, last), columns
