"""Error against time of randomized methods, as their effort grows: Frobenius error beyond the optimum."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from . import matrices
from .accuracy import errors
from .environment import optional
from .measure import timed
from .tables import error, seconds, table

Solver = Callable[[Any, int, int], Any]  # (A, k, effort) -> (U, s, Vh)


def solvers(A: Any, k: int) -> dict[str, tuple[Solver, tuple[int, ...]]]:
    """Every method and the efforts it is run with."""
    import svdkit
    from sklearn.utils.extmath import randomized_svd

    found: dict[str, tuple[Solver, tuple[int, ...]]] = {
        "svdkit.rsvd (passes)": (lambda A, k, e: svdkit.rsvd(A, k, passes=e), (2, 3, 4, 5, 6, 8)),
        "svdkit.tsvd (-log10 tol)": (lambda A, k, e: svdkit.tsvd(A, k, tol=10.0**-e), (2, 3, 5)),
        "sklearn (n_iter)": (lambda A, k, e: randomized_svd(A, k, n_iter=e, random_state=0), (1, 2, 4, 7)),
    }
    if (torch := optional("torch")) is not None and isinstance(A, np.ndarray):
        tensor = torch.from_numpy(A)

        def low_rank(A: Any, k: int, effort: int) -> Any:
            U, s, V = torch.svd_lowrank(tensor, q=k, niter=effort)
            return U.numpy(), s.numpy(), V.numpy().T

        found["torch.svd_lowrank (niter)"] = (low_rank, (1, 2, 4, 6))
    return found


def run(cases: str, threads: int, plot: Path | None, out: Path | None) -> None:
    """Measure every case (matrix-dtype-k), print tables, draw the curves."""
    import svdkit

    svdkit.set_num_threads(threads)
    points: dict[str, dict[str, list[tuple[int, float, float]]]] = {}
    for case in cases.split(","):
        matrix, dtype, number = case.rsplit("-", 2)
        k = int(number[1:])
        A, truth = matrices.load(matrix, dtype), matrices.truth(matrix, dtype, k)
        points[case] = {}
        for name, (solve, efforts) in solvers(A, k).items():
            curve = []
            for effort in efforts:
                runs = [timed(partial(solve, A, k, effort)) for _ in range(3)]
                excess = errors(A, *runs[0][1], truth).frob_plus
                curve.append((effort, sorted(time for time, _ in runs)[1], float(excess)))
            points[case][name] = curve
        rows = [
            [name, str(effort), seconds(time), error(excess)]
            for name, curve in points[case].items()
            for effort, time, excess in curve
        ]
        print(f"\n{case}\n{table(['method', 'effort', 'seconds', 'frob+'], rows)}", flush=True)
    if plot:
        _draw(points, plot)
    if out:
        out.write_text(json.dumps(points, indent=1))


def _draw(points: dict[str, dict[str, list[tuple[int, float, float]]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(points), figsize=(5 * len(points), 4), squeeze=False)
    for ax, (case, curves) in zip(axes[0], points.items(), strict=True):
        for name, curve in curves.items():
            ax.loglog([p[1] for p in curve], [max(p[2], 1e-9) for p in curve], "o-", markersize=4, label=name)
        ax.set(title=case, xlabel="seconds", ylabel="Frobenius error beyond the optimum")
        ax.grid(alpha=0.3)
    axes[0][0].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
