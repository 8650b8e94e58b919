"""Spherical principal components: against plain NumPy, and beside what works cell by cell; wrong rows, wrong cells."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import svdkit
from numpy.typing import NDArray

from .measure import timed
from .tables import ratio, seconds, table

Matrix = NDArray[np.float64]
SCALES = (10, 7, 5)  # of the wanted directions; 1 of the others


KINDS = ("rows apart", "rows alike", "cells", "rows apart, directions along columns")


def elliptical(m: int, n: int, wrong: str, seed: int = 0) -> tuple[Matrix, Matrix]:
    """Rows around zero, 10 % of them wrong, or 5 % of the cells; and the wanted directions as columns."""
    rng = np.random.default_rng(seed)
    along = np.eye(n) if wrong.endswith("columns") else np.linalg.qr(rng.standard_normal((n, n)))[0]
    A = rng.standard_normal((m, n))
    A[:, : len(SCALES)] *= SCALES
    A = A @ along.T
    if wrong.startswith("rows apart"):
        A[: m // 10] = 100 * rng.standard_normal((m // 10, n))
    elif wrong == "rows alike":
        A[: m // 10] = 100 * rng.standard_normal(n) + rng.standard_normal((m // 10, n))
    else:
        A += np.where(rng.random((m, n)) < 0.05, rng.uniform(-100, 100, (m, n)), 0)
    return A, along[:, : len(SCALES)]


def sine(V: Matrix, truth: Matrix) -> float:
    """Of the largest angle between two spaces, given by orthonormal columns."""
    return float(np.linalg.norm(V - truth @ (truth.T @ V), 2))


def numpy_spherical(A: Matrix, k: int) -> Matrix:
    """Weiszfeld's iteration from the mean, then a full SVD of the unit rows: right vectors."""
    center = A.mean(axis=0)
    for _ in range(200):
        lengths = np.linalg.norm(A - center, axis=1)
        after = (A / lengths[:, None]).sum(axis=0) / (1 / lengths).sum()
        moved, center = np.linalg.norm(after - center), after
        if moved <= 1e-6 * np.median(lengths):
            break
    away = A - center
    vectors = np.linalg.svd(away / np.linalg.norm(away, axis=1)[:, None], full_matrices=False)[2]
    return np.asarray(vectors[:k].T)


METHODS: dict[str, Callable[[Matrix, int], Matrix]] = {
    "tsvd, centred": lambda A, k: svdkit.tsvd(A, k, center=True).Vh.T,
    "spherical_pca": lambda A, k: svdkit.spherical_pca(A, k).Vh.T,
    "spherical in NumPy": numpy_spherical,
    "robust_svd": lambda A, k: svdkit.robust_svd(A, k).Vh.T,
    "l1_svd": lambda A, k: svdkit.l1_svd(A, k).Vh.T,
}


def run(rows: int, cols: int, threads: int, out: Path | None) -> None:
    """Measure, print, and write JSON."""
    svdkit.set_num_threads(threads)
    results: dict[str, Any] = {}
    for wrong in KINDS:
        (A, truth), lines = elliptical(rows, cols, wrong), []
        base: float | None = None
        for method, directions in METHODS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
                took, V = timed(lambda f=directions, A=A: f(A, len(SCALES)))
                if took < 2:
                    took = min(took, *(timed(lambda f=directions, A=A: f(A, len(SCALES)))[0] for _ in range(2)))
            base = took if method == "spherical_pca" else base
            angle = sine(V, truth)
            results.setdefault(wrong, {})[method] = {"seconds": took, "sine": angle}
            lines.append([method, seconds(took), ratio(took / base) if base else "-", f"{angle:.3f}"])
        print(f"\n{wrong}: {rows} x {cols}, {len(SCALES)} directions\n")
        print(table(["method", "seconds", "x spherical_pca", "sine of largest angle"], lines))
    if out:
        out.write_text(json.dumps(results, indent=1))
