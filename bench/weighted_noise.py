"""Noise of unequal variance: the error of plain PCA beside HeteroPCA and biwhitening, means over a few draws."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import svdkit
from numpy.typing import NDArray

from .measure import timed
from .tables import table

Array = NDArray[Any]
DRAWS = 5


def sine(U: Array, V: Array) -> float:
    """Of the largest angle between two subspaces."""
    return float(np.linalg.norm(U - V @ (V.T @ U), 2))


def noisy_rows(seed: int, spread: float) -> tuple[Array, Array]:
    """200 x 2000 of rank 2, log-normal deviations of the rows; and its true subspace."""
    rng = np.random.default_rng(seed)
    U = np.linalg.qr(rng.standard_normal((200, 2)))[0]
    noise = np.exp(spread * rng.standard_normal(200))[:, None] * rng.standard_normal((200, 2000))
    return 15 * U @ rng.standard_normal((2, 2000)) + noise, U


def counts(seed: int) -> tuple[Array, Array]:
    """600 x 400 Poisson counts whose means have rank 4, rows and columns of unequal weight; and those means."""
    rng = np.random.default_rng(seed)
    factors = 2 * rng.gamma(0.6, 1, (600, 4)) @ rng.gamma(0.6, 1, (4, 400))
    mean = np.exp(rng.standard_normal((600, 1))) * factors * np.exp(rng.standard_normal(400)) + 1e-3
    A = rng.poisson(mean).astype(float)
    rows, cols = A.any(axis=1), A.any(axis=0)
    return A[rows][:, cols], mean[rows][:, cols]


def subspaces(spread: float) -> dict[str, tuple[float, float]]:
    """Seconds and sine of the angle to the truth of every method, medians over the draws."""
    methods: dict[str, Any] = {
        "tsvd (PCA)": svdkit.tsvd,
        "hetero_pca, max_iter=1": partial(svdkit.hetero_pca, max_iter=1),
        "hetero_pca": svdkit.hetero_pca,
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    for seed in range(DRAWS):
        A, U = noisy_rows(seed, spread)
        for name, method in methods.items():
            seconds, result = timed(partial(method, A, 2))
            found[name].append((seconds, sine(result.U, U)))
    return {name: tuple(np.median(runs, axis=0).tolist()) for name, runs in found.items()}


def whitened(A: Array) -> tuple[Array, int]:
    """The fit in the whitened norm, of the rank that stands out."""
    found = svdkit.biwhiten(A)
    return svdkit.weighted_svd(A, found.rank, rows=found.rows, cols=found.cols).reconstruct(), found.rank


def denoising() -> dict[str, tuple[float, float, float]]:
    """Seconds, error in units of the noise's deviation, and rank, of fits of counts, medians over the draws."""
    found: dict[str, list[tuple[float, float, float]]] = {"counts themselves": [], "tsvd, rank 4": [], "biwhiten": []}
    for seed in range(DRAWS):
        A, mean = counts(seed)

        def error(B: Array, mean: Array = mean) -> float:
            return float(np.sqrt(np.mean((B - mean) ** 2 / mean)))

        found["counts themselves"].append((0, error(A), min(A.shape)))
        seconds, plain = timed(partial(svdkit.tsvd, A, 4))
        found["tsvd, rank 4"].append((seconds, error(plain.reconstruct()), 4))
        seconds, (B, rank) = timed(partial(whitened, A))
        found["biwhiten"].append((seconds, error(B), rank))
    return {name: tuple(np.median(runs, axis=0).tolist()) for name, runs in found.items()}


def noise() -> dict[str, Any]:
    """Measure and print."""
    results: dict[str, Any] = {f"spread {spread}": subspaces(spread) for spread in (0.0, 1.0, 1.5)}
    print("200 x 2000 of rank 2, rows with deviations exp(spread * normal): sine of the angle to the true subspace\n")
    rows = [
        [name, *(f"{found[name][1]:.3f}" for found in results.values()), f"{results['spread 1.5'][name][0]:.3g}"]
        for name in results["spread 1.5"]
    ]
    print(table(["method", *results, "seconds at 1.5"], rows))
    results["counts"] = denoising()
    print("\n600 x 400 Poisson counts, means of rank 4: deviation from the means over that of the noise\n")
    rows = [[name, f"{err:.3f}", f"{rank:.0f}", f"{time:.3g}"] for name, (time, err, rank) in results["counts"].items()]
    print(table(["method", "deviation", "rank", "seconds"], rows) + "\n", flush=True)
    return results
