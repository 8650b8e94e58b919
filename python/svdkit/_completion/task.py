"""What was asked of a weighted fit, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _arguments as check
from .cells import CellData
from .fitter import Fitter, Watch

METHODS = ("auto", "als", "em", "em_acc", "soft")
ALS_MOST = 32  # triplets up to which least squares row by row are cheaper than more steps
TOLERANCE = 1e-6


@dataclass(slots=True)
class Task:
    """What was asked for, checked."""

    k: int | list[int] | None
    method: str
    penalty: float | list[float] | None
    tol: float
    max_iter: int
    n_init: int
    warm_start: Any
    held_out: float
    debias: bool | None
    seed: int
    threads: int

    def fitter(self, cells: CellData, watch: Watch) -> Fitter:
        return Fitter(cells, self.tol, self.max_iter, self.seed, self.threads, watch)

    def iteration(self, k: int) -> str:
        if self.method in ("auto", "soft"):
            return "als" if k <= ALS_MOST else "em_acc"
        return self.method


def task_of(
    k: Any, method: Any, penalty: Any, tol: Any, max_iter: Any, n_init: Any, warm_start: Any, held_out: Any,
    debias: Any, rng: Any, threads: Any,
) -> Task:  # fmt: skip
    check.choice("method", method, METHODS)
    ranks = (
        None if k is None else [check.integer("k", each) for each in k] if _is_sequence(k) else check.integer("k", k)
    )
    amounts: float | list[float] | None = None
    if penalty is not None:
        values = [check.number("penalty", each) for each in (penalty if _is_sequence(penalty) else [penalty])]
        if not values or not all(0 <= value < np.inf for value in values):
            raise ValueError(f"penalty = {penalty!r}, but must be numbers >= 0; leave it out to have one chosen")
        amounts = sorted(values, reverse=True) if _is_sequence(penalty) else values[0]
    if isinstance(ranks, list) and (not ranks or amounts):
        raise ValueError(f"k = {k!r} and penalty = {penalty!r}: of ranks one is chosen without a penalty; give one k")
    share = check.number("held_out", held_out)
    if not 0 < share < 1:
        raise ValueError(f"held_out = {held_out!r}, but must be a share in (0, 1); 0.05 is the default")
    return Task(
        ranks, method, amounts, check.tolerance(tol) or TOLERANCE, check.optional_int("max_iter", max_iter),
        check.positive_int("n_init", n_init), warm_start, share, debias, check.seed(rng),
        check.optional_int("threads", threads),
    )  # fmt: skip


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list | tuple | range | np.ndarray) and np.ndim(value) == 1


def check_rank(task: Task, shape: tuple[int, int]) -> None:
    for k in task.k if isinstance(task.k, list) else [] if task.k is None else [task.k]:
        check.rank(k, shape)
