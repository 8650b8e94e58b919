"""Triplets of a rearranged matrix as a sum of Kronecker products, with its conventions of sign."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._kron_shapes import Shape
from .._report import Report
from .result import KroneckerResult

TINY_TRACE = 0.01  # of the norm; a trace below it says nothing about a sign


def result_from_triplets(
    U: np.ndarray, s: np.ndarray, Vh: np.ndarray, report: Report, left: Shape, right: Shape, **more: Any
) -> KroneckerResult:
    """Columns of U as left factors, rows of Vh as right ones; `more` is passed on."""
    phase = signs(U, left)
    B = np.ascontiguousarray((U * phase).T).reshape(-1, *left)
    C = np.ascontiguousarray(Vh / phase[:, None]).reshape(-1, *right)
    return KroneckerResult(s, B, C, report, **more)


def signs(U: np.ndarray, left: Shape) -> np.ndarray:
    """Factors of magnitude one: they make traces real and positive, or where these are tiny the largest entry."""
    pivot = U[np.argmax(np.abs(U), axis=0), np.arange(U.shape[1])]
    if left[0] == left[1]:
        trace = U[:: left[0] + 1].sum(axis=0)
        clear = np.abs(trace) > TINY_TRACE * np.linalg.norm(U, axis=0)
        pivot = np.where(clear, trace, pivot)
    size = np.abs(pivot)
    return np.where(size > 0, pivot.conj() / np.where(size > 0, size, 1), 1).astype(U.dtype)
