"""Structured Kronecker approximations: symmetric factors exactly, factors in a cone by alternating projections.

Symmetric. The best approximation with symmetric factors is the truncated SVD of S1^T R(A) S2, the columns of S the
orthonormal basis of symmetric matrices (Van Loan & Pitsianis 1993). It is a restriction: A = K kron K with a skew K is
symmetric, and its own pair is skew.

Cones (positive semidefinite; nonnegative). For b fixed the best c is the projection of R^T b, so alternating
projections never increase the error. For A in the cone the leading pair of R(A) lies in it (Van Loan & Pitsianis),
and one sweep confirms it; other matrices, and the terms after the first, get a stationary point, not a certain
optimum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from .._kron_shapes import Shape
from .._report import Report
from ..operators import LowRank, Operator, Product, Sparse
from ..truncated import tsvd
from .build import result_from_triplets, signs
from .deadline import Deadline
from .result import KroneckerResult

SWEEPS = 300
Triplets = tuple[np.ndarray, np.ndarray, np.ndarray, Report]
Pair = tuple[np.ndarray, float, np.ndarray, float]  # b, s, c, how far from stationary


def symmetric_basis(n: int, dtype: Any) -> sp.csr_array:
    """n^2 x n (n + 1) / 2, orthonormal: half-vectorisation, off-diagonal entries shared by two."""
    i, j = np.tril_indices(n)
    column = np.arange(i.size)
    weight = np.where(i == j, 1.0, np.sqrt(0.5))
    off = i != j
    rows = np.concatenate([i * n + j, (j * n + i)[off]])
    data = np.concatenate([weight, weight[off]]).astype(dtype)
    return sp.csr_array((data, (rows, np.concatenate([column, column[off]]))), shape=(n * n, i.size))


def symmetric_svd(R: Operator, k: Any, left: Shape, right: Shape, options: dict[str, Any]) -> Triplets:
    """(U, s, Vh, report) of the pairs of symmetric factors."""
    S1, S2 = (symmetric_basis(shape[0], R.dtype) for shape in (left, right))
    result = tsvd(Product(Sparse(S1.T.tocsr()), R, Sparse(S2)), k, **options)
    return S1 @ result.U, result.s, result.Vh @ S2.T, result.report


def cone_svd(
    R: Operator, k: int, left: Shape, right: Shape, cone: str, options: dict[str, Any], **more: Any
) -> KroneckerResult:
    """K terms in a cone, one after the other."""
    project = _semidefinite if cone == "psd" else _nonnegative
    terms: list[Pair] = []
    report: Report | None = None
    notes: list[str] = []
    deadline = Deadline(options)
    for index in range(k):
        rest = R - _sum_of(terms) if terms else R
        U, Vh, found = _leading(rest, cone, left, right, deadline.within(options))
        phase = signs(U, left)
        start = (U * phase)[:, 0], (Vh / phase[:, None])[0]
        term, moved = _alternate(rest, *start, left, right, project)
        if moved:
            notes.append(
                f"term {index + 1}: the leading pair lies outside the cone; alternating projections found a stationary "
                f"point, which need not be the best"
            )
        terms.append(term)
        report = found if report is None else report
    assert report is not None
    if k > 1:
        notes.append("terms in a cone were found one after the other: only the first can be certain to be the best")
    order = np.argsort([-s for _, s, _, _ in terms], kind="stable")
    b, s, c, gaps = zip(*(terms[i] for i in order), strict=True)
    report.residuals = np.array(gaps)
    report.converged = bool(np.all(report.residuals <= max(report.tol, 1e-8) * max(s[0], 0.0)))
    report.notes.extend(notes)
    weights = np.array(s, np.finfo(R.dtype).dtype)
    return result_from_triplets(np.stack(b, 1), weights, np.stack(c), report, left, right, **more)


def _leading(
    R: Operator, cone: str, left: Shape, right: Shape, options: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray, Report]:
    """The leading pair, among symmetric ones where the cone has no others."""
    if cone == "psd" and R.dtype.kind != "c":
        U, _, Vh, report = symmetric_svd(R, 1, left, right, options)
        return U, Vh, report
    result = tsvd(R, 1, **options)
    return result.U, result.Vh, result.report


def _alternate(
    R: Operator, b: np.ndarray, c: np.ndarray, left: Shape, right: Shape, project: Callable[..., np.ndarray]
) -> tuple[Pair, bool]:
    """The term that alternating projections reach, and whether the start had to be left."""
    first, second = (project(vector, shape) for vector, shape in ((b, left), (c, right)))
    eps = float(np.finfo(R.dtype).eps)
    inside = max(np.linalg.norm(first - b), np.linalg.norm(second - c)) <= 1e4 * eps
    if not np.any(second):
        second = project(np.eye(*right, dtype=R.dtype).ravel(), right)
    c, s, gap = second / np.linalg.norm(second), 0.0, 0.0
    for _ in range(SWEEPS):
        b = project(R @ c.conj(), left)
        size = float(np.linalg.norm(b))
        if size == 0:
            return (np.zeros_like(b), 0.0, np.zeros_like(c), 0.0), not inside
        b = b / size
        image = project(R.rmatmat(b[:, None])[:, 0].conj(), right)
        before, s = s, float(np.linalg.norm(image))
        if s == 0:
            return (np.zeros_like(b), 0.0, np.zeros_like(c), 0.0), not inside
        gap = float(np.linalg.norm(image - s * c))
        c = image / s
        if gap <= 64 * eps * s or abs(s - before) <= eps * s / 4:
            break
    return (b, s, c, gap), not inside


def _sum_of(terms: list[Pair]) -> LowRank:
    b, s, c, _ = zip(*terms, strict=True)
    return LowRank(np.stack(b, 1), np.array(s), np.stack(c))


def _semidefinite(vector: np.ndarray, shape: Shape) -> np.ndarray:
    matrix = vector.reshape(shape)
    w, V = np.linalg.eigh((matrix + matrix.conj().T) / 2)
    return ((V * np.maximum(w, 0)) @ V.conj().T).ravel()


def _nonnegative(vector: np.ndarray, shape: Shape) -> np.ndarray:
    return np.maximum(vector.real, 0).astype(vector.dtype)
