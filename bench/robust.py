"""``python -m bench robust``: the rule of the R package in NumPy beside svdkit, accuracy, and the kernel's roofline.

Cells of the kernel cost vector operations, counted from its source, and bytes of X. The bound of a half-sweep is the
larger of the two times at the rates of the same run: a square gemm (one multiply-add an operation) and a read-only
sweep of X.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .environment import describe, machine
from .matrices import DTYPES
from .robust_rule import rule
from .roofline import gemm_peak, sweep
from .tables import ratio, table

SIZES = {"1e6": (1_000, 1_000), "1e7": (4_000, 2_500), "1e8": (12_500, 8_000)}
LONGEST = 20_000_000  # cells that the NumPy rule sweeps until it stands still; beyond, one sweep is timed
NOISE = 0.02


def gross(m: int, n: int, r: int, dtype: Any, bad: str = "cells", seed: int = 0) -> tuple[Any, Any, Any]:
    """A, the low-rank matrix behind it (rank 5: entries of 0.2; noise 0.02), good rows; 5 % of A is off by 5 to 10."""
    rng = np.random.default_rng(seed)
    factors = (np.linalg.qr(rng.standard_normal((size, r)))[0] for size in (m, n))
    U, V = (factor.astype(dtype) for factor in factors)
    L = (U * (np.linspace(0.12, 0.06, r) * np.sqrt(m * n)).astype(dtype)) @ V.T
    A = rng.standard_normal((m, n), np.float32).astype(dtype, copy=False)
    A *= NOISE
    A += L
    good = np.ones(m, bool)
    if bad == "rows":
        good[rng.permutation(m)[: m // 20]] = False
        cells = np.broadcast_to(~good[:, None], A.shape)
    else:
        cells = rng.random((m, n), np.float32) < 0.05
    count = int(np.count_nonzero(cells))
    A[cells] += (rng.uniform(5, 10, count) * rng.choice([-1, 1], count)).astype(dtype)
    return A, L, good


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """What it returns, and its seconds; the better of two runs where they are short."""
    start = time.perf_counter()
    out = run()
    taken = time.perf_counter() - start
    if taken < 3:
        start = time.perf_counter()
        out = run()
        taken = min(taken, time.perf_counter() - start)
    return out, taken


def beside_the_rule(size: str, r: int, dtype: Any, threads: int, exact: bool) -> dict[str, Any]:
    """The package's rule in NumPy and in svdkit, and svdkit's default, on one matrix.

    `exact`: the singular values are compared with those of the rule at 1e-7 instead of its 1e-4.
    """
    import svdkit

    m, n = SIZES[size]
    A, L, _ = gross(m, n, r, dtype)
    compat, compat_s = timed(
        lambda: svdkit.robust_svd(A, r, method="deflation", scale="iqr", tol=1e-7, max_iter=100, threads=threads)
    )
    joint, joint_s = timed(lambda: svdkit.robust_svd(A, r, threads=threads))
    row: dict[str, Any] = {"size": size, "r": r, "dtype": np.dtype(dtype).name, "compat": compat_s, "joint": joint_s}
    row["compat_passes"], row["joint_passes"] = compat.report.passes, joint.report.passes
    if A.size <= LONGEST:
        start = time.perf_counter()
        _, s, _, passes = rule(A, r)
        row |= {"rule": time.perf_counter() - start, "rule_passes": passes}
        if exact:
            s = rule(A, r, eps=1e-7)[1]
        row["values"] = float(np.max(np.abs(np.sort(s)[::-1] - compat.s) / compat.s))
    else:
        start = time.perf_counter()
        _, _, _, passes = rule(A, 1, max_iter=1, eps=1e30)
        row["rule_sweep"] = (time.perf_counter() - start) / passes
    row["error"] = float(np.linalg.norm(joint.reconstruct() - L) / np.linalg.norm(L))
    return row


def accuracy(bad: str, threads: int) -> list[str]:
    """1000 x 500, rank 5: error on good rows beside the error that noise alone leaves."""
    import svdkit

    A, L, good = gross(1_000, 500, 5, np.float64, bad)
    plain = svdkit.tsvd(A, 5)
    result, seconds = timed(lambda: svdkit.robust_svd(A, 5, threads=threads))
    (U, s, Vh, _), rule_s = timed(lambda: rule(A, 5))

    def error(reconstruction: np.ndarray) -> str:
        return f"{np.linalg.norm((reconstruction - L)[good]) / np.linalg.norm(L[good]):.2e}"

    oracle = svdkit.tsvd((L + NOISE * np.random.default_rng(1).standard_normal(L.shape))[good], 5).reconstruct()
    clean = f"{np.linalg.norm(oracle - L[good]) / np.linalg.norm(L[good]):.2e}"
    found = sum(~good[result.unsupported_rows]) if bad == "rows" else "-"
    return [
        bad, clean, error(plain.reconstruct()), error((U * s) @ Vh), error(result.reconstruct()), str(found),
        str(result.report.iterations), str(result.report.converged), ratio(rule_s / seconds),
    ]  # fmt: skip


def operations(r: int, single: bool, rows: bool) -> float:
    """Vector operations on one vector of cells (kernel/robust_tile.hpp): fit, weight, exponential, sums, moments."""
    exponential = 15 if single else 19
    weight, sums = 6, 2
    return r + exponential + weight + sums + (r if rows else 0) + r * (r + 1) // 2 + r


def kernel(r: int, dtype: Any, threads: int, shape: tuple[int, int] = (8_000, 8_000)) -> list[list[str]]:
    """Both half-sweeps against the rates of this run."""
    from svdkit import _core

    single = np.dtype(dtype) == np.float32
    A, _, _ = gross(*shape, r, dtype)
    rng = np.random.default_rng(0)
    slow, fast = (np.ascontiguousarray(rng.standard_normal((size, r)), dtype) for size in shape)
    core = _core.OperatorF32 if single else _core.OperatorF64
    peak, bandwidth = gemm_peak(dtype), sweep(A, threads)
    rows = []
    for side in (True, False):

        def look(repeats: int, side: bool = side) -> float:
            return timed(lambda: core.robust_look(A, slow, fast, 0.1, side, repeats, threads))[1]

        seconds = (look(5) - look(1)) / 4
        moved = A.nbytes / (1e9 * bandwidth)
        computed = 2e-9 * operations(r, single, side) * A.size / peak
        bound = max(moved, computed)
        rows.append(
            [
                f"{np.dtype(dtype).name} r={r} {'rows' if side else 'columns'}",
                f"{1e9 * seconds / A.size:.3f}",
                f"{1e-9 * A.nbytes / seconds:.1f}",
                f"{bandwidth:.1f}",
                str(operations(r, single, side)),
                f"{2e-9 * operations(r, single, side) * A.size / seconds:.0f}",
                f"{peak:.0f}",
                "bytes" if moved > computed else "operations",
                f"{bound / seconds:.0%}",
            ]
        )
    return rows


def run(
    sizes: Sequence[str],
    ranks: Sequence[int],
    dtypes: Sequence[str],
    parts: Sequence[str],
    threads: int,
    out: Path | None,
) -> None:
    """Print the tables that were asked for."""
    about = machine()
    print(describe(about, threads))
    record: dict[str, Any] = {"machine": about, "threads": threads}
    if "kernel" in parts:
        rows = [row for dtype in dtypes for r in ranks for row in kernel(r, DTYPES[dtype], threads)]
        header = ("half-sweep", "ns/cell", "GB/s", "of", "ops/cell", "Gop/s x2", "gemm", "bound by", "of bound")
        print(table(header, rows), flush=True)
        record["kernel"] = rows
    if "accuracy" in parts:
        rows = [accuracy(bad, threads) for bad in ("cells", "rows")]
        header = ("5% bad", "clean", "plain", "R rule", "svdkit", "bad rows found", "sweeps", "converged", "x R rule")
        print(table(header, rows), flush=True)
        record["accuracy"] = rows
    if "rule" in parts:
        record["rule"] = [
            beside_the_rule(s, r, DTYPES[d], threads, "values" in parts) for s in sizes for r in ranks for d in dtypes
        ]
        print(table(RULE_HEADER, map(_rule_row, record["rule"])), flush=True)
    if out:
        out.write_text(json.dumps(record, indent=1) + "\n")


RULE_HEADER = (
    "cells", "r", "dtype", "R rule s", "passes", "compat s", "passes", "x", "values", "joint s", "passes", "x", "error",
)  # fmt: skip


def _rule_row(row: dict[str, Any]) -> list[str]:
    rule_s = row.get("rule")
    sweep_s = row.get("rule_sweep")
    estimated = sweep_s * row["compat_passes"] if sweep_s else None
    return [
        row["size"], str(row["r"]), row["dtype"],
        f"{rule_s:.3g}" if rule_s else f"{sweep_s:.3g} a pass",
        str(row.get("rule_passes", "-")),
        f"{row['compat']:.3g}", str(row["compat_passes"]),
        ratio((rule_s or estimated) / row["compat"]) + ("" if rule_s else " a pass"),
        f"{row['values']:.1e}" if "values" in row else "-",
        f"{row['joint']:.3g}", str(row["joint_passes"]),
        ratio(rule_s / row["joint"]) if rule_s else "-",
        f"{row['error']:.1e}",
    ]  # fmt: skip
