"""Kronecker metrics: the weighted problem becomes the plain one, factor by factor.

    || (M1 kron M2)^(1/2) (A - K) (N1 kron N2)^(1/2) ||,   M_i = L_i L_i^H,   N_i = K_i K_i^H

With B~ = L1^H B K1 and C~ = L2^H C K2 the rearranged matrix is (L1^H kron K1^T) R(A) (conj(L2) kron K2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

from .._kron_shapes import Shape
from ..operators import KroneckerSum, Operator, Product


@dataclass
class KroneckerMetrics:
    """Triangular factors of the metrics of rows and columns, for the left and the right factor."""

    rows: tuple[np.ndarray, np.ndarray]
    cols: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, row_metric: Any, col_metric: Any, left: Shape, right: Shape, dtype: np.dtype[Any]) -> KroneckerMetrics:
        """From the arguments of kron_svd."""
        rows = _pair("row_metric", row_metric, left[0], right[0], dtype)
        return cls(rows, _pair("col_metric", col_metric, left[1], right[1], dtype))

    def weighted(self, R: Operator) -> Operator:
        """The rearranged weighted matrix."""
        (L1, L2), (K1, K2) = self.rows, self.cols
        before = KroneckerSum(L1.conj().T[None], None, K1.T[None])
        after = KroneckerSum(L2.conj()[None], None, K2[None])
        return Product(before, R, after)

    def unweighted(self, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The stacks of factors of A itself."""
        (L1, L2), (K1, K2) = self.rows, self.cols
        return _divided(left, L1, K1), _divided(right, L2, K2)


def _divided(stack: np.ndarray, L: np.ndarray, K: np.ndarray) -> np.ndarray:
    """L^-H B K^-1 for every B."""
    terms = []
    for B in stack:
        half = solve_triangular(L, B, lower=True, trans="C")
        terms.append(solve_triangular(K, half.T, lower=True, trans="T").T)
    return np.array(terms, stack.dtype).reshape(stack.shape)


def _pair(name: str, value: Any, first: int, second: int, dtype: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray]:
    parts = (None, None) if value is None else value
    if not isinstance(parts, tuple | list) or len(parts) != 2:
        raise TypeError(f"{name} must be a pair, for the left and for the right factors; use None for no weights")
    return _factor(f"{name}[0]", parts[0], first, dtype), _factor(f"{name}[1]", parts[1], second, dtype)


def _factor(name: str, value: Any, size: int, dtype: np.dtype[Any]) -> np.ndarray:
    """Lower triangular L with L L^H the metric: the identity, weights on the diagonal, or a definite matrix."""
    if value is None:
        return np.eye(size, dtype=dtype)
    metric = np.asarray(value)
    if metric.shape not in ((size,), (size, size)):
        raise ValueError(f"{name} has shape {metric.shape}, but must be ({size},) weights or ({size}, {size})")
    if metric.dtype.kind not in "biufc" or (metric.dtype.kind == "c" and dtype.kind != "c"):
        raise TypeError(f"{name} has dtype {metric.dtype}, but must fit {dtype}")
    if metric.ndim == 1:
        if not (np.isfinite(metric).all() and np.all(metric > 0)):
            raise ValueError(f"{name} must be positive and finite; leave rows or columns of weight 0 out of A")
        return np.diag(np.sqrt(metric)).astype(dtype)
    wide = metric.astype(np.result_type(metric.dtype, np.float64))
    if not np.allclose(wide, wide.conj().T, rtol=1e-6, atol=0):
        raise ValueError(f"{name} must be symmetric (Hermitian); use ({name} + {name}.T) / 2")
    try:
        return np.linalg.cholesky(wide).astype(dtype)
    except np.linalg.LinAlgError:
        raise ValueError(
            f"{name} must be positive definite; add a multiple of the identity, or restrict A to its range"
        ) from None
