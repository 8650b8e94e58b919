"""Truncated singular value decompositions, to a guaranteed residual."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

import numpy as np

from ._progress import Progress
from ._result import SVDResult
from ._tsvd import Request, run

if TYPE_CHECKING:
    from .rank import Rule

__all__ = ["svdvals", "tsvd"]

Which = Literal["largest", "smallest"]
Method = Literal["auto", "lanczos", "full"]
OnFail = Literal["warn", "raise"]
Callback = Callable[[Progress], Any]


class Options(TypedDict, total=False):
    """The keywords of :func:`tsvd`, for type checkers."""

    tol: float | None
    which: Which
    center: Any
    scale: Any
    warm_start: Any
    method: Method
    block_size: int | None
    max_passes: int | None
    rng: Any
    threads: int | None
    callback: Callback | None
    progress: bool
    time_limit: float | None
    on_fail: OnFail


@overload
def tsvd(A: Any, k: int | Rule, *, vectors: Literal[True] = True, **options: Unpack[Options]) -> SVDResult: ...
@overload
def tsvd(A: Any, k: int | Rule, *, vectors: Literal[False], **options: Unpack[Options]) -> np.ndarray: ...
def tsvd(
    A: Any,
    k: int | Rule,
    *,
    tol: float | None = None,
    which: Which = "largest",
    vectors: bool = True,
    center: Any = False,
    scale: Any = None,
    warm_start: Any = None,
    method: Method = "auto",
    block_size: int | None = None,
    max_passes: int | None = None,
    rng: Any = 0,
    threads: int | None = None,
    callback: Callback | None = None,
    progress: bool = False,
    time_limit: float | None = None,
    on_fail: OnFail = "warn",
) -> SVDResult | np.ndarray:
    """Return the k leading (or trailing) singular triplets of a matrix, each with its residual.

    Parameters
    ----------
    A : array, sparse matrix or operator, shape (m, n), or a stack of arrays, shape (B, m, n)
        NumPy array of any strides (also memmap), ``scipy.sparse`` matrix or array, ``LinearOperator``, one of
        ``svdkit.operators``, or any CPU array that speaks DLPack. float32, float64, complex64 and complex128 are
        computed as they are; float16 and bfloat16 in float32; integers and bool in float64.
    k : int or rank rule
        Number of triplets, 1..min(m, n); 0 for an empty matrix only. Or one of :mod:`svdkit.rank`, for example
        ``svdkit.rank.Energy(0.9)``: triplets are computed until the rule can tell, and as many as it says are returned,
        possibly none.
    tol : float, optional
        Largest residual allowed, relative to the largest singular value. Default: 1e-10 in double and 1e-5 in
        single precision; the values are then right to working precision. 0 asks for all there is.
    which : {"largest", "smallest"}
        The end of the spectrum. The smallest values of a large sparse matrix may not converge; the report says so.
    vectors : bool
        False returns the singular values only, as :func:`svdvals`.
    center : bool or array of shape (n,)
        True subtracts the column means (principal component analysis), an array is subtracted from every row.
        A sparse matrix stays sparse.
    scale : None, True or array of shape (n,)
        Divide the columns, after centring, by their standard deviations (True, as ``numpy.std``; needs an array or
        a sparse matrix) or by the given positive numbers.
    warm_start : SVDResult, (U, s, Vh) or array of shape (n, j), optional
        Right vectors near the wanted ones: an earlier result for a similar matrix makes the call cheaper.
    method : {"auto", "lanczos", "full"}
        Thick-restart block Golub-Kahan-Lanczos [1]_ [2]_ [3]_, or a full SVD of the matrix. "auto" chooses, and may
        also take the Gram matrix of a long and narrow one; ``report.method`` and ``report.reason`` say what and why.
    block_size : int, optional
        Vectors multiplied at a time.
    max_passes : int, optional
        How many times the matrix may be read.
    rng : int, Generator, SeedSequence or None
        Start of the random numbers. With an int the answer is the same, bit for bit, for any number of threads;
        None is fresh entropy.
    threads : int, optional
        Threads of this call. Default: :func:`svdkit.get_num_threads`.
    callback : callable, optional
        Called as ``callback(info)`` after every block step with a :class:`svdkit.Progress`; returning True stops
        the call with what was reached.
    progress : bool
        Show a tqdm bar.
    time_limit : float, optional
        Seconds after which the call stops with what was reached.
    on_fail : {"warn", "raise"}
        What to do when some triplet misses the tolerance.

    Returns
    -------
    SVDResult
        ``U (m, k)``, ``s (k,)`` descending, ``Vh (k, n)`` and ``report``; unpacks as ``U, s, Vh``. In every column
        of U the entry of largest magnitude is positive. For a stack every array has a leading axis B. With
        ``vectors=False`` only the array `s`.

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong, if A has entries that are not finite, or if the two products of an operator are not
        adjoint to each other.
    MemoryError
        If the workspace cannot be had; nothing was computed then.
    ConvergenceError
        If some triplet misses the tolerance and ``on_fail="raise"``; it carries the partial result.

    Warns
    -----
    ConvergenceWarning
        If some triplet misses the tolerance; ``result.report`` says which, and why.

    Notes
    -----
    Every returned triplet satisfies ``max(||A v - s u||, ||A^H u - s v||) <= tol * s[0]``, measured with fresh
    products. Hence ``|s_i - sigma| <= tol * s[0]`` for a singular value sigma of A, and the error falls with the
    square of the residual where sigma is separated from the others. Repeated values are looked for. Where a method
    works with A^H A, its answer stands only if these residuals meet the tolerance.

    Cost of ``"lanczos"``: each block step reads A once (twice where A and A^H cannot share the read) and takes
    4 nnz b flops for b vectors, and 8 (m + n) b p for the orthogonalisation against a basis of p, about 2 k + 30,
    vectors; memory (m + n) p numbers. Cost of ``"full"``: O(m n min(m, n)) flops and a copy of A.

    References
    ----------
    .. [1] G. Golub and W. Kahan, Calculating the singular values and pseudo-inverse of a matrix, SIAM J. Numer.
       Anal. 2 (1965).
    .. [2] G. Golub, F. Luk and M. Overton, A block Lanczos method for computing the singular values and
       corresponding singular vectors of a matrix, ACM Trans. Math. Softw. 7 (1981).
    .. [3] J. Baglama and L. Reichel, Augmented implicitly restarted Lanczos bidiagonalization methods, SIAM J. Sci.
       Comput. 27 (2005); An implicitly restarted block Lanczos bidiagonalization method, BIT 53 (2013).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> A = np.diag([4.0, 3.0, 2.0, 1.0])
    >>> U, s, Vh = svdkit.tsvd(A, 2)
    >>> s
    array([4., 3.])
    >>> result = svdkit.tsvd(A, 2, center=True)
    >>> result.report.converged
    True
    """
    request = Request(
        k, tol, which, vectors, center, scale, warm_start, method, block_size, max_passes, rng, threads, callback,
        progress, time_limit, on_fail,
    )  # fmt: skip
    return run(A, request)


def svdvals(
    A: Any,
    k: int | Rule,
    *,
    tol: float | None = None,
    which: Which = "largest",
    center: Any = False,
    scale: Any = None,
    warm_start: Any = None,
    method: Method = "auto",
    block_size: int | None = None,
    max_passes: int | None = None,
    rng: Any = 0,
    threads: int | None = None,
    callback: Callback | None = None,
    progress: bool = False,
    time_limit: float | None = None,
    on_fail: OnFail = "warn",
) -> np.ndarray:
    """Return the k leading (or trailing) singular values of a matrix.

    Parameters, errors, warnings and cost are those of :func:`tsvd`; the residuals are measured all the same.

    Returns
    -------
    ndarray, shape (k,), or (B, k) for a stack
        Singular values, descending.

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> svdkit.svdvals(np.diag([4.0, 3.0, 2.0, 1.0]), 3)
    array([4., 3., 2.])
    """
    request = Request(
        k, tol, which, False, center, scale, warm_start, method, block_size, max_passes, rng, threads, callback,
        progress, time_limit, on_fail,
    )  # fmt: skip
    return run(A, request)
