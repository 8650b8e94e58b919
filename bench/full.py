"""``python -m bench full``: all singular triplets of dense matrices, beside NumPy and torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import svdkit
from numpy.typing import NDArray

from .environment import describe, machine, optional
from .measure import repeats, timed
from .tables import ratio, seconds, table

Array = NDArray[Any]
Triplets = tuple[Array, Array, Array]
CHECKED = 2_000_000  # entries of the largest matrix whose residuals are computed


def calls() -> dict[str, Callable[[Array], Triplets]]:
    """Thin SVDs by every library at hand, svdkit's first."""

    def own(A: Array) -> Triplets:
        r = svdkit.tsvd(A, min(A.shape), method="full")
        return r.U, r.s, r.Vh

    found: dict[str, Callable[[Array], Triplets]] = {
        "svdkit": own,
        "numpy": lambda A: np.linalg.svd(A, full_matrices=False),
    }
    if torch := optional("torch"):
        found["torch"] = lambda A: tuple(
            part.numpy() for part in torch.linalg.svd(torch.from_numpy(A), full_matrices=False)
        )
    return found


def residual(A: Array, U: Array, s: Array, Vh: Array) -> float:
    """Largest ``||A v - s u||`` over the largest value, in units of the precision."""
    error = A.astype(float) @ Vh.T.astype(float) - U.astype(float) * s.astype(float)
    return float(np.linalg.norm(error, axis=0).max() / s[0] / np.finfo(A.dtype).eps)


def run(shapes: list[str], dtypes: list[str], threads: int, out: Path | None) -> None:
    """Print a row for each shape and precision: median seconds, times over svdkit's, residuals."""
    svdkit.set_num_threads(threads)
    record: dict[str, Any] = {"machine": machine(), "threads": threads, "results": []}
    print(describe(record["machine"], threads))
    chosen = calls()
    header = ["matrix", "svdkit s", *(f"x {name}" for name in chosen if name != "svdkit")]
    header += [f"{name} resid/eps" for name in chosen]
    rows = []
    for dtype in dtypes:
        for shape in shapes:
            A = np.random.default_rng(0).standard_normal(tuple(map(int, shape.split("x")))).astype(dtype)
            taken, errors = {}, {}
            for name, call in chosen.items():
                first, triplets = timed(partial(call, A))
                taken[name] = float(np.median([timed(partial(call, A))[0] for _ in range(repeats(first))]))
                errors[name] = residual(A, *triplets) if A.size <= CHECKED else None
            row = [f"{shape} {dtype}", seconds(taken["svdkit"])]
            row += [ratio(time / taken["svdkit"]) for name, time in taken.items() if name != "svdkit"]
            rows.append(row + [ratio(error) for error in errors.values()])
            record["results"].append({"shape": shape, "dtype": dtype, "seconds": taken, "residuals": errors})
    print(table(header, rows))
    if out:
        out.write_text(json.dumps(record, indent=1) + "\n")
