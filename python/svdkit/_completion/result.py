"""What a weighted fit returns beside its triplets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._report import Report
from .._result import SVDResult
from .._weighted.result import WeightedResult


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the penalties or ranks that were tried on the cells that were not held out."""

    penalty: float
    rank: int
    error: float  # root of the weighted mean squared error on the held-out cells
    debiased_error: float = float("nan")  # the same after one sweep without penalty


@dataclass(slots=True)
class FitDetails:
    """The numbers of a weighted fit; see :class:`CompletionResult`."""

    loss: float
    relative_error: float
    penalty: float
    mean_weight: float
    history: np.ndarray
    held_out_error: float = float("nan")
    candidates: list[Candidate] = field(default_factory=list)


class CompletionResult(WeightedResult):
    """The plain SVD of a low-rank fit to weighted entries. Saved, it is a plain result; a part has no loss.

    Attributes
    ----------
    loss : float
        ``sum w (a - z)^2`` over the cells.
    relative_error : float
        ``sqrt(loss / sum w a^2)``.
    penalty : float
        Of the nuclear norm; 0 without.
    history : ndarray
        ``loss / 2 + penalty * ||Z||_*`` at the start and after every step (and the pull on rows and columns with few
        cells, see ``report.notes``): never rising.
    stationarity : float
        The largest of ``report.residuals`` over ``s[0]``: 0 at a stationary point.
    held_out_error : float
        Root mean squared (weighted) error on cells that the fit did not see; NaN if none were held out.
    candidates : list
        What was tried on the way: ``penalty``, ``rank``, ``error`` and ``debiased_error`` of each.
    """

    __slots__ = ("details",)

    def __init__(self, U: np.ndarray, s: np.ndarray, Vh: np.ndarray, report: Report, details: FitDetails) -> None:
        super().__init__(U, s, Vh, report)
        self.details = details

    def __reduce__(self) -> Any:
        return CompletionResult, (self.U, self.s, self.Vh, self.report, self.details)

    @property
    def loss(self) -> float:
        return self.details.loss

    @property
    def relative_error(self) -> float:
        return self.details.relative_error

    @property
    def penalty(self) -> float:
        return self.details.penalty

    @property
    def history(self) -> np.ndarray:
        return self.details.history

    @property
    def stationarity(self) -> float:
        worst, top = float(np.max(self.report.residuals, initial=0)), float(np.max(self.s, initial=0))
        return worst / top if top > 0 else worst

    @property
    def held_out_error(self) -> float:
        return self.details.held_out_error

    @property
    def candidates(self) -> list[Candidate]:
        return self.details.candidates

    def orthonormal(self) -> SVDResult:
        """Return the triplets as a plain result: U and V are orthonormal already."""
        return SVDResult(self.U, self.s, self.Vh, self.report)
