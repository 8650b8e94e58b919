"""What a single Kronecker product knows exactly from its factors: inverse, equations, determinant, SVD, eigenvalues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .._report import Report
from .._result import SVDResult

if TYPE_CHECKING:
    from .result import KroneckerResult


class OneTerm:
    """Mixin: exact answers for a sum of one term ``s kron(B, C)``, from those of B and C."""

    __slots__ = ()
    s: np.ndarray
    left: np.ndarray
    right: np.ndarray
    report: Report

    def _single(self, what: str, square: bool = True) -> tuple[Any, np.ndarray, np.ndarray]:
        if self.s.size != 1 or self.shape != self._size:  # type: ignore[attr-defined]
            raise ValueError(
                f"{what} needs a single Kronecker product without padding, but this is a sum of {self.s.size} terms of "
                f"shape {self.shape}; "  # type: ignore[attr-defined]
                f"use truncate(1), or to_operator() with an iterative method"
            )
        B, C = self.left[0], self.right[0]
        if square and (B.shape[0] != B.shape[1] or C.shape[0] != C.shape[1]):
            raise ValueError(f"{what} needs square factors, but they are {B.shape} and {C.shape}")
        return self.s[0], B, C

    def inverse(self) -> KroneckerResult:
        """Return the inverse: ``kron(inv(B), inv(C)) / s``, O(m1^3 + m2^3) flops.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a factor is singular.
        """
        from .result import KroneckerResult

        weight, B, C = self._single("inverse")
        if weight == 0:
            raise np.linalg.LinAlgError("the matrix is zero and has no inverse")
        left, right = np.linalg.inv(B), np.linalg.inv(C)
        sizes = np.linalg.norm(left), np.linalg.norm(right)
        s = np.array([sizes[0] * sizes[1] / weight], self.s.dtype)
        report = Report.from_dict(
            self.report.to_dict() | {"residuals": np.zeros(1), "reason": "inverse of the factors"}
        )
        return KroneckerResult(s, (left / sizes[0])[None], (right / sizes[1])[None], report)

    def solve(self, b: Any) -> np.ndarray:
        """Return x with ``K x = b``, for a vector or a block: two solves with factors, ``X = B^-1 b C^-T / s``.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a factor is singular.
        """
        weight, B, C = self._single("solve")
        b = np.asarray(b)
        n1, n2 = B.shape[0], C.shape[0]
        if b.ndim not in (1, 2) or b.shape[0] != n1 * n2:
            raise ValueError(f"b has shape {b.shape}, but must have {n1 * n2} rows")
        if weight == 0:
            raise np.linalg.LinAlgError("the matrix is zero")
        half = np.linalg.solve(B, b.reshape(n1, -1)).reshape(n1, n2, -1)
        x = np.linalg.solve(C, half.transpose(1, 0, 2).reshape(n2, -1)).reshape(n2, n1, -1)
        return x.transpose(1, 0, 2).reshape(b.shape) / weight

    def slogdet(self) -> tuple[Any, float]:
        """Return sign and logarithm of the determinant, ``(s^m1 det B)^m2 ...``, as ``numpy.linalg.slogdet``."""
        weight, B, C = self._single("slogdet")
        if weight == 0:
            return 0.0, -np.inf
        (sign_b, log_b), (sign_c, log_c) = np.linalg.slogdet(B), np.linalg.slogdet(C)
        m1, m2 = B.shape[0], C.shape[0]
        return sign_b**m2 * sign_c**m1, float(m2 * log_b + m1 * log_c + m1 * m2 * np.log(weight))

    def det(self) -> Any:
        """Return the determinant; ``slogdet`` where it leaves the range of the type."""
        sign, logarithm = self.slogdet()
        return sign * np.exp(logarithm)

    def svd(self, k: int | None = None) -> SVDResult:
        """Return the k (default: all) leading singular triplets, exact: products of those of the factors."""
        weight, B, C = self._single("svd", square=False)
        (U1, s1, V1), (U2, s2, V2) = (np.linalg.svd(factor, full_matrices=False) for factor in (B, C))
        values, i, j = _largest(np.multiply.outer(s1, s2), k)
        U = _columns(U1[:, i], U2[:, j])
        Vh = _columns(V1[i].T, V2[j].T).T
        pivot = U[np.argmax(np.abs(U), axis=0), np.arange(U.shape[1])]
        phase = (pivot / np.abs(pivot)).conj()
        report = Report.from_dict(
            self.report.to_dict() | {"residuals": np.zeros(values.size), "reason": "products of those of the factors"}
        )
        return SVDResult(U * phase, values * weight, Vh * phase.conj()[:, None], report)

    def eig(self, k: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the k (default: all) largest eigenvalues and their eigenvectors: products of those of the factors.

        Symmetric (Hermitian) factors give real values and orthonormal vectors.
        """
        weight, B, C = self._single("eig")
        hermitian = all(np.allclose(factor, factor.conj().T, rtol=0, atol=_rounding(factor)) for factor in (B, C))
        (w1, V1), (w2, V2) = (np.linalg.eigh(factor) if hermitian else np.linalg.eig(factor) for factor in (B, C))
        products = np.multiply.outer(w1, w2)
        _, i, j = _largest(np.abs(products), k)
        return products[i, j] * weight, _columns(V1[:, i], V2[:, j])


def _rounding(factor: np.ndarray) -> float:
    return 8 * float(np.finfo(factor.dtype).eps) * float(np.abs(factor).max(initial=0))


def _largest(values: np.ndarray, k: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The k largest entries, descending, and their places."""
    if k is not None and not 0 <= k <= values.size:
        raise ValueError(f"k = {k}, but must be in 0..{values.size}")
    order = np.argsort(-values, axis=None, kind="stable")[: values.size if k is None else k]
    i, j = np.unravel_index(order, values.shape)
    return values[i, j], i, j


def _columns(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Kronecker products of columns with the same number."""
    return (first[:, None, :] * second[None, :, :]).reshape(-1, first.shape[1])
