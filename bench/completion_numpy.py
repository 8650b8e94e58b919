"""Weighted fits as one would write them with NumPy and SciPy: the same fixed points, good array code.

Least squares makes all normal equations with one sparse product (the pattern times the products of every two columns)
and solves them in one batched call. Expectation-maximisation is that of the literature, without acceleration: warm
block power steps on "sparse plus low rank".
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Matrix = NDArray[Any]
Course = list[tuple[float, float]]  # (seconds, objective) after every step
CHUNK = 1 << 20


class Cells:
    """A sparse matrix of observed cells, by rows and by columns."""

    def __init__(self, A: sp.csr_array) -> None:
        self.by_rows, self.by_columns = A, sp.csr_array(A.T)
        self.rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
        self.ones = tuple(
            sp.csr_array((np.ones_like(each.data), each.indices, each.indptr), shape=each.shape)
            for each in (self.by_rows, self.by_columns)
        )

    def start(self, k: int) -> tuple[Matrix, Matrix]:
        """Of the spectral kind."""
        U, s, Vh = sp.linalg.svds(self.by_rows, k, random_state=0)
        scale = self.by_rows.shape[0] * self.by_rows.shape[1] / self.by_rows.nnz
        return U * (s * scale), Vh.T.copy()

    def residuals(self, left: Matrix, right: Matrix) -> Matrix:
        """a - l.n at the cells, by rows."""
        A = self.by_rows
        out = A.data.copy()
        for first in range(0, out.size, CHUNK):
            part = slice(first, first + CHUNK)
            out[part] -= np.einsum("ij,ij->i", left[self.rows[part]], right[A.indices[part]])
        return out

    def loss(self, left: Matrix, right: Matrix) -> float:
        return float(np.sum(self.residuals(left, right).astype(float) ** 2))


def half_sweep(A: Any, ones: Any, right: Matrix, penalty: float) -> Matrix:
    """Every row from its normal equations, penalty on its square."""
    k = right.shape[1]
    upper = np.triu_indices(k)
    packed = ones @ (right[:, upper[0]] * right[:, upper[1]])
    grams = np.empty((A.shape[0], k, k), packed.dtype)
    grams[:, upper[0], upper[1]] = packed
    grams[:, upper[1], upper[0]] = packed
    ridge = penalty if penalty else 1e-8 * np.einsum("ijj->i", grams) / k
    grams[:, range(k), range(k)] += np.reshape(ridge, (-1, 1)) + 1e-30
    return np.linalg.solve(grams, (A @ right)[..., None])[..., 0]


def goes_on(course: Course, tol: float, budget: float) -> bool:
    """Until the objective changes by less than tol, or the time is over."""
    if len(course) < 2:
        return True
    return course[-1][0] < budget and course[-2][1] - course[-1][1] > tol * course[-1][1]


def als(cells: Cells, k: int, *, penalty: float = 0.0, tol: float, budget: float) -> Course:
    """Rows and columns in turn."""
    begin = time.perf_counter()
    left, right = cells.start(k)
    if penalty:  # balanced
        size = np.sqrt(np.linalg.norm(left, axis=0))
        left, right = left / size, right * size
    course: Course = []
    while goes_on(course, tol, budget):
        left = half_sweep(cells.by_rows, cells.ones[0], right, penalty)
        right = half_sweep(cells.by_columns, cells.ones[1], left, penalty)
        objective = cells.loss(left, right) / 2 + penalty / 2 * float(np.sum(left**2) + np.sum(right**2))
        course.append((time.perf_counter() - begin, objective))
    return course


def em(cells: Cells, k: int, *, penalty: float = 0.0, tol: float, budget: float) -> Course:
    """Z <- SVD_k(Z + residual), values shrunk by the penalty; one block power step a step."""
    begin = time.perf_counter()
    left, V = cells.start(k)
    V = np.linalg.qr(V)[0]
    s = np.linalg.norm(left, axis=0)
    course: Course = []
    while goes_on(course, tol, budget):
        residuals = cells.residuals(left, V)
        objective = float(np.sum(residuals.astype(float) ** 2)) / 2 + penalty * float(s.sum())
        course.append((time.perf_counter() - begin, objective))
        A = cells.by_rows
        S = sp.csr_array((residuals, A.indices, A.indptr), shape=A.shape)
        Q = np.linalg.qr(S @ V + left @ (V.T @ V))[0]
        V, s, rotation = np.linalg.svd(S.T @ Q + V @ (left.T @ Q), full_matrices=False)
        s = np.maximum(s - penalty, 0)
        left = (Q @ rotation.T) * s
    return course
