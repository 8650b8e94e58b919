"""Randomized singular value decompositions: an answer of a few digits from a few reads of the matrix."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from . import _arguments as check
from ._by_rule import decompose_by_rule, is_rule
from ._columns import standardize
from ._error_estimate import error_estimate
from ._inputs import Matrix, open_matrix
from ._progress import Progress, hook, progress_bar
from ._report import Report
from ._result import SVDResult
from .errors import ConvergenceWarning
from .rank import Tolerance
from .truncated import tsvd

__all__ = ["RandomizedResult", "rsvd"]

SINGLE_PASS_ROWS = 4096  # read at a time where the matrix is read once
Sketch = Literal["gaussian", "sparse", "srht"]


class RandomizedResult(SVDResult):
    """A result that knows its matrix, to estimate its own error. Saved or pickled, it is a plain result."""

    __slots__ = ("_matrix",)

    def __init__(self, U: np.ndarray, s: np.ndarray, Vh: np.ndarray, report: Report, matrix: Matrix) -> None:
        super().__init__(U, s, Vh, report)
        self._matrix = matrix

    def __reduce__(self) -> Any:
        return SVDResult, (self.U, self.s, self.Vh, self.report)

    def error_estimate(self, norm: str = "fro", probes: int = 10, rng: Any = None) -> Any:
        """Estimate the norm of what the result leaves of the matrix, from random vectors the result does not know.

        Parameters
        ----------
        norm : {"fro", "spectral"}
        probes : int
            Random vectors: read A once for "fro"; once and 10 times for "spectral".
        rng : int, Generator or SeedSequence, optional
            Default: a seed apart from that of the result.

        Returns
        -------
        float or (float, float)
            For "fro" the estimate, with a relative standard deviation of at most ``1 / sqrt(2 probes)``. For "spectral"
            a lower bound (Lanczos) and an upper bound that fails with probability ``10**-probes``.

        References
        ----------
        N. Halko, P. G. Martinsson and J. A. Tropp, SIAM Rev. 53 (2011), lemma 4.1.
        """
        seed = check.seed((self.report.seed ^ 0x9E3779B97F4A7C15) if rng is None else rng)
        return error_estimate(self._matrix, self, norm, check.positive_int("probes", probes), seed)


def rsvd(
    A: Any,
    k: Any = None,
    *,
    oversample: int = 10,
    power_iterations: int | Literal["auto"] = "auto",
    tol: float | None = None,
    norm: Literal["fro", "spectral"] = "fro",
    sketch: Sketch = "gaussian",
    passes: int | None = None,
    block_size: int | None = None,
    center: Any = False,
    rng: Any = 0,
    threads: int | None = None,
    callback: Callable[[Progress], Any] | None = None,
    progress: bool = False,
    time_limit: float | None = None,
) -> SVDResult:
    """Return an approximate truncated SVD from a few reads of the matrix.

    For what can be read again, ``tsvd(A, k, tol=1e-3)`` is usually as fast and better by digits (``python -m bench
    curves``). This function is for a counted number of reads, and for data that are seen once.

    Parameters
    ----------
    A : array, sparse matrix or operator, shape (m, n)
        As for :func:`svdkit.tsvd`.
    k : int or rank rule, optional
        Number of triplets. Without it `tol` says how many.
    oversample : int
        Random vectors beyond k.
    power_iterations : int or "auto"
        Products with ``A^H A`` before the last product; "auto": until the squared values stand still to 1 % of the
        first one left out [2]_.
    tol : float, optional
        With ``k=None``: the smallest rank with ``||A - U s Vh|| <= tol ||A||``.
    norm : {"fro", "spectral"}
        Of `tol`.
    sketch : {"gaussian", "sparse", "srht"}
        Test matrix: normal numbers, 8 signs in every row, or signed columns of the Hadamard matrix.
    passes : int, optional
        How many times A is read, at most: 1 is a single pass over the rows (arrays and sparse matrices; generalised
        Nystrom [3]_), from 2 on products with ``A^H A``. A dense A whose products are fused counts once for both of
        them, although for wide blocks, where that takes less time, it then comes from memory twice.
    block_size : int, optional
        Vectors multiplied at a time, raised to what makes k in all. Default: k + oversample where reads or power
        iterations are counted, 16 with "auto". For a matrix in memory, where reads are cheap, one or two digits take
        least time with many reads by narrow blocks: ``passes=7, block_size=16`` for k = 64.
    center : bool or array of shape (n,)
        Subtract column means, as in :func:`svdkit.tsvd`.
    rng : int, Generator, SeedSequence or None
        With an int the same bits for any number of threads.
    threads, callback, progress, time_limit
        As in :func:`svdkit.tsvd`.

    Returns
    -------
    RandomizedResult
        As :func:`svdkit.tsvd`, with ``error_estimate(norm, probes)``. ``report.residuals`` come from products with A,
        rounding added where values are small, and are what this method leaves, not a promise. With `tol` a certified
        :class:`svdkit.SVDResult`.

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong, or A has entries that are not finite.

    Notes
    -----
    Two and more products keep all their blocks and A times them (block Krylov [4]_) where that takes at most twice the
    memory of A, or 64 MB; otherwise only the last one counts (shifted power iterations [2]_). Products with ``A^H A``
    square A: vectors of a value s_i stay uncertain by about ``eps (s_1 / s_i)**2``, however many there are (single
    precision, s_i = s_1 / 500: 3 %). :func:`svdkit.tsvd` has no such limit.

    Cost, with l = k + oversample: 4 m n l flops and one read of A for every product with ``A^H A``, the last one
    included, where the products of A are fused; memory (2 m + 3 n) l, and (m + n) l for every block kept. Blocks of
    `block_size` columns take l's place where blocks are kept: more reads, but fewer flops. With `tol`: block Lanczos
    and the exact energy ``||A||_F^2`` [1]_.

    References
    ----------
    .. [1] E. Hallman, SIAM J. Matrix Anal. Appl. 43 (2022).
    .. [2] X. Feng, W. Yu, Y. Xie and J. Tang, ACM Trans. Math. Softw. (2024).
    .. [3] Y. Nakatsukasa, arXiv 2009.11392 (2020).
    .. [4] C. Musco and C. Musco, NeurIPS 28 (2015).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> A = np.outer(np.arange(50.0), np.ones(40)) + np.eye(50, 40)
    >>> U, s, Vh = svdkit.rsvd(A, 1)
    >>> bool(abs(s[0] - np.linalg.norm(A, 2)) < 1e-2)
    True
    """
    if k is None:
        options: dict[str, Any] = {"center": center, "rng": rng, "threads": threads, "callback": callback}
        return _fixed_precision(A, tol, norm, options | {"progress": progress, "time_limit": time_limit})
    if tol is not None:
        raise ValueError(f"k = {k!r} and tol = {tol!r}, but only one of them can be chosen; leave k out")
    check.choice("sketch", sketch, ("gaussian", "sparse", "srht"))
    extra = check.integer("oversample", oversample)
    if extra < 0:
        raise ValueError(f"oversample = {extra}, but must not be negative; 10 is the default")
    power = -1 if power_iterations == "auto" else check.integer("power_iterations", power_iterations)
    if power < -1 or (power == -1 and power_iterations != "auto"):
        raise ValueError(f"power_iterations = {power_iterations!r}, but must be 'auto' or an integer >= 0")
    reads, seed = check.optional_int("passes", passes), check.seed(rng)
    width = check.optional_int("block_size", block_size)
    pool, limit = check.optional_int("threads", threads), check.seconds("time_limit", time_limit)
    matrix = open_matrix(A, threads=pool)
    count = min(matrix.shape) if is_rule(k) else check.rank(k, matrix.shape)
    if count == 0:
        return tsvd(A, 0)
    if center is not False:
        standardize(matrix, center, None, pool)

    def solve(number: int, start: Any, spent: int, seconds_left: float | None) -> Any:
        if reads == 1:
            return _single_pass(matrix, number, extra, seed, pool)
        with progress_bar(progress, number) as bar:
            listener = hook(callback, bar)
            arguments = (number, extra, power, reads, width, sketch, seed, pool, listener, seconds_left or limit)
            U, s, Vh, fields = matrix.core.randomized(*arguments, matrix.max_abs)
        return U, s, Vh, Report(**fields)

    U, s, Vh, report = decompose_by_rule(matrix, k, limit, pool, solve) if is_rule(k) else solve(count, None, 0, None)
    report.notes[:0] = matrix.notes
    report.passes += matrix.passes
    if any(note.startswith("stopped early") for note in report.notes):
        warnings.warn("; ".join(report.notes), ConvergenceWarning, stacklevel=2)
    return RandomizedResult(U, s, Vh, report, matrix)


def _fixed_precision(A: Any, tol: float | None, norm: str, options: dict[str, Any]) -> SVDResult:
    """The smallest rank of a relative error: values certified by their residuals, the rest by the exact energy."""
    if tol is None:
        raise ValueError("k = None and tol = None: give a number of triplets k, or an accuracy tol")
    check.choice("norm", norm, ("fro", "spectral"))
    accuracy = check.number("tol", tol)
    if not 0 < accuracy < 1:
        raise ValueError(f"tol = {tol!r}, but must be in (0, 1), relative to the norm of A")
    result = tsvd(A, Tolerance(accuracy, norm=norm), tol=min(1e-3, accuracy / 10), **options)
    if norm == "spectral":
        result.report.notes.append(
            "the first value left out was computed too; a block start misses none, but for a set of measure zero"
        )
    return result


def _single_pass(matrix: Matrix, k: int, oversample: int, seed: int, threads: int) -> Any:
    from .sketched import SketchedSVD

    rows = matrix.entries
    if rows is None or matrix.offsets is not None:
        raise ValueError(
            "passes = 1 reads the rows of an array or a sparse matrix, neither operators nor centred ones; use passes=2"
        )
    if hasattr(rows, "tocsr"):
        rows = rows.tocsr()
    state = SketchedSVD(
        matrix.shape[1], k, rows=matrix.shape[0], oversample=oversample, rng=seed, threads=threads or None
    )
    for first in range(0, matrix.shape[0], SINGLE_PASS_ROWS):
        state.update(rows[first : first + SINGLE_PASS_ROWS])
    result = state.result()
    U = result.U.astype(matrix.dtype, copy=False)
    return U, result.s.astype(U.real.dtype), result.Vh.astype(matrix.dtype, copy=False), result.report
