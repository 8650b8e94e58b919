"""Sums of Kronecker products: time and error beside reshape, copy and SVD; products beside dense ones; real data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import svdkit
from numpy.typing import NDArray

from .environment import optional
from .measure import timed
from .tables import error, seconds, table

Matrix = NDArray[Any]
Shapes = tuple[tuple[int, int], tuple[int, int]]
CASES: tuple[Shapes, ...] = (((64, 64), (64, 64)), ((128, 32), (64, 64)))
TERMS = (1, 8, 64)


def rearranged(A: Matrix, left: tuple[int, int], right: tuple[int, int]) -> Matrix:
    """What a user writes: reshape and copy."""
    (m1, n1), (m2, n2) = left, right
    return A.reshape(m1, m2, n1, n2).transpose(0, 2, 1, 3).reshape(m1 * n1, m2 * n2)


def matrix(left: tuple[int, int], right: tuple[int, int]) -> tuple[Matrix, Matrix]:
    """A single-precision matrix whose rearrangement has the values i^-1/2, and these values."""
    rng = np.random.default_rng(0)
    rows, cols = left[0] * left[1], right[0] * right[1]
    s = 1 / np.sqrt(np.arange(1, min(rows, cols) + 1))
    U, V = (np.linalg.qr(rng.standard_normal((n, s.size), dtype=np.float32))[0] for n in (rows, cols))
    R = (U * s.astype(np.float32)) @ V.T
    shape = left[0] * right[0], left[1] * right[1]
    return R.reshape(left + right).transpose(0, 2, 1, 3).reshape(shape), s


def median(run: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Seconds and the last answer."""
    runs = [timed(run) for _ in range(repeats)]
    return sorted(time for time, _ in runs)[repeats // 2], runs[-1][1]


def decompositions(full: bool) -> list[dict[str, Any]]:
    """kron_svd, to full precision and to a looser one, beside its peers; errors against the known values."""
    randomized = getattr(optional("sklearn.utils.extmath"), "randomized_svd", None)
    found: list[dict[str, Any]] = []
    for left, right in CASES:
        A, truth = matrix(left, right)
        size = f"{A.shape[0]} x {A.shape[1]} = {left} kron {right}"
        exact = timed(lambda A=A, shapes=(left, right): np.linalg.svd(rearranged(A, *shapes)))[0] if full else None
        for k in TERMS:
            peers: dict[str, tuple[Callable[[], Any], int]] = {
                "svdkit": (lambda k=k, A=A, s=(left, right): svdkit.kron_svd(A, *s, k).s, 3),
                "svdkit tol=1e-3": (lambda k=k, A=A, s=(left, right): svdkit.kron_svd(A, *s, k, tol=1e-3).s, 3),
            }
            if randomized is not None:
                for name, effort in (("sklearn", "auto"), ("sklearn n_iter=7", 7)):
                    peers[name] = (
                        lambda k=k, A=A, s=(left, right), n=effort: randomized(
                            rearranged(A, *s), k, n_iter=n, random_state=0
                        )[1],
                        3,
                    )
            rows = {}
            for name, (run, repeats) in peers.items():
                run()
                time, s = median(run, repeats)
                rows[name] = (time, float(np.max(np.abs(s - truth[:k]) / truth[:k])))
            if exact is not None:
                rows["numpy (all values)"] = (exact, float("nan"))
            own = rows["svdkit"][0]
            lines = [[name, seconds(t), f"{t / own:.2f}", error(e)] for name, (t, e) in rows.items()]
            print(f"\n{size}, k = {k}\n{table(['method', 'seconds', 'x svdkit', 'sv err'], lines)}", flush=True)
            found.append({"size": size, "k": k, "rows": rows})
    return found


def products() -> list[dict[str, Any]]:
    """``K @ X`` beside the dense product, from one term to beyond the predicted break-even m2 n1 / (n1 + m2)."""
    rng = np.random.default_rng(1)
    A = rng.standard_normal((4096, 4096), dtype=np.float32)
    found: list[dict[str, Any]] = []
    lines = []
    for b in (1, 16, 256):
        X = rng.standard_normal((4096, b), dtype=np.float32)
        dense = median(lambda X=X: A @ X, 5)[0]
        for k in (1, 8, 16, 32, 64):
            stacks = (rng.standard_normal((k, 64, 64), dtype=np.float32) for _ in range(2))
            K = svdkit.operators.KroneckerSum(next(stacks), None, next(stacks))
            K.matmat(X)
            own = median(lambda K=K, X=X: K.matmat(X), 5)[0]
            lines.append([str(b), str(k), seconds(dense), seconds(own), f"{dense / own:.2f}", f"{32 / k:.2f}"])
            found.append({"b": b, "k": k, "dense": dense, "kron": own})
    head = ["vectors", "terms", "dense", "kron", "faster", "by flops"]
    print(f"\n4096 x 4096 products, (64, 64) kron (64, 64)\n{table(head, lines)}", flush=True)
    return found


def weights(data: Path, plot: Path | None) -> dict[str, Any]:
    """Weight matrices at equal numbers of parameters: the best Kronecker shape and the ordinary SVD."""
    shares = (0.02, 0.05, 0.1, 0.2, 0.3)
    curves: dict[str, Any] = {}
    lines = []
    with np.load(data / "minilm_layer1_weights.npz") as file:
        for name in file.files:
            W = file[name]
            norm = float(np.linalg.norm(W))
            curve: dict[str, list[float]] = {"best": [], "balanced": [], "low rank": []}
            square = svdkit.kron_svd(W, k=min(W.shape))
            tails = np.sqrt(np.maximum(norm**2 - np.cumsum(square.s.astype(float) ** 2), 0)) / norm
            term = square.parameters // square.rank
            for share in shares:
                K = svdkit.kron_svd(W, "auto", budget=share)
                kron = min(row.error for row in K.candidates if not row.is_low_rank)
                plain = min((row.error for row in K.candidates if row.is_low_rank), default=1.0)
                best = next(row for row in K.candidates if not row.is_low_rank and row.error == kron)
                curve["best"].append(kron)
                curve["low rank"].append(plain)
                terms = max(1, min(int(share * W.size) // term, square.rank))
                curve["balanced"].append(float(tails[terms - 1]))
                shape = f"{best.left} x {best.right}"
                numbers = [f"{curve['balanced'][-1]:.4f}", f"{kron:.4f}", shape, f"{plain:.4f}"]
                lines.append([name, f"{share:.0%}", *numbers, K.candidates.verdict])
            curves[name] = curve | {"shares": list(shares), "norm": norm}
    head = ["matrix", "parameters", "balanced kron", "best kron", "shapes", "low rank", "verdict"]
    print(f"\nweights, relative errors at equal parameters\n{table(head, lines)}", flush=True)
    if plot:
        _draw(curves, plot)
    return curves


def covariance(data: Path) -> dict[str, float]:
    """Separable covariance of temperature: stations x hours of the day, days as samples."""
    with np.load(data / "weather_hourly.npz") as file:
        X, station, time = file["X"][:, 0], file["station"], file["time"]
    hours = (time - time.min()) // 3600
    cube = np.full((3, int(hours.max()) // 24 + 1, 24), np.nan)
    cube[station, hours // 24, hours % 24] = X
    days = cube.transpose(1, 0, 2)
    samples = days[np.isfinite(days).all(axis=(1, 2))]
    samples = samples - samples.mean(axis=0)
    gram = svdkit.operators.GramOfSamples(samples)
    K = svdkit.kron_svd(gram, (3, 3), (24, 24), 4)
    total = float(np.linalg.norm(gram.to_dense()))
    errors = {f"{k} terms": float(K.truncate(k).error or 0) / total for k in (1, 2, 4)}
    low = svdkit.tsvd(gram, 4)
    parameters = 3 * 3 + 24 * 24
    errors["rank 4, as many parameters as one term"] = float(np.sqrt(1 - np.sum(low.s**2) / total**2))
    definite = min(float(np.linalg.eigvalsh(f).min()) for f in (K.left[0], K.right[0]))
    print(f"\ntemperature, {len(samples)} days of 3 stations x 24 hours, covariance 72 x 72 ({parameters} a term)")
    for name, value in errors.items():
        print(f"  {name:<40} relative error {value:.4f}")
    print(f"  smallest eigenvalue of the leading factors {definite:.1e} (positive: a covariance)")
    return errors


def run(data: Path | None, plot: Path | None, parts: list[str], threads: int, out: Path | None) -> None:
    """The parts asked for; the real data where they are given."""
    svdkit.set_num_threads(threads)
    found: dict[str, Any] = {}
    if "decompositions" in parts:
        found["decompositions"] = decompositions("numpy" in parts)
    if "products" in parts:
        found["products"] = products()
    if data is not None and "weights" in parts:
        found["weights"] = weights(data, plot)
    if data is not None and "covariance" in parts:
        found["covariance"] = covariance(data)
    if out:
        out.write_text(json.dumps(found, indent=1))


def _draw(curves: dict[str, Any], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, (len(curves) + 1) // 2, figsize=(3.2 * ((len(curves) + 1) // 2), 6), sharey=True)
    for ax, (name, curve) in zip(axes.flat, curves.items(), strict=False):
        shares = [100 * share for share in curve["shares"]]
        ax.plot(shares, curve["low rank"], "s-", markersize=4, label="low rank (SVD)")
        ax.plot(shares, curve["best"], "o-", markersize=4, label="best other Kronecker shape")
        ax.plot(shares, curve["balanced"], "^-", markersize=4, label="balanced Kronecker shape")
        ax.set(title=name, xlabel="parameters, % of the matrix")
        ax.grid(alpha=0.3)
    for ax in axes[:, 0]:
        ax.set_ylabel("relative error")
    for ax in list(axes.flat)[len(curves) :]:
        ax.axis("off")
    axes[0][0].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
