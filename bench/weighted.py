"""Weighted SVD: compression of layers against the reference recipe in time, and against every named method in loss."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import svdkit
from numpy.typing import NDArray

from tests.recipes import RECIPES, quadratic

from .environment import optional
from .tables import error, ratio, table

Array = NDArray[Any]
SHARES = (0.2, 0.6)


def layer(m: int, n: int) -> tuple[Array, Array]:
    """A weight of slow decay (float32), and the moment of its inputs: power-law directions, eight outlying channels."""
    rng = np.random.default_rng(0)
    W = rng.standard_normal((m, n), dtype=np.float32)
    scales = np.arange(1, 65, dtype=np.float32) ** -0.7
    W += 0.5 * (rng.standard_normal((m, 64), dtype=np.float32) * scales) @ rng.standard_normal((64, n), np.float32)
    W /= np.float32(np.sqrt(n))
    X = rng.standard_normal((n, 256), dtype=np.float32) * np.arange(1, 257, dtype=np.float32) ** -0.5
    moment = X @ X.T
    moment[np.diag_indices(n)] += 0.3
    size = np.exp(0.4 * rng.standard_normal(n)).astype(np.float32)
    size[:8] *= 20
    moment *= size[:, None]
    moment *= size
    return W, (moment + moment.T) / 2


def reference(W: Array, moment: Array) -> tuple[Array, Array, Array]:
    """SVD-LLM's published steps: double-precision Cholesky, explicit inverse, full SVD in single precision.

    In torch where it is installed, else in NumPy. The same for every rank.
    """
    torch = optional("torch")
    if torch is None:
        L = np.linalg.cholesky(moment.astype(np.float64))
        inverse = np.linalg.inv(L).astype(np.float32)
        U, s, Vh = np.linalg.svd(W @ L.astype(np.float32), full_matrices=False)
        return U, s, Vh @ inverse
    w, c = torch.from_numpy(W), torch.from_numpy(moment)
    L = torch.linalg.cholesky(c.double())
    inverse = torch.linalg.inv(L).float()
    U, s, Vh = torch.linalg.svd(w @ L.float(), full_matrices=False)
    return U.numpy(), s.numpy(), (Vh @ inverse).numpy()


def loss(W: Array, B: Array, moment: Array) -> float:
    """``||(W - B) X||``, from products in single precision summed in double."""
    E = W - B
    return float(np.sqrt(np.sum((E @ moment) * E, dtype=np.float64)))


def compression(shape: tuple[int, int], ranks: list[int], repeats: int) -> dict[str, Any]:
    """Seconds of the recipe and of one call at every rank, and both losses."""
    W, moment = layer(*shape)
    begin = time.perf_counter()
    U, s, Vh = reference(W, moment)
    results: dict[str, Any] = {"shape": list(shape), "reference": time.perf_counter() - begin, "ranks": {}}
    for k in ranks:
        seconds = []
        for _ in range(repeats):
            begin = time.perf_counter()
            result = svdkit.weighted_svd(W, k, cols=moment)
            seconds.append(time.perf_counter() - begin)
        results["ranks"][k] = {
            "seconds": float(np.median(seconds)),
            "method": result.report.method,
            "residual": float(result.report.residuals.max() / result.s[0]),
            "loss": loss(W, result.reconstruct(), moment),
            "reference loss": loss(W, (U[:, :k] * s[:k]) @ Vh[:k], moment),
        }
    return results


def show_compression(results: dict[str, Any]) -> None:
    """A table of one shape."""
    m, n = results["shape"]
    print(f"{m} x {n} float32, moment {n} x {n}; reference recipe: {results['reference']:.3g} s\n")
    rows = []
    for k, found in results["ranks"].items():
        excess = found["loss"] / found["reference loss"] - 1
        row = [f"k = {k} ({100 * k / min(m, n):.3g}%)", f"{found['seconds']:.3g}"]
        row += [ratio(results["reference"] / found["seconds"]), found["method"], error(found["residual"])]
        rows.append([*row, f"{excess:+.0e}"])
    print(table(["rank", "seconds", "x faster", "method", "resid", "loss / reference - 1"], rows))


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
    """Relative ``||(W - Z) X||`` of every method and of the optimum, and of each method at its own goal."""
    results: dict[str, Any] = {}
    for name, parts in layers(data).items():
        W, moment, *_ = parts
        k = max(1, round(share * min(W.shape)))
        goal = quadratic(W, np.eye(len(W)), moment)
        whole = goal(np.zeros_like(W))
        best = svdkit.weighted_svd(W, k, cols=moment)
        losses = {"weighted_svd": float(np.sqrt(goal(best.reconstruct()) / whole))}
        for method, recipe in RECIPES.items():
            losses[method] = float(np.sqrt(goal(recipe(*parts, k)[0]) / whole))
        results[f"{name} k={k}"] = losses
    return results


def show_methods(results: dict[str, Any]) -> None:
    """One row a method, one column a layer."""
    print("relative error of the layer's outputs, ||(W - Z) X|| / ||W X||:\n")
    names = list(next(iter(results.values())))
    rows = [[name, *(f"{losses[name]:.6f}" for losses in results.values())] for name in names]
    print(table(["method", *results], rows))
    worst = max(
        losses["weighted_svd"] / min(value for name, value in losses.items() if name != "weighted_svd")
        for losses in results.values()
    )
    print(f"\noptimum over the best of the methods: at most {worst:.12f}")


def run(shapes: str, ranks: str, repeats: int, data: Path | None, threads: int, out: Path | None) -> None:
    """Measure, print, and write JSON."""
    svdkit.set_num_threads(threads)
    found: dict[str, Any] = {"compression": [], "methods": {}}
    if data is not None:
        for share in (0.05, *SHARES):
            found["methods"][share] = methods(data, share)
            show_methods(found["methods"][share])
            print()
    for shape in filter(None, shapes.split(",")):
        m, n = map(int, shape.split("x"))
        wanted = [round(float(k) * min(m, n)) if "." in k else int(k) for k in ranks.split(",")]
        found["compression"].append(compression((m, n), wanted, repeats))
        show_compression(found["compression"][-1])
        print()
    if out:
        out.write_text(json.dumps(found, indent=1))
