"""A stack of matrices, (B, m, n): the same call for each, the results stacked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._report import Report

Triplets = tuple[Any, np.ndarray, Any, Report]  # U and Vh are None where only values are wanted


def decompose_stack(stack: Any, decompose: Callable[[Any], Triplets]) -> Triplets:
    """U (B, m, k), s (B, k), Vh (B, k, n), and one report: residuals (B, k), counts and times added up."""
    if not len(stack):
        raise ValueError(f"A has shape {tuple(stack.shape)}: a stack needs at least one matrix")
    U, s, Vh, reports = zip(*map(decompose, stack), strict=True)
    if U[0] is None:
        return None, np.stack(s), None, _merge(reports)
    return np.stack(U), np.stack(s), np.stack(Vh), _merge(reports)


def _merge(reports: tuple[Report, ...]) -> Report:
    first = reports[0]
    seconds: dict[str, float] = {}
    for report in reports:
        for phase, value in report.seconds.items():
            seconds[phase] = seconds.get(phase, 0.0) + value
    return Report(
        method=first.method,
        reason=f"{len(reports)} matrices; {first.reason}",
        converged=all(report.converged for report in reports),
        residuals=np.stack([report.residuals for report in reports]),
        tol=first.tol,
        passes=sum(report.passes for report in reports),
        iterations=sum(report.iterations for report in reports),
        seconds=seconds,
        peak_bytes=max(report.peak_bytes for report in reports),
        threads=first.threads,
        seed=first.seed,
        notes=list(dict.fromkeys(note for report in reports for note in report.notes)),
    )
