"""Weighted fits: time to a fixed point beside NumPy, and held-out errors on real tables beside simple imputations."""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import svdkit
from numpy.typing import NDArray

from . import completion_numpy as plain
from .measure import timed
from .tables import error, ratio, seconds, table

ROWS, COLUMNS, CELLS, RANK, PENALTY = 100_000, 10_000, 5_000_000, 10, 40.0
LIMIT = 20.0  # seconds of one fit of a real table; then what it has
Matrix = NDArray[Any]


def fitted(A: Any, k: Any = None, **options: Any) -> Any:
    return svdkit.weighted_svd(A, k, elements="observed", **options)


def observed(dtype: str, share: float) -> sp.csr_array:
    """A of rank 10 plus noise at random cells; `share` < 1 makes both extents smaller."""
    m, n, count = (int(share * size) for size in (ROWS, COLUMNS, CELLS))
    rng = np.random.default_rng(0)
    cells = np.unique(rng.integers(0, m * n, count))
    i, j = np.divmod(cells, n)
    left, right = rng.standard_normal((m, RANK)), rng.standard_normal((n, RANK))
    values = rng.standard_normal(cells.size)
    for first in range(0, cells.size, plain.CHUNK):
        part = slice(first, first + plain.CHUNK)
        values[part] += np.einsum("ij,ij->i", left[i[part]], right[j[part]])
    return sp.csr_array((values.astype(dtype), (i.astype(np.int32), j.astype(np.int32))), shape=(m, n))


def reach(course: list[tuple[float, float]], objective: float) -> float:
    """Seconds until the objective is within 1e-5 of the best; infinite where it was not reached."""
    return next((time for time, value in course if value <= objective * (1 + 1e-5)), np.inf)


def large(part: str, dtype: str, share: float, budget: float) -> dict[str, Any]:
    """Least squares, and the penalised fit: svdkit from the matrix to its certified answer, NumPy to within 1e-5."""
    A = observed(dtype, share)
    cells = plain.Cells(A)
    results: dict[str, Any] = {}
    problems: dict[str, dict[str, Any]] = {
        "rank": {"ours": {"k": RANK}, "penalty": 0.0, "k": RANK},
        "penalty": {"ours": {"penalty": PENALTY}, "penalty": PENALTY, "k": RANK + 4},
    }
    for name, problem in problems.items():
        if part not in ("all", name):
            continue
        times = [timed(partial(fitted, A, **problem["ours"])) for _ in range(3)]
        fit = times[0][1]
        best = float(fit.history[-1])
        own = sorted(time for time, _ in times)[1]
        rows = [["svdkit", seconds(own), "1", str(fit.report.iterations), error(fit.stationarity), "0"]]
        results[name] = {"svdkit": own, "objective": best, "rank": fit.rank}
        if name == "rank":  # one iteration from one start: stopped where NumPy is stopped
            steps = int(np.argmax(fit.history <= best * (1 + 1e-5)))
            early = min(timed(partial(fitted, A, max_iter=steps, **problem["ours"]))[0] for _ in range(2))
            rows.append(["svdkit, stopped at 1e-5", seconds(early), ratio(early / own), str(steps), "", "1e-05"])
            results[name]["svdkit to 1e-5"] = early
        for peer, solve in {"NumPy, least squares": plain.als, "NumPy, EM as published": plain.em}.items():
            course = solve(cells, problem["k"], penalty=problem["penalty"], tol=1e-9, budget=budget)
            time, gap = reach(course, best), course[-1][1] / best - 1
            shown = seconds(time) if np.isfinite(time) else f"> {course[-1][0]:.0f}"
            over = min(time, course[-1][0]) / own
            rows.append(
                [peer, shown, f"{'' if np.isfinite(time) else '> '}{ratio(over)}", str(len(course)), "", error(gap)]
            )
            results[name][peer] = course
        print(f"\n{name}: {A.shape[0]} x {A.shape[1]}, {A.nnz} cells, {dtype}, rank {fit.rank}; {fit.report.notes[-1]}")
        print(
            table(["method", "seconds to 1e-5", "x svdkit", "steps", "stationarity", "objective above"], rows),
            flush=True,
        )
    return results


