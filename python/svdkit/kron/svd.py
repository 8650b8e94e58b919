"""Sums of Kronecker products: the best approximation of a matrix by few of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from .. import _arguments as check
from .._by_rule import is_rule
from .._inputs import is_sparse, open_matrix
from .._kron_shapes import Shape, balanced, completed, factor_shapes, needs_padding, parameters
from .._progress import Progress
from ..operators import KroneckerRearranged, Operator
from ..truncated import tsvd
from .build import result_from_triplets
from .compare import compare
from .cones import cone_svd, symmetric_svd
from .deadline import Deadline
from .elements import fit_elements
from .metrics import KroneckerMetrics
from .padding import padded_fit
from .result import KroneckerResult

Structure = Literal["symmetric", "psd", "nonneg"]


def kron_svd(
    A: Any,
    left_shape: Any = None,
    right_shape: Any = None,
    k: Any = 1,
    *,
    structure: Structure | None = None,
    row_metric: Any = None,
    col_metric: Any = None,
    elements: Any = None,
    budget: float | None = None,
    em_steps: int = 10,
    tol: float | None = None,
    warm_start: KroneckerResult | None = None,
    method: Literal["auto", "lanczos", "full"] = "auto",
    block_size: int | None = None,
    max_passes: int | None = None,
    rng: Any = 0,
    threads: int | None = None,
    callback: Callable[[Progress], Any] | None = None,
    progress: bool = False,
    time_limit: float | None = None,
    on_fail: Literal["warn", "raise"] = "warn",
) -> KroneckerResult:
    """Return the best sum of k Kronecker products, ``A ~ sum_i s[i] kron(left[i], right[i])``.

    Parameters
    ----------
    A : array, sparse matrix or operator, shape (m, n)
        As for :func:`svdkit.tsvd`; operators that know their entries
        (:class:`svdkit.operators.KroneckerRearranged` lists them), for example ``GramOfSamples(G)``.
    left_shape, right_shape : (int, int), optional
        (m1, n1) and (m2, n2) with m1 m2 = m and n1 n2 = n. One may be left out; without both the balanced one is taken
        and noted. ``left_shape="auto"`` compares shapes, the ordinary SVD among them, at equal numbers of parameters,
        and takes the best; ``result.candidates`` is the comparison, and its verdict may be "low rank" or "noise".
        Where the shapes do not divide A but are the smallest to cover it, A (an array or a sparse matrix) is padded
        with cells of weight zero.
    k : int or rank rule
        Number of terms, 1..min(m1 n1, m2 n2), or a rule of :mod:`svdkit.rank`, which sees the singular values of the
        rearranged matrix: ``Energy(0.9)``, ``Elbow("chord")``, ``GavishDonoho()`` (noise of A is noise there). Shares
        of the energy are not known with a structure or metrics.
    structure : {"symmetric", "psd", "nonneg"}, optional
        Factors that are symmetric (the best such sum), positive semidefinite, or nonnegative. In the latter two the
        single term of a semidefinite (nonnegative) A is the best; in other cases, and from the second term on, the
        notes say that it need not be. A sum of semidefinite terms is semidefinite.
    row_metric, col_metric : (left, right), optional
        Pairs of weights, each None, positive numbers (m1,), or a positive definite matrix (m1, m1): the loss is
        ``||(M1 kron M2)^(1/2) (A - K) (N1 kron N2)^(1/2)||`` with ``row_metric=(M1, M2)`` and ``col_metric=(N1,
        N2)``; the minimum is exact, and the factors are orthonormal in these metrics instead of having unit norm.
    elements : array or sparse matrix, shape (m, n), or "observed", optional
        A weight >= 0 for every cell, or only the cells known count (NaN is missing): a local optimum by
        :func:`svdkit.weighted_svd` of the rearranged cells, which are copied. The shapes must divide A.
    budget : float, optional
        With "auto": the number of parameters (or, below 1, their share of m n) that every shape may use. Default:
        that of k terms of the balanced shapes.
    em_steps : int
        Steps in which padded cells follow the fit, at most.
    warm_start : KroneckerResult, optional
        A result for a similar matrix and the same shapes.
    tol, method, block_size, max_passes, rng, threads, callback, progress, time_limit, on_fail
        As in :func:`svdkit.tsvd`.

    Returns
    -------
    KroneckerResult
        ``s (k,)``, ``left (k, m1, n1)``, ``right (k, m2, n2)`` and ``report``; multiplies with ``@`` without being
        formed.

    Raises
    ------
    ValueError, TypeError
        If an argument is wrong, or A has entries that are not finite, or shows none.
    MemoryError, ConvergenceError
        As in :func:`svdkit.tsvd`.

    Warns
    -----
    ConvergenceWarning
        If some term misses the tolerance.

    Notes
    -----
    The rearrangement R(A), (m1 n1) x (m2 n2), has the entries of A, and kron(B, C) becomes the outer product of B and C
    read by rows. So its truncated SVD gives the answer, with error ``sqrt(sum of the other s^2)`` [1]_. R(A) is not
    formed: tiles of a dense A are multiplied where they lie. Cost: that of :func:`svdkit.tsvd` for an (m1 n1) x (m2
    n2) matrix, a read of A and 4 m n b flops for every step with b vectors.

    Factors inherit linear structure that is the same in all blocks. Symmetric A: pairs are both symmetric or both skew.
    Semidefinite A: the leading pair is semidefinite, later ones are not. Nonnegative A: the leading pair is
    nonnegative. Orthogonality is not inherited.

    An adapter in the way of SoKA [2]_ starts from the leading terms, chosen by the spectrum, and freezes the rest::

        K = svdkit.kron_svd(W, left_shape, right_shape, svdkit.rank.Elbow("chord"))
        frozen = K.residual(W)               # frozen + K.to_dense() is W, to rounding
        B, C = K.factors("sqrt")             # trained: W' x = frozen x + sum_i kron(B[i], C[i]) x

    For the robust variant decompose the rearranged matrix: ``robust_svd(KroneckerRearranged(A, ...).to_dense(), k)``.

    References
    ----------
    .. [1] C. Van Loan and N. Pitsianis, Approximation with Kronecker products, in Linear Algebra for Large Scale and
       Real-Time Applications (1993).
    .. [2] Y. H. Chong and P. Qu, Singular value decomposition on Kronecker adaptation for large language models, arXiv
       2506.15251 (2025).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> B, C = np.array([[1.0, 2.0], [0.0, 1.0]]), np.ones((3, 2))
    >>> K = svdkit.kron_svd(np.kron(B, C), (2, 2), (3, 2))
    >>> K.s.round(12)
    array([6.])
    >>> bool(np.allclose(K.to_dense(), np.kron(B, C)))
    True
    """
    options: dict[str, Any] = {
        "tol": tol,
        "method": method,
        "block_size": block_size,
        "max_passes": max_passes,
        "rng": check.seed(rng),
        "threads": threads,
        "callback": callback,
        "progress": progress,
        "time_limit": time_limit,
        "on_fail": on_fail,
    }
    if structure is not None:
        check.choice("structure", structure, ("symmetric", "psd", "nonneg"))
    if warm_start is not None and not isinstance(warm_start, KroneckerResult):
        raise TypeError(f"warm_start is a {type(warm_start).__name__}, but must be a KroneckerResult")
    if elements is not None:
        others = {
            "structure": structure,
            "row_metric": row_metric,
            "col_metric": col_metric,
            "budget": budget,
            "warm_start": warm_start,
        }
        for name, value in others.items():
            if value is not None:
                raise ValueError(f"{name} does not go with elements; leave one of them out")
        return fit_elements(A, elements, left_shape, right_shape, k, options)
    matrix = open_matrix(A, threads=check.optional_int("threads", threads))
    part = A if isinstance(A, Operator) else Operator(matrix.core, matrix.notes)
    if min(part.shape) == 0:
        raise ValueError(f"A has shape {part.shape}, but must have rows and columns; an empty matrix has no terms")
    if isinstance(left_shape, str):
        check.choice("left_shape", left_shape, ("auto",))
        if right_shape is not None or structure or row_metric is not None or col_metric is not None:
            raise ValueError("left_shape = 'auto' takes no right_shape, structure or metric; give the shapes")
        return _of_best_shape(part, k, budget, options)
    if budget is not None:
        raise ValueError(f"budget = {budget!r} compares shapes; use left_shape='auto' with it, or give k alone")
    left, right = completed(part.shape, left_shape, right_shape)
    problem = _Problem(k, left, right, options, structure, (row_metric, col_metric))
    steps = check.integer("em_steps", em_steps)
    if needs_padding(part.shape, left, right) and matrix.entries is not None:
        entries = matrix.entries if is_sparse(A) else matrix.entries.astype(matrix.dtype, copy=False)
        deadline = Deadline(options)

        def fit(whole: Any, start: KroneckerResult | None) -> KroneckerResult:
            return replace(problem, options=deadline.within(options)).fit(whole, start)

        return padded_fit(entries, problem.shape, steps, fit, deadline)
    factor_shapes(part.shape, left, right)
    result = problem.fit(part, warm_start)
    if left_shape is None and right_shape is None:
        result.report.notes.append(f"left_shape {left} and right_shape {right} were chosen, the most balanced ones")
    return result


@dataclass(frozen=True)
class _Problem:
    """What is asked for, of a matrix whose extents the shapes divide."""

    k: Any
    left: Shape
    right: Shape
    options: dict[str, Any]
    structure: str | None = None
    metrics: tuple[Any, Any] = (None, None)

    @property
    def shape(self) -> Shape:
        """Of the matrix."""
        return self.left[0] * self.right[0], self.left[1] * self.right[1]

    def fit(self, A: Any, start: KroneckerResult | None = None) -> KroneckerResult:
        """The terms."""
        R = KroneckerRearranged(A, self.left, self.right)
        shapes = self.left, self.right
        norm = partial(_norm, R)
        if any(pair is not None for pair in self.metrics):
            return self._weighted(R)
        if self.structure in ("symmetric", "psd"):
            self._check_square()
        if self.structure in ("psd", "nonneg"):
            self._check_cone(R)
            k = check.rank(self.k, R.shape)
            return cone_svd(R, k, *shapes, self.structure, self.options, norm=norm)
        if self.structure == "symmetric":
            return result_from_triplets(*symmetric_svd(R, self.k, *shapes, self.options), *shapes, norm=norm)
        found = tsvd(R, self.k, **self.options | self._warm(start))
        return result_from_triplets(found.U, found.s, found.Vh, found.report, *shapes, norm=norm)

    def _weighted(self, R: Operator) -> KroneckerResult:
        if self.structure is not None:
            raise ValueError(f"structure = {self.structure!r} has no closed form with metrics; leave one of them out")
        weights = KroneckerMetrics.of(*self.metrics, self.left, self.right, R.dtype)
        found = tsvd(weights.weighted(R), self.k, **self.options)
        result = result_from_triplets(found.U, found.s, found.Vh, found.report, self.left, self.right)
        result.left, result.right = weights.unweighted(result.left, result.right)
        return result

    def _warm(self, start: KroneckerResult | None) -> dict[str, Any]:
        if start is None or start.rank == 0:
            return {}
        if (start.left_shape, start.right_shape) != (self.left, self.right):
            raise ValueError(
                f"warm_start has factors {start.left_shape} and {start.right_shape}, not {self.left} and {self.right}"
            )
        return {"warm_start": start.right.reshape(start.rank, -1).conj().T}

    def _check_square(self) -> None:
        for name, shape in (("left_shape", self.left), ("right_shape", self.right)):
            if shape[0] != shape[1]:
                raise ValueError(f"structure = {self.structure!r} needs square factors, but {name} is {shape}")

    def _check_cone(self, R: Operator) -> None:
        if is_rule(self.k):
            raise TypeError(
                f"k = {self.k!r}, but structure = {self.structure!r} finds terms one after the other: give an integer"
            )
        if self.structure == "nonneg" and R.dtype.kind == "c":
            raise TypeError(f"structure = 'nonneg' needs a real matrix, but A is {R.dtype}; use A.real")


def _norm(R: Operator) -> float | None:
    norm = R._core.norm_fro()
    return None if norm is None else float(norm)


def _of_best_shape(A: Operator, k: Any, budget: float | None, options: dict[str, Any]) -> KroneckerResult:
    if is_rule(k) and budget is None:
        raise TypeError(f"k = {k!r}: shapes are compared at equal parameters; give an integer k, or a budget")
    m, n = A.shape
    if budget is None:
        allowed = check.positive_int("k", k) * parameters(*balanced(A.shape))
    else:
        share = check.number("budget", budget)
        if not (share > 0 and np.isfinite(share)):
            raise ValueError(f"budget = {budget!r}, but must be a positive number of parameters, or a share below 1")
        allowed = int(share * m * n) if share < 1 else int(share)
    norm = A._core.norm_fro()
    if norm is None:
        raise TypeError(
            f"A is {A!r}, whose norm is not known, and shapes are compared by the share of it; use A.to_dense()"
        )
    quiet = options | {"callback": None, "progress": False}
    table = compare(A, allowed, float(norm) or 1.0, quiet)
    best = table.best
    result = _Problem(best.terms, best.left, best.right, options).fit(A)
    result.candidates = table
    words = {
        "kronecker": "Kronecker structure: the best of the shapes at equal parameters",
        "low rank": "not Kronecker: the ordinary SVD is best at equal parameters",
        "noise": "not Kronecker: no shape finds more than it would in white noise",
    }
    result.report.notes.append(f"left_shape='auto', {len(table)} shapes, budget {allowed}: {words[table.verdict]}")
    return result
