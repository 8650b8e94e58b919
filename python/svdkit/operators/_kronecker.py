"""Operators of Kronecker products: sums of them, what a matrix becomes to be one, and Gram matrices of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import as_array
from .._inputs import check_finite, in_place
from .._kron_shapes import factor_shapes
from .._scalars import OPERATORS, real_dtype
from ._base import Operator, as_operator


class KroneckerSum(Operator):
    """``sum_t s[t] kron(left[t], right[t])``, never formed.

    Parameters
    ----------
    left : array, shape (r, m1, n1)
    s : array, shape (r,), or None
        None for ones.
    right : array, shape (r, m2, n2)

    Notes
    -----
    A product with b vectors costs ``2 r b min(m1 n2 (n1 + m2), n1 m2 (m1 + n2))`` flops: one factor, then the other,
    in the cheaper order.

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import KroneckerSum
    >>> KroneckerSum(np.eye(2)[None], None, np.array([[[1.0, 2.0]]])).to_dense()
    array([[1., 2., 0., 0.],
           [0., 0., 1., 2.]])
    """

    __slots__ = ()

    def __init__(self, left: Any, s: Any, right: Any) -> None:
        notes: list[str] = []
        stacks = [_stack(name, value, notes) for name, value in (("left", left), ("right", right))]
        dtype = np.result_type(*stacks)
        first, second = (stack.astype(dtype, copy=False) for stack in stacks)
        weights = np.ones(first.shape[0]) if s is None else np.asarray(s)
        if weights.shape != (first.shape[0],) or second.shape[0] != first.shape[0]:
            raise ValueError(
                f"left {first.shape}, s {weights.shape} and right {second.shape} must share the number of terms r"
            )
        if weights.dtype.kind == "c" or not np.isfinite(weights).all():
            raise ValueError("s must be real and finite; put other factors into left or right")
        weights = np.ascontiguousarray(weights, real_dtype(dtype))
        core = OPERATORS[dtype].kronecker_sum(first, weights, second)
        super().__init__(core, notes)


class KroneckerRearranged(Operator):
    """The rearrangement of A whose truncated SVD is the best sum of Kronecker products.

    ``R[(i1, j1), (i2, j2)] = A[i1 m2 + i2, j1 n2 + j2]``, shape (m1 n1, m2 n2), so that the rearrangement of
    ``kron(B, C)`` is ``outer(B.ravel(), C.ravel())`` [1]_.

    Parameters
    ----------
    A : array, sparse matrix or operator, shape (m1 m2, n1 n2)
        Operators: those that know their entries, which are Dense, Sparse, LowRank, the product of two Dense,
        KroneckerSum, GramOfSamples, and sums and multiples of all of these.
    left_shape, right_shape : (int, int)
        (m1, n1) and (m2, n2); one of them may be None.

    Notes
    -----
    A dense A is multiplied where it lies, tile by tile, at the cost of a dense product; where tiles would be thinner
    than 8 columns, or R is long and narrow, it is copied, and ``notes`` say so. A sparse A is copied into
    the order of R. A matrix ``P @ Q.T`` of rank t becomes a sum of t Kronecker products, and a sum of Kronecker
    products a matrix of low rank.

    References
    ----------
    .. [1] C. Van Loan and N. Pitsianis, Approximation with Kronecker products, in Linear Algebra for Large Scale and
       Real-Time Applications (1993).

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import KroneckerRearranged
    >>> A = np.kron([[1.0, 2.0]], [[3.0], [4.0]])
    >>> KroneckerRearranged(A, (1, 2), (2, 1)).to_dense()
    array([[3., 4.],
           [6., 8.]])
    """

    __slots__ = ()

    def __init__(self, A: Any, left_shape: Any, right_shape: Any = None) -> None:
        part = as_operator(A, "A")
        left, right = factor_shapes(part.shape, left_shape, right_shape)
        found = type(part._core).rearranged(part._core, *left, *right)
        if found is None:
            raise TypeError(
                f"A is {part!r}, whose entries cannot be rearranged: only arrays, sparse matrices, LowRank, products "
                f"of two arrays, KroneckerSum with factors of these shapes, GramOfSamples and sums of these can; "
                f"use A.to_dense()"
            )
        core, note = found
        super().__init__(core, part.notes + ([note] if note else []))


class GramOfSamples(Operator):
    """``(1/T) sum_t vec(G_t) vec(G_t)^H`` of T samples G_t (m x n, read by rows), an (m n) x (m n) matrix never formed.

    The empirical covariance (Fisher matrix, when the samples are gradients). Its nearest Kronecker product
    ``kron(B, C)``, with B m x m and C n x n both positive semidefinite, is that of
    ``kron_svd(GramOfSamples(G), (m, m), (n, n))`` [1]_.

    Parameters
    ----------
    G : array, shape (T, m, n)

    Notes
    -----
    A product of the rearrangement with b vectors costs at most 2 T b m n (m + n) flops; the samples are read where they
    lie if each is contiguous.

    References
    ----------
    .. [1] V. Chekalina et al., Generalized Fisher-weighted SVD: scalable Kronecker-factored Fisher approximation for
       compressing large language models (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import GramOfSamples
    >>> GramOfSamples(np.array([[[1.0, 2.0]], [[3.0, 0.0]]])).to_dense()
    array([[5., 1.],
           [1., 2.]])
    """

    __slots__ = ("sample_shape",)

    def __init__(self, G: Any) -> None:
        notes: list[str] = []
        samples = _stack("G", G, notes)
        count, m, n = samples.shape
        if count == 0:
            raise ValueError("G has shape (0, ...), but at least one sample is needed")
        self.sample_shape = (m, n)
        if not samples.flags.c_contiguous:
            notes.append("the samples were copied to make each contiguous")
        columns = np.ascontiguousarray(samples).reshape(count, m * n).T
        weights = np.full(count, 1 / count, real_dtype(samples.dtype))
        super().__init__(OPERATORS[samples.dtype].low_rank(columns, weights, columns), notes)


def _stack(name: str, value: Any, notes: list[str]) -> np.ndarray:
    """A stack of matrices that the engine can read; NaN and infinity refused."""
    stack = as_array(value, name)
    if stack.ndim != 3:
        raise ValueError(f"{name} has shape {stack.shape}, but must be a stack of matrices (r, m, n); use {name}[None]")
    stack = in_place(stack, name, notes)
    if stack.dtype not in OPERATORS:  # 16 bits
        notes.append(f"{name} was widened to float32")
        stack = stack.astype(np.float32)
    for t, term in enumerate(stack):
        check_finite(term, f"{name}[{t}]", name, 0)
    return stack
