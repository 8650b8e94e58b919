"""Matrices in noise of unequal variance: left subspaces by HeteroPCA, known profiles of variance by biwhitening."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _arguments as check
from ._error_estimate import product
from ._inputs import Matrix, is_sparse, open_matrix
from ._report import Report
from ._result import SVDResult
from ._scalars import OPERATORS
from ._signs import with_signs
from .truncated import svdvals, tsvd

__all__ = ["Biwhitened", "biwhiten", "hetero_pca"]


def hetero_pca(
    A: Any,
    k: int,
    *,
    deflate: bool = False,
    max_iter: int = 100,
    tol: float = 1e-6,
    threads: int | None = None,
) -> SVDResult:
    """Return the left singular subspace of a low-rank matrix whose rows carry noise of unequal, unknown variance.

    Such noise adds its variances to the diagonal of ``A A^H`` and turns its leading eigenvectors to the noisy rows. The
    diagonal is deleted, and filled again from the rank-k approximation, until it stands still [1]_.

    Parameters
    ----------
    A : array, sparse matrix or operator, shape (m, n)
        Rows are the coordinates whose noise differs; pass ``A.T`` if those are the columns.
    k : int
        Rank of the signal, below m.
    deflate : bool
        Fill the diagonal from the ranks up to one well separated group of values after the other [2]_: for signals
        whose values differ by orders of magnitude.
    max_iter : int
        1 only deletes the diagonal, which is most of the gain.
    tol : float
        Stop when no entry of the diagonal changes by more than this, relative to the largest value.
    threads : int, optional
        As in :func:`svdkit.tsvd`.

    Returns
    -------
    SVDResult
        ``U (m, k)`` spans the estimated subspace; `s` and `Vh` are those of ``U^H A``. ``report.residuals`` are those
        of A and contain its noise; ``report.converged`` says whether the diagonal stood still.

    Notes
    -----
    Cost: m^2 n flops for ``A A^H``, of which only m^2 numbers are kept, then k eigenpairs of an m x m matrix for every
    iteration, each started from the one before.

    References
    ----------
    .. [1] A. R. Zhang, T. T. Cai and Y. Wu, Heteroskedastic PCA: algorithm, optimality, and applications, Ann. Statist.
       50 (2022).
    .. [2] Y. Zhou and Y. Chen, Deflated HeteroPCA, arXiv 2303.06198 (2023).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> rng = np.random.default_rng(0)
    >>> u = np.ones(20) / np.sqrt(20)
    >>> noise = np.geomspace(0.1, 5, 20)[:, None] * rng.standard_normal((20, 2000))
    >>> A = 2 * np.outer(u, rng.standard_normal(2000)) + noise
    >>> U = svdkit.hetero_pca(A, 1).U
    >>> bool(abs(u @ U[:, 0]) > 0.95 > abs(u @ svdkit.tsvd(A, 1).U[:, 0]))
    True
    """
    pool = check.optional_int("threads", threads)
    check.positive_int("max_iter", max_iter)
    matrix = open_matrix(A, threads=pool)
    m = matrix.shape[0]
    k = check.rank(k, matrix.shape)
    if k >= m and m > 1:
        raise ValueError(f"k = {k}, but must be below the number of rows, {m}: a diagonal tells nothing then")
    G = _moment(matrix)
    np.fill_diagonal(G, 0)
    U = np.eye(m, k, dtype=G.dtype)
    steps, settled = 0, True
    for rank in _stages(G, k, threads) if deflate else iter([k]):
        U, taken, settled = _fill_diagonal(G, rank, max_iter, tol, threads)
        steps += taken
    return _projected(matrix, U.astype(matrix.dtype), Report(
        "hetero_pca", "deflated" if deflate else "diagonal deleted" if max_iter == 1 else "diagonal filled", settled,
        np.empty(0), tol, 2 + matrix.passes, steps, {}, 3 * G.nbytes, pool, 0,
        list(matrix.notes) if settled else [*matrix.notes, f"the diagonal still moved after {max_iter} iterations"],
    ))  # fmt: skip


def _moment(matrix: Matrix) -> np.ndarray:
    """``A A^H`` over a power of four, in double precision."""
    m, n = matrix.shape
    peak = 2.0 ** (math.frexp(matrix.max_abs)[1] if matrix.max_abs else 0)
    wide = np.result_type(matrix.dtype, np.float64)
    A = matrix.entries
    if is_sparse(A):
        scaled = A.tocsr().astype(wide) / peak
        return np.ascontiguousarray((scaled @ scaled.conj().T).toarray())
    G = np.zeros((m, m), wide)
    for first in range(0, n, 1024):
        unit = np.zeros((n, min(1024, n - first)), matrix.dtype)
        unit[np.arange(first, first + unit.shape[1]), np.arange(unit.shape[1])] = 1
        part = A[:, first : first + 1024] if isinstance(A, np.ndarray) and A.dtype == matrix.dtype else None
        slab = (product(matrix.core, unit, m) if part is None else part).astype(wide) / peak
        G += slab @ slab.conj().T
    return G


def _leading(G: np.ndarray, k: int, start: Any, threads: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The k eigenvectors and eigenvalues of largest magnitude."""
    U = tsvd(G, k, warm_start=start, threads=threads, tol=1e-10).U
    values, Y = np.linalg.eigh(U.conj().T @ G @ U)
    return U @ Y, values


