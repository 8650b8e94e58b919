"""RobustResult: singular triplets of a robust fit, the noise level, and what every cell counted for."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _arguments as check
from .._dense_cells import CellMatrix, open_cells
from .._report import Report
from .._result import SVDResult

WELSCH, HUBER = 2.9846, 1.345  # in units of sigma: 95 % efficiency at the normal


class RobustResult(SVDResult):
    """Singular triplets of a robust fit, ``A ~ (U * s) @ Vh`` but for outliers.

    Attributes
    ----------
    U, s, Vh, report
        As in :class:`svdkit.SVDResult`; ``report.residuals`` are those of the weighted equations.
    sigma : ndarray, shape (k,)
        Standard deviation of the noise as seen by every component; the same for all in joint fits.
    alpha, loss
        Which weights.
    objective : ndarray
        The divergence before every sweep, and at the end.
    unsupported_rows, unsupported_cols : ndarray of int
        Rows and columns that all but lost their weight: they are fitted by zero (or were left alone).

    Notes
    -----
    The result keeps a reference to A, for :meth:`weights` and :meth:`outliers`; saved or pickled it does not, and then
    they need A. ``save`` keeps the triplets and the report.
    """

    __slots__ = ("_cells", "alpha", "loss", "objective", "sigma", "unsupported_cols", "unsupported_rows")

    def __init__(
        self,
        U: np.ndarray,
        s: np.ndarray,
        Vh: np.ndarray,
        report: Report,
        *,
        alpha: float,
        loss: str,
        sigma: np.ndarray,
        objective: np.ndarray,
        unsupported_rows: np.ndarray,
        unsupported_cols: np.ndarray,
        cells: CellMatrix | None = None,
    ) -> None:
        super().__init__(U, s, Vh, report)
        self.alpha = alpha
        self.loss = loss
        self.sigma = sigma
        self.objective = objective
        self.unsupported_rows = unsupported_rows
        self.unsupported_cols = unsupported_cols
        self._cells = cells

    def __reduce__(self) -> Any:
        return _rebuild, (
            (self.U, self.s, self.Vh, self.report),
            {name: getattr(self, name) for name in RobustResult.__slots__ if name != "_cells"},
        )

    def weights(self, A: Any = None) -> np.ndarray:
        """Return what every cell counted for: m x n numbers in [0, 1], 0 where a cell is missing.

        Prior weights are not in it, but cells with prior weight 0 count as missing.

        Parameters
        ----------
        A : array, optional
            A matrix of the same shape; NaN are missing cells. Default: the one that was fitted.
        """
        residual, missing = self._residual(A)
        sigma = self._noise()
        if sigma == 0:
            w = (residual == 0).astype(self.dtype)
        elif self.loss == "huber":
            with np.errstate(divide="ignore"):
                w = np.minimum(1, HUBER * sigma / np.abs(residual)).astype(self.dtype)
        else:
            rate = self.alpha / 2 if self.loss == "dpd" else 1 / WELSCH**2
            with np.errstate(over="ignore", under="ignore"):
                w = np.exp(-rate * np.square(residual / sigma)).astype(self.dtype)
        w[missing] = 0
        return w

    def outliers(self, threshold: float = 3.5, A: Any = None) -> np.ndarray:
        """Return where the fit is off by more than `threshold` sigma, as a boolean m x n array; not where cells miss.

        Parameters
        ----------
        threshold : float
            In units of sigma; a normal residual exceeds 3.5 once in 2000 cells.
        A : array, optional
            As for :meth:`weights`.
        """
        limit = check.number("threshold", threshold)
        if not limit > 0:
            raise ValueError(f"threshold = {limit!r}, but must be a positive number of standard deviations")
        residual, missing = self._residual(A)
        rounding = 8 * float(np.finfo(self.dtype).eps) * float(np.max(self.s, initial=0))
        return (np.abs(residual) > max(limit * self._noise(), rounding)) & ~missing

    def energy(self) -> np.ndarray:
        """Return the robust energy curve: the share of the clean energy in the first 0, 1, ..., k components.

        The whole is ``sum(s**2) + N sigma**2``: the fit and its noise, without what outliers add.
        """
        kept = np.concatenate([[0.0], np.cumsum(np.square(self.s, dtype=np.float64))])
        total = kept[-1] + self.U.shape[0] * self.Vh.shape[1] * self._noise() ** 2
        return kept / total if total > 0 else np.ones_like(kept)

    def _noise(self) -> float:
        return float(self.sigma[-1]) if self.sigma.size else 0.0

    def _residual(self, A: Any) -> tuple[np.ndarray, np.ndarray]:
        cells = self._cells if A is None else open_cells(A, None, "mask", 0)
        if cells is None:
            raise ValueError("this result was loaded without its matrix: pass A")
        if cells.x.shape != self.shape:
            raise ValueError(f"A has shape {cells.x.shape}, but the fit is of shape {self.shape}")
        missing = np.isnan(cells.x)
        if cells.prior is not None:
            missing |= cells.prior == 0
        return np.where(missing, 0, cells.x) - self.reconstruct(), missing


def _rebuild(triplets: Any, fields: dict[str, Any]) -> RobustResult:
    return RobustResult(*triplets, **fields)
