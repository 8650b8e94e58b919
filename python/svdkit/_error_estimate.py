"""How far a decomposition is from its matrix, judged by random vectors that had no part in it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import _arguments as check
from ._inputs import Matrix
from ._scalars import OPERATORS

LANCZOS_STEPS = 10


def error_estimate(matrix: Matrix, result: Any, norm: str, probes: int, seed: int) -> Any:
    """The Frobenius norm of E = A - U s Vh, or a lower and an upper bound of its spectral norm."""
    check.choice("norm", norm, ("fro", "spectral"))
    x = gaussian(matrix.shape[1], probes, matrix.dtype, seed)
    squares = np.linalg.norm(_apply(matrix, result, x).astype(np.result_type(matrix.dtype, np.float64)), axis=0) ** 2
    if norm == "fro":
        return math.sqrt(float(squares.mean()))
    upper = 10 * math.sqrt(2 / math.pi) * math.sqrt(float(squares.max()))
    return min(_lanczos(matrix, result, x[:, :1]), upper), upper


def gaussian(rows: int, cols: int, dtype: Any, seed: int, first_row: int = 0) -> np.ndarray:
    """Normal numbers of the engine: entry (i, j) depends on the seed, i and j alone."""
    from ._core import fill_gaussian

    out = np.empty((rows, cols), dtype)
    fill_gaussian(out, seed=seed, stream=4, first_row=first_row)
    return out


def product(core: Any, x: np.ndarray, rows: int, adjoint: bool = False) -> np.ndarray:
    """A x or A^H x by the engine."""
    out = np.empty((rows, x.shape[1]), x.dtype)
    (core.apply_adjoint if adjoint else core.apply)(np.ascontiguousarray(x), out)
    return out


def dense_core(block: np.ndarray) -> Any:
    """The operator of an array."""
    return OPERATORS[block.dtype].dense(block)


def _apply(matrix: Matrix, result: Any, x: np.ndarray) -> np.ndarray:
    return product(matrix.core, x, matrix.shape[0]) - result.U @ (result.s[:, None] * (result.Vh @ x))


def _apply_adjoint(matrix: Matrix, result: Any, y: np.ndarray) -> np.ndarray:
    back = product(matrix.core, y, matrix.shape[1], adjoint=True)
    return np.asarray(back - result.Vh.conj().T @ (result.s[:, None] * (result.U.conj().T @ y)))


def _lanczos(matrix: Matrix, result: Any, start: np.ndarray) -> float:
    """The largest value of a few Golub-Kahan steps on E: never above its norm."""
    v = start / max(float(np.linalg.norm(start)), np.finfo(start.dtype).tiny)
    right: list[np.ndarray] = [v]
    left: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    for _ in range(min(LANCZOS_STEPS, *matrix.shape)):
        u = _apply(matrix, result, right[-1])
        for known in left * 2:
            u = u - known * (known.conj().T @ u)
        size = float(np.linalg.norm(u))
        if size == 0:
            break
        left.append(u / size)
        w = _apply_adjoint(matrix, result, left[-1])
        row = [(known.conj().T @ w).item() for known in right]
        for known in right * 2:
            w = w - known * (known.conj().T @ w)
        size = float(np.linalg.norm(w))
        columns.append(np.array([*row, size]))
        if size == 0:
            break
        right.append(w / size)
    if not columns:
        return 0.0
    small = np.zeros((len(columns), len(columns) + 1), np.complex128)
    for i, entries in enumerate(columns):
        small[i, : entries.size] = entries
    return float(np.linalg.norm(small, 2))
