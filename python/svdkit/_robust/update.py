"""Folding a new row or column into a robust fit, approximately."""

from __future__ import annotations

from copy import copy
from typing import Any, Literal

import numpy as np

from .._report import Report
from .result import HUBER, WELSCH, RobustResult

SWEEPS = 50


def robust_update(
    result: RobustResult, new: Any, *, axis: Literal["row", "column"] = "column", forget: float = 1.0
) -> RobustResult:
    """Return a robust fit with a new row or column folded in, from the factors alone.

    The coefficients of the new vector in the fitted components are found by reweighted least squares with the noise
    level of the fit; its far-off cells are replaced by the fit, and the factors are updated [1]_. This is approximate:
    earlier weights stay as they were, and so does sigma. Call :func:`svdkit.robust_svd` with ``init=result`` on the
    whole data from time to time.

    Parameters
    ----------
    result : RobustResult
        A fit of shape (m, n).
    new : array, shape (m,) for a column (a frame), (n,) for a row
        NaN marks missing cells.
    axis : {"column", "row"}
        At the right end, or below.
    forget : float
        In (0, 1]: what earlier data count for from now on.

    Returns
    -------
    RobustResult
        Of shape (m, n + 1) or (m + 1, n), of the same rank. Without a matrix: ``weights`` and ``outliers`` need it. A
        vector that has no support in the fit (a tampered frame) is listed in ``unsupported_cols`` (``_rows``), and
        leaves the factors alone.

    Raises
    ------
    ValueError, TypeError
        If the vector does not fit, or an argument is wrong.

    Notes
    -----
    Cost: ``O(m k^2)`` per reweighting and ``O((m + n) k^2)`` for the update; no earlier data are read.

    References
    ----------
    .. [1] M. Brand, Linear Algebra Appl. 415 (2006).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> background = np.outer(np.arange(1.0, 9.0), np.ones(6))
    >>> frame = np.arange(1.0, 9.0)
    >>> frame[3] = 500.0
    >>> result = svdkit.robust_update(svdkit.robust_svd(background, 1), frame)
    >>> result.shape, round(float(result.reconstruct()[3, 6]), 6)
    ((8, 7), 4.0)
    """
    if axis not in ("row", "column"):
        raise ValueError(f"axis = {axis!r}, but must be 'row' or 'column'")
    if not 0 < forget <= 1:
        raise ValueError(f"forget = {forget!r}, but must be in (0, 1]; 1 forgets nothing")
    if not isinstance(result, RobustResult):
        raise TypeError(f"result is a {type(result).__name__}, but must be a RobustResult; see robust_svd")
    basis, other = (result.U, result.Vh.T) if axis == "column" else (result.Vh.T, result.U)
    x = np.asarray(new)
    if x.shape != basis.shape[:1]:
        raise ValueError(f"new has shape {x.shape}, but a {axis} of this fit has shape {basis.shape[:1]}")
    if x.dtype.kind not in "biuf":
        raise TypeError(f"new has dtype {x.dtype}, but must be real numbers")
    x = x.astype(np.float64)
    if np.isinf(x).any():
        raise ValueError(f"new[{int(np.argmax(np.isinf(x)))}] is infinite; mark missing cells with NaN")
    Q = basis.astype(np.float64)
    coefficients, weights = _coefficients(Q, x, other, result)
    supported = weights.sum() >= _needed_share(result) * max(int(np.count_nonzero(~np.isnan(x))), 1)
    residual = np.where(np.isnan(x), 0.0, x - Q @ coefficients) * weights
    if not supported:
        coefficients, residual = np.zeros(result.rank), np.zeros_like(residual)
    left, s, right = _append(Q, result.s.astype(np.float64) * forget, other, coefficients, residual)
    return _updated(result, axis, left, s, right, bool(supported))


def _needed_share(result: RobustResult) -> float:
    """Two fifths of the mean weight of a clean vector, as in the fit itself."""
    if result.loss == "huber":
        return 1e-3
    return float(0.4 / np.sqrt(1 + (result.alpha if result.loss == "dpd" else 2 / WELSCH**2)))


