"""One set of cells and the fits to it: starts, calls of the engine, units."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._inputs import SINGLE
from .._progress import Progress, hook
from .._report import Report
from .cells import CellData
from .result import CompletionResult, FitDetails

Factors = tuple[np.ndarray, np.ndarray]  # Z = left right^T, C-contiguous
START_BLOCK = 16  # vectors that a start's products take together: gathers of rows cost as much as the arithmetic
HEAVIEST = 1e15  # scale of a row or column of a start: what weighs less than its inverse square is rounded off
MOST_STEPS = {"als": 200, "em": 5000, "em_acc": 2000}


class Watch:
    """The callback, the bar and the time of one call, however many fits it makes."""

    def __init__(self, callback: Callable[[Progress], Any] | None, bar: Any, time_limit: float) -> None:
        self._listener = hook(callback, bar)
        self._end = time.perf_counter() + time_limit if time_limit else None
        self.stopped = False

    def seconds_left(self) -> float:
        """0 for no limit."""
        return 0.0 if self._end is None else max(self._end - time.perf_counter(), 1e-9)

    @property
    def over(self) -> bool:
        return self.stopped or (self._end is not None and time.perf_counter() >= self._end)

    def listener(self) -> Any:
        if self._listener is None:
            return None

        def listen(*fields: Any) -> bool:
            self.stopped = bool(self._listener and self._listener(*fields))
            return self.stopped

        return listen


@dataclass(slots=True)
class Fit:
    """What the engine returned, in its own units."""

    U: np.ndarray
    s: np.ndarray
    Vh: np.ndarray
    fields: dict[str, Any]
    more: dict[str, Any]

    @property
    def rank(self) -> int:
        return int(self.s.size)

    def factors(self) -> Factors:
        root = np.sqrt(self.s)
        return np.ascontiguousarray(self.U * root), np.ascontiguousarray(self.Vh.T * root)


class Fitter:
    """Fits to one set of cells. Penalties and factors are in the units of the engine."""

    def __init__(self, cells: CellData, tol: float, max_iter: int, seed: int, threads: int, watch: Watch) -> None:
        self.cells, self.core = cells, cells.open()
        self.tol, self.max_iter, self.seed, self.threads, self.watch = tol, max_iter, seed, threads, watch

    def penalty_in(self, penalty: float) -> float:
        return penalty * self.cells.value_unit * self.cells.weight_unit

    def penalty_out(self, penalty: float) -> float:
        return penalty / self.cells.value_unit / self.cells.weight_unit

    def nothing(self) -> Factors:
        m, n = self.cells.shape
        return np.empty((m, 0), self.cells.dtype), np.empty((n, 0), self.cells.dtype)

    def residual(self, factors: Factors) -> tuple[Any, np.dtype[Any]]:
        """``W o (A - left right^T)`` as an operator, and its dtype: of listed cells it is written down."""
        written = self.core.written_residual(*factors)
        if written is not None:
            return written, SINGLE
        return type(self.core).residual(self.core, *factors), self.cells.dtype

    def spectral_start(self, k: int) -> Factors:
        """The closed form for the weights of rank one that are nearest: exact where the weights are of rank one."""
        (p, _), (q, _) = self.core.row_totals(), self.core.column_totals()
        unit = np.sqrt(p.sum())
        matrix, dtype = self.residual(self.nothing())
        scales = (np.sqrt(unit / np.where(sums > 0, sums, np.inf)) for sums in (p, q))
        p, q = (np.minimum(scale, HEAVIEST).astype(dtype) for scale in scales)
        U, s, Vh, _ = type(matrix).scaled(matrix, p, q).tsvd(
            k, tol=1e-2, block_size=min(START_BLOCK, *self.cells.shape), seed=self.seed, threads=self.threads,
            max_passes=40, time_limit=self.watch.seconds_left(),
        )  # fmt: skip
        return self.factors(U * s * p[:, None], Vh.T * q[:, None])

    def factors(self, left: np.ndarray, right: np.ndarray) -> Factors:
        """As the engine takes them."""
        return np.ascontiguousarray(left, self.cells.dtype), np.ascontiguousarray(right, self.cells.dtype)

    def random_start(self, k: int, number: int) -> Factors:
        """Random right factors; the first half-sweep finds the left ones."""
        rng = np.random.Generator(np.random.Philox(key=[self.seed, number]))
        m, n = self.cells.shape
        right = np.linalg.qr(rng.standard_normal((n, k)))[0].astype(self.cells.dtype)
        left = (rng.standard_normal((m, k)) * np.sqrt(n / k) / 4).astype(self.cells.dtype)
        return left, np.ascontiguousarray(right)

    def fit(
        self, start: Factors, k: int, method: str, penalty: float = 0.0, tol: float = 0.0, steps: int | None = None
    ) -> Fit:
        most = (self.max_iter or MOST_STEPS[method]) if steps is None else steps
        U, s, Vh, fields, more = self.core.complete(
            *start, k, method, penalty, tol or self.tol, most, self.seed, self.threads, self.watch.listener(),
            self.watch.seconds_left(),
        )  # fmt: skip
        return Fit(U, s, Vh, fields, more)

    def measured(self, factors: Factors, k: int, penalty: float = 0.0) -> Fit:
        """Factors as they are, with their residuals and loss."""
        return self.fit(factors, k, "em", penalty, steps=0)

    def result(self, fit: Fit, method: str, reason: str, penalty: float = 0.0) -> CompletionResult:
        """The fit in the user's units."""
        cells = self.cells
        value, weight = np.float64(cells.value_unit), np.float64(cells.weight_unit)
        report = Report(**fit.fields | {"method": method, "reason": reason})
        report.residuals = report.residuals / value
        report.notes[:0] = cells.notes
        pulled = fit.more["pulled"]
        if any(pulled):
            report.notes.append(
                f"{pulled[0]} rows and {pulled[1]} columns have fewer than k cells: they are pulled towards zero"
            )
        with np.errstate(over="ignore", under="ignore"):
            total = self.core.loss(*self.nothing())
            details = FitDetails(
                loss=float(fit.more["loss"] / value / value / weight),
                relative_error=float(np.sqrt(fit.more["loss"] / total)) if total > 0 else 0.0,
                penalty=float(self.penalty_out(penalty)),
                mean_weight=float(fit.more["mean_weight"] / weight),
                history=fit.more["history"] / value / value / weight,
            )
        return CompletionResult(fit.U, (fit.s / value).astype(fit.s.dtype), fit.Vh, report, details)
