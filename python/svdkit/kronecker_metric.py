"""Two metrics from gradient samples: the Kronecker product that is nearest to their Fisher matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import _arguments as check
from ._weighted.metric import Metric

__all__ = ["kron_metric"]

Pair = tuple[np.ndarray, np.ndarray]  # matrices of the rows (m x m) and of the columns (n x n)


def kron_metric(
    samples: Any, *, activations: Any = None, rounds: int = 20, tol: float = 1e-6, ridge: float = 0.0
) -> tuple[Metric, Metric]:
    """Return the row and the column metric whose Kronecker product is nearest to the Fisher matrix of gradients.

    ``F = (1/T) sum_t vec(G_t) vec(G_t)^T`` for T gradients of an m x n weight; F, of (m n)^2 entries, is never formed.
    ``weighted_svd(W, k, rows=B, cols=A)`` then minimises ``vec(W - Z)^T (A kron B) vec(W - Z)``, vec stacking columns.

    Parameters
    ----------
    samples : array of shape (T, m, n), or an iterable of such arrays or of single (m, n) gradients
        An iterator can be read once only, which ``rounds=1`` does. With `activations`, an array (T, m) of gradients by
        the outputs.
    activations : array, shape (T, n), optional
        Inputs of the layer: ``G_t = samples[t] activations[t]^T``, not formed.
    rounds : int
        1 reads the samples once and returns ``sum_t G G^T`` and ``sum_t G^T G`` (the K-FAC or Shampoo statistics),
        scaled to the trace of F. More rounds are power iterations for the nearest product, two reads each.
    tol : float
        Stop when the norm of the product changes less, relatively.
    ridge : float
        Of both metrics, as in :class:`svdkit.Metric`.

    Returns
    -------
    (Metric, Metric)
        B (m x m) for the rows and A (n x n) for the columns, positive semidefinite, of equal norm.

    Raises
    ------
    ValueError, TypeError
        If shapes differ or entries are not finite, or an iterator would have to be read again.

    Notes
    -----
    The rearranged F is ``X -> (1/T) sum_t G_t^T X G_t``, its adjoint ``Y -> (1/T) sum_t G_t Y G_t^T`` [1]_; both keep
    positive semidefinite matrices so, and so does the power iteration from ``B = I`` that leads to their first
    singular pair. The convergence factor is the squared ratio of the second singular value and the first. Cost: 4 T m n
    (m + n) flops a round; ``T (m^2 + n^2)`` with `activations`.

    References
    ----------
    .. [1] C. Van Loan and N. Pitsianis, Approximation with Kronecker products (1993).
    .. [2] Chekalina et al., Generalized Fisher-weighted SVD, arXiv 2505.17974 (2025).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> G = np.random.default_rng(0).standard_normal((50, 4, 3)) * np.array([1.0, 2.0, 3.0])
    >>> B, A = svdkit.kron_metric(G)
    >>> B, A
    (<Metric: 4 x 4, matrix>, <Metric: 3 x 3, matrix>)
    >>> W = np.ones((4, 3))
    >>> svdkit.weighted_svd(W, 1, rows=B, cols=A).shape
    (4, 3)
    """
    check.positive_int("rounds", rounds)
    read = _reader(samples, activations, rounds)
    product = _of_rank_one if activations is not None else _of_matrices
    B, A, trace = _first_round(read, product)
    if trace == 0 or rounds == 1:
        scale = 1 / np.sqrt(trace) if trace else 1.0
        return _metrics(B * scale, A * scale, ridge)
    norm = 0.0
    for _ in range(rounds):
        B /= np.linalg.norm(B)
        A = _mean(read, product, B, True)
        A /= np.linalg.norm(A)
        B = _mean(read, product, A, False)
        before, norm = norm, float(np.linalg.norm(B))
        if abs(norm - before) <= tol * norm:
            break
    half = np.sqrt(norm)
    return _metrics(B / half, A * half, ridge)


def _metrics(B: np.ndarray, A: np.ndarray, ridge: float) -> tuple[Metric, Metric]:
    return Metric((B + B.T) / 2, ridge=ridge), Metric((A + A.T) / 2, ridge=ridge)


def _first_round(read: Callable[[], Iterator[Any]], product: Callable[..., np.ndarray]) -> tuple[Any, Any, float]:
    """Both statistics from the identity, in one read, and the trace of F."""
    B: Any = 0
    A: Any = 0
    count = 0
    for G in read():
        B, A = B + product(G, None, False), A + product(G, None, True)
        count += len(G[0] if isinstance(G, tuple) else G)
    if count == 0:
        raise ValueError("samples is empty, but at least one gradient is needed")
    return B / count, A / count, float(np.trace(A)) / count


def _mean(
    read: Callable[[], Iterator[Any]], product: Callable[..., np.ndarray], X: np.ndarray, columns: bool
) -> np.ndarray:
    total: Any = 0
    count = 0
    for G in read():
        total = total + product(G, X, columns)
        count += len(G[0] if isinstance(G, tuple) else G)
    return np.asarray(total / count)


def _of_matrices(G: np.ndarray, X: np.ndarray | None, columns: bool) -> np.ndarray:
    """``sum_t G_t^T X G_t`` (columns) or ``sum_t G_t X G_t^T``: one product of tall matrices, None for X = I."""
    if not columns:
        G = G.transpose(0, 2, 1)
    weighed = G if X is None else np.matmul(X, G)
    n = G.shape[2]
    return np.asarray(G.reshape(-1, n).T @ weighed.reshape(-1, n))


def _of_rank_one(G: Pair, X: np.ndarray | None, columns: bool) -> np.ndarray:
    """The same for ``G_t = d_t a_t^T``."""
    other, kept = G if columns else G[::-1]
    weights = np.einsum("ti,ti->t", other, other if X is None else other @ X)
    return np.asarray(kept.T @ (weights[:, None] * kept))


def _reader(samples: Any, activations: Any, rounds: int) -> Callable[[], Iterator[Any]]:
    """A function that starts to read the samples, in pieces of one shape, in double precision."""
    if activations is not None:
        D, X = (_checked(name, value, 2) for name, value in (("samples", samples), ("activations", activations)))
        if len(D) != len(X):
            raise ValueError(f"samples has {len(D)} rows and activations {len(X)}, but both are one for each sample")
        return lambda: iter([(D, X)])
    if hasattr(samples, "ndim") or hasattr(samples, "__array__"):
        whole = _checked("samples", samples, 3)
        return lambda: iter([whole])
    if iter(samples) is samples and rounds > 1:
        raise ValueError(
            "samples is an iterator, which can be read once, and rounds > 1 reads it again; "
            "pass a list or an object whose __iter__ starts anew, or rounds=1"
        )

    def read() -> Iterator[np.ndarray]:
        shape = None
        for i, piece in enumerate(samples):
            G = _checked(f"samples[{i}]", piece, 3)
            if shape not in (None, G.shape[1:]):
                raise ValueError(f"samples[{i}] has gradients of shape {G.shape[1:]}, those before it {shape}")
            shape = G.shape[1:]
            yield G

    return read


def _checked(name: str, value: Any, ndim: int) -> np.ndarray:
    array = np.asarray(value)
    if array.ndim == 2 and ndim == 3:
        array = array[None]
    if array.ndim != ndim or array.dtype.kind not in "biuf":
        wanted = "(T, m, n) or (m, n)" if ndim == 3 else "(T, m) and (T, n)"
        raise ValueError(f"{name} has shape {array.shape} and dtype {array.dtype}, but must be real, {wanted}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has entries that are not finite; leave such samples out")
    return array.astype(np.float64, copy=False)