def _weights(e: np.ndarray, sigma: float, result: RobustResult) -> np.ndarray:
    scaled = e / max(sigma, np.finfo(float).tiny)
    if result.loss == "huber":
        return np.asarray(HUBER / np.maximum(np.abs(scaled), HUBER))
    rate = result.alpha / 2 if result.loss == "dpd" else 1 / WELSCH**2
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.exp(-rate * scaled**2))


def _coefficients(Q: np.ndarray, x: np.ndarray, other: np.ndarray, result: RobustResult) -> tuple[Any, Any]:
    """Weighted least squares, reweighted until it stands still; the scale falls to sigma from that of the start."""
    known = ~np.isnan(x)
    Qk, xk = Q[known], x[known]
    weights = np.zeros(x.size)
    if not known.any() or result.rank == 0:
        return np.zeros(result.rank), weights
    rounding = 1e3 * float(np.finfo(result.dtype).eps) * float(np.max(np.abs(xk), initial=0))
    sigma = max(float(result.sigma[-1]), rounding, np.finfo(float).tiny)
    c = _least_deviations(Qk, xk)
    scale = max(sigma, 1.4826 * float(np.median(np.abs(xk - Qk @ c))))
    for _ in range(SWEEPS):
        w = _weights(xk - Qk @ c, scale, result)
        step = np.linalg.lstsq((Qk * w[:, None]).T @ Qk, (Qk * w[:, None]).T @ (xk - Qk @ c), rcond=1e-12)[0]
        c = c + step
        settled = scale == sigma and np.linalg.norm(step) <= 1e-12 * np.linalg.norm(c)
        scale = max(sigma, scale / 2)
        if settled:
            break
    weights[known] = _weights(xk - Qk @ c, sigma, result)
    return c, weights


def _least_deviations(Q: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Least absolute deviations, roughly: a start that is not the outliers'."""
    c = np.linalg.lstsq(Q, x, rcond=None)[0]
    for _ in range(20):
        e = np.abs(x - Q @ c)
        w = 1 / np.maximum(e, 1e-6 * max(float(np.median(np.abs(x))), np.finfo(float).tiny))
        c = np.linalg.lstsq((Q * w[:, None]).T @ Q, (Q * w[:, None]).T @ x, rcond=1e-12)[0]
    return np.asarray(c)


def _append(Q: np.ndarray, s: np.ndarray, other: np.ndarray, c: np.ndarray, residual: np.ndarray) -> tuple[Any, ...]:
    """SVD of ``[Q diag(s) other^T, Q c + residual]``, truncated to the rank of Q."""
    k = s.size
    inside = Q.T @ residual
    outside = residual - Q @ inside
    outside -= Q @ (Q.T @ outside)
    size = float(np.linalg.norm(outside))
    core = np.zeros((k + 1, k + 1))
    core[:k, :k] = np.diag(s)
    core[:k, k] = c + inside
    core[k, k] = size
    X, values, Yt = np.linalg.svd(core)
    left = Q @ X[:k, :k] + np.outer(outside / size if size > 0 else outside, X[k, :k])
    right = np.vstack([other @ Yt[:k, :k].T, Yt[:k, k][None, :]])
    return left, values[:k], right


def _updated(result: RobustResult, axis: str, left: Any, s: Any, right: Any, supported: bool) -> RobustResult:
    dtype = result.dtype
    U, V = (left, right) if axis == "column" else (right, left)
    signs = np.where(np.take_along_axis(U, np.argmax(np.abs(U), axis=0)[None, :], axis=0)[0] < 0, -1.0, 1.0)
    report: Report = copy(result.report)
    note = "updated with new vectors, approximately"
    report.notes = [*(n for n in result.report.notes if n != note), note]
    lost = {"row": result.unsupported_rows, "column": result.unsupported_cols}
    if not supported:
        lost[axis] = np.append(lost[axis], right.shape[0] - 1)
    return RobustResult(
        np.ascontiguousarray(U * signs, dtype), s.astype(dtype), np.ascontiguousarray((V * signs).T, dtype), report,
        alpha=result.alpha, loss=result.loss, sigma=result.sigma, objective=result.objective,
        unsupported_rows=lost["row"], unsupported_cols=lost["column"],
    )  # fmt: skip
