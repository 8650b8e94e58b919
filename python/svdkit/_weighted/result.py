"""WeightedResult: generalised triplets, and what one does with the rank-k matrix they stand for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from .. import _arguments as check
from .._report import Report
from .._result import SVDResult
from .._signs import with_signs
from .problem import WeightedProblem


class WeightedResult(SVDResult):
    """The best rank-k approximation of a matrix in two metrics, ``B = (U * s) @ Vh``.

    Attributes
    ----------
    U : ndarray, shape (m, k)
        ``U^H R U = I`` for the row metric R.
    s : ndarray, shape (k,)
        Singular values of ``R^(1/2) A C^(1/2)``, descending.
    Vh : ndarray, shape (k, n)
        ``Vh C Vh^H = I`` for the column metric C.
    report : Report
        Residuals are those of ``R^(1/2) A C^(1/2)``.
    """

    # attributes beyond those of SVDResult are kept in __dict__, for cached_property

    def __init__(
        self, U: np.ndarray, s: np.ndarray, Vh: np.ndarray, report: Report, problem: WeightedProblem | None = None
    ) -> None:
        super().__init__(U, s, Vh, report)
        self._problem = problem

    def __reduce__(self) -> Any:
        return _restore, (self.U, self.s, self.Vh, self.report, self._energies if self._problem else None)

    @cached_property
    def _energies(self) -> tuple[float, float]:
        if self._problem is None:
            raise ValueError("the loss of a part of a result is not known; call weighted_svd with this k")
        return self._problem.energies(self.U, self.s, self.Vh)

    @property
    def loss(self) -> float:
        """``tr[(A - B)^H R (A - B) C]``, the least of any matrix of rank k: the sum of the squared values left out.

        Evaluated at first use from A - B itself, in double precision: 2 m n (k + r) flops and a read of A.
        """
        return self._energies[0]

    @property
    def relative_error(self) -> float:
        """``sqrt(loss / loss of B = 0)``."""
        left, whole = self._energies
        return float(np.sqrt(left / whole)) if whole > 0 else 0.0

    def truncate(self, k: int) -> WeightedResult:
        """Return the first `k` triplets, as views: the best approximation of rank k."""
        part = super().truncate(k)
        return WeightedResult(part.U, part.s, part.Vh, part.report, self._problem)

    def orthonormal(self) -> SVDResult:
        """Return the plain singular value decomposition of B: orthonormal U and V. Cost 4 (m + n) k^2 flops.

        Its report keeps the residuals of the weighted problem.
        """
        left, upper = np.linalg.qr(self.U * self.s)
        right, lower = np.linalg.qr(self.Vh.conj().T)
        P, values, Qh = np.linalg.svd(upper @ lower.conj().T)
        U, Vh = with_signs(left @ P, Qh @ right.conj().T)
        return SVDResult(U, values.astype(self.s.dtype), Vh, self.report)

    def factors(self, split: str = "sqrt") -> tuple[np.ndarray, np.ndarray]:
        """Return (m x k, k x n) whose product is B.

        Parameters
        ----------
        split : {"sqrt", "left", "right"}
            Where the values go: their roots into both factors, all into the left, or all into the right one.
            With an identity row metric "right" gives ``(U, U^H A)`` with orthonormal U.
        """
        check.choice("split", split, ("sqrt", "left", "right"))
        if split == "sqrt":
            root = np.sqrt(self.s)
            return self.U * root, root[:, None] * self.Vh
        return (self.U * self.s, self.Vh) if split == "left" else (self.U, self.s[:, None] * self.Vh)

    def __repr__(self) -> str:
        return super().__repr__().replace("SVDResult", "WeightedResult", 1)


def _restore(U: np.ndarray, s: np.ndarray, Vh: np.ndarray, report: Report, energies: Any) -> WeightedResult:
    """A pickled result: it remembers its loss, not its matrix."""
    result = WeightedResult(U, s, Vh, report)
    if energies is not None:
        result.__dict__["_energies"] = energies
    return result
