"""Nystrom approximations: positive semidefinite matrices from products, any matrix from some rows and columns."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from . import _arguments as check
from ._error_estimate import gaussian, product
from ._inputs import is_sparse, open_matrix
from ._report import Report
from ._result import SVDResult

__all__ = ["nystrom", "rectangular_nystrom"]

Index = Literal["leading", "random", "leverage", "lu"]


def nystrom(A: Any, k: int, *, oversample: int = 10, rng: Any = 0, threads: int | None = None) -> SVDResult:
    """Return a rank-k positive semidefinite approximation of a symmetric positive semidefinite matrix.

    Parameters
    ----------
    A : array, sparse matrix or operator, shape (n, n)
        Only products with it are taken: one, with ``k + oversample`` vectors.
    k : int
        Rank.
    oversample : int
        Random vectors beyond k.
    rng : int, Generator, SeedSequence or None
    threads : int, optional

    Returns
    -------
    SVDResult
        ``U`` (n, k), eigenvalues ``s`` and ``Vh = U^H``. The approximation lies between 0 and A, up to rounding.
        ``report.residuals`` bound ``||A - A_hat||`` by the trace of what is left where the diagonal can be read, and
        are infinite for operators.

    Raises
    ------
    ValueError
        If A is not square, or is indefinite far beyond rounding.

    Notes
    -----
    A shift of the size of rounding keeps the small Gram matrix definite; it is taken off the values again. Should that
    fail ten times larger shifts are tried, then negative eigenvalues are clipped. Cost: one read of A, ``n l^2`` flops.

    References
    ----------
    J. A. Tropp, A. Yurtsever, M. Udell and V. Cevher, Fixed-rank approximation of a positive-semidefinite matrix from
    streaming data, NeurIPS (2017).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> A = np.diag([4.0, 1.0, 0.0, 0.0])
    >>> np.round(svdkit.nystrom(A, 2).s, 6)
    array([4., 1.])
    """
    pool, seed = check.optional_int("threads", threads), check.seed(rng)
    matrix = open_matrix(A, threads=pool)
    n = matrix.shape[0]
    if matrix.shape[1] != n:
        raise ValueError(f"A has shape {matrix.shape}, but must be square and positive semidefinite")
    k = check.rank(k, matrix.shape)
    width = min(k + max(check.integer("oversample", oversample), 0), n)
    wide = np.result_type(matrix.dtype, np.float64)
    omega = np.linalg.qr(gaussian(n, width, matrix.dtype, seed).astype(wide))[0]
    Y = product(matrix.core, omega.astype(matrix.dtype), n).astype(wide)
    peak = float(np.abs(Y).max(initial=0))
    Y /= peak or 1.0
    middle = omega.conj().T @ Y
    small = np.linalg.eigvalsh((middle + middle.conj().T) / 2)
    eps = float(np.finfo(matrix.dtype).eps)
    if small[0] < -1e3 * eps * n * max(small[-1], 0) - 1e3 * eps:
        raise ValueError(
            f"A is not positive semidefinite: a Rayleigh quotient is {small[0] * peak:.3e}, the largest "
            f"{small[-1] * peak:.3e}; use rsvd"
        )
    B, shift = _half_factor(omega, Y, eps * float(np.linalg.norm(Y)))
    U, s, _ = np.linalg.svd(B, full_matrices=False)
    values = np.maximum(s**2 - shift, 0.0)[:k] * peak
    U = np.ascontiguousarray(U[:, :k].astype(matrix.dtype))
    left = _trace(matrix) - float(values.sum())
    report = Report(
        "nystrom",
        "positive semidefinite",
        True,
        np.full(k, max(left, 0.0)),
        0.0,
        1 + matrix.passes,
        1,
        {},
        int(omega.nbytes + Y.nbytes + B.nbytes),
        max(pool, 1),
        seed,
        list(matrix.notes),
    )
    return SVDResult(U, values.astype(U.real.dtype), U.conj().T, report)


def _half_factor(omega: np.ndarray, Y: np.ndarray, shift: float) -> tuple[np.ndarray, float]:
    """B with B B^H = the Nystrom approximation of A + shift I."""
    for _ in range(6):
        shifted = Y + shift * omega
        middle = omega.conj().T @ shifted
        try:
            C = np.linalg.cholesky((middle + middle.conj().T) / 2)
        except np.linalg.LinAlgError:
            shift = 10 * shift if shift > 0 else np.finfo(float).eps
            continue
        return np.linalg.solve(C, shifted.conj().T).conj().T, shift
    values, vectors = np.linalg.eigh((middle + middle.conj().T) / 2)
    kept = values > 10 * np.finfo(float).eps * max(values[-1], 0)
    return shifted @ (vectors[:, kept] / np.sqrt(values[kept])), shift


def _trace(matrix: Any) -> float:
    entries = matrix.entries
    if entries is None:
        return float("inf")
    return float(np.real(entries.diagonal().sum() if is_sparse(entries) else np.trace(entries.astype(matrix.dtype))))


def rectangular_nystrom(
    A: Any, k: int, *, index: Index = "lu", oversample: float = 1.5, rng: Any = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``C (m, k)``, ``M (k, r)`` and ``R (r, n)`` with ``A ~ C M R``, made of columns and rows of A.

    Parameters
    ----------
    A : array or sparse matrix, shape (m, n)
    k : int
        Columns taken.
    index : {"lu", "leverage", "random", "leading"}
        Which rows and columns: pivots of LU factorisations of random products (two reads of A) [2]_, drawn by the
        leverage of a randomized SVD, drawn evenly, or the first ones, as NLoRA [1]_ (no read of A).
    oversample : float
        Rows taken for every column, at least 1: more are more stable.
    rng : int, Generator or SeedSequence

    Returns
    -------
    tuple of ndarray
        ``M`` is the truncated pseudo-inverse of the block where rows and columns cross. Exact if that block has the
        rank of A.

    References
    ----------
    .. [1] NLoRA: Nystrom-initiated low-rank adaptation, arXiv 2502 (2025).
    .. [2] Y. Dong and P. G. Martinsson, Adv. Comput. Math. 49 (2023).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> A = np.outer(np.arange(1.0, 6.0), [1.0, 2.0, 3.0])
    >>> C, M, R = svdkit.rectangular_nystrom(A, 1)
    >>> bool(np.allclose(C @ M @ R, A))
    True
    """
    check.choice("index", index, ("lu", "leverage", "random", "leading"))
    matrix = open_matrix(A)
    entries = matrix.entries
    if entries is None:
        raise TypeError(
            "A is an operator, but rows and columns of it have to be read; pass an array or a sparse matrix"
        )
    m = matrix.shape[0]
    k = check.rank(k, matrix.shape)
    if not oversample >= 1:
        raise ValueError(f"oversample = {oversample!r}, but must be at least 1 row for a column")
    r = min(int(np.ceil(oversample * k)), m)
    rows, cols = _choose(matrix, k, r, index, check.seed(rng))
    take = entries.tocsr() if is_sparse(entries) else entries
    C, R = take[:, cols], take[rows]
    if is_sparse(entries):
        C, R = C.toarray(), R.toarray()
    C, R = C.astype(matrix.dtype), R.astype(matrix.dtype)
    U, s, Vh = np.linalg.svd(C[rows].astype(np.result_type(matrix.dtype, np.float64)), full_matrices=False)
    kept = s > max(r, k) * np.finfo(matrix.dtype).eps * s.max(initial=0)
    M = (Vh[kept].conj().T / s[kept]) @ U[:, kept].conj().T
    return C, M.astype(matrix.dtype), R


