"""``python -m bench overhead``: what one call costs on a small matrix, and on a stack of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg

from .environment import describe, machine, optional
from .roofline import median
from .tables import ratio, table

SIZE, STACK, K = 64, 1_000, 8
Calls = dict[str, Callable[[Any], Any]]


def calls() -> tuple[Calls, Calls]:
    """What is called on one matrix, and on a stack."""
    one: Calls = {"numpy full": lambda A: np.linalg.svd(A, full_matrices=False), "scipy full": _scipy}
    many: Calls = {
        "numpy full": one["numpy full"],
        "numpy values only": lambda A: np.linalg.svd(A, compute_uv=False),
        "scipy full, in a loop": lambda stack: [_scipy(A) for A in stack],
    }
    if torch := optional("torch"):
        many["torch full"] = lambda A: torch.linalg.svd(torch.from_numpy(A), full_matrices=False)
    if svdkit := optional("svdkit"):
        for k in (SIZE, K):
            one[f"svdkit k={k}"] = many[f"svdkit k={k}"] = partial(svdkit.tsvd, k=k)
    return one, many


def run(threads: int, out: Path | None) -> None:
    """Print one table for each shape and precision: median time, and ratio to NumPy."""
    record: dict[str, Any] = {"machine": machine(), "threads": threads, "results": []}
    print(describe(record["machine"], threads))
    one, many = calls()
    for dtype in ("float64", "float32"):
        stack = np.random.default_rng(0).standard_normal((STACK, SIZE, SIZE)).astype(dtype)
        for about, A, chosen in (("one", stack[0], one), (f"{STACK} stacked", stack, many)):
            times = {name: median(partial(call, A)) for name, call in chosen.items()}
            reference = times["numpy full"]
            print(f"\n{about}, {SIZE} x {SIZE}, {dtype}")
            rows = ((name, f"{1e6 * taken:.0f}", ratio(taken / reference)) for name, taken in times.items())
            print(table(("call", "microseconds", "x numpy"), rows), flush=True)
            record["results"].append({"what": about, "dtype": dtype, "seconds": times})
    if out:
        out.write_text(json.dumps(record, indent=1) + "\n")


def _scipy(A: Any) -> Any:
    return scipy.linalg.svd(A, full_matrices=False, check_finite=False)
