"""Weighted singular value decompositions: the best rank-k approximation where not every entry counts the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from . import _arguments as check
from ._by_rule import is_rule
from ._completion.complete import complete
from ._inputs import open_matrix
from ._progress import Progress
from ._signs import with_signs
from ._tsvd import Request, judged
from ._weighted.metric import Metric, as_metric
from ._weighted.problem import scaled_problem
from ._weighted.result import WeightedResult
from ._weighted.solve import triplets

__all__ = ["Metric", "WeightedResult", "weighted_svd"]


def weighted_svd(
    A: Any,
    k: Any,
    *,
    rows: Any = None,
    cols: Any = None,
    elements: Any = None,
    which: Literal["largest", "smallest"] = "largest",
    unseen: Literal["keep", "zero"] = "keep",
    tol: float | None = None,
    method: Literal["auto", "factor", "products", "als", "em", "em_acc", "soft"] = "auto",
    rng: Any = 0,
    threads: int | None = None,
    callback: Callable[[Progress], Any] | None = None,
    progress: bool = False,
    time_limit: float | None = None,
    on_fail: Literal["warn", "raise"] = "warn",
    **options: Any,
) -> WeightedResult:
    """Return the rank-k matrix B that is nearest to A in a weighted norm.

    With metrics R on the rows and C on the columns it minimises ``||R^(1/2) (A - B) C^(1/2)||_F^2``, exactly, and
    returns ``B = (U * s) @ Vh`` with ``U^H R U = I`` and ``Vh C Vh^H = I``. With `elements` it minimises
    ``sum w_ij (A - B)_ij^2``, or half of that ``+ penalty * ||B||_*``, by iteration, and returns the plain SVD of B.

    Parameters
    ----------
    A : array, sparse matrix or operator, shape (m, n)
        As for :func:`svdkit.tsvd`. With `elements`: real, dense or sparse, and looked at where the weight is not 0
        only; it may be NaN elsewhere.
    k : int or rank rule; with `elements`: int, sequence of int or None
        Rank of B; a rule of :mod:`svdkit.rank` sees the singular values of ``R^(1/2) A C^(1/2)``. Where those are
        numerically zero fewer triplets are returned: B is exact in the metrics then. With `elements`, of a sequence the
        rank that predicts held-out cells best; None: a penalty is chosen by them instead, and it chooses the rank. With
        a penalty, the largest rank allowed.
    rows, cols : None, vector, matrix, products or Metric
        R (m x m) and C (n x n). A vector of weights >= 0 is a diagonal metric: A is read in place. A symmetric positive
        semidefinite array is the metric itself. A sparse matrix, LinearOperator or operator of svdkit is used by its
        products only. Factors, samples, ridges: :class:`svdkit.Metric`.
    elements : "observed", array or sparse matrix, shape (m, n), optional
        A weight >= 0 for every cell, 0 where it is missing; excludes `rows` and `cols`. Sparse: what is not stored is
        0, and where the weights ask for a cell that a sparse A does not store it is 0. "observed": 1 for every entry of
        a dense A that is not NaN, for every stored entry of a sparse A (explicit zeros count).
    which : {"largest", "smallest"}
        "smallest" returns the k trailing triplets instead: ``A - B`` is then the best approximation by the others.
    unseen : {"keep", "zero"}
        What B does in directions that a singular metric does not see: what A does there, projected (the limit of a
        vanishing ridge), or nothing (what pseudo-inverses give). The loss is the same.
    tol : float, optional
        Largest residual, relative to s[0], as in :func:`svdkit.tsvd`. With `elements`, a residual is
        ``max(||S v - penalty u||, ||S^T u - penalty v||)`` over the mean weight, ``S = W o (A - B)``: the gradient.
        Default then: 1e-6.
    method : {"auto", "factor", "products"}; with `elements`: {"auto", "als", "em", "em_acc", "soft"}
        Whether a metric that is a matrix is factored, or only multiplied with; "auto" takes what is cheaper. With
        `elements`: alternating least squares, expectation-maximisation (also accelerated), or a penalised path. "auto":
        "als" up to k = 32, else "em_acc"; "soft" for ``k=None``.
    rng, threads, callback, progress, time_limit, on_fail
        As in :func:`svdkit.tsvd`.
    **options
        With `elements` only. `penalty`: weight of the nuclear norm, or a sequence of which the one that predicts
        held-out cells best is taken. `held_out`: the share of those cells (0.05); the fit that is returned has seen all
        cells. `debias`: one sweep of least squares without penalty at the end (default: for a chosen penalty, if that
        predicts better). `max_iter`: sweeps or steps of one iteration (200; "em" 5000, "em_acc" 2000). `n_init`:
        starts, the first spectral, the others random; the least loss is kept (1; without a penalty only).
        `warm_start`: a fit, or ``(U, s, Vh)``, to start from.

    Returns
    -------
    WeightedResult
        ``U (m, k)``, ``s (k,)``, ``Vh (k, n)``, ``report``, ``loss``, ``relative_error``, ``factors(split)``,
        ``orthonormal()``. The entry of largest magnitude in every column of U is positive. With `elements` also
        ``penalty``, ``history`` (the objective after every step), ``stationarity``, ``held_out_error`` and
        ``candidates``.

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong, a metric is not positive semidefinite, a weight is negative, or an entry of A that
        counts is not finite.
    ConvergenceError
        If some triplet misses the tolerance and ``on_fail="raise"``.

    Warns
    -----
    ConvergenceWarning
        If some triplet misses the tolerance.
    UserWarning
        If a metric is zero: every B is as good as another, and B = 0 is returned.

    Notes
    -----
    With ``R = F F^H``, ``C = G G^H`` and any such factors, the singular values of ``T = F^H A G`` are `s`, and the
    least loss is the sum of the squares of those left out [1]_. No factor is inverted: ``U = A G V~ / s`` and
    ``V = A^H F U~ / s`` from the singular vectors of T, and with a column metric alone B is ``U U^H A``. So singular
    metrics need no ridge, and ill-conditioned ones lose nothing.

    What the methods of model compression minimise, for a weight W (out x in), samples X (in x tokens) and
    ``moment = X @ X.T``:

    ============================ ===================================================================================
    FWSVD [2]_                   ``rows=fisher.sum(axis=1)``
    ASVD [3]_                    ``cols=np.abs(X).mean(axis=1) ** (2 * alpha)``
    SVD-LLM [4]_, v2             ``cols=Metric(samples=X)`` or ``cols=moment``
    EoRA [5]_                    the same, of ``W - W_compressed``
    CorDA [6]_                   ``cols=Metric(factor=moment)``; adapter of its KPM mode: ``which="smallest"``
    GFWSVD [7]_                  ``rows, cols = kron_metric(gradients)``
    LQ-LoRA [8]_                 ``rows=fisher.mean(axis=1), cols=fisher.mean(axis=0)``
    PiSSA, MiLoRA                :func:`svdkit.tsvd`, ``which="largest"``, ``"smallest"``
    ============================ ===================================================================================

    Cost: a factor of a matrix n^3 / 3 flops; T 2 m n^2, formed for large k only; then that of :func:`svdkit.tsvd`; one
    more read of A for every side with a metric. With products only, k leading triplets take about 5 k + 80 products
    with ``A C A^H R`` in double precision, and values below 1e-7 s[0] cannot be told from zero; with one metric,
    single-precision entries are searched in their own precision, and only the last 3 k products are in double. A
    single-precision dense matrix of which many triplets are wanted goes through its Gram matrix in double precision.

    With `elements` and no penalty the problem is NP-hard, already for rank 1 and for weights 0 and 1, and so is coming
    near to the optimum [9]_. The result is a stationary point to `tol`, the objective never rises on the way to it, and
    `n_init` tries others [10]_. Solved exactly: constant weights, and weights ``w_ij = p_i q_j``. That missing entries
    are recovered is a theorem for random missingness and spread-out vectors only. With a penalty the problem is convex:
    the path [11]_ goes from large penalties to small ones, and each fit is extended until the residual beyond it is at
    most `penalty` in norm (to 0.1 %), which proves it optimal. Rows and columns with fewer than k cells do not
    determine a fit: without a penalty they are pulled towards zero, by 1e-3 of their mean weight on each entry, and the
    report says how many. Cost per step for c cells: "als" ``2 c (k^2 + 4 k) + (m + n) k^3 / 3`` flops in double
    precision; "em" ``8 c k``, accelerated ``12 c k``; two reads of the cells each. Memory: factors; listed cells
    once more by columns; a dense A and dense weights stay where they are.

    References
    ----------
    .. [1] C. Eckart and G. Young, Psychometrika 1 (1936); M. Greenacre, Theory and Applications of Correspondence
       Analysis (1984), appendix A; G. I. Allen, L. Grosenick and J. Taylor, J. Amer. Statist. Assoc. 109 (2014).
    .. [2] Hsu et al., Language model compression with weighted low-rank factorization, ICLR 2022.
    .. [3] Yuan et al., ASVD, arXiv 2312.05821.
    .. [4] Wang et al., SVD-LLM, ICLR 2025.
    .. [5] Liu et al., EoRA, arXiv 2410.21271.
    .. [6] Yang et al., CorDA, NeurIPS 2024.
    .. [7] Chekalina et al., Generalized Fisher-weighted SVD, arXiv 2505.17974.
    .. [8] Guo et al., LQ-LoRA, ICLR 2024.
    .. [9] N. Gillis and F. Glineur, SIAM J. Matrix Anal. Appl. 32 (2011).
    .. [10] N. Srebro and T. Jaakkola, Weighted low-rank approximations, ICML 2003.
    .. [11] R. Mazumder, T. Hastie and R. Tibshirani, J. Mach. Learn. Res. 11 (2010); T. Hastie, R. Mazumder, J. Lee and
       R. Zadeh, J. Mach. Learn. Res. 16 (2015).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> A = np.array([[3.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    >>> result = svdkit.weighted_svd(A, 1, cols=[1.0, 4.0])
    >>> result.s, round(result.loss, 12)
    (array([4.]), 9.0)
    >>> np.round(result.reconstruct(), 12) + 0.0
    array([[0., 0.],
           [0., 2.],
           [0., 0.]])

    Missing entries:

    >>> A = np.outer(np.arange(1.0, 7.0), np.ones(5))
    >>> A[2, 3] = A[4, 0] = np.nan
    >>> svdkit.weighted_svd(A, 1, elements="observed").predict([2, 4], [3, 0]).round(4)
    array([3., 5.])
    """
    if elements is not None:
        if rows is not None or cols is not None:
            raise ValueError("elements and rows or cols are given, but weights of cells are not combined with metrics")
        if which != "largest" or unseen != "keep":
            raise ValueError("which and unseen are about metrics; with elements leave them out")
        return complete(
            A, k, elements, method=method, tol=tol, rng=rng, threads=threads, callback=callback, progress=progress,
            time_limit=time_limit, on_fail=on_fail, **options,
        )  # fmt: skip
    if options:
        raise TypeError(f"weighted_svd has no option {', '.join(options)} without elements=")
    check.choice("unseen", unseen, ("keep", "zero"))
    check.choice("method", method, ("auto", "factor", "products"))
    request = Request(
        k, tol, which, True, False, None, None, "auto", None, None, rng, threads, callback, progress, time_limit,
        on_fail,
    )  # fmt: skip
    try:
        matrix = open_matrix(A, threads=request.threads)
    except ValueError as error:
        if "must be finite" in str(error):
            raise ValueError(f"{error}; or leave missing entries out with elements='observed'") from None
        raise
    request.k = k if is_rule(k) else check.rank(k, matrix.shape)
    R, C = as_metric("rows", rows, matrix.shape[0]), as_metric("cols", cols, matrix.shape[1])
    problem = scaled_problem(matrix, R, C)
    left, s, right, report = triplets(problem, request, method)
    if 0 in (s.size, *matrix.shape) and 0 not in matrix.shape and matrix.max_abs:
        warnings.warn("A is zero in these metrics: B = 0 is returned, and its loss is 0", stacklevel=2)
    U, V = left, right
    if unseen == "zero":
        U = U if R is None else R.seen(U)
        V = V if C is None else C.seen(V)
    U, s, V = problem.in_units(U, s, V)
    report.residuals = np.ldexp(report.residuals, problem.unit)
    U, Vh = with_signs(np.ascontiguousarray(U), V.conj().T)
    result = WeightedResult(U, s, Vh, report, problem)
    return judged(result, s, report, request, stacklevel=3)