def _choose(matrix: Any, k: int, r: int, index: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    m, n = matrix.shape
    if index == "leading":
        return np.arange(r), np.arange(k)
    generator = np.random.default_rng(seed)
    if index == "random":
        return np.sort(generator.choice(m, r, replace=False)), np.sort(generator.choice(n, k, replace=False))
    if index == "leverage":
        U, _, Vh, _ = matrix.core.randomized(k, min(10, min(m, n) - k), 1, 0, 0, "gaussian", seed, 0, None, 0.0, 0.0)
        weights = [np.sum(np.abs(x) ** 2, axis=1) + 1e-12 for x in (U, Vh.T)]
        pick = [
            generator.choice(w.size, number, replace=False, p=w / w.sum())
            for w, number in zip(weights, (r, k), strict=True)
        ]
        return np.sort(pick[0]), np.sort(pick[1])
    left = product(matrix.core, gaussian(n, r, matrix.dtype, seed), m)
    right = product(matrix.core, gaussian(m, k, matrix.dtype, seed ^ 1), n, adjoint=True)
    return _pivots(left), _pivots(right)


def _pivots(x: np.ndarray) -> np.ndarray:
    """The rows that partial pivoting of a tall matrix picks."""
    work = x.astype(np.result_type(x.dtype, np.float64))
    order = np.arange(len(work))
    for j in range(min(work.shape)):
        best = j + int(np.argmax(np.abs(work[j:, j])))
        work[[j, best]], order[[j, best]] = work[[best, j]], order[[best, j]]
        if work[j, j] != 0:
            work[j + 1 :, j:] -= np.outer(work[j + 1 :, j] / work[j, j], work[j, j:])
    return np.sort(order[: min(work.shape)])
