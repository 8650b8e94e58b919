"""What can go wrong, by what the caller can do about it.

Bad arguments are ``ValueError`` or ``TypeError``, memory that cannot be had is ``MemoryError``; what is specific to
decompositions is here.
"""

from __future__ import annotations

from typing import Any

from numpy.linalg import LinAlgError

__all__ = ["ConvergenceError", "ConvergenceWarning", "LinAlgError"]


class ConvergenceWarning(UserWarning):
    """Some of the triplets that were asked for do not meet the tolerance; the report says which and why."""


class ConvergenceError(LinAlgError):
    """The same, as an error: raised with ``on_fail="raise"``.

    Attributes
    ----------
    result
        What was reached: the result that ``on_fail="warn"`` would have returned.
    report : Report
        How far it got, and why it stopped.
    """

    def __init__(self, message: str, result: Any, report: Any) -> None:
        super().__init__(message)
        self.result = result
        self.report = report
