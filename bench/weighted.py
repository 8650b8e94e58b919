"""Weighted SVD: layers beside the published recipe in time and beside every named method in loss; unequal noise."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import svdkit
from numpy.typing import NDArray

from tests.recipes import RECIPES, as_metrics, quadratic

from .environment import optional
from .measure import timed
from .tables import error, ratio, table
from .weighted_noise import noise

Array = NDArray[Any]
SHARES = (0.2, 0.6)
WARM = 256  # extent of the layer of the warm-up


def layer(m: int, n: int) -> tuple[Array, Array, Array]:
    """A weight of slow decay (float32), the moment of its inputs, and its factor: power-law directions, eight outlying
    channels. The moment is ``factor @ factor.T + diag(0.3 size^2)``, with size in the last column of factor.
    """
    rng = np.random.default_rng(0)
    W = rng.standard_normal((m, n), dtype=np.float32)
    scales = np.arange(1, 65, dtype=np.float32) ** -0.7
    W += 0.5 * (rng.standard_normal((m, 64), dtype=np.float32) * scales) @ rng.standard_normal((64, n), np.float32)
    W /= np.float32(np.sqrt(n))
    X = rng.standard_normal((n, 256), dtype=np.float32) * np.arange(1, 257, dtype=np.float32) ** -0.5
    size = np.exp(0.4 * rng.standard_normal(n)).astype(np.float32)
    size[:8] *= 20
    X *= size[:, None]
    moment = X @ X.T
    moment[np.diag_indices(n)] += np.float32(0.3) * size**2
    return W, (moment + moment.T) / 2, np.column_stack([X, size])


def recipe() -> tuple[str, Callable[[Array, Array], tuple[Array, Array, Array]]]:
    """SVD-LLM's published steps: double-precision Cholesky, explicit inverse, full SVD in single precision.

    In torch where it is installed, else in NumPy; imported and run once on a small layer. The same for every rank.
    """
    torch = optional("torch")

    def in_numpy(W: Array, moment: Array) -> tuple[Array, Array, Array]:
        L = np.linalg.cholesky(moment.astype(np.float64))
        inverse = np.linalg.inv(L).astype(np.float32)
        U, s, Vh = np.linalg.svd(W @ L.astype(np.float32), full_matrices=False)
        return U, s, Vh @ inverse

    def in_torch(W: Array, moment: Array) -> tuple[Array, Array, Array]:
        assert torch is not None
        w, c = torch.from_numpy(W), torch.from_numpy(moment)
        L = torch.linalg.cholesky(c.double())
        inverse = torch.linalg.inv(L).float()
        U, s, Vh = torch.linalg.svd(w @ L.float(), full_matrices=False)
        return U.numpy(), s.numpy(), (Vh @ inverse).numpy()

    name, steps = ("NumPy", in_numpy) if torch is None else ("torch", in_torch)
    steps(*layer(WARM, WARM)[:2])
    return name, steps


def loss(W: Array, B: Array, factor: Array) -> float:
    """``||(W - B) X||`` by the factor of the moment, single precision summed in double."""
    E = W - B
    seen = np.sum((E @ factor[:, :-1]) ** 2, dtype=np.float64)
    return float(np.sqrt(seen + 0.3 * np.sum((E * factor[:, -1]) ** 2, dtype=np.float64)))


def median(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Median seconds of so many calls, and what the first returned."""
    runs = [timed(call) for _ in range(repeats)]
    return float(np.median([seconds for seconds, _ in runs])), runs[0][1]


def compression(shape: tuple[int, int], ranks: list[int], repeats: int) -> dict[str, Any]:
    """Seconds of the recipe and of one call at every rank, and both losses, printed as they come.

    Both run once on a small layer before, and then equally often.
    """
    m, n = shape
    W, moment, factor = layer(m, n)
    name, steps = recipe()
    small, its_moment, _ = layer(WARM, WARM)
    svdkit.weighted_svd(small, 8, cols=its_moment)
    whole, (U, s, Vh) = median(partial(steps, W, moment), repeats)
    print(f"{m} x {n} float32, moment {n} x {n}; reference recipe in {name}: {whole:.3g} s")
    print(f"(median of {repeats} each, after one run of both on a {WARM} x {WARM} layer)\n")
    print(table(["rank", "seconds", "x faster", "method", "resid", "loss / reference - 1"], []), flush=True)
    results: dict[str, Any] = {"shape": [m, n], "reference": whole, "repeats": repeats, "ranks": {}}
    for k in ranks:
        own, result = median(partial(svdkit.weighted_svd, W, k, cols=moment), repeats)
        found = {
            "seconds": own,
            "method": result.report.method,
            "residual": float(result.report.residuals.max() / result.s[0]),
            "loss": loss(W, result.reconstruct(), factor),
            "reference loss": loss(W, (U[:, :k] * s[:k]) @ Vh[:k], factor),
        }
        results["ranks"][k] = found
        row = [f"k = {k} ({100 * k / min(m, n):.3g}%)", f"{own:.3g}", ratio(whole / own)]
        row += [found["method"], error(found["residual"]), f"{found['loss'] / found['reference loss'] - 1:+.0e}"]
        print("| " + " | ".join(row) + " |", flush=True)
    return results