def _fill_diagonal(
    G: np.ndarray, k: int, max_iter: int, tol: float, threads: int | None
) -> tuple[np.ndarray, int, bool]:
    """HeteroPCA of rank k on G, in place: eigenvectors, iterations, whether the diagonal stood still."""
    U, values = _leading(G, k, None, threads)
    for step in range(1, max_iter):
        filled = np.einsum("ij,j,ij->i", U, values, U.conj()).real
        moved = np.abs(filled - G.diagonal().real).max(initial=0)
        np.fill_diagonal(G, filled)
        U, values = _leading(G, k, U, threads)
        if moved <= tol * np.abs(values).max(initial=0):
            return U, step + 1, True
    return U, max_iter, max_iter == 1


def _stages(G: np.ndarray, k: int, threads: int | None) -> Any:
    """Ranks after which a gap follows, up to the first value four times smaller; the last one is k."""
    done = 0
    while done < k:
        s = svdvals(G, min(k + 1, len(G)), threads=threads)
        s = np.append(s, np.zeros(k + 1 - len(s)))
        ranks = np.arange(done + 1, k + 1)
        good = (s[done] <= 4 * s[ranks - 1]) & (s[ranks - 1] - s[ranks] >= s[ranks - 1] / k)
        done = int(ranks[good].max()) if good.any() else k
        yield done


def _projected(matrix: Matrix, U: np.ndarray, report: Report) -> SVDResult:
    """U turned, with s and Vh of ``U U^H A``."""
    back = product(matrix.core, U, matrix.shape[1], adjoint=True)
    V, s, Ph = np.linalg.svd(back, full_matrices=False)
    U = U @ Ph.conj().T
    U, Vh = with_signs(np.ascontiguousarray(U), V.conj().T)
    left = product(matrix.core, np.ascontiguousarray(Vh.conj().T), matrix.shape[0]) - U * s
    unit = float(s.max(initial=0)) or 1.0
    report.residuals = unit * np.linalg.norm((left / unit).astype(np.result_type(left.dtype, np.float64)), axis=0)
    return SVDResult(U, s, Vh, report)


@dataclass(frozen=True)
class Biwhitened:
    """Row and column weights that make the average variance of the noise one, and the rank that stands out of it.

    Attributes
    ----------
    rows : ndarray, shape (m,)
    cols : ndarray, shape (n,)
        ``weighted_svd(A, rank, rows=rows, cols=cols)`` is the decomposition in the whitened norm.
    rank : int
        Singular values of ``diag(rows)^(1/2) A diag(cols)^(1/2)`` above `edge`.
    edge : float
        ``sqrt(m) + sqrt(n)``: where the Marchenko-Pastur law of the noise ends.
    s : ndarray
        The values above the edge, and the first one below.
    iterations : int
    deviation : float
        Largest relative deviation of a row or column mean of the scaled variances from one.
    """

    rows: np.ndarray
    cols: np.ndarray
    rank: int
    edge: float
    s: np.ndarray
    iterations: int
    deviation: float


