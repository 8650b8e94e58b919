"""Error against time of randomized methods, as their effort grows: Frobenius error beyond the optimum."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import matrices
from .accuracy import errors
from .environment import optional
from .measure import PeakMemory, timed
from .tables import error, ratio, seconds, table

Solver = Callable[[Any, int, int], Any]  # (A, k, effort) -> (U, s, Vh)
TARGETS = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4)  # errors at which methods are compared
OURS = "svdkit.rsvd"  # what the ratios are of, all its rows


class Point(NamedTuple):
    """One effort of one method."""

    effort: int
    seconds: float
    error: float
    megabytes: float


Curve = list[Point]


def solvers(A: Any, k: int) -> dict[str, tuple[Solver, tuple[int, ...]]]:
    """Every method and the efforts it is run with."""
    import svdkit
    from sklearn.utils.extmath import randomized_svd

    found: dict[str, tuple[Solver, tuple[int, ...]]] = {
        f"{OURS} (passes)": (lambda A, k, e: svdkit.rsvd(A, k, passes=e), (2, 3, 4, 5, 6, 8)),
        f"{OURS} (passes, blocks of 16)": (
            lambda A, k, e: svdkit.rsvd(A, k, passes=e, block_size=16),
            _narrow_efforts(k),
        ),
        f"{OURS} (auto)": (lambda A, k, e: svdkit.rsvd(A, k), (0,)),
        "svdkit.tsvd (-log10 tol)": (lambda A, k, e: svdkit.tsvd(A, k, tol=10.0**-e), (2, 3, 5)),
        "sklearn (n_iter)": (lambda A, k, e: randomized_svd(A, k, n_iter=e, random_state=0), (0, 1, 2, 4, 7)),
    }
    if (torch := optional("torch")) is not None:
        tensor = _tensor(torch, A)

        def low_rank(A: Any, k: int, effort: int) -> Any:
            torch.manual_seed(0)
            U, s, V = torch.svd_lowrank(tensor, q=k, niter=effort)
            return U.numpy(), s.numpy(), V.numpy().T

        found["torch.svd_lowrank (niter)"] = (low_rank, (0, 1, 2, 4, 6, 10))
    return found


def _narrow_efforts(k: int) -> tuple[int, ...]:
    """Reads of blocks of 16 columns: k + 16 columns in all, and up to about 3 k."""
    least = -(-k // 16) + 1
    return tuple(range(least, 3 * least - 1, max(1, least // 4)))


def _tensor(torch: Any, A: Any) -> Any:
    if isinstance(A, np.ndarray):
        return torch.from_numpy(A)
    entries = A.tocoo()  # the layout with which torch is fastest here
    places = np.vstack(entries.coords).astype(np.int64)
    return torch.sparse_coo_tensor(torch.from_numpy(places), torch.from_numpy(entries.data), A.shape).coalesce()


def time_to(curve: Sequence[Point], target: float) -> float | None:
    """Seconds to reach an error: between the efforts that beat all cheaper ones, straight on the logarithmic plot."""
    front: list[Point] = []
    for point in sorted(curve, key=lambda p: p.seconds):
        if not front or point.error < front[-1].error:
            front.append(point)
    for i, point in enumerate(front):
        if point.error <= target:
            if i == 0:
                return point.seconds
            before, floor = front[i - 1], 1e-16
            share = np.log(before.error / target) / np.log(before.error / max(point.error, floor))
            return float(before.seconds * (point.seconds / before.seconds) ** share)
    return None


def run(cases: str, threads: int, plot: Path | None, out: Path | None) -> None:
    """Measure every case (matrix-dtype-k), print tables, draw the curves."""
    import svdkit

    svdkit.set_num_threads(threads)
    curves: dict[str, dict[str, Curve]] = {}
    for case in cases.split(","):
        curves[case] = _measure(case)
        rows = [
            [name, str(p.effort), seconds(p.seconds), error(p.error), f"{p.megabytes:.0f}"]
            for name, curve in curves[case].items()
            for p in curve
        ]
        print(f"\n{case}\n{table(['method', 'effort', 'seconds', 'frob+', '+MB'], rows)}", flush=True)
        header = ["milliseconds to", *(f"{target:.0e}" for target in TARGETS)]
        print(f"\n{table(header, _at_equal_error(curves[case]))}", flush=True)
    if plot:
        _draw(curves, plot)
    if out:
        out.write_text(json.dumps(curves, indent=1))


def _measure(case: str) -> dict[str, Curve]:
    matrix, dtype, number = case.rsplit("-", 2)
    k = int(number[1:])
    A, truth = matrices.load(matrix, dtype), matrices.truth(matrix, dtype, k)
    found: dict[str, Curve] = {}
    for name, (solve, efforts) in solvers(A, k).items():
        found[name] = []
        solve(A, k, efforts[0])  # threads, imports
        for effort in efforts:
            memory = PeakMemory()
            runs = [timed(partial(solve, A, k, effort))]
            megabytes = memory.rise()
            runs += [timed(partial(solve, A, k, effort)) for _ in range(2 if runs[0][0] > 1 else 4)]
            median = sorted(time for time, _ in runs)[len(runs) // 2]
            found[name].append(Point(effort, median, float(errors(A, *runs[0][1], truth).frob_plus), megabytes))
    return found


def _at_equal_error(curves: dict[str, Curve]) -> list[list[str]]:
    """A row per method, and per peer how many times longer it takes than the best of ours."""
    times = {name: [time_to(curve, target) for target in TARGETS] for name, curve in curves.items()}
    ours = [min((t for t in at if t), default=None) for at in zip(*_of(times, OURS), strict=True)]
    rows = [[name, *(ratio(t and 1e3 * t) for t in row)] for name, row in times.items()]
    for name, row in times.items():
        if not name.startswith("svdkit"):
            rows.append([f"x {name}", *(ratio(t / us if t and us else None) for t, us in zip(row, ours, strict=True))])
    return rows


def _of(times: dict[str, list[float | None]], prefix: str) -> list[list[float | None]]:
    return [row for name, row in times.items() if name.startswith(prefix)]


def _draw(curves: dict[str, dict[str, Curve]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import NullFormatter

    figure, axes = pyplot.subplots(1, len(curves), figsize=(5 * len(curves), 4.6), squeeze=False, layout="constrained")
    for ax, (case, methods) in zip(axes[0], curves.items(), strict=True):
        for name, curve in methods.items():
            ax.loglog([p.seconds for p in curve], [max(p.error, 1e-9) for p in curve], "o-", markersize=4, label=name)
        ax.set(title=case, xlabel="seconds", ylabel="Frobenius error beyond the optimum")
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.grid(alpha=0.3)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    figure.savefig(path, dpi=110)
