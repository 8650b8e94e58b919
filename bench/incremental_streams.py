"""Real streams: purchases replayed by time, and a dependency graph grown node by node; accuracy against refitting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import svdkit

K = 16
POINTS = 12  # where the stream is compared with a decomposition of the matrix itself


def purchases(path: Path, size: int = 2000) -> dict[str, Any]:
    """Users x products; entries count purchases, and grow as events come in."""
    with np.load(path) as file:
        user, item = file["user"].astype(np.int64), file["item"].astype(np.int64)
    first = user.size // 4
    A = _counts(user[:first], item[:first])
    states = [svdkit.IncrementalSVD(k).fit(A) for k in (K, K, 2 * K)]
    history = _History()
    steps = range(first, user.size, size)
    compared = set(np.linspace(0, len(steps) - 1, POINTS).astype(int))
    for number, begin in enumerate(steps):
        u, i = user[begin : begin + size], item[begin : begin + size]
        for each in states:
            m, n = each.shape
            each.append_rows(sp.csr_array((max(u.max() + 1 - m, 0), n)))
            each.append_cols(sp.csc_array((each.shape[0], max(i.max() + 1 - n, 0))))
            each.set_entries(u, i, np.ones(u.size))
        if number in compared:
            A = _counts(user[: begin + size], item[: begin + size])
            history.compare(begin + size, states, A)
    return history.points


def graph(path: Path, size: int = 250) -> dict[str, Any]:
    """Nodes with all edges between them and those before."""
    with np.load(path) as file:
        whole = sp.csr_array((file["data"].astype(float), file["indices"], file["indptr"]), shape=tuple(file["shape"]))
    name = np.random.default_rng(0).permutation(whole.shape[0])
    A = whole[name][:, name]
    first = A.shape[0] // 2
    start = A[:first, :first]
    states = [svdkit.IncrementalSVD(k).fit(start) for k in (K, K, 2 * K)]
    history = _History()
    steps = range(first, A.shape[0], size)
    compared = set(np.linspace(0, len(steps) - 1, POINTS).astype(int))
    for number, begin in enumerate(steps):
        end = min(begin + size, A.shape[0])
        for each in states:
            each.append_rows(A[begin:end, :begin])
            each.append_cols(A[:end, begin:end])
        if number in compared:
            history.compare(end, states, A[:end, :end])
    return history.points


class _History:
    """Errors of the values, and the energy that is captured beside the optimum's, at some points."""

    def __init__(self) -> None:
        names = ("at", "updated", "refitted", "wider", "captured", "explained")
        self.points: dict[str, Any] = {name: [] for name in names}

    def compare(self, at: int, states: list[Any], A: sp.csr_array) -> None:
        """Of a state that is left alone, one that is refitted now, and one with twice as many triplets."""
        true = svdkit.tsvd(A, K)
        state, refitted, _ = states
        V = state.result().Vh.T
        self.points["at"].append(at)
        for name, each in zip(("updated", "refitted", "wider"), states, strict=True):
            self.points[name].append(float(np.abs(each.s[:K] / true.s - 1).max()))
        self.points["captured"].append(float(np.linalg.norm(A @ V) ** 2 / np.sum(true.s**2)))
        self.points["explained"].append(state.explained_energy)
        refitted.refit(A)


def _counts(user: np.ndarray, item: np.ndarray) -> sp.csr_array:
    return sp.csr_array((np.ones(user.size), (user, item)), shape=(int(user.max()) + 1, int(item.max()) + 1))


def run(data: Path) -> dict[str, Any]:
    """Both streams; prints the errors."""
    results = {"purchases": purchases(data / "retail_events.npz"), "graph": graph(data / "debian_depends.npz")}
    for name, points in results.items():
        print(f"{name}: largest relative error of {K} values, alone, refitted at the points before, of {2 * K}")
        curves = (points[key] for key in ("at", "updated", "refitted", "wider", "captured"))
        for at, a, b, c, energy in zip(*curves, strict=True):
            print(f"  {at:>7}: {a:.1e}  {b:.1e}  {c:.1e}  captured {energy:.4f} of the optimum's energy")
    return results


def draw(results: dict[str, Any], path: Path) -> None:
    """Accuracy of the streams, and the cost of a batch as the matrix grows."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = [*results.get("streams", {}).items(), *(("flat", results["flat"]) for _ in range("flat" in results))]
    figure, axes = plt.subplots(1, max(len(panels), 1), figsize=(5 * max(len(panels), 1), 4), squeeze=False)
    for ax, (name, points) in zip(axes[0], panels, strict=True):
        if name == "flat":
            ax.plot(points["rows"], points["milliseconds"], "o-", label="mean of 300")
            ax.plot(points["rows"], points["median"], "s--", label="median")
            ax.legend(frameon=False)
            ax.set(xlabel="rows", ylabel="ms a batch of 20 rows", title="cost of a batch", ylim=(0, None))
            continue
        ax.semilogy(points["at"], points["updated"], "o-", label="never refitted")
        ax.semilogy(points["at"], points["refitted"], "s-", label="refitted at every point")
        ax.semilogy(points["at"], points["wider"], "v-", label=f"never refitted, {2 * K} triplets kept")
        ax.semilogy(points["at"], 1 - np.array(points["captured"]), "^--", label="energy missed by the subspace")
        unit = "events" if name == "purchases" else "nodes"
        ax.set(xlabel=unit, ylabel=f"largest relative error of {K} values", title=name)
        ax.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.15))
    figure.tight_layout()
    figure.savefig(path, dpi=120)