def biwhiten(
    A: Any, variance: Any = None, *, tol: float = 1e-9, max_iter: int = 1000, threads: int | None = None
) -> Biwhitened:
    """Scale rows and columns so that the noise is white on average; its rank follows from the edge of the noise.

    Parameters
    ----------
    A : array or sparse matrix, shape (m, n)
        Counts, or data of known variances.
    variance : array or sparse matrix, shape (m, n), optional
        Variances of the entries. Default: A itself, for Poisson counts; ``alpha * A + beta * A**2`` for a quadratic
        variance function.
    tol : float
        Allowed `deviation`.
    max_iter : int
        Sinkhorn iterations, one product with the variances and one with their transpose each.
    threads : int, optional
        As in :func:`svdkit.tsvd`.

    Returns
    -------
    Biwhitened

    Raises
    ------
    ValueError
        If a variance is negative, a row or a column has none, or the scaling does not exist (``tol`` not reached after
        `max_iter`): too many zeros.

    Notes
    -----
    u and v with ``sum_j u_i V_ij v_j = n`` and ``sum_i u_i V_ij v_j = m``. Cost: 4 nnz flops an iteration, and the
    singular values down to the edge.

    References
    ----------
    B. Landa, T. T. C. K. Zhang and Y. Kluger, Biwhitening reveals the rank of a count matrix, SIAM J. Math. Data Sci. 4
    (2022).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> rng = np.random.default_rng(0)
    >>> mean = np.outer(rng.gamma(2, 1, 300), rng.gamma(2, 1, 200)) + np.outer(np.arange(300) % 2, np.arange(200) % 5)
    >>> svdkit.biwhiten(rng.poisson(mean) + 0.0).rank
    2
    """
    matrix = open_matrix(A, threads=check.optional_int("threads", threads))
    V = matrix.entries if variance is None else open_matrix(variance, "variance").entries
    if V is None or matrix.entries is None:
        raise TypeError("biwhitening reads entries; pass arrays or sparse matrices, not operators")
    m, n = matrix.shape
    if V.shape != (m, n):
        raise ValueError(f"variance has shape {V.shape}, but A has {(m, n)}")
    V = V.astype(np.float64)
    if (V.data if is_sparse(V) else V).size and (V.data if is_sparse(V) else V).min() < 0:
        raise ValueError("a variance is negative; counts are >= 0, otherwise pass variance=")
    u, v, steps, deviation = _sinkhorn(V, tol, check.positive_int("max_iter", max_iter))
    edge = math.sqrt(m) + math.sqrt(n)
    whitened = _whitened(matrix, np.sqrt(u), np.sqrt(v))
    k = min(8, m, n)
    while (s := svdvals(whitened, k, threads=threads, tol=1e-4))[-1] > edge and k < min(m, n):
        k = min(2 * k, m, n)
    rank = int(np.count_nonzero(s > edge))
    return Biwhitened(u, v, rank, edge, s[: rank + 1], steps, deviation)


def _sinkhorn(V: Any, tol: float, max_iter: int) -> tuple[np.ndarray, np.ndarray, int, float]:
    m, n = V.shape
    for name, sums in (("row", np.asarray(V.sum(axis=1)).ravel()), ("column", np.asarray(V.sum(axis=0)).ravel())):
        if (sums == 0).any():
            raise ValueError(f"{name} {int(np.argmin(sums))} has no variance; leave such rows and columns out")
    v = np.ones(n)
    for step in range(1, max_iter + 1):
        u = n / (V @ v)
        mean = v * (V.T @ u) / m
        deviation = float(np.abs(mean - 1).max())
        if deviation <= tol:
            return u, v, step, deviation
        v /= mean
    raise ValueError(
        f"row and column means still deviate by {deviation:.1e} after {max_iter} iterations (allowed tol = {tol:.0e}): "
        f"the pattern of zeros may allow no scaling; drop nearly empty rows and columns, or give variance="
    )


def _whitened(matrix: Matrix, left: np.ndarray, right: np.ndarray) -> Any:
    """``diag(left) A diag(right)`` as an operator; A itself stays where it is."""
    from .operators import Operator

    real = np.float32 if matrix.dtype.char in "fF" else np.float64
    core = OPERATORS[matrix.dtype].scaled(matrix.core, left.astype(real), right.astype(real))
    return Operator(core, matrix.notes)
