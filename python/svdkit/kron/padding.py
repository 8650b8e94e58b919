"""Shapes that do not divide the matrix: cells added at the end, of weight zero.

The added cells start as copies of the edge and take the values of the fit, step by step (expectation-maximisation): the
error on the real cells never grows. Zeros would be data that nobody has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._inputs import is_sparse
from .._kron_shapes import Shape
from .deadline import Deadline
from .result import KroneckerResult

Fit = Callable[[Any, Any], KroneckerResult]  # (padded matrix, earlier result or None)


def padded_fit(A: Any, padded: Shape, steps: int, fit: Fit, deadline: Deadline) -> KroneckerResult:
    """`fit` of the padded matrix, whose added cells follow the fit for at most `steps` steps."""
    shape = m, n = A.shape
    below, beside = _edge(A, slice(m - 1, m), slice(None)), _edge(A, slice(None), slice(n - 1, n))
    corner = below[:, -1:]
    right = np.repeat(np.vstack([beside, np.repeat(corner, padded[0] - m, axis=0)]), padded[1] - n, axis=1)
    bottom = np.repeat(below, padded[0] - m, axis=0)
    whole = _Padded(A, shape, padded)
    result, done = fit(whole.with_cells(right, bottom), None), 0
    while done < steps and not deadline.passed:
        done += 1
        before = right, bottom
        right, bottom = _cells(result, shape, padded)
        change = np.hypot(np.linalg.norm(right - before[0]), np.linalg.norm(bottom - before[1]))
        if change <= 1e-12 * np.hypot(np.linalg.norm(right), np.linalg.norm(bottom)):
            break
        result = fit(whole.with_cells(right, bottom), result)
    added = padded[0] * padded[1] - m * n
    result.report.notes.append(
        f"A was copied and padded from {m} x {n} to {padded[0]} x {padded[1]}: {added} cells of weight zero, which "
        f"follow the fit ({done} steps); a local optimum"
    )
    return KroneckerResult(result.s, result.left, result.right, result.report, shape=shape)


class _Padded:
    """A with room at the end of its rows and columns."""

    def __init__(self, A: Any, shape: Shape, padded: Shape) -> None:
        self.A, self.shape, self.padded = A, shape, padded
        self.room = None
        if not is_sparse(A):
            self.room = np.empty(padded, A.dtype)
            self.room[: shape[0], : shape[1]] = A

    def with_cells(self, right: np.ndarray, bottom: np.ndarray) -> Any:
        m, n = self.shape
        if self.room is not None:
            self.room[:, n:] = right
            self.room[m:, :n] = bottom
            return self.room
        import scipy.sparse

        upper, corner = (scipy.sparse.csr_array(part) for part in (right[:m], right[m:]))
        blocks = [[self.A, upper], [scipy.sparse.csr_array(bottom), corner]]
        kept = [[part for part in row if part.shape[1]] for row in blocks if row[0].shape[0]]
        return scipy.sparse.block_array(kept, format="csr")


def _cells(result: KroneckerResult, shape: Shape, padded: Shape) -> tuple[np.ndarray, np.ndarray]:
    """The fit in the added columns (all rows) and in the added rows (the old columns)."""
    unit = np.eye(padded[1], padded[1] - shape[1], -shape[1], dtype=result.dtype)
    rows = np.eye(padded[0] - shape[0], padded[0], shape[0], dtype=result.dtype)
    return result @ unit, result.rmatmul(rows)[:, : shape[1]]


def _edge(A: Any, rows: slice, cols: slice) -> np.ndarray:
    if not is_sparse(A):
        return np.asarray(A[rows, cols])
    part = A.tocsr()[rows] if cols == slice(None) else A.tocsc()[:, cols]
    return np.asarray(part.toarray())
