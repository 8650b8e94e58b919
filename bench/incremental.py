"""Matrices that change: accumulated time of updates beside peers, and the accuracy of streams against refitting."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
import svdkit

from . import incremental_streams
from .incremental_peers import Svdkit, peers
from .matrices import load
from .tables import error, ratio, table

MEASURED = {1000: 280, 100: 5, 10: 1}  # batches that are measured, of so many
READ = "svdkit, read"  # the values are asked for after every batch
Batch = tuple[Any, Any]  # rows below, columns at the right (or None)


def power_law(nodes: int, edges: int) -> sp.csr_array:
    """A directed graph whose degrees fall as a power."""
    rng = np.random.default_rng(0)
    weights = np.arange(1, nodes + 1) ** -0.7
    weights /= weights.sum()
    name = rng.permutation(nodes)
    ends = (name[rng.choice(nodes, edges, p=weights)] for _ in range(2))
    A = sp.csr_array((np.ones(edges), tuple(ends)), shape=(nodes, nodes))
    A.data[:] = 1
    return A


def ratings(users: int, items: int, count: int) -> sp.csr_array:
    """Users of a few tastes rate popular items, 1 to 5."""
    rng = np.random.default_rng(1)
    user = rng.integers(0, users, count)
    popular = np.arange(1, items + 1) ** -0.8
    item = rng.permutation(items)[rng.choice(items, count, p=popular / popular.sum())]
    taste, kind = rng.standard_normal((users, 10)), rng.standard_normal((items, 10))
    value = np.clip(np.rint(3 + 0.5 * np.einsum("ij,ij->i", taste[user], kind[item])), 1, 5)
    A = sp.csr_array((value, (user, item)), shape=(users, items))
    A.data = np.minimum(A.data, 5)
    return A


def batches(A: sp.csr_array, square: bool, count: int) -> tuple[sp.csr_array, list[Batch]]:
    """The first half, and the second in `count` equal batches (a graph grows by rows and columns)."""
    half = A.shape[0] // 2
    size = half // count
    start = A[:half, :half] if square else A[:half]
    out: list[Batch] = []
    for i in range(half, half + size * min(count, MEASURED[count]), size):
        if square:
            out.append((A[i : i + size, :i], sp.csc_array(A[: i + size, i : i + size])))
        else:
            out.append((A[i : i + size], None))
    return sp.csr_array(start), out


def updates(cases: list[str], ks: list[int], counts: list[int], names: list[str]) -> Iterator[dict[str, Any]]:
    """Every case, k and number of batches, with these peers in turn."""
    cases_of = {"graph": lambda: power_law(80_000, 1_000_000), "ratings": lambda: ratings(20_000, 5_000, 1_000_000)}
    for case in cases:
        A = cases_of[case]()
        for count in counts:
            start, parts = batches(A, case == "graph", count)
            end = start.shape[0] + sum(rows.shape[0] for rows, _ in parts)
            whole = A[:end, :end] if case == "graph" else A[:end]
            for k in ks:
                initial = svdkit.tsvd(start, k)
                true = svdkit.svdvals(whole, k)
                makers = {"svdkit": Svdkit, READ: Svdkit} | peers()
                found = {name: _one(makers[name](*initial), parts, true, name == READ) for name in names}
                yield {"case": case, "k": k, "batches": count, "measured": len(parts)} | found


def _one(peer: Any, parts: list[Batch], true: np.ndarray, read: bool) -> dict[str, float]:
    """The time of all batches and of the values at the end, or after every batch."""
    began = time.perf_counter()
    for rows, cols in parts:
        peer.rows(rows)
        if cols is not None:
            peer.cols(cols)
        if read:
            peer.values()
    values = peer.values()
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "sv_err": float(np.abs(values[: true.size] / true - 1).max())}


def principal_components(rows: int = 100_000, columns: int = 512, size: int = 1000, k: int = 32) -> dict[str, Any]:
    """Centred dense rows, batch by batch, beside scikit-learn."""
    if importlib.util.find_spec("sklearn") is None:
        return {"skipped": "scikit-learn is not installed"}
    from sklearn.decomposition import IncrementalPCA

    rng = np.random.default_rng(2)
    X = (
        rng.standard_normal((rows, columns)) @ (0.98 ** np.arange(columns) * rng.standard_normal((columns, columns)))
        + 1
    )
    state, peer = svdkit.IncrementalSVD(k, center=True), IncrementalPCA(k)
    out = {}
    for name, take in (("svdkit", state.append_rows), ("sklearn", peer.partial_fit)):
        began = time.perf_counter()
        for first in range(0, rows, size):
            take(X[first : first + size])
        out[name] = time.perf_counter() - began
    return out | {"difference": float(np.abs(state.s / peer.singular_values_ - 1).max()), "shape": [rows, columns]}


def kept(name: str, count: int, size: int = 1000, k: int = 32) -> dict[str, Any]:
    """A certified result after each of the last `count` batches of the matrix, beside ARPACK after a fifth of them."""
    A = sp.csr_array(load(name, "f64"))
    first = A.shape[0] - size * count
    state = svdkit.IncrementalSVD(k, keep=True)
    state.append_rows(A[:first])
    out: dict[str, Any] = {"case": name, "batches": count, "residual": 0.0, "arpack residual": 0.0}
    ours, arpack = [], []
    for end in range(first + size, A.shape[0] + 1, size):
        began = time.perf_counter()
        state.append_rows(A[end - size : end])
        result = state.result(1e-8)
        ours.append(time.perf_counter() - began)
        out["residual"] = max(out["residual"], float(result.report.residuals.max() / result.s[0]))
        if len(ours) % 5:
            continue
        began = time.perf_counter()
        U, s, Vh = scipy.sparse.linalg.svds(A[:end], k, solver="arpack", tol=1e-8, rng=0)
        arpack.append(time.perf_counter() - began)
        residual = np.linalg.norm(A[:end].T @ U - Vh.T * s, axis=0).max() / s.max()
        out["arpack residual"] = max(out["arpack residual"], float(residual))
    return out | {"svdkit": float(np.mean(ours)), "arpack": float(np.mean(arpack))}


def flat(k: int = 32, size: int = 20, count: int = 300) -> dict[str, list[float]]:
    """Milliseconds of a batch as the matrix grows: means of `count` batches, between steps of 18000 rows."""
    A = power_law(160_000, 2_000_000)
    n = 80_000
    out: dict[str, list[float]] = {"rows": [], "milliseconds": [], "median": [], "materialisations": []}
    state = svdkit.IncrementalSVD(k)
    state.append_rows(A[:10_000, :n])
    while state.shape[0] < 140_000:
        parts = [A[first : first + size, :n] for first in range(state.shape[0], state.shape[0] + count * size, size)]
        before, times = state.report.materialisations, []
        for part in parts:
            began = time.perf_counter()
            state.append_rows(part)
            times.append(1e3 * (time.perf_counter() - began))
        out["rows"].append(float(state.shape[0]))
        out["milliseconds"].append(float(np.mean(times)))
        out["median"].append(float(np.median(times)))
        out["materialisations"].append(float(state.report.materialisations - before))
        here = state.shape[0]
        state.append_rows(A[here : here + 18_000, :n])
    return out


def run(
    parts: str,
    cases: str,
    ks: str,
    batches: str,
    others: str,
    data: Path | None,
    plot: Path | None,
    threads: int,
    out: Path | None,
) -> None:
    """Measure what was asked for, print, plot."""
    svdkit.set_num_threads(threads)
    wanted, results = parts.split(","), {}
    if "updates" in wanted:
        names = ["svdkit", READ, *(name for name in peers() if name in others.split(","))]
        counts = [int(c) for c in batches.split(",")]
        rows = list(updates(cases.split(","), [int(k) for k in ks.split(",")], counts, names))
        results["updates"] = rows
        factors = [f"x {n}{', read' if r else ''}" for r in (False, True) for n in names[2:]]
        header = ["case, k, batches", *(f"{n} ms a batch" for n in names), *factors]
        print(table([*header, *(f"sv err {n}" for n in names)], [_line(row, names) for row in rows]))
    if "pca" in wanted:
        results["pca"] = found = principal_components()
        print(f"principal components: {found}, {ratio(found.get('sklearn', 0) / found.get('svdkit', 1))} x")
    if "kept" in wanted:
        results["kept"] = []
        for name, count in (("sparse-ones", 25), ("sparse-tfidf", 5)):
            found = kept(name, count)
            results["kept"].append(found)
            print(f"certified after every batch: {found}, {ratio(found['arpack'] / found['svdkit'])} x")
    if "flat" in wanted:
        results["flat"] = found = flat()
        for height, mean, median, times in zip(*found.values(), strict=True):
            print(f"{height:.0f} rows: {mean:.3g} ms a batch, median {median:.3g}, {times:.0f} materialisations in 300")
    if data is not None and "streams" in wanted:
        results["streams"] = incremental_streams.run(data)
    if plot is not None:
        incremental_streams.draw(results, plot)
    if out is not None:
        out.write_text(json.dumps(results, indent=1))


def _line(row: dict[str, Any], names: list[str]) -> list[str]:
    seconds = [row[name]["seconds"] for name in names]
    return [
        f"{row['case']}, {row['k']}, {row['batches']}",
        *(f"{1e3 * value / row['measured']:.3g}" for value in seconds),
        *(ratio(value / ours) for ours in seconds[:2] for value in seconds[2:]),
        *(error(row[name]["sv_err"]) for name in names),
    ]
