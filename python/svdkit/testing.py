"""What users need to test a decomposition: one assertion, and hypothesis strategies for matrices.

Singular vectors are never compared entry by entry: signs, and rotations among equal values, are not determined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["assert_svd", "matrices_with_spectrum", "shapes"]

KINDS = ("fast", "slow", "repeated", "deficient", "graded")


def assert_svd(A: Any, result: Any, tol: float | None = None) -> None:
    """Assert that `result` holds the k leading singular triplets of `A`.

    Checks shapes and dtypes, order, signs, orthonormality, residuals, and the values against those of a dense
    decomposition where the matrix is small enough to make one: only this can tell that a triplet was missed.

    Parameters
    ----------
    A : array, sparse matrix or operator, shape (m, n)
    result : SVDResult or (U, s, Vh)
    tol : float, optional
        Largest residual allowed, relative to the largest singular value. Default: 1e-10 in double and 1e-5 in
        single precision.

    Raises
    ------
    AssertionError
        Saying what is wrong, and by how much.

    Notes
    -----
    Costs one product with A and one with its adjoint; a full decomposition if min(m, n) <= 500.

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> from svdkit.testing import assert_svd
    >>> A = np.diag([3.0, 2.0, 1.0])
    >>> assert_svd(A, svdkit.tsvd(A, 2))
    """
    U, s, Vh = (np.asarray(part) for part in result)
    m, n = A.shape
    k = s.shape[0]
    if (U.shape, s.shape, Vh.shape) != ((m, k), (k,), (k, n)):
        raise AssertionError(f"U {U.shape}, s {s.shape}, Vh {Vh.shape} do not fit a {m} x {n} matrix")
    if not all(np.isfinite(part).all() for part in (U, s, Vh)):
        raise AssertionError("some entries are not finite")
    single = np.finfo(U.dtype).eps > 1e-10
    tol = (1e-5 if single else 1e-10) if tol is None else tol
    if (s < 0).any() or (np.diff(s) > 0).any():
        raise AssertionError(f"the values must be descending and not negative: {s}")
    if k:
        _assert_orthonormal("U", U, 1e-4 if single else 1e-11)
        _assert_orthonormal("V", Vh.conj().T, 1e-4 if single else 1e-11)
        _assert_signs(U, 1e-3 if single else 1e-6)
        _assert_residuals(A, U, s, Vh, tol)
        _assert_values(A, s, max(tol, 1e-4 if single else 1e-11))


def _assert_orthonormal(name: str, Q: np.ndarray, allowed: float) -> None:
    Q = _wide(Q)
    error = float(np.abs(Q.conj().T @ Q - np.eye(Q.shape[1])).max())
    if error > allowed:
        raise AssertionError(f"the columns of {name} are not orthonormal: {error:.1e} > {allowed:.0e}")


def _assert_signs(U: np.ndarray, slack: float) -> None:
    for i, column in enumerate(U.T):
        size = np.abs(column)
        largest = column[size >= (1 - slack) * size.max()]  # more than one where they tie
        if not np.any((largest.real > 0) & (np.abs(largest.imag) <= slack * largest.real)):
            raise AssertionError(f"the largest entry of U[:, {i}] is {largest[0]}, but must be positive")


def _assert_residuals(A: Any, U: np.ndarray, s: np.ndarray, Vh: np.ndarray, tol: float) -> None:
    values, V = _wide(s), _wide(Vh).conj().T
    left = np.linalg.norm(A @ V - _wide(U) * values, axis=0)
    right = np.linalg.norm(_adjoint(A) @ _wide(U) - V * values, axis=0)
    worst = float(np.maximum(left, right).max())
    noise = 8 * float(np.finfo(U.dtype).eps) * np.sqrt(max(A.shape))
    if worst > (tol + noise) * values[0]:
        raise AssertionError(f"the largest residual is {worst:.1e} > {tol:.0e} * {values[0]:.3e}")


def _assert_values(A: Any, s: np.ndarray, allowed: float) -> None:
    """Against all singular values, where they are cheap to have: none too large, none missed."""
    if min(A.shape) > 500 or not (isinstance(A, np.ndarray) or hasattr(A, "toarray")):
        return
    exact = np.linalg.svd(_wide(A.toarray() if hasattr(A, "toarray") else A), compute_uv=False)
    error = _wide(s) - exact[: s.size]
    worst = int(np.argmax(np.abs(error)))
    if abs(error[worst]) > allowed * exact[0]:
        raise AssertionError(f"s[{worst}] is {s[worst]}, but singular value {worst} of A is {exact[worst]}")


def _adjoint(A: Any) -> Any:
    return A.H if hasattr(A, "rmatmat") else A.conj().T


def _wide(A: Any) -> np.ndarray:
    A = np.asarray(A)
    return A.astype(np.result_type(A.dtype, np.float64), copy=False)


def shapes(largest: int = 60) -> SearchStrategy[tuple[int, int]]:
    """Strategy for (m, n), each in 1..largest: tall, wide, square, single rows and columns."""
    from hypothesis import strategies as st

    extent = st.integers(1, largest)
    return st.tuples(extent, extent)


def matrices_with_spectrum(
    kinds: Sequence[str] = KINDS, dtypes: Sequence[Any] = (np.float64,), largest: int = 60
) -> SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Strategy for ``(A, s)``: a random dense matrix and its singular values, descending.

    Parameters
    ----------
    kinds : sequence of {"fast", "slow", "repeated", "deficient", "graded"}
        2^-i; 1 / i; few different values; half of them zero; from 1 down to the rounding error.
    dtypes : sequence of dtype
        Of the matrix.
    largest : int
        Bound of both extents.

    Examples
    --------
    >>> import svdkit
    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5)
    ... @given(svdkit.testing.matrices_with_spectrum(["slow"]))
    ... def test(matrix):
    ...     A, s = matrix
    ...     assert abs(svdkit.svdvals(A, 1)[0] - s[0]) < 1e-12
    >>> test()
    """
    from hypothesis import strategies as st

    unknown = set(kinds).difference(KINDS)
    if unknown:
        raise ValueError(f"kinds has {', '.join(sorted(unknown))}, but only {', '.join(KINDS)} are known")

    @st.composite
    def matrices(draw: Any) -> tuple[np.ndarray, np.ndarray]:
        m, n = draw(shapes(largest))
        dtype = np.dtype(draw(st.sampled_from(list(dtypes))))
        s = _spectrum(draw(st.sampled_from(list(kinds))), min(m, n), float(np.finfo(dtype).eps))
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        U, V = (_orthonormal(rng, extent, s.size, dtype) for extent in (m, n))
        return ((U * s) @ V.conj().T).astype(dtype), s

    return matrices()


def _spectrum(kind: str, p: int, eps: float) -> np.ndarray:
    i = np.arange(p)
    if kind == "fast":
        return 0.5**i
    if kind == "slow":
        return 1 / (1 + i)
    if kind == "repeated":
        return 0.5 ** (i // 4)
    if kind == "deficient":
        return np.where(i < (p + 1) // 2, 1 / (1 + i), 0.0)
    return eps ** (i / max(p - 1, 1))


def _orthonormal(rng: np.random.Generator, rows: int, cols: int, dtype: np.dtype[Any]) -> np.ndarray:
    A = rng.standard_normal((rows, cols))
    if dtype.kind == "c":
        A = A + 1j * rng.standard_normal((rows, cols))
    return np.linalg.qr(A)[0]
