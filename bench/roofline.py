"""``python -m bench roofline``: each block kernel as a fraction of the peak and bandwidth of the same run.

A product with a block of b columns does 2 b flops for each entry of A, the fused Gram pass 4 b, and either
has to read A once: those are the flops and bytes counted, for svdkit and for what it replaces alike.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from .environment import describe, machine, optional
from .matrices import DTYPES, load
from .tables import ratio, table

Product = Callable[[], Any]
SQUARE = 4_000
SWEEP_BYTES = 2**30


HEADER = (
    "b",
    "gram ms",
    "GFLOP/s",
    "of gemm",
    "A GB/s",
    "of sweep",
    "A X",
    "A'Y",
    "two products",
    "x faster",
)


@dataclass(frozen=True)
class Work:
    """What a pass over one matrix amounts to, and the ceilings it is held against."""

    entries: int
    read: int  # bytes of A
    peak: float  # GFLOP/s of a square gemm
    sweep: float  # GB/s of reading only

    def row(self, b: int, times: dict[str, float]) -> list[str]:
        """The cells below HEADER."""
        flops = 4e-9 * b * self.entries
        two = f"{flops / times['two_products']:.0f}"
        if "gram" not in times:
            return [str(b), *["-"] * 7, two, "-"]
        rate, streamed = flops / times["gram"], 1e-9 * self.read / times["gram"]
        return [
            str(b),
            f"{1e3 * times['gram']:.2f}",
            f"{rate:.0f}",
            f"{rate / self.peak:.0%}",
            f"{streamed:.1f}",
            f"{streamed / self.sweep:.0%}",
            f"{flops / 2 / times['matmat']:.0f}",
            f"{flops / 2 / times['rmatmat']:.0f}",
            two,
            ratio(times["two_products"] / times["gram"]),
        ]


def median(run: Product, budget: float = 0.4) -> float:
    """Median seconds after a warm-up: at least five runs, at most a hundred."""
    run()
    times: list[float] = []
    while len(times) < 5 or (sum(times) < budget and len(times) < 100):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def gemm_peak(dtype: Any) -> float:
    """GFLOP/s of a square matrix product."""
    A = np.random.default_rng(0).standard_normal((SQUARE, SQUARE)).astype(dtype)
    out = np.empty_like(A)
    return 2e-9 * SQUARE**3 / median(lambda: np.matmul(A, A, out=out))


def sweep(x: Any, threads: int) -> float:
    """GB/s of reading x once and nothing else: the better of summing and of a dot product, by strips."""
    strips = np.array_split(x.reshape(-1), threads)
    with ThreadPoolExecutor(threads) as pool:
        summed = median(lambda: list(pool.map(np.sum, strips)))
    dotted = median(lambda: np.dot(x.reshape(-1), x.reshape(-1)))
    return float(1e-9 * x.nbytes / min(summed, dotted))


def copy_bandwidth(threads: int) -> float:
    """GB/s of a copy, counting what is read and what is written."""
    x = np.ones(SWEEP_BYTES // 8)
    pairs = list(zip(np.array_split(x, threads), np.array_split(np.empty_like(x), threads), strict=True))
    with ThreadPoolExecutor(threads) as pool:
        taken = median(lambda: list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), pairs)))
    return 2e-9 * x.nbytes / taken


def aligned(shape: tuple[int, int], dtype: Any) -> np.ndarray:
    """Zeros whose rows of whole cache lines start at one, as the panels of solvers do; NumPy's own often do not."""
    count = shape[0] * shape[1]
    raw = np.zeros(count + 64 // np.dtype(dtype).itemsize, dtype)
    start = -raw.ctypes.data % 64 // raw.itemsize
    return raw[start : start + count].reshape(shape)


def two_products(A: Any, X: Any) -> Product:
    """A X, then A^T Y, as NumPy or SciPy does them; outputs are reused where the library allows it."""
    At = A.T
    if scipy.sparse.issparse(A):
        return lambda: At @ (A @ X)
    Y, Z = aligned((A.shape[0], X.shape[1]), X.dtype), aligned(X.shape, X.dtype)

    def run() -> None:
        np.matmul(A, X, out=Y)
        np.matmul(At, Y, out=Z)

    return run


def kernels(A: Any, X: Any) -> dict[str, Product]:
    """svdkit's products with this block, with ``out=`` where they take it; none where it is not installed."""
    operators = optional("svdkit.operators")
    if operators is None:
        return {}
    op = operators.Sparse(A) if scipy.sparse.issparse(A) else operators.Dense(A)
    Y, Z = aligned((A.shape[0], X.shape[1]), X.dtype), aligned(X.shape, X.dtype)
    Y[...] = op.matmat(X)
    try:
        op.gram(X, out=(Y, Z))
    except TypeError:
        return {"matmat": lambda: op.matmat(X), "rmatmat": lambda: op.rmatmat(Y), "gram": lambda: op.gram(X)}
    return {
        "matmat": lambda: op.matmat(X, out=Y),
        "rmatmat": lambda: op.rmatmat(Y, out=Z),
        "gram": lambda: op.gram(X, out=(Y, Z)),
    }


def measure(A: Any, b: int) -> dict[str, float]:
    """Seconds of every kernel and of the two products, at this block width."""
    X = aligned((A.shape[1], b), A.dtype)
    X[...] = np.random.default_rng(b).standard_normal(X.shape)
    times = {name: median(product) for name, product in kernels(A, X).items()}
    return {**times, "two_products": median(two_products(A, X))}


def run(matrices: Sequence[str], dtypes: Sequence[str], blocks: Sequence[int], threads: int, out: Path | None) -> None:
    """Measure the machine, then the kernels; print one table per matrix."""
    about = machine()
    print(describe(about, threads))
    copied, swept = copy_bandwidth(threads), sweep(np.ones(SWEEP_BYTES // 8), threads)
    print(f"copy {copied:.1f} GB/s (read + write), read-only sweep {swept:.1f} GB/s (1 GiB each)")
    record: dict[str, Any] = {
        "machine": about,
        "threads": threads,
        "copy": copied,
        "sweep": swept,
        "results": [],
    }
    for dtype in dtypes:
        peak = gemm_peak(DTYPES[dtype])
        print(f"\nsquare gemm {dtype}: {peak:.0f} GFLOP/s")
        for name in matrices:
            A = load(name, dtype)
            sparse = scipy.sparse.issparse(A)
            work = Work(
                entries=A.nnz if sparse else A.size,
                read=A.data.nbytes + A.indices.nbytes if sparse else A.nbytes,
                peak=peak,
                sweep=sweep(A.data if sparse else A, threads),
            )
            print(f"\n{name}-{dtype}: {A.shape[0]} x {A.shape[1]}, {work.read / 1e6:.0f} MB", end="")
            print(f", read-only sweep {work.sweep:.1f} GB/s")
            # as solvers take it: the Gram matrix of the smaller side
            narrow = A.T if not sparse and A.shape[0] < A.shape[1] else A
            times = {b: measure(narrow, b) for b in blocks}
            print(table(HEADER, (work.row(b, taken) for b, taken in times.items())), flush=True)
            record["results"] += [
                {"matrix": name, "dtype": dtype, "b": b, "seconds": taken, **asdict(work)} for b, taken in times.items()
            ]
            if out:
                out.write_text(json.dumps(record, indent=1) + "\n")
