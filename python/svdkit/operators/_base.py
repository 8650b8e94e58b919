"""What all operators share: products, transposes, algebra."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np

from .._inputs import is_sparse, open_matrix
from .._scalars import DTYPES

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


class Operator:
    """A matrix known by its products with blocks of vectors. Made by its subclasses and by composing them.

    Attributes
    ----------
    notes : list of str
        Copies that were made, for the report of whatever uses the operator.
    """

    __slots__ = ("_core", "notes")
    __array_ufunc__ = None  # NumPy arrays leave `array @ operator` to the operator
    ndim = 2

    def __init__(self, core: Any, notes: list[str] | None = None) -> None:
        self._core = core
        self.notes = [] if notes is None else notes

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n)."""
        return self._core.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the matrix and of its products."""
        return DTYPES[type(self._core)]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.shape[0]} x {self.shape[1]}, {self.dtype}>"

    # --- products -----------------------------------------------------------------------------------------------

    def matmat(self, X: Any, out: np.ndarray | None = None) -> np.ndarray:
        """Return A X for a block X (n x b), converted to the operator's dtype; `out` (m x b) is C-contiguous."""
        X = self._block(X)
        out = self._room(out, self.shape[0], X)
        self._core.apply(X, out)
        return out

    def rmatmat(self, Y: Any, out: np.ndarray | None = None) -> np.ndarray:
        """Return A^H Y for a block Y (m x b)."""
        Y = self._block(Y)
        out = self._room(out, self.shape[1], Y)
        self._core.apply_adjoint(Y, out)
        return out

    def gram(self, X: Any, out: tuple[np.ndarray, np.ndarray] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return Y = A X and Z = A^H Y, in one read of A where the operator can."""
        X = self._block(X)
        first, second = (None, None) if out is None else out
        Y, Z = self._room(first, self.shape[0], X), self._room(second, self.shape[1], X)
        self._core.apply_gram(X, Y, Z)
        return Y, Z

    def to_dense(self) -> np.ndarray:
        """Return the matrix itself: m n numbers."""
        return self.matmat(np.eye(self.shape[1], dtype=self.dtype))

    def to_scipy(self) -> LinearOperator:
        """Return the same matrix as a ``scipy.sparse.linalg.LinearOperator``."""
        from scipy.sparse.linalg import LinearOperator

        return LinearOperator(
            shape=self.shape,
            dtype=self.dtype,
            matvec=lambda x: self.matmat(x.reshape(-1, 1)).ravel(),
            rmatvec=lambda y: self.rmatmat(y.reshape(-1, 1)).ravel(),
            matmat=self.matmat,
            rmatmat=self.rmatmat,
        )

    def _block(self, X: Any) -> np.ndarray:
        X = np.asarray(X)
        if X.dtype.kind not in "biufc" or (X.dtype.kind == "c" and self.dtype.kind != "c"):
            raise TypeError(f"the block has dtype {X.dtype}, and the operator {self.dtype}; convert one of them")
        if X.ndim != 2:
            raise ValueError(f"the block has shape {X.shape}, but must have 2 dimensions; use x[:, None] for a vector")
        return np.ascontiguousarray(X, self.dtype)

    def _room(self, out: np.ndarray | None, rows: int, block: np.ndarray) -> np.ndarray:
        shape = (rows, block.shape[1])
        if out is None:
            return np.empty(shape, self.dtype)
        if (out.shape, out.dtype) != (shape, self.dtype):
            raise ValueError(f"out must be an array of shape {shape} and dtype {self.dtype}")
        if not (out.flags.c_contiguous and out.flags.writeable) or np.may_share_memory(out, block):
            raise ValueError("out must be C-contiguous, writeable and apart from the block")
        return out

    # --- transposes ---------------------------------------------------------------------------------------------

    @property
    def H(self) -> Operator:
        """The adjoint A^H."""
        return Operator(type(self._core).adjoint(self._core), self.notes)

    @property
    def T(self) -> Operator:
        """The transpose. For a complex operator its products conjugate the blocks in Python."""
        if self.dtype.kind != "c":
            return self.H
        from ._data import Callback

        return Callback(
            self.shape[::-1],
            lambda X: self.rmatmat(X.conj()).conj(),
            lambda Y: self.matmat(Y.conj()).conj(),
            dtype=self.dtype,
            check_adjoint=False,
        )

    # --- algebra ------------------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Operator:
        from ._compose import Sum

        return Sum(self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Operator:
        from ._compose import Sum

        return Sum(self, other, weights=(1, -1))

    def __rsub__(self, other: Any) -> Operator:
        return -self + other

    def __neg__(self) -> Operator:
        return self * -1

    def __mul__(self, other: Any) -> Operator:
        """A number, or weights that broadcast as in NumPy: (n,) for the columns, (m, 1) for the rows."""
        from ._compose import Scaled, multiple

        weights = np.asarray(other)
        if isinstance(other, Number) or weights.ndim == 0:
            return multiple(self, weights[()])
        if weights.ndim == 2 and weights.shape[1] == 1:
            return Scaled(self, rows=weights[:, 0])
        return Scaled(self, cols=weights)

    __rmul__ = __mul__

    def __truediv__(self, number: complex) -> Operator:
        return self * (1 / number)

    def __matmul__(self, other: Any) -> Any:
        """The product with an array, or the operator that multiplies with another operator or a sparse matrix."""
        from ._compose import Product

        if isinstance(other, Operator) or is_sparse(other):
            return Product(self, other)
        other = np.asarray(other)
        return self.matmat(other[:, None])[:, 0] if other.ndim == 1 else self.matmat(other)

    def __rmatmul__(self, other: Any) -> Any:
        from ._compose import Product

        if is_sparse(other):
            return Product(other, self)
        other = np.asarray(other)
        product = self.rmatmat(np.atleast_2d(other).conj().T).conj().T
        return product[0] if other.ndim == 1 else product


def as_operator(A: Any, name: str) -> Operator:
    """`A`, opened at the gate unless it is an operator already."""
    if isinstance(A, Operator):
        return A
    matrix = open_matrix(A, name)
    return Operator(matrix.core, matrix.notes)
