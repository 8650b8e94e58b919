"""Spherical principal components: directions of data some rows of which are wrong."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from . import _arguments as check
from ._columns import vector_of
from ._dense_cells import CellMatrix, open_cells
from ._inputs import scan
from ._report import Report
from ._result import SVDResult
from ._scalars import OPERATORS
from .operators import Centered, Dense, Scaled
from .truncated import tsvd

__all__ = ["SphericalResult", "spherical_pca"]

CLOSE = 1e-4  # of the median distance: so near the center, rounding would make the direction
SMALL = 2**22  # entries
STEPS = 200  # towards the spatial median
NORMAL_MAD = 1.482602218505602  # standard deviation of a normal distribution over its median absolute deviation


class SphericalResult(SVDResult):
    """The SVD of the rows of A, centred and scaled to length one; and A in its coordinates. Saved, a plain result.

    Attributes
    ----------
    center : ndarray, shape (n,)
        What was subtracted from every row.
    lengths : ndarray, shape (m,)
        Distances of the rows from the center.
    scores : ndarray, shape (m, k)
        ``(A - center) @ Vh.T``, in units of A.
    scales : ndarray, shape (k,)
        Robust standard deviations of the scores: 1.4826 times their median absolute deviation.
    """

    __slots__ = ("center", "lengths", "scales", "scores")

    def __init__(
        self, triplets: SVDResult, center: np.ndarray, lengths: np.ndarray, scores: np.ndarray, scales: np.ndarray
    ) -> None:
        super().__init__(triplets.U, triplets.s, triplets.Vh, triplets.report)
        self.center = center
        self.lengths = lengths
        self.scores = scores
        self.scales = scales

    def __reduce__(self) -> Any:
        plain = SVDResult(self.U, self.s, self.Vh, self.report)
        return SphericalResult, (plain, self.center, self.lengths, self.scores, self.scales)

    def project(self, X: Any) -> np.ndarray:
        """Return the coordinates of the rows of `X` (p x n): ``(X - center) @ Vh.T``."""
        return np.asarray(X @ self.Vh.T - self.center @ self.Vh.T)


def spherical_pca(
    A: Any,
    k: int,
    *,
    center: Any = "median",
    tol: float | None = None,
    threads: int | None = None,
    on_fail: Literal["warn", "raise"] = "warn",
) -> SphericalResult:
    """Return principal directions that far rows cannot rule: the SVD of the rows scaled to length one [1]_.

    Every row has the same say, however far it lies. For elliptical data the directions and their order are those of
    the covariance. Nearly free (one tsvd and some reads of A), and it turns with the data: directions may lie along
    single columns, where methods that go cell by cell fail. What it does not do: a wrong cell spoils its whole row, so
    where most rows have one use :func:`svdkit.robust_svd`; and wrong rows that agree among themselves come before every
    direction that holds less of the unit rows than their share, be it a few per cent.

    Parameters
    ----------
    A : array or sparse matrix, shape (m, n)
        Real, rows are observations. A sparse matrix is written out.
    k : int or rank rule
        Number of directions, as in :func:`svdkit.tsvd`.
    center : "median", "mean", None or array of shape (n,)
        What is subtracted: the spatial median, the column means (not robust), nothing, or given numbers.
    tol, threads, on_fail
        As in :func:`svdkit.tsvd`.

    Returns
    -------
    SphericalResult
        ``U, s, Vh`` of the scaled rows, with measured residuals; ``scores`` and their robust ``scales`` in units of A.

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong, or A is not real, is an operator, or has entries that are not finite.
    ConvergenceError
        As in :func:`svdkit.tsvd`.

    Warns
    -----
    ConvergenceWarning
        As in :func:`svdkit.tsvd`.

    Notes
    -----
    The spatial median minimises ``sum ||A_i - c||``; it is found by Weiszfeld's iteration in the form of Vardi and
    Zhang [2]_, one read of A a step, to a millionth of the typical distance. A itself is not copied: centring and
    scaling are operators (up to 2**22 entries tsvd may write out a dense matrix, and says so). Rows nearer to
    the center than 1e-4 of the median distance have no direction and count as zero.

    References
    ----------
    .. [1] N. Locantore et al., Robust principal component analysis for functional data, Test 8 (1999).
    .. [2] Y. Vardi and C.-H. Zhang, The multivariate L1-median and associated data depth, PNAS 97 (2000).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> rng = np.random.default_rng(0)
    >>> A = rng.standard_normal((200, 3)) * [10, 1, 0.1]
    >>> A[:20, 2] = 1000
    >>> abs(svdkit.tsvd(A, 1, center=True).Vh).round(1)
    array([[0., 0., 1.]])
    >>> abs(svdkit.spherical_pca(A, 1).Vh).round(1)
    array([[1., 0., 0.]])
    """
    pool = check.optional_int("threads", threads)
    cells = open_cells(A, None, "raise", pool)
    offsets, lengths, reads = _centered(cells, center, pool)
    dtype = cells.x.dtype
    weights = np.zeros(lengths.size)
    apart = lengths > CLOSE * np.median(lengths) if lengths.size else lengths > 0
    np.divide(1, lengths, out=weights, where=apart)
    np.clip(weights, 0, np.finfo(dtype).max, out=weights)  # of rows of subnormal length
    rows = Centered(Dense(cells.x), offsets.astype(dtype))
    method: Any = "auto" if cells.x.size <= SMALL else "lanczos"  # never a copy of a large matrix
    triplets = tsvd(Scaled(rows, rows=weights), k, tol=tol, threads=threads, on_fail=on_fail, method=method)
    report: Report = triplets.report
    report.passes += reads
    report.notes[:0] = cells.notes
    scores = rows.matmat(triplets.Vh.T)
    middle = np.median(scores, axis=0) if scores.size else np.zeros(scores.shape[1])
    scales = NORMAL_MAD * np.median(np.abs(scores - middle), axis=0) if scores.size else middle
    return SphericalResult(triplets, offsets, lengths, scores, scales)


def _centered(cells: CellMatrix, center: Any, threads: int) -> tuple[np.ndarray, np.ndarray, int]:
    """The center, the distances of the rows from it, and how many times A was read for them."""
    m, n = cells.x.shape
    max_abs = scan(cells.x, threads)[0]
    scale = math.ldexp(1.0, -math.frexp(max_abs)[1]) if max_abs > 0 else 1.0
    scale = min(scale, 2.0**1000)
    if not isinstance(center, str):
        given = np.zeros(n) if center is None else vector_of("center", center, n, np.dtype(np.float64))
        _, lengths, *_ = OPERATORS[cells.x.dtype].spatial_median_step(cells.x, scale, given * scale, threads)
        return given, lengths / scale, 1
    check.choice("center", center, ("median", "mean"))
    place = OPERATORS[cells.x.dtype].dense(cells.x).column_means(threads).astype(float) * scale if m else np.zeros(n)
    return _median(cells, place, scale, threads, 0 if center == "mean" else STEPS)


def _median(
    cells: CellMatrix, place: np.ndarray, scale: float, threads: int, steps: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """At most so many steps towards the spatial median from `place`."""
    for step in range(steps + 1):
        after, lengths, slope, moved, spread = OPERATORS[cells.x.dtype].spatial_median_step(
            cells.x, scale, place, threads
        )
        near = moved <= 1e-6 * spread or slope <= 1e-9
        if near or step == steps:
            break
        place = after
    if steps and not near:
        cells.notes.append(f"the center still moved by {moved / spread:.0e} of the typical distance at the last step")
    return place / scale, lengths / scale, step + 2
