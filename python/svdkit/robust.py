"""Robust singular value decompositions: right answers when cells of the matrix are wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from ._progress import Progress
from ._robust.fit import RobustRequest, run
from ._robust.result import RobustResult
from ._robust.update import robust_update

__all__ = ["RobustResult", "robust_svd", "robust_update"]


def robust_svd(
    A: Any,
    k: Any,
    *,
    alpha: float | Literal["auto"] = 0.3,
    missing: Literal["raise", "mask"] = "raise",
    init: Any = None,
    tol: float | None = None,
    max_iter: int = 200,
    method: Literal["joint", "deflation"] = "joint",
    scale: Literal["mdpde", "mad", "iqr"] | float | None = None,
    loss: Literal["dpd", "huber", "welsch"] = "dpd",
    weights: Any = None,
    unsupported: Literal["zero", "keep"] = "zero",
    rng: Any = 0,
    threads: int | None = None,
    callback: Callable[[Progress], Any] | None = None,
    progress: bool = False,
    time_limit: float | None = None,
    on_fail: Literal["warn", "raise"] = "warn",
) -> RobustResult:
    """Return the rank-k matrix behind one whose cells are noisy and partly wrong (rSVDdpd).

    Minimises the density power divergence between the residuals and a normal distribution whose deviation sigma is
    fitted too [1]_ [2]_: a residual of e gets the weight ``exp(-alpha e^2 / (2 sigma^2))``, so cells far off count for
    nothing. Wrong single cells, up to about a third of them, do not matter; outliers that form a matrix of low rank
    are signal to any method that looks at cells.

    Parameters
    ----------
    A : array or sparse matrix, shape (m, n)
        Real. A sparse matrix is written out: its zeros are data.
    k : int or rank rule
        Number of components, 1..min(m, n); ``svdkit.rank.DICMR()`` chooses it robustly.
    alpha : float or "auto"
        In [0, 1]: 0 is the ordinary truncated SVD; 0.3 keeps 92 % of its efficiency on clean normal data, 0.5 84 %,
        1.0 65 %. More is not safer: with sigma fitted, from 0.5 on the fit starts from that for 0.3. "auto" takes from
        0.1, 0.2, ..., 0.5 the one with the smallest estimated error.
    missing : {"raise", "mask"}
        What NaN means: an error, or a missing cell.
    init : SVDResult, (U, s, Vh) or array of shape (n, k), optional
        Where to start. Default: the SVD of A with far-off cells removed and heavy rows and columns damped. A plain SVD
        of A is a bad start: the outliers are in it.
    tol : float, optional
        Relative change of the fit in a sweep below which it stands still. Default: 1e-6 in double, 1e-4 in single
        precision.
    max_iter : int
        Sweeps, two reads of A each; in deflation for every component.
    method : {"joint", "deflation"}
        All components at once, or one after the other from what is left (the R package): components then do not depend
        on k, but later ones count as noise of earlier ones.
    scale : {"mdpde", "mad", "iqr"} or float, optional
        sigma: from the divergence (default with ``loss="dpd"``), 1.4826 times the median residual (default otherwise),
        the interquartile range of the cells of A, or given. ``method="deflation", scale="iqr"`` is the rule of the R
        package rsvddpd, robust to the spread of the data instead of that of the noise.
    loss : {"dpd", "huber", "welsch"}
        Weights of the divergence; ``min(1, 1.345 sigma / |e|)``, which bounds the influence of a cell but never ends
        it; or ``exp(-(e / 2.985 sigma)^2)``.
    weights : array of shape (m, n), optional
        Prior weights >= 0 of cells, which multiply those of the fit; 0: missing, A may be NaN there. A boolean mask
        does.
    unsupported : {"zero", "keep"}
        Rows and columns of which less than a thousandth of the weight is left: fitted by zero, or left as they were.
    rng : int, Generator, SeedSequence or None
        Only ``method="deflation", scale="iqr"`` starts from random numbers.
    threads, callback, progress, time_limit
        As in :func:`svdkit.tsvd`; ``info.residuals`` holds the relative change of the last sweep.
    on_fail : {"warn", "raise"}
        When the fit did not stand still within max_iter sweeps.

    Returns
    -------
    RobustResult
        ``U (m, k)``, ``s (k,)`` descending, ``Vh (k, n)``, ``report``; also ``sigma (k,)``, ``weights()``,
        ``outliers(threshold)``, ``objective`` (one a sweep), ``unsupported_rows`` and ``unsupported_cols``.
        ``report.residuals[i]`` is ``max(||(W o E) v_i||, ||(W o E)^T u_i||)``, W the weights and E the residuals: zero
        where the divergence is stationary.

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong, if cells are infinite, or NaN without ``missing="mask"``.
    ConvergenceError
        With ``on_fail="raise"``.

    Warns
    -----
    ConvergenceWarning
        If the fit did not stand still.

    Notes
    -----
    Permuting rows or columns, transposing and scaling A do the same to the answer; rotating it does not. The start
    trims by medians of at most a hundred thousand cells, evenly spread.

    Cost: about 10 to 20 sweeps; a sweep reads A twice and takes, for N cells, ``N (k^2 + 8 k + 16)`` multiply-adds and
    2 N exponentials (k <= 8; beyond, ``N (12 k + 16)``, and more sweeps); memory O((m + n) k): nothing as large as A,
    except in deflation, which keeps what is left of A.

    References
    ----------
    .. [1] S. Roy, A. Basu and A. Ghosh, A new robust scalable singular value decomposition algorithm for video
       surveillance background modelling, arXiv 2109.10680; Analysis of the rSVDdpd algorithm, arXiv 2307.10591.
    .. [2] A. Basu, I. R. Harris, N. L. Hjort and M. C. Jones, Robust and efficient estimation by minimising a density
       power divergence, Biometrika 85 (1998).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> A = np.add.outer(np.arange(8.0), np.arange(6.0))      # rank 2
    >>> A[2, 3] = 1000.0
    >>> result = svdkit.robust_svd(A, 2)
    >>> round(float(result.reconstruct()[2, 3]), 6)
    5.0
    >>> np.argwhere(result.outliers())
    array([[2, 3]])
    """
    request = RobustRequest(
        k, alpha, missing, init, tol, max_iter, method, scale, loss, weights, unsupported, rng, threads, callback,
        progress, time_limit, on_fail,
    )  # fmt: skip
    return run(A, request)
