"""What the command line prints."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._result import SVDResult


def spectrum_table(result: SVDResult) -> str:
    """Index, singular value, residual over the largest value, in as many columns as fit a page."""
    s, residuals = result.s, result.report.residuals
    top = float(np.max(s, initial=0)) or 1.0
    digits = 7 if s.dtype == np.float32 else 9
    rows_of = enumerate(zip(s.tolist(), residuals.tolist(), strict=True), start=1)
    cells = [f"{i:4d} {value:14.{digits}g} {residual / top:9.1e}" for i, (value, residual) in rows_of]
    columns = 1 if len(cells) <= 10 else 2
    rows = -(-len(cells) // columns)
    head = "   i          value  residual"
    lines = ["    ".join([head] * columns)]
    lines += ["    ".join(cells[row::rows]) for row in range(rows)]
    return "\n".join(lines)


def summary(result: SVDResult) -> str:
    """One line: how long, how often the matrix was read, how good."""
    report = result.report
    top = float(np.max(result.s, initial=0)) or 1.0
    state = "all converged" if report.converged else "NOT ALL CONVERGED"
    return (
        f"{report.method}: {total_seconds(report.seconds):.3g} s, {report.passes} passes over the matrix, "
        f"{report.threads} threads, largest residual {np.max(report.residuals, initial=0) / top:.1e} * s[0], {state}"
    )


def total_seconds(seconds: dict[str, float]) -> float:
    return seconds.get("total", sum(seconds.values()))


def describe(A: Any) -> str:
    m, n = A.shape
    stored = f", {A.nnz} entries ({A.nnz / max(m * n, 1):.2%})" if hasattr(A, "nnz") else ""
    return f"{m} x {n}, {A.dtype}{stored}"
