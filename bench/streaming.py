"""Rows seen once: what SketchedSVD needs and how good it is, beside two passes over the same file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import svdkit
from numpy.typing import NDArray

from .environment import CACHE
from .measure import PeakMemory, timed

COLUMNS, K, BLOCK = 512, 20, 10_000
VALUES = 0.8 ** np.arange(COLUMNS)
Matrix = NDArray[np.float32]


def write(path: Path, rows: int) -> None:
    """A file of rows: independent normal numbers times decaying directions, a block at a time."""
    mixing = (np.linalg.qr(np.random.default_rng(0).standard_normal((COLUMNS, COLUMNS)))[0] * VALUES).T
    with path.open("wb") as file:
        for first in range(0, rows, BLOCK):
            block = np.random.default_rng(first + 1).standard_normal((min(BLOCK, rows - first), COLUMNS))
            (block @ mixing).astype(np.float32).tofile(file)


def stream(path: Path, rows: int) -> svdkit.SVDResult:
    """The file read once, in blocks."""
    state = svdkit.SketchedSVD(COLUMNS, K, dtype="float32")
    with path.open("rb") as file:
        for first in range(0, rows, BLOCK):
            size = min(BLOCK, rows - first) * COLUMNS
            state.update(np.fromfile(file, np.float32, size).reshape(-1, COLUMNS))
    return state.result()


def error(path: Path, rows: int, Vh: Matrix) -> float:
    """||A - A V V^T|| relative to ||A||."""
    A = np.memmap(path, np.float32, "r", shape=(rows, COLUMNS))
    left = total = 0.0
    for first in range(0, rows, BLOCK):
        block = A[first : first + BLOCK].astype(np.float64)
        total += float(np.sum(block**2))
        left += float(np.sum((block - (block @ Vh.T) @ Vh) ** 2))
    return float(np.sqrt(left / total))


def run(rows: int, threads: int, out: Path | None) -> None:
    """Write the file if it is not there, measure, print."""
    svdkit.set_num_threads(threads)
    CACHE.mkdir(exist_ok=True)
    path = CACHE / f"rows-{rows}.f32"
    if not path.exists():
        write(path, rows)
    memory = PeakMemory()
    seconds, once = timed(lambda: stream(path, rows))
    rise = memory.rise()
    A = np.memmap(path, np.float32, "r", shape=(rows, COLUMNS))
    two_seconds, twice = timed(lambda: svdkit.rsvd(A, K, passes=2))
    optimum = float(np.sqrt(np.sum(VALUES[K:] ** 2) / np.sum(VALUES**2)))
    errors = {"one pass": error(path, rows, once.Vh), "two passes": error(path, rows, twice.Vh), "optimum": optimum}
    print(f"{rows} x {COLUMNS}, float32, k = {K}")
    print(f"one pass: {seconds:.3g} s, peak {rise:.0f} MB above what was in use")
    print(f"two passes over the memory map: {two_seconds:.3g} s")
    for name, value in errors.items():
        print(f"  {name:<11} relative error {value:.4f} ({value / optimum:.2f} of the optimum)")
    if out:
        out.write_text(json.dumps({"seconds": seconds, "megabytes": rise, "errors": errors}, indent=1))
