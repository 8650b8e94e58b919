"""Cells that a fit does not see, to choose a penalty or a rank by what it says about them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._arrays import product_entries
from .cells import CellData, row_blocks, rows_of
from .result import Candidate, CompletionResult

LEAST = 20  # cells, to hold some out


@dataclass(slots=True)
class HeldOut:
    """Cells, their entries and weights in the engine's units."""

    rows: np.ndarray
    cols: np.ndarray
    values: np.ndarray
    weights: np.ndarray
    unit: float

    def error(self, left: np.ndarray, right: np.ndarray) -> float:
        """Root of the weighted mean squared error of left right^T, in the engine's units."""
        misfit = self.values - product_entries(left, right, self.rows, self.cols).astype(float)
        return float(np.sqrt(np.sum(self.weights * misfit**2) / np.sum(self.weights)))


def hold_out(cells: CellData, fraction: float, seed: int) -> tuple[CellData, HeldOut]:
    """The cells without a random share of them, and that share. It depends on the seed and the cells alone."""
    if cells.count < LEAST:
        raise ValueError(
            f"A has {cells.count} cells that count, too few to hold some out and choose by them; give k and penalty"
        )
    rng = np.random.Generator(np.random.Philox(key=seed))
    if cells.is_sparse:
        picked = np.flatnonzero(rng.random(cells.count) < fraction)
        picked = picked if picked.size else np.array([0])
        rows, cols = rows_of(cells.A)[picked], cells.A.indices[picked]
        values = cells.A.data[picked]
        weights = np.ones(picked.size) if cells.weights is None else cells.weights.data[picked]
    else:
        picked = np.zeros(cells.shape, bool)
        for part in row_blocks(cells.A):
            seen = ~np.isnan(cells.A[part]) if cells.weights is None else cells.weights[part] > 0
            picked[part] = seen & (rng.random(seen.shape) < fraction)
        rows, cols = np.nonzero(picked)
        values = cells.A[rows, cols]
        weights = np.ones(rows.size) if cells.weights is None else cells.weights[rows, cols]
    unit = cells.value_unit
    out = HeldOut(rows, cols, values.astype(float) * unit, weights.astype(float) * cells.weight_unit, unit)
    return cells.without(picked), out


def score(candidate: Candidate) -> float:
    return float(np.fmin(candidate.error, candidate.debiased_error))


def record(result: CompletionResult, best: Candidate, tried: list[Candidate], unit: float, penalty: float) -> None:
    """The candidates in the user's units."""
    result.details.candidates = [
        replace(
            each, penalty=each.penalty * penalty, error=each.error / unit, debiased_error=each.debiased_error / unit
        )
        for each in tried
    ]
    result.details.held_out_error = score(best) / unit
