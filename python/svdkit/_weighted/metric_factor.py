"""A factor F of a positive semidefinite metric, C = F F^H, from the metric itself or from samples.

Any factor serves: the singular values of A F, and the optimum of a weighted problem, do not depend on which one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .._half import is_half, widen
from .._scalars import OPERATORS

INDEFINITE = 1e-3  # a negative eigenvalue of this size, relative, is not rounding of single-precision sums
PANEL = 4  # rows gathered before each QR step, in units of the number of channels


def factor_of(C: np.ndarray, rtol: float, name: str) -> np.ndarray:
    """F (n x r) in double precision, r the rank of `C` where eigenvalues below `rtol` of the largest count as zero.

    Cholesky where it succeeds: n^3 / 3 flops, and C + E = F F^H with E of the size of rounding to double. Else the
    eigenvectors of the matrix scaled to unit diagonal, 9 n^3 flops; channels without energy are left out of both.
    """
    energy = C.diagonal().real.astype(np.float64)
    if energy.min(initial=0) < 0:
        i = int(np.argmin(energy))
        raise ValueError(f"{name}[{i}, {i}] = {energy[i]}, but a metric must be positive semidefinite")
    alive = energy > 0
    if not alive.all():
        _check_dead(C, alive, name)
        F = factor_of(C[np.ix_(alive, alive)], rtol, name)
        whole = np.zeros((len(C), F.shape[1]), F.dtype)
        whole[alive] = F
        return whole
    L = np.array(C, np.result_type(C.dtype, np.float64), order="C")
    if OPERATORS[L.dtype].cholesky(L) == 0:
        return L
    return _eigen_factor(C.astype(L.dtype), np.sqrt(energy), rtol, name)


def _check_dead(C: np.ndarray, alive: np.ndarray, name: str) -> None:
    rows = np.abs(C[~alive])
    if rows.any():
        i, j = np.argwhere(rows)[0]
        i = int(np.flatnonzero(~alive)[i])
        raise ValueError(
            f"{name}[{i}, {i}] is 0 and {name}[{i}, {j}] is not, but a metric must be positive semidefinite"
        )


def _eigen_factor(C: np.ndarray, scale: np.ndarray, rtol: float, name: str) -> np.ndarray:
    values, vectors = np.linalg.eigh(C / scale[:, None] / scale)
    top = values[-1]
    if values[0] < -INDEFINITE * top:
        raise ValueError(
            f"{name} has the eigenvalue {values[0] / top:.1e} relative to its largest (scaled to unit diagonal), but a "
            f"metric must be positive semidefinite; add ridge=, or correct it"
        )
    kept = values > max(rtol * top, -3 * values[0])
    return scale[:, None] * (vectors[:, kept] * np.sqrt(values[kept]))


def triangle_of(blocks: Iterator[np.ndarray], n: int) -> np.ndarray:
    """F (n x min(n, t)) with F F^H = X X^H for samples X (n x t) given in blocks of columns, by QR steps.

    Nothing is squared: F has the singular values of X. Cost 2 t n^2 flops and a few n x n arrays.
    """
    triangle = np.empty((0, n))
    waiting: list[np.ndarray] = []
    count = 0

    def reduce() -> np.ndarray:
        return upper_triangle(np.concatenate([triangle, *waiting]))

    for block in blocks:
        waiting.append(block.conj().T)
        count += block.shape[1]
        if count >= PANEL * n:
            triangle, waiting, count = reduce(), [], 0
    if waiting:
        triangle = reduce()
    return np.ascontiguousarray(triangle.conj().T)


def upper_triangle(X: np.ndarray) -> np.ndarray:
    """R of X = Q R."""
    return np.asarray(np.linalg.qr(X, mode="r"))


def moment_of(blocks: Iterator[np.ndarray], n: int) -> np.ndarray:
    """X X^H of single-precision samples, in double: products of two such numbers are exact there.

    Directions down to 1e-8 of the largest are kept, which is what single precision holds. Cost t n^2 flops.
    """
    total = np.zeros((n, n))
    for block in blocks:
        wide = block.astype(np.result_type(block.dtype, np.float64))
        total = total + wide @ wide.conj().T
    return total


def sample_blocks(samples: Any, name: str) -> Iterator[np.ndarray]:
    """The blocks of columns (n x t) of an array or an iterable of arrays, checked one by one."""
    whole = hasattr(samples, "ndim") or hasattr(samples, "__array__")
    n = None
    for number, given in enumerate([samples] if whole else samples):
        place = name if whole else f"{name}[{number}]"
        block = np.asarray(given)
        if is_half(block.dtype):
            block = widen(block)
        if block.dtype.kind not in "biufc":
            raise TypeError(f"{place} has dtype {block.dtype}, but must be numeric")
        if block.ndim != 2 or block.shape[0] != (n or block.shape[0]):
            raise ValueError(
                f"{place} has shape {block.shape}, but must be n x t, with samples as its columns"
                + (f" and n = {n} as before; use X.T" if n else "; use X.T where they are rows")
            )
        if not np.isfinite(block).all():
            raise ValueError(f"{place} has entries that are not finite; leave such samples out")
        n = block.shape[0]
        yield block if block.dtype.kind in "fc" else block.astype(np.float64)
