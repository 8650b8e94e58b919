"""The end of an iterative method: its result, with a warning or an error where it did not converge."""

from __future__ import annotations

import warnings
from typing import TypeVar

from ._result import SVDResult
from .errors import ConvergenceError, ConvergenceWarning

R = TypeVar("R", bound=SVDResult)


def conclude(result: R, shortfall: str, remedy: str, on_fail: str) -> R:
    """Called by the public function itself: the warning points at its caller."""
    report = result.report
    if report.converged:
        return result
    why = f" ({'; '.join(report.notes)})" if report.notes else ""
    message = f"did not converge: {shortfall}{why}; {remedy}"
    if on_fail == "raise":
        raise ConvergenceError(message, result, report)
    warnings.warn(message, ConvergenceWarning, stacklevel=3)
    return result
