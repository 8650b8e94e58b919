"""Operators made of a user's data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._functions import function_operator
from .._inputs import is_sparse, open_matrix
from .._scalars import OPERATORS, real_dtype
from ._base import Operator


class Dense(Operator):
    """A dense array, in place: any strides, nothing copied unless its dtype has to be widened.

    Parameters
    ----------
    A : array, shape (m, n)
        Entries must be finite.

    Notes
    -----
    A product with b vectors costs 2 m n b flops and one read of A; ``gram`` reads A once where a strip of it fits
    in cache.

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import Dense
    >>> Dense(np.eye(3)) @ np.arange(3.0)
    array([0., 1., 2.])
    """

    __slots__ = ()

    def __init__(self, A: Any) -> None:
        if is_sparse(A) or isinstance(A, Operator):
            raise TypeError(f"A is a {type(A).__name__}, but must be a dense array; use Sparse for a sparse matrix")
        matrix = open_matrix(A)
        super().__init__(matrix.core, matrix.notes)


class Sparse(Operator):
    """A sparse matrix of SciPy: CSR and CSC in place, other formats converted once.

    Parameters
    ----------
    A : scipy.sparse matrix or array, shape (m, n)
        Indices of 32 or 64 bits, in any order; duplicate entries add up.

    Notes
    -----
    A product with b vectors costs 2 nnz b flops and one read of the entries; ``gram`` of a CSR matrix reads them
    once.

    Examples
    --------
    >>> import numpy as np, scipy.sparse
    >>> from svdkit.operators import Sparse
    >>> Sparse(scipy.sparse.eye_array(3, format="csr")) @ np.arange(3.0)
    array([0., 1., 2.])
    """

    __slots__ = ()

    def __init__(self, A: Any) -> None:
        import scipy.sparse

        if not scipy.sparse.issparse(A):
            raise TypeError(f"A is a {type(A).__name__}, but must be a scipy.sparse matrix; use Dense for an array")
        matrix = open_matrix(A)
        super().__init__(matrix.core, matrix.notes)


class LowRank(Operator):
    """``(U * s) @ Vh``, never formed.

    Parameters
    ----------
    U : array, shape (m, r)
    s : array, shape (r,), or None
        None for ones.
    Vh : array, shape (r, n)

    Notes
    -----
    A product with b vectors costs 2 (m + n) r b flops.

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import LowRank
    >>> LowRank(np.ones((2, 1)), [3.0], np.ones((1, 2))).to_dense()
    array([[3., 3.],
           [3., 3.]])
    """

    __slots__ = ()

    def __init__(self, U: Any, s: Any, Vh: Any) -> None:
        left, right = open_matrix(U, "U"), open_matrix(Vh, "Vh")
        if left.entries is None or right.entries is None or is_sparse(U) or is_sparse(Vh):
            raise TypeError("U and Vh must be dense arrays; multiply operators with @ instead")
        if left.dtype != right.dtype:
            raise TypeError(f"U is {left.dtype} and Vh is {right.dtype}; convert one with astype")
        weights = np.ones(left.shape[1]) if s is None else np.asarray(s)
        if weights.shape != (left.shape[1],) or right.shape[0] != left.shape[1]:
            raise ValueError(f"U {left.shape}, s {weights.shape} and Vh {right.shape} must share the rank r")
        if weights.dtype.kind == "c" or not np.isfinite(weights).all():
            raise ValueError("s must be real and finite; put other factors into U or Vh")
        P, Q = (part.entries.astype(part.dtype, copy=False) for part in (left, right))
        Q = Q.T if left.dtype.kind != "c" else Q.conj().T
        weights = np.ascontiguousarray(weights, real_dtype(left.dtype))
        super().__init__(OPERATORS[left.dtype].low_rank(P, weights, Q), left.notes + right.notes)


class Callback(Operator):
    """A matrix given by two functions.

    Parameters
    ----------
    shape : (int, int)
    matmat, rmatmat : callable
        ``matmat(X)`` returns A X for a C-contiguous block X (n x b), ``rmatmat(Y)`` returns A^H Y.
    dtype : dtype
        Of the matrix; the blocks have it too. float64 by default.
    check_adjoint : bool
        Whether to test, with one random pair of vectors, that the two belong to one matrix.

    Raises
    ------
    ValueError
        If the two functions are not adjoint to each other.

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import Callback
    >>> A = Callback((2, 3), lambda X: X[:2], lambda Y: np.vstack([Y, np.zeros((1, Y.shape[1]))]))
    >>> A @ np.arange(3.0)
    array([0., 1.])
    """

    __slots__ = ()

    def __init__(
        self,
        shape: tuple[int, int],
        matmat: Callable[[np.ndarray], Any],
        rmatmat: Callable[[np.ndarray], Any],
        dtype: Any = np.float64,
        check_adjoint: bool = True,
    ) -> None:
        super().__init__(function_operator(shape, matmat, rmatmat, dtype, "Callback", check_adjoint))
