"""KroneckerResult: a sum of Kronecker products, kept as its factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._kron_shapes import Shape
from .._report import Report
from ..operators import KroneckerSum
from .one_term import OneTerm

if TYPE_CHECKING:
    from .compare import Candidates


class KroneckerResult(OneTerm):
    """A sum of k Kronecker products, ``sum_i s[i] kron(left[i], right[i])``, that multiplies without being formed.

    Attributes
    ----------
    s : ndarray, shape (k,)
        Weights, descending and not negative: the singular values of the rearranged matrix.
    left : ndarray, shape (k, m1, n1)
        Left factors of unit Frobenius norm, orthogonal to each other.
    right : ndarray, shape (k, m2, n2)
        Right factors, likewise. Of a square left factor whose trace is not tiny the trace is positive; else the largest
        entry of the left factor is.
    report : Report
        What was done; ``residuals`` are those of the singular triplets of the rearranged matrix.
    candidates : list or None
        With ``left_shape="auto"``: the shapes that were compared; prints as a table.

    Notes
    -----
    ``+``, ``-`` and multiples by numbers give sums of more terms, which are no longer orthogonal; :meth:`recompress`
    makes them so again.

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> K = svdkit.kron_svd(np.kron(np.eye(2), np.ones((3, 3))), (2, 2), (3, 3))
    >>> K.shape, K.rank, float(K.trace().round(12))
    ((6, 6), 1, 6.0)
    >>> (K @ np.arange(6.0)).round(12)
    array([ 3.,  3.,  3., 12., 12., 12.])
    """

    def __init__(
        self,
        s: np.ndarray,
        left: np.ndarray,
        right: np.ndarray,
        report: Report,
        *,
        shape: Shape | None = None,
        norm: float | Callable[[], float | None] | None = None,
        candidates: Candidates | None = None,
    ) -> None:
        self.s, self.left, self.right, self.report = s, left, right, report
        self.candidates = candidates
        self._norm = norm
        full = (left.shape[1] * right.shape[1], left.shape[2] * right.shape[2])
        self._shape = full if shape is None else shape
        self._operator: KroneckerSum | None = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_operator": None, "_norm": self.norm}

    @property
    def rank(self) -> int:
        """Number of terms, k."""
        return int(self.s.size)

    @property
    def shape(self) -> Shape:
        """(m, n): (m1 m2, n1 n2), or less where the matrix was padded."""
        return self._shape

    @property
    def left_shape(self) -> Shape:
        """(m1, n1)."""
        return (self.left.shape[1], self.left.shape[2])

    @property
    def right_shape(self) -> Shape:
        """(m2, n2)."""
        return (self.right.shape[1], self.right.shape[2])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the factors; `s` is real and of the same precision."""
        return self.left.dtype

    @property
    def is_low_rank(self) -> bool:
        """Whether the left factors are columns and the right ones rows: an ordinary truncated SVD."""
        return self.left.shape[2] == 1 and self.right.shape[1] == 1

    @property
    def parameters(self) -> int:
        """Numbers in the factors, weights not counted."""
        return int(self.left.size + self.right.size)

    @property
    def norm(self) -> float | None:
        """Frobenius norm of the matrix that was approximated, read when first asked for; None where it is not cheap."""
        if callable(self._norm):
            self._norm = self._norm()
        return self._norm

    @property
    def error(self) -> float | None:
        """Frobenius norm of what is left of the matrix, by Pythagoras: no digits are right below 1e-8 `norm`."""
        norm = self.norm
        if norm is None:
            return None
        kept = float(np.sum((self.s.astype(float) / (norm or 1.0)) ** 2))
        return norm * float(np.sqrt(max(1 - kept, 0.0)))

    def __repr__(self) -> str:
        (m1, n1), (m2, n2) = self.left_shape, self.right_shape
        state = "converged" if self.report.converged else "NOT converged"
        size = f"{self.shape[0]} x {self.shape[1]}"
        return f"<KroneckerResult: {self.rank} terms ({m1} x {n1}) kron ({m2} x {n2}), {size}, {self.dtype}, {state}>"

    # --- parts ----------------------------------------------------------------------------------------------------

    def truncate(self, k: int) -> KroneckerResult:
        """Return the first `k` terms, as views."""
        if not 0 <= k <= self.rank:
            raise ValueError(f"k = {k}, but must be in 0..{self.rank}, the terms of the result; compute more")
        residuals = self.report.residuals[:k]
        report = Report.from_dict(self.report.to_dict() | {"residuals": residuals})
        return self._with(self.s[:k], self.left[:k], self.right[:k], report, norm=self._norm)

    def factors(self, split: str = "sqrt") -> tuple[np.ndarray, np.ndarray]:
        """Return stacks (B, C) with ``sum_i kron(B[i], C[i])``: `s` shared ("sqrt"), or all on one side.

        "sqrt" is the balanced start of an adapter that trains both.
        """
        powers = {"sqrt": (0.5, 0.5), "left": (1.0, 0.0), "right": (0.0, 1.0)}
        if split not in powers:
            raise ValueError(f"split = {split!r}, but must be 'sqrt', 'left' or 'right'")
        first, second = ((self.s**power)[:, None, None] for power in powers[split])
        return first * self.left, second * self.right

    @property
    def T(self) -> KroneckerResult:
        """The transpose: that of every factor, as views."""
        left, right = self.left.swapaxes(1, 2), self.right.swapaxes(1, 2)
        return self._with(self.s, left, right, self.report, shape=self.shape[::-1], norm=self._norm)

    @property
    def H(self) -> KroneckerResult:
        """The conjugate transpose."""
        left, right = self.left.swapaxes(1, 2).conj(), self.right.swapaxes(1, 2).conj()
        return self._with(self.s, left, right, self.report, shape=self.shape[::-1], norm=self._norm)

    # --- products -------------------------------------------------------------------------------------------------

    def to_operator(self) -> KroneckerSum:
        """Return the matrix as an operator, for every function that takes one; made once."""
        if self._operator is None:
            self._operator = KroneckerSum(self.left, self.s, self.right)
        return self._operator

    def __matmul__(self, X: Any) -> np.ndarray:
        """``to_dense() @ X`` for a vector or a block: at most ``2 k b m1 n2 (n1 + m2)`` flops for b vectors."""
        X = np.asarray(X)
        if X.ndim not in (1, 2) or X.shape[0] != self.shape[1]:
            raise ValueError(f"X has shape {X.shape}, but must have {self.shape[1]} rows; a vector or a block")
        return self._product(X, self.to_operator().matmat, self.shape[0], self._size[1])

    def rmatmul(self, X: Any) -> np.ndarray:
        """Return ``X @ to_dense()``, also as ``X @ result``."""
        X = np.asarray(X)
        if X.ndim not in (1, 2) or X.shape[-1] != self.shape[0]:
            raise ValueError(f"X has shape {X.shape}, but must have {self.shape[0]} columns; a vector or rows")
        return self._product(X.T.conj(), self.to_operator().rmatmat, self.shape[1], self._size[0]).T.conj()

    __rmatmul__ = rmatmul
    __array_ufunc__ = None  # NumPy arrays leave `array @ result` to the result

    @property
    def _size(self) -> Shape:
        """The shape without regard to padding."""
        return (self.left.shape[1] * self.right.shape[1], self.left.shape[2] * self.right.shape[2])

    def _product(self, X: np.ndarray, multiply: Any, rows: int, padded: int) -> np.ndarray:
        block = X[:, None] if X.ndim == 1 else X
        if block.dtype.kind == "c" and self.dtype.kind != "c":
            return self._product(X.real, multiply, rows, padded) + 1j * self._product(X.imag, multiply, rows, padded)
        if padded > block.shape[0]:
            block = np.concatenate([block, np.zeros((padded - block.shape[0], block.shape[1]), block.dtype)])
        product = multiply(block)[:rows]
        return product[:, 0] if X.ndim == 1 else product

    # --- scalars, dense, algebra ----------------------------------------------------------------------------------

    def to_dense(self) -> np.ndarray:
        """Return the matrix itself: m n numbers, 2 k m n flops."""
        k, (m1, n1), (m2, n2) = self.rank, self.left_shape, self.right_shape
        flat = (self.left * self.s[:, None, None]).reshape(k, m1 * n1).T @ self.right.reshape(k, m2 * n2)
        full = flat.reshape(m1, n1, m2, n2).swapaxes(1, 2).reshape(m1 * m2, n1 * n2)
        return full[: self.shape[0], : self.shape[1]]

    def trace(self) -> Any:
        """Return the trace: that of the factors, if they are square; else from the diagonals of the terms."""
        if self.left_shape[0] == self.left_shape[1] and self.shape == self._size and self.shape[0] == self.shape[1]:
            return np.sum(self.s * np.trace(self.left, axis1=1, axis2=2) * np.trace(self.right, axis1=1, axis2=2))
        i = np.arange(min(self.shape))
        (m2, n2), terms = self.right_shape, range(self.rank)
        diagonals = (self.left[t, i // m2, i // n2] * self.right[t, i % m2, i % n2] for t in terms)
        return sum(weight * np.sum(diagonal) for weight, diagonal in zip(self.s, diagonals, strict=True))

    def norm_fro(self) -> float:
        """Return the Frobenius norm, also of terms that are not orthogonal."""
        if self.shape != self._size:
            return float(np.linalg.norm(self.to_dense()))
        P, Q = (_vectors(stack) for stack in (self.left, self.right))
        size = float(self.s.max(initial=0)) or 1.0
        weights = self.s / size
        squares = (P @ P.conj().T) * (Q @ Q.conj().T)
        return size * float(np.sqrt(max((weights @ squares @ weights).real, 0.0)))

    def residual(self, A: Any) -> np.ndarray:
        """Return ``A - to_dense()``, with which the sum gives A back to the last digit: an adapter's frozen part.

        The rounding of the difference is at most half a unit in the last place of A's larger entry or term.
        """
        dense = A.toarray() if hasattr(A, "toarray") else np.asarray(A)
        if dense.shape != self.shape:
            raise ValueError(f"A has shape {dense.shape}, but the result approximates one of shape {self.shape}")
        return dense - self.to_dense()

    def recompress(self, k: int | None = None, rtol: float | None = None) -> KroneckerResult:
        """Return the same matrix with orthonormal factors and the fewest terms; with `k` the best sum of k terms.

        Terms below `rtol` (default: the rounding of the dtype) of the largest are dropped. QR of the factors and the
        SVD of an r x r core: O(r^2 (m1 n1 + m2 n2)) flops.
        """
        from .build import result_from_triplets

        P, Q = (_vectors(stack).T for stack in (self.left, self.right))
        left, first = np.linalg.qr(P)
        right, second = np.linalg.qr(Q)
        U, s, Vh = np.linalg.svd((first * self.s) @ second.T, full_matrices=False)
        limit = max(P.shape) * float(np.finfo(s.dtype).eps) if rtol is None else rtol
        kept = max(1, int(np.count_nonzero(s > limit * s[0])) if s.size else 0)
        kept = min(kept if k is None else k, s.size)
        report = Report.from_dict(self.report.to_dict() | {"residuals": np.zeros(kept), "reason": "recompressed"})
        triplets = left @ U[:, :kept], s[:kept], Vh[:kept] @ right.T
        shapes = self.left_shape, self.right_shape
        return result_from_triplets(*triplets, report, *shapes, shape=self.shape)

    def __add__(self, other: Any) -> KroneckerResult:
        """The terms of both, for factors of the same shapes."""
        if not isinstance(other, KroneckerResult):
            return NotImplemented
        mine, its = ((x.left_shape, x.right_shape, x.shape) for x in (self, other))
        if mine != its:
            raise ValueError(f"sums of Kronecker products with shapes {mine} and {its} have no common terms")
        pairs: Sequence[tuple[np.ndarray, np.ndarray]] = (
            (self.s, other.s),
            (self.left, other.left),
            (self.right, other.right),
            (self.report.residuals, other.report.residuals),
        )
        s, left, right, residuals = (np.concatenate(pair) for pair in pairs)
        report = Report.from_dict(self.report.to_dict() | {"residuals": residuals, "reason": "a sum of results"})
        return self._with(s, left, right, report)

    def __mul__(self, number: Any) -> KroneckerResult:
        sign = number / abs(number) if number else 1.0
        return self._with(self.s * abs(number), self.left * sign, self.right, self.report)

    __rmul__ = __mul__

    def __neg__(self) -> KroneckerResult:
        return self * -1.0

    def __sub__(self, other: Any) -> KroneckerResult:
        return self + -other if isinstance(other, KroneckerResult) else NotImplemented

    def _with(self, s: Any, left: Any, right: Any, report: Report, **more: Any) -> KroneckerResult:
        return KroneckerResult(s, left, right, report, **({"shape": self.shape} | more))


def _vectors(stack: np.ndarray) -> np.ndarray:
    return stack.reshape(stack.shape[0], -1)
