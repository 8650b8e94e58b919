"""One update of a truncated SVD, as a function."""

from __future__ import annotations

from typing import Any

from ._result import SVDResult
from .incremental import IncrementalSVD

__all__ = ["update_svd"]


def update_svd(
    U: Any,
    s: Any,
    Vh: Any,
    *,
    rows: Any = None,
    cols: Any = None,
    delta: tuple[Any, Any] | None = None,
    k: int | None = None,
    forget: float = 1.0,
    threads: int | None = None,
) -> SVDResult:
    """Return the rank-k SVD of an updated matrix of which only a truncated SVD is known.

    Parameters
    ----------
    U, s, Vh : arrays of shape (m, r), (r,), (r, n)
        A truncated SVD; ``update_svd(*result, rows=B)`` takes a result. The vectors must be orthonormal.
    rows : array or sparse matrix of shape (t, n), optional
        Appended below.
    cols : array or sparse matrix of shape (m, t), optional
        Appended at the right; of m + t rows when `rows` are appended as well.
    delta : (D, E), optional
        ``D @ E.T`` is added; D has as many rows, E has as many rows as the matrix then has rows and columns.
    k : int, optional
        Triplets to keep. Default: r.
    forget : float
        The known matrix is multiplied by it first.
    threads : int, optional

    Returns
    -------
    SVDResult
        Of ``[forget (U * s) @ Vh; rows]`` and so on, exactly, truncated to k. ``report.residuals`` bounds the error
        that this truncation made.

    Notes
    -----
    What the given SVD had lost of its matrix stays lost: this is the SVD of the updated approximation. Several changes
    are made in the order rows, cols, delta. Cost beside the copies of U and Vh: that of :class:`IncrementalSVD`, which
    to use for more than one update.

    References
    ----------
    .. [1] H. Zha and H. D. Simon, On updating problems in latent semantic indexing, SIAM J. Sci. Comput. 21 (1999).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> A = np.diag([3.0, 2.0, 1.0])
    >>> U, s, Vh = svdkit.update_svd(*svdkit.tsvd(A[:2], 2), rows=A[2:], k=3)
    >>> np.round(s, 12)
    array([3., 2., 1.])
    """
    state = IncrementalSVD.from_result((U, s, Vh), k=k, forget=forget, threads=threads)
    pending = forget
    for change in ("rows", "cols", "delta"):
        value = {"rows": rows, "cols": cols, "delta": delta}[change]
        if value is None:
            continue
        state.forget = pending
        if change == "rows":
            state.append_rows(value)
        elif change == "cols":
            state.append_cols(value)
        else:
            state.add(*_pair(value))
        pending = 1.0
    return state.result()


def _pair(delta: Any) -> tuple[Any, Any]:
    if not isinstance(delta, tuple | list) or len(delta) != 2:
        raise TypeError(f"delta is a {type(delta).__name__}, but must be a pair (D, E) of m x t and n x t matrices")
    return delta[0], delta[1]
