"""Weights for which the fit has a closed form: w_ij = p_i q_j, constant weights among them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._scalars import OPERATORS
from .cells import CellData, row_blocks

Factors = tuple[np.ndarray, np.ndarray]


def closed_form(cells: CellData, k: int, seed: int, threads: int) -> tuple[Factors, str] | None:
    """Factors of the best fit of rank k and what the weights are; None where they are not of rank one.

    With w = p q^T the loss is ``||diag(p)^1/2 (A - Z) diag(q)^1/2||^2``: two diagonal metrics, solved by the truncated
    decomposition of the scaled matrix. Rows and columns without weight stay zero.
    """
    weights = _block_of(cells)
    if weights is None:
        return None
    A, p, q = weights
    rows, cols = np.flatnonzero(p), np.flatnonzero(q)
    if not rows.size or not cols.size:
        return None
    if rows.size < p.size or cols.size < q.size:
        if not cells.is_sparse:
            A = A[np.ix_(rows, cols)]
        cells.notes.append("rows and columns without weight were left out of a copy of A; they are zero in the fit")
    p, q = np.sqrt(p[rows] / p.max()), np.sqrt(q[cols] / q.max())
    scaled = OPERATORS[cells.dtype].dense(A)
    constant = bool(np.all(p == 1) and np.all(q == 1))
    if not constant:
        scaled = type(scaled).scaled(scaled, p.astype(cells.dtype), q.astype(cells.dtype))
    count = min(k, rows.size, cols.size)
    U, s, Vh, _ = scaled.tsvd(count, seed=seed, threads=threads)
    left, right = np.zeros((cells.shape[0], count), cells.dtype), np.zeros((cells.shape[1], count), cells.dtype)
    left[rows] = U * (s * cells.value_unit) / p[:, None]
    right[cols] = Vh.T / q[:, None]
    return (left, right), "constant weights" if constant else "weights of rank one: two diagonal metrics"


def _block_of(cells: CellData) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The entries (of the rows and columns that have cells, if they were listed), p and q."""
    if not cells.is_sparse:
        found = _rank_one(cells)
        return None if found is None else (cells.A, *found)
    A = cells.A
    counts = np.diff(A.indptr)
    rows = np.flatnonzero(counts)
    if A.nnz == 0 or A.nnz != rows.size * counts.max():  # every row has the same columns, or it is no rank-one pattern
        return None
    cols = np.unique(A.indices)
    if A.nnz != rows.size * cols.size:
        return None
    p, q = np.zeros(A.shape[0]), np.zeros(A.shape[1])
    shape = (rows.size, cols.size)
    w = np.ones(shape) if cells.weights is None else cells.weights.data.reshape(shape).astype(float)
    block = CellData(A.data.reshape(shape), w, cells.dtype, A.nnz, cells.max_abs, cells.max_weight)
    found = _rank_one(block)
    if found is None:
        return None
    p[rows], q[cols] = found
    return block.A, p, q


def _rank_one(cells: CellData) -> Factors | None:
    """p and q with w = p q^T to a few rounding errors; stops at the first block of rows that is not so."""
    A, W = cells.A, cells.weights

    def block(rows: Any) -> np.ndarray:
        return (~np.isnan(A[rows])).astype(float) if W is None else W[rows]

    if cells.count == A.size and W is None:
        return np.ones(A.shape[0]), np.ones(A.shape[1])
    pivot = next((i for i in range(A.shape[0]) if block(slice(i, i + 1)).any()), None)
    if pivot is None:
        return None
    q = block(slice(pivot, pivot + 1))[0].astype(float)
    j = int(np.argmax(q))
    p = np.empty(A.shape[0])
    allowed = 8 * float(np.finfo(cells.dtype).eps)
    for rows in row_blocks(A):
        w = block(rows)
        p[rows] = w[:, j] / q[j]
        if np.any(np.abs(w - np.outer(p[rows], q)) > allowed * w):
            return None
    return p, q
