"""Low-rank fits by least absolute deviations: alternating weighted medians."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from . import _arguments as check
from ._dense_cells import open_cells
from ._progress import Progress, hook, progress_bar
from ._report import Report
from ._result import SVDResult
from ._scalars import OPERATORS
from ._verdict import conclude

__all__ = ["L1Result", "l1_svd"]


class L1Result(SVDResult):
    """The SVD of the fitted matrix, ``(U * s) @ Vh``, and how its error fell. Saved, it is a plain result.

    Attributes
    ----------
    objective : float
        The sum of ``|A - (U * s) @ Vh|`` over the observed cells.
    history : ndarray
        That sum before every half-sweep, and at the end; it never rises, but for rounding.
    """

    __slots__ = ("history",)

    def __init__(self, U: np.ndarray, s: np.ndarray, Vh: np.ndarray, report: Report, history: np.ndarray) -> None:
        super().__init__(U, s, Vh, report)
        self.history = history

    def __reduce__(self) -> Any:
        return L1Result, (self.U, self.s, self.Vh, self.report, self.history)

    @property
    def objective(self) -> float:
        """The last value of the history."""
        return float(self.history[-1])


def l1_svd(
    A: Any,
    k: int,
    *,
    missing: Literal["raise", "mask"] = "raise",
    refine: int = 50,
    tol: float = 1e-6,
    max_iter: int = 100,
    threads: int | None = None,
    callback: Callable[[Progress], Any] | None = None,
    progress: bool = False,
    time_limit: float | None = None,
    on_fail: Literal["warn", "raise"] = "warn",
) -> L1Result:
    """Return the SVD of a rank-k matrix with a small sum of absolute errors: ``min sum |A - B|`` over observed cells.

    No tuning constant and no scale of the noise to estimate; a matrix of rank one is fitted exactly when in every row
    and column the wrong cells carry less than half of the weight [1]_. Not convex: the answer is a point which no
    single entry of the factors can improve, and its start matters. :func:`svdkit.robust_svd` is statistically better
    under Gaussian noise and holds at higher ranks (see Notes).

    Parameters
    ----------
    A : array or sparse matrix, shape (m, n)
        Real. A sparse matrix is written out: its zeros are data.
    k : int
        Rank of the fit, 1..min(m, n).
    missing : {"raise", "mask"}
        What NaN in A is: an error, or a cell that was not observed.
    refine : int
        Most rounds over the components, each fitted to what the others leave; 1 is plain deflation.
    tol : float
        Relative fall of the sum in a sweep over rows and columns, and in a round, that ends them.
    max_iter : int
        Sweeps of a component in a round.
    threads, callback, progress, time_limit, on_fail
        As in :func:`svdkit.tsvd`.

    Returns
    -------
    L1Result
        ``U, s, Vh``, orthonormal and descending, of the fitted matrix; ``objective`` and ``history``.
        ``report.residuals`` are the relative falls at the last sweep of every component.

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong, or A is not real, is an operator, or is not finite.
    ConvergenceError
        If `tol` is missed and ``on_fail="raise"``; it carries the partial result.

    Warns
    -----
    ConvergenceWarning
        If `tol` is missed.

    Notes
    -----
    Rows and columns in turn: every entry of one factor is a weighted median, found by selection. Cost of a half-sweep:
    one read of A, 2 k flops and some 30 operations a cell, O(m n) in all; memory k (m + n), nothing of size m n. A row
    without observed cells becomes zero, and so does a component when most cells of what is left are zero.

    Where it is worse: at rank 3 with 30 % one-sided wrong cells its error was 1.3 (robust_svd: 0.17); with Gaussian
    noise and fewer of them it is 20 to 75 % above that of robust_svd. Where it is better: an entry of a factor is one
    median, so a minority that agrees (something parked in a film) cannot pull the fit into a second minimum;
    ``robust_svd(A, 1, init=l1_svd(A, 1))`` has both.

    References
    ----------
    .. [1] D. Hawkins, L. Liu and S. Young, Robust singular value decomposition, NISS technical report 122 (2001).
    .. [2] Q. Ke and T. Kanade, Robust L1 norm factorization in the presence of outliers and missing data by
       alternative convex programming, CVPR (2005).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> rng = np.random.default_rng(0)
    >>> low = np.outer(rng.standard_normal(40), rng.standard_normal(30))
    >>> A = low + np.where(rng.random((40, 30)) < 0.2, 10.0, 0.0)
    >>> result = svdkit.l1_svd(A, 1)
    >>> bool(np.abs(result.reconstruct() - low).max() < 1e-12)
    True
    """
    check.choice("missing", missing, ("raise", "mask"))
    check.choice("on_fail", on_fail, ("warn", "raise"))
    accuracy, limit = check.tolerance(tol), check.seconds("time_limit", time_limit)
    sweeps, rounds = check.positive_int("max_iter", max_iter), check.positive_int("refine", refine)
    pool = check.optional_int("threads", threads)
    cells = open_cells(A, None, missing, pool)
    count = check.rank(k, cells.x.shape)
    if count == 0:
        raise ValueError(f"A has shape {cells.x.shape}, but must have rows and columns")
    with progress_bar(progress, count) as bar:
        arguments = (count, accuracy, sweeps, rounds, 0.0, pool, hook(callback, bar), limit)
        (U, s, Vh, fields), history, _ = OPERATORS[cells.x.dtype].l1(cells.x, *arguments)
    report = Report(**fields)
    report.notes[:0] = cells.notes
    return conclude(
        L1Result(U, s, Vh, report, history),
        f"the last sweep or round still lowered the error by more than tol = {report.tol:.1e} of it",
        "allow more with max_iter, refine, time_limit or tol",
        on_fail,
    )