# --- real tables ------------------------------------------------------------------------------------------------------


def column_means(A: Matrix) -> Matrix:
    return np.broadcast_to(np.nanmean(A, axis=0), A.shape)


def iterative_svd(A: Matrix, k: int, steps: int = 200, tol: float = 1e-5) -> tuple[Matrix, str]:
    """Missing entries filled with column means, then by the rank-k SVD, until they stand still; the steps, * if more.

    The SVD by eigenvectors of the Gram matrix of the shorter side: enough here, and many times as fast.
    """
    seen = ~np.isnan(A)
    filled = np.where(seen, A, column_means(A))
    wide = A.shape[0] < A.shape[1]
    for step in range(1, steps + 1):
        V = np.linalg.eigh(filled @ filled.T if wide else filled.T @ filled)[1][:, -k:]
        before, filled = filled, np.where(seen, A, V @ (V.T @ filled) if wide else (filled @ V) @ V.T)
        if np.linalg.norm(filled - before) <= tol * np.linalg.norm(before):
            return filled, f"{step}"
    return filled, f"{steps}*"


def tables_of(folder: Path) -> dict[str, Matrix]:
    """Votes as they are; weather with its columns standardised."""
    votes = np.load(folder / "senate109_votes.npz")["X"].astype(float)
    weather = np.load(folder / "weather_hourly.npz")["X"]
    return {"Senate votes": votes, "hourly weather": (weather - np.nanmean(weather, 0)) / np.nanstd(weather, 0)}


def real(folder: Path) -> dict[str, Any]:
    """A tenth of the known entries hidden: root mean squared error there."""
    results: dict[str, Any] = {}
    for name, A in tables_of(folder).items():
        hidden = ~np.isnan(A) & (np.random.default_rng(1).random(A.shape) < 0.1)
        rows = imputations(A, hidden)
        print(f"\n{name}: {A.shape[0]} x {A.shape[1]}, {np.isnan(A).mean():.1%} missing, {hidden.sum()} hidden")
        print(table(["method", "rank", "steps", "seconds", "error on hidden entries"], rows), flush=True)
        results[name] = rows
    return results


def imputations(A: Matrix, hidden: Matrix) -> list[list[str]]:
    """A row for every method."""
    shown = np.where(hidden, np.nan, A)

    def score(Z: Matrix) -> str:
        return f"{float(np.sqrt(np.mean((Z[hidden] - A[hidden]) ** 2))):.4f}"

    rows = [["column means", "", "", "", score(column_means(shown))]]
    for k in (1, 2, 4):
        time, (Z, steps) = timed(partial(iterative_svd, shown, k))
        rows.append([f"iterative SVD (EM), rank {k}", str(k), steps, seconds(time), score(Z)])
    calls: dict[str, dict[str, Any]] = {
        "als, rank 1": {"k": 1},
        "als, rank 2": {"k": 2},
        "als, rank 4": {"k": 4},
        "als, rank by held-out cells": {"k": [1, 2, 3, 4]},
        "soft, penalty by held-out cells": {},
    }
    for label, options in calls.items():
        time, fit = timed(partial(fitted, shown, time_limit=LIMIT, **options))
        stopped = "" if fit.report.converged else "*"
        steps = f"{fit.report.iterations}{stopped}"
        rows.append([f"svdkit {label}", str(fit.rank), steps, seconds(time), score(fit.reconstruct())])
    return rows


def run(part: str, dtype: str, share: float, budget: float, data: Path | None, threads: int, out: Path | None) -> None:
    """Measure, print, and write JSON."""
    svdkit.set_num_threads(threads)
    warnings.simplefilter("ignore")
    results: dict[str, Any] = {}
    if part != "real":
        results["large"] = large(part, dtype, share, budget)
    if part in ("all", "real") and data is not None:
        results["real"] = real(data)
    if out:
        out.write_text(json.dumps(results, indent=1))
