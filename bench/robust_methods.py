"""Principal component pursuit and least absolute deviations, against plain NumPy and beside robust_svd."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import svdkit
from numpy.typing import NDArray

from .measure import timed
from .tables import ratio, seconds, table

Matrix = NDArray[np.float64]


@dataclass
class Fit:
    """What a method says the clean matrix is."""

    low: Matrix
    note: str = ""
    outliers: Any = None  # where it sees wrong cells, if it says so


# --- the same iterations in plain NumPy ----------------------------------------------------------------------------


def numpy_pcp(A: Matrix, tol: float = 1e-7) -> Fit:
    """Inexact ALM (Lin, Chen and Ma 2010), a full SVD an iteration: what is usually copied."""
    lam = 1 / np.sqrt(max(A.shape))
    top = np.linalg.norm(A, 2)
    Y, S, mu = A / max(top, np.abs(A).max() / lam), np.zeros_like(A), 1.25 / top
    step = 0
    while step < 1000:
        step += 1
        U, s, Vh = np.linalg.svd(A - S + Y / mu, full_matrices=False)
        L = (U * np.maximum(s - 1 / mu, 0)) @ Vh
        X = A - L + Y / mu
        S = np.sign(X) * np.maximum(np.abs(X) - lam / mu, 0)
        residual = A - L - S
        Y, mu = Y + mu * residual, mu * 1.5
        if np.linalg.norm(residual) <= tol * np.linalg.norm(A):
            break
    return Fit(L, f"{step} iterations", S != 0)


def weighted_medians(ratios: Matrix, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of every column."""
    order = np.argsort(ratios, axis=0)
    reached = np.cumsum(weights[order], axis=0) >= weights.sum() / 2
    rows = np.argmax(reached, axis=0)
    return np.take_along_axis(np.take_along_axis(ratios, order, axis=0), rows[None], axis=0)[0]


def numpy_l1(A: Matrix, k: int, sweeps: int = 100, tol: float = 1e-6) -> Fit:
    """Alternating weighted medians by sorting, started from the medians of the magnitudes, components deflated."""
    E, low, count = A.copy(), np.zeros_like(A), 0
    for _ in range(k):
        a, last = np.median(np.abs(E), axis=1), np.abs(E).sum()
        for _ in range(sweeps):
            with np.errstate(divide="ignore", invalid="ignore"):  # entries that are zero have weight zero
                b = weighted_medians(E / a[:, None], np.abs(a))
                a = weighted_medians((E / b).T, np.abs(b))
            error, count = np.abs(E - np.outer(a, b)).sum(), count + 2
            if 0 <= last - error <= tol * last:
                break
            last = error
        low += np.outer(a, b)
        E = A - low
    return Fit(low, f"{count} half-sweeps")


# --- the methods ---------------------------------------------------------------------------------------------------


def pursuit(A: Matrix, **options: Any) -> Fit:
    result = svdkit.pcp(A, **options)
    note = f"{result.report.iterations} iterations, rank {result.rank}, gap {result.gap:.0e}"
    return Fit(result.reconstruct(), note, result.S != 0)


def absolute(A: Matrix, k: int, **options: Any) -> Fit:
    result = svdkit.l1_svd(A, k, **options)
    return Fit(result.reconstruct(), f"{result.report.iterations} half-sweeps")


def divergence(A: Matrix, k: int, init: Any = None) -> Fit:
    result = svdkit.robust_svd(A, k, init=init)
    return Fit(result.reconstruct(), f"{result.report.iterations} sweeps", result.outliers())


Method = Callable[[Matrix, int], Fit]
METHODS: dict[str, Method] = {
    "tsvd": lambda A, k: Fit(svdkit.tsvd(A, k).reconstruct()),
    "robust_svd": divergence,
    "l1_svd": absolute,
    "l1_svd refine=1": lambda A, k: absolute(A, k, refine=1),
    "robust_svd from l1_svd": lambda A, k: divergence(A, k, svdkit.l1_svd(A, k)),
    "l1 in NumPy": numpy_l1,
    "pcp": lambda A, k: pursuit(A),
    "pcp growing 1e-7": lambda A, k: pursuit(A, penalty="growing", tol=1e-7),
    "inexact ALM in NumPy": lambda A, k: numpy_pcp(A),
}


