"""Kronecker products of three factors or more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from .. import _arguments as check
from .._inputs import is_sparse, open_matrix
from .._kron_shapes import Shape, shape_pair
from ..tensor import tucker
from ..tensor.unfolding import mode_product
from ..truncated import tsvd


@dataclass
class KroneckerProducts:
    """``sum_i s[i] kron(factors[0][i], factors[1][i], ..., factors[d-1][i])``.

    Attributes
    ----------
    s : ndarray, shape (k,)
        Weights, descending.
    factors : list of ndarray, shapes (k, m_j, n_j)
        Of unit Frobenius norm.
    norm : float
        Frobenius norm of the matrix that was approximated.
    sweeps : int
        Of the alternating iteration, for the first term.
    """

    s: np.ndarray
    factors: list[np.ndarray]
    norm: float
    sweeps: int = 0

    @property
    def shape(self) -> Shape:
        """(m, n)."""
        return prod(f.shape[1] for f in self.factors), prod(f.shape[2] for f in self.factors)

    @property
    def rank(self) -> int:
        """Number of terms."""
        return int(self.s.size)

    @property
    def error(self) -> float:
        """Frobenius norm of what is left of the matrix, by Pythagoras: no digits are right below 1e-8 `norm`."""
        kept = float(np.sum((self.s.astype(float) / (self.norm or 1.0)) ** 2))
        return self.norm * float(np.sqrt(max(1 - kept, 0.0)))

    def truncate(self, k: int) -> KroneckerProducts:
        """Return the first `k` terms, as views."""
        if not 0 <= k <= self.rank:
            raise ValueError(f"k = {k}, but must be in 0..{self.rank}, the terms of the result")
        return KroneckerProducts(self.s[:k], [f[:k] for f in self.factors], self.norm, self.sweeps)

    def __matmul__(self, X: Any) -> np.ndarray:
        """``to_dense() @ X``, one factor after the other."""
        X = np.asarray(X)
        if X.ndim not in (1, 2) or X.shape[0] != self.shape[1]:
            raise ValueError(f"X has shape {X.shape}, but must have {self.shape[1]} rows; a vector or a block")
        total = np.zeros((self.shape[0], *X.shape[1:]), np.result_type(X, self.factors[0]))
        for i, weight in enumerate(self.s):
            block = X.reshape(*(f.shape[2] for f in self.factors), -1)
            for mode, factor in enumerate(self.factors):
                block = mode_product(block, factor[i], mode)
            total += weight * block.reshape(total.shape)
        return total

    def to_dense(self) -> np.ndarray:
        """Return the matrix itself."""
        total = np.zeros(self.shape, self.factors[0].dtype)
        for i, weight in enumerate(self.s):
            whole = self.factors[0][i]
            for factor in self.factors[1:]:
                whole = np.kron(whole, factor[i])
            total += weight * whole
        return total


def kron_factors(
    A: Any, shapes: Sequence[Any], k: int = 1, *, method: str = "hooi", rng: Any = 0, threads: int | None = None
) -> KroneckerProducts:
    """Return a sum of k Kronecker products of d factors that approximates a matrix.

    Parameters
    ----------
    A : array or sparse matrix, shape (m, n)
        Written out in the order of its d factors.
    shapes : sequence of (int, int)
        (m_1, n_1), ..., (m_d, n_d), whose products are m and n.
    k : int
        Number of terms.
    method : {"hooi", "nested"}
        "hooi": each term by alternating improvements from the leading vectors of the unfoldings [1]_, subtracted before
        the next: for d = 2 the best sum, for d > 2 a stationary point each, and together not the best. "nested":
        singular value decompositions inside each other, of the first factor against the rest, and so on [2]_; the terms
        are orthogonal, the k largest are kept, and with all of them the sum is exact.
    rng, threads
        As in :func:`svdkit.tsvd`.

    Returns
    -------
    KroneckerProducts

    Notes
    -----
    Both leave exactly ``norm^2 - sum s^2`` of the squared norm. For d = 2 use :func:`svdkit.kron_svd`.

    References
    ----------
    .. [1] L. De Lathauwer, B. De Moor and J. Vandewalle, SIAM J. Matrix Anal. Appl. 21 (2000), 1324-1342.
    .. [2] K. Batselier and N. Wong, A constructive arbitrary-degree Kronecker product decomposition of tensors, Numer.
       Linear Algebra Appl. 24 (2017).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> A = np.kron(np.kron(np.eye(2), np.ones((3, 2))), np.ones((2, 3)))
    >>> K = svdkit.kron_factors(A, [(2, 2), (3, 2), (2, 3)])
    >>> bool(np.allclose(K.to_dense(), A))
    True
    """
    check.choice("method", method, ("hooi", "nested"))
    number = check.positive_int("k", k)
    pairs = [shape_pair(f"shapes[{j}]", shape) for j, shape in enumerate(shapes)]
    if not pairs:
        raise ValueError("shapes is empty, but at least one factor is needed")
    matrix = open_matrix(A, threads=check.optional_int("threads", threads))
    if matrix.entries is None:
        raise TypeError("A must be an array or a sparse matrix; use A.to_dense() for an operator")
    product = prod(m for m, _ in pairs), prod(n for _, n in pairs)
    if product != matrix.shape:
        raise ValueError(f"shapes {pairs} make a {product[0]} x {product[1]} product, but A is {matrix.shape}")
    dense = matrix.entries.toarray() if is_sparse(A) else matrix.entries.astype(matrix.dtype, copy=False)
    T = _paired(dense, pairs)
    options = {"rng": check.seed(rng), "threads": threads}
    norm = float(matrix.core.norm_fro())
    s, vectors, sweeps = (_alternating if method == "hooi" else _nested)(T, number, options)
    factors = [v.reshape(-1, *pair) for v, pair in zip(vectors, pairs, strict=True)]
    return KroneckerProducts(s.astype(T.real.dtype), factors, norm, sweeps)


def _paired(A: np.ndarray, pairs: list[Shape]) -> np.ndarray:
    """The tensor (m_1 n_1, ..., m_d n_d): every axis the entries of one factor."""
    d = len(pairs)
    cube = A.reshape([m for m, _ in pairs] + [n for _, n in pairs])
    order = [axis for j in range(d) for axis in (j, d + j)]
    return np.ascontiguousarray(cube.transpose(order)).reshape([m * n for m, n in pairs])


def _alternating(T: np.ndarray, k: int, options: dict[str, Any]) -> tuple[np.ndarray, list[np.ndarray], int]:
    rest, weights, terms, sweeps = T, [], [], 0
    for _ in range(k):
        found = tucker(rest, 1, method="hooi", **options)
        value = found.core.reshape(-1)[0]
        size = abs(value)
        phase = value / size if size else 1.0
        vectors = [factor[:, 0] for factor in found.factors]
        vectors[0] = vectors[0] * phase
        sweeps = sweeps or found.sweeps
        weights.append(float(size))
        terms.append(vectors)
        outer = vectors[0]
        for vector in vectors[1:]:
            outer = np.multiply.outer(outer, vector)
        rest = rest - (size * outer).astype(T.dtype)
    order = np.argsort(weights, kind="stable")[::-1]
    columns = [np.stack([terms[i][mode] for i in order]) for mode in range(T.ndim)]
    return np.array(weights)[order], columns, sweeps


def _nested(T: np.ndarray, k: int, options: dict[str, Any]) -> tuple[np.ndarray, list[np.ndarray], int]:
    """All leaves of the nested decompositions, and the k largest of them."""
    leaves = _leaves(T, options)
    leaves.sort(key=lambda leaf: -leaf[0])
    kept = leaves[:k]
    return np.array([s for s, _ in kept]), [np.stack([v[mode] for _, v in kept]) for mode in range(T.ndim)], 0


def _leaves(T: np.ndarray, options: dict[str, Any]) -> list[tuple[float, list[np.ndarray]]]:
    if T.ndim == 1:
        size = float(np.linalg.norm(T))
        unit = np.zeros_like(T)
        unit[0] = 1
        return [(size, [T / size if size else unit])]
    matrix = T.reshape(T.shape[0], -1)
    U, s, Vh = tsvd(matrix, min(matrix.shape), **options)
    leaves = []
    for u, value, v in zip(U.T, s, Vh, strict=True):
        if value > 0:
            inner = _leaves(v.reshape(T.shape[1:]), options)
            leaves += [(float(value) * size, [u, *rest]) for size, rest in inner]
    return leaves or [(0.0, [np.eye(1, extent, dtype=T.dtype)[0] for extent in T.shape])]