def full(packed: Array) -> Array:
    """A symmetric matrix from its upper triangle."""
    n = int((np.sqrt(8 * packed.size + 1) - 1) / 2)
    whole = np.zeros((n, n))
    whole[np.triu_indices(n)] = packed
    return np.triu(whole) + np.triu(whole, 1).T


def layers(data: Path) -> dict[str, tuple[Array, Array, Array, Array]]:
    """(weight, moment, fisher, outgrad) of the layers for which all four are at hand."""
    weights, moments, fisher = (
        np.load(data / f"minilm_layer1_{name}.npz") for name in ("weights", "input_moments", "fisher")
    )
    inputs = {"q": "attn_in", "o": "o_in", "down": "down_in"}
    return {
        name: (
            weights[name].astype(float),
            full(moments[f"{inputs[name]}_packed"]),
            fisher[f"sq_{name}"].astype(float),
            full(fisher[f"outgrad_{name}_out_packed"]),
        )
        for name in inputs
    }


def methods(data: Path, share: float) -> dict[str, Any]:
    """Relative ``||(W - Z) X||`` of every method and of the optimum, and ours over each method's at its own goal."""
    results: dict[str, Any] = {}
    for name, parts in layers(data).items():
        W, moment, *_ = parts
        k = max(1, round(share * min(W.shape)))
        goal = quadratic(W, np.eye(len(W)), moment)
        whole = goal(np.zeros_like(W))
        best = svdkit.weighted_svd(W, k, cols=moment)
        rows = {"weighted_svd": (float(np.sqrt(goal(best.reconstruct()) / whole)), 1.0)}
        for method, recipe_of in RECIPES.items():
            Z, own = recipe_of(*parts, k)
            ours = svdkit.weighted_svd(W, k, **as_metrics(method, *parts)).reconstruct()
            rows[method] = float(np.sqrt(goal(Z) / whole)), float(own(ours) / own(Z))
        results[f"{name} k={k}"] = rows
    return results


def show_methods(results: dict[str, Any]) -> None:
    """One row a method, one column a layer; then by how much one call passes each method at its own goal."""
    print(
        "relative error of the layer's outputs, ||(W - Z) X|| / ||W X||; own goal: ours over the method's, less one\n"
    )
    rows = []
    for method in next(iter(results.values())):
        found = [layer[method] for layer in results.values()]
        rows.append([method, *(f"{value:.6f}" for value, _ in found), f"{max(own for _, own in found) - 1:+.0e}"])
    print(table(["method", *results, "own goal"], rows))
    worst = max(
        layer["weighted_svd"][0] / min(value for method, (value, _) in layer.items() if method != "weighted_svd")
        for layer in results.values()
    )
    print(f"\noptimum over the best of the methods: at most 1 {worst - 1:+.0e}\n", flush=True)


def run(
    parts: list[str],
    shapes: str,
    ranks: str,
    repeats: int,
    data: Path | None,
    threads: int,
    out: Path | None,
) -> None:
    """Measure, print, and write JSON."""
    svdkit.set_num_threads(threads)
    found: dict[str, Any] = {"compression": [], "methods": {}}
    if "methods" in parts and data is not None:
        for share in (0.05, *SHARES):
            found["methods"][share] = methods(data, share)
            show_methods(found["methods"][share])
    if "noise" in parts:
        found["noise"] = noise()
    for shape in filter(None, shapes.split(",") if "compression" in parts else []):
        m, n = map(int, shape.split("x"))
        wanted = [round(float(k) * min(m, n)) if "." in k else int(k) for k in ranks.split(",")]
        found["compression"].append(compression((m, n), wanted, repeats))
        print()
    if out:
        out.write_text(json.dumps(found, indent=1))
