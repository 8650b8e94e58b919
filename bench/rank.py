"""Rank rules: how often they find a planted rank, and what a budget over many spectra costs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import svdkit
from numpy.typing import NDArray
from svdkit import rank

from .environment import optional
from .measure import timed
from .tables import table

SHAPE, RANK = (300, 120), 4
Matrix = NDArray[np.float64]
Noise = Callable[[np.random.Generator], Matrix]

NOISES: dict[str, Noise] = {
    "white": lambda rng: rng.standard_normal(SHAPE),
    "coloured": lambda rng: rng.standard_normal(SHAPE) @ _mixing(0.7),
    "unequal rows": lambda rng: np.geomspace(0.3, 3, SHAPE[0])[:, None] * rng.standard_normal(SHAPE),
}


def _mixing(correlation: float) -> Matrix:
    """A factor of the covariance of an autoregressive process along the columns."""
    lags = np.abs(np.subtract.outer(np.arange(SHAPE[1]), np.arange(SHAPE[1])))
    return np.asarray(np.linalg.cholesky(correlation**lags).T)


def planted(rng: np.random.Generator, noise: Noise) -> Matrix:
    """Rank 4, its values 2 to 4 times the largest of the noise."""
    left, right = (np.linalg.qr(rng.standard_normal((size, RANK)))[0] for size in SHAPE)
    rest = noise(rng)
    return np.asarray((left * (np.linspace(4, 2, RANK) * np.linalg.norm(rest, 2))) @ right.T + rest)


def peers() -> dict[str, Callable[[Matrix, Matrix], int]]:
    """Other packages' answers for (matrix, singular values)."""
    found: dict[str, Callable[[Matrix, Matrix], int]] = {}
    if (optht := optional("optht")) is not None:
        found["optht"] = lambda A, s: int(optht.optht(min(SHAPE) / max(SHAPE), sv=s, sigma=None))
    if (kneed := optional("kneed")) is not None:

        def knee(A: Matrix, s: Matrix) -> int:
            return int(kneed.KneeLocator(np.arange(1, s.size + 1), s, curve="convex", direction="decreasing").knee or 0)

        found["kneed"] = knee
    if (screenot := optional("screenot.ScreeNOT")) is not None:
        found["screenot"] = lambda A, s: int(screenot.adaptiveHardThresholding(A, 30, strategy="i")[2])
    return found


def hit_rates(repeats: int) -> dict[str, dict[str, float]]:
    """Share of matrices on which each rule finds the planted rank, by noise."""
    rates: dict[str, dict[str, float]] = {}
    for kind, noise in NOISES.items():
        hits: dict[str, int] = {}
        for seed in range(repeats):
            A = planted(np.random.default_rng(seed), noise)
            s = np.linalg.svd(A, compute_uv=False)
            answers: dict[str, int] = dict(svdkit.rank_table(s, SHAPE, data=A).ranks)
            answers["parallel_analysis deflated"] = rank.decide(
                s, rank.ParallelAnalysis(deflate=True), shape=SHAPE, data=A
            ).rank
            answers |= {f"{name} (peer)": ask(A, s) for name, ask in peers().items()}
            for name, answer in answers.items():
                hits[name] = hits.get(name, 0) + (answer == RANK)
        for name, count in hits.items():
            rates.setdefault(name, {})[kind] = count / repeats
    return rates


def budget_times() -> dict[str, float]:
    """Seconds of one budget over 200 spectra, and of the singular values of one matrix."""
    rng = np.random.default_rng(0)
    spectra = [np.sort(rng.random(4096))[::-1] for _ in range(200)]
    costs = rng.choice([8192, 15104], 200)
    equal = min(timed(lambda: svdkit.allocate_ranks(spectra, 50_000))[0] for _ in range(3))
    mixed = min(timed(lambda: svdkit.allocate_ranks(spectra, 5e8, costs))[0] for _ in range(3))
    A = rng.standard_normal((4096, 4096))
    whole = timed(lambda: np.linalg.svd(A, compute_uv=False))[0]
    return {"equal costs": equal, "unequal costs": mixed, "one full SVD": whole}


def run(repeats: int, threads: int, out: Path | None) -> None:
    """Measure, print, and write JSON."""
    svdkit.set_num_threads(threads)
    rates = hit_rates(repeats)
    rows = [[name, *(f"{100 * rate.get(kind, math.nan):.0f}%" for kind in NOISES)] for name, rate in rates.items()]
    print(f"planted rank {RANK} in {SHAPE[0]} x {SHAPE[1]}, {repeats} matrices of each kind: how often it is found\n")
    print(table(["rule", *NOISES], rows))
    times = budget_times()
    whole = times["one full SVD"]
    print("\nallocate_ranks over 200 spectra of 4096 values, against the singular values of one 4096 x 4096 matrix:")
    for name, seconds in times.items():
        print(f"  {name:<14} {100 * seconds / whole:7.2f}%")
    if out:
        results: dict[str, Any] = {"rates": rates, "seconds": times}
        out.write_text(json.dumps(results, indent=1))