# --- the matrices --------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A matrix, what it would be without errors, and where those are."""

    A: Matrix
    low: Matrix
    k: int
    wrong: NDArray[np.bool_]


def cells(m: int, n: int, k: int, share: float, noise: float, seed: int = 0) -> Case:
    """Gaussian factors; a share of cells with errors ten times an entry; noise."""
    rng = np.random.default_rng(seed)
    low = rng.standard_normal((m, k)) @ rng.standard_normal((k, n))
    wrong = rng.random((m, n)) < share
    A = low + np.where(wrong, rng.uniform(-10, 10, (m, n)) * np.sqrt(k), 0) + noise * rng.standard_normal((m, n))
    return Case(A, low, k, wrong)


def video(height: int = 60, width: int = 80, frames: int = 120, seed: int = 0) -> Case:
    """A lit background with noise 3, bright and dark objects that pass, one parked 40 % of the time."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(60, 180, height * width)[:, None] * (1 + 0.05 * np.sin(np.arange(frames) / 9))
    film = (low + 3 * rng.standard_normal(low.shape)).reshape(height, width, frames)
    wrong = np.zeros((height, width, frames), bool)
    for t in range(frames):
        for row, speed, shade in ((10, 2, 40), (25, -3, -40), (40, 1, 40)):
            left = speed * t % (width - 10)
            film[row : row + 8, left : left + 8, t] += shade
            wrong[row : row + 8, left : left + 8, t] = True
        if t < 0.4 * frames:
            film[50:57, 20:32, t] -= 40
            wrong[50:57, 20:32, t] = True
    return Case(film.reshape(low.shape), low, 1, wrong.reshape(low.shape))


CASES: dict[str, Callable[[], Case]] = {
    "exact": lambda: cells(1000, 1000, 10, 0.05, 0),
    "noisy": lambda: cells(1000, 500, 5, 0.05, 0.5),
    "video": video,
}


def score(found: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> float:
    """F1."""
    both = np.count_nonzero(found & wrong)
    return 2 * both / max(np.count_nonzero(found) + np.count_nonzero(wrong), 1)


def mask(fit: Fit, A: Matrix) -> NDArray[np.bool_]:
    """Wrong cells at 3.5 robust deviations of the residual, unless the method says which."""
    if fit.outliers is not None:
        return np.asarray(fit.outliers)
    residual = np.abs(A - fit.low)
    return np.asarray(residual > 3.5 * 1.4826 * np.median(residual))


def run(cases: Sequence[str], threads: int, out: Path | None) -> None:
    """Measure, print, and write JSON."""
    svdkit.set_num_threads(threads)
    results: dict[str, Any] = {}
    for name in cases:
        case = CASES[name]()
        base: float | None = None
        rows = []
        for method, fit_with in METHODS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
                took, fit = timed(lambda fit_with=fit_with, case=case: fit_with(case.A, case.k))
                if took < 2:
                    took = min(took, *(timed(lambda f=fit_with, c=case: f(c.A, c.k))[0] for _ in range(2)))
            base = took if method == "robust_svd" else base
            error = float(np.linalg.norm(fit.low - case.low) / np.linalg.norm(case.low))
            rmse = float(np.sqrt(np.mean((fit.low - case.low) ** 2)))
            f1 = score(mask(fit, case.A), case.wrong)
            results.setdefault(name, {})[method] = {"seconds": took, "error": error, "rmse": rmse, "f1": f1}
            times = ratio(took / base) if base else "-"
            rows.append([method, seconds(took), times, f"{error:.2e}", f"{rmse:.3g}", f"{f1:.3f}", fit.note])
        m, n = case.A.shape
        print(f"\n{name}: {m} x {n}, rank {case.k}, {100 * case.wrong.mean():.1f}% wrong cells\n")
        print(table(["method", "seconds", "x robust_svd", "error", "RMSE", "F1", ""], rows))
    if out:
        out.write_text(json.dumps(results, indent=1))
