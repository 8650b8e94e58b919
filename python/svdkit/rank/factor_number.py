"""The number of factors of a panel: Bai-Ng, Ahn-Horenstein, Onatski. Leading values and the total energy are enough."""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np

from .._spectrum import Spectrum
from ._rule import Decision, Rule, dimensions

CRITERIA = ("IC1", "IC2", "IC3", "PC1", "PC2", "PC3", "BIC3")


def default_kmax(shape: tuple[int, int]) -> int:
    """The largest number of factors considered: 8 (p / 100)^(1/4), at least 8, at most p / 2; p = min(m, n)."""
    p = min(shape)
    return max(1, min(p // 2, max(8, math.floor(8 * (p / 100) ** 0.25))))


class _FactorRule(Rule):
    needs = "leading values and the total energy"
    kmax: int | None
    beyond = 0  # values needed after the first kmax

    def first_look(self, shape: tuple[int, int]) -> int:
        return min((self.kmax or default_kmax(shape)) + self.beyond, min(shape))

    def decide(self, spectrum: Spectrum) -> Decision | None:
        shape = dimensions(spectrum, self)
        tails = spectrum.tails
        if tails is None:
            raise ValueError(f"{self!r} needs the total energy beside leading values: pass energy_total=norm(A)**2")
        kmax = min(self.kmax or default_kmax(shape), max(min(shape) - 1 - self.beyond, 0))
        if not spectrum.complete and spectrum.s.size < kmax + self.beyond:
            return None
        if kmax < 1 or not tails[0] > 0:
            return Decision(0)
        return self._choose(spectrum, shape, kmax, tails)

    @abstractmethod
    def _choose(self, spectrum: Spectrum, shape: tuple[int, int], kmax: int, tails: np.ndarray) -> Decision:
        """The number of factors, at most kmax; `tails` are the energies left after 0, 1, ... of them."""


class BaiNg(_FactorRule):
    """Information criteria for the number of factors: residual variance and a penalty for every factor.

    Parameters
    ----------
    criterion : {"IC1", "IC2", "IC3", "PC1", "PC2", "PC3", "BIC3"}
    kmax : int, optional
        The most factors considered. Default: ``max(8, 8 (p / 100)^(1/4))``, at most ``p / 2``; p = min(m, n).

    References
    ----------
    J. Bai and S. Ng, Econometrica 70 (2002).
    """

    def __init__(self, criterion: str = "IC2", kmax: int | None = None) -> None:
        if criterion not in CRITERIA:
            raise ValueError(f"criterion = {criterion!r}, but must be one of {', '.join(CRITERIA)}")
        self.criterion, self.kmax = criterion, kmax

    def _choose(self, spectrum: Spectrum, shape: tuple[int, int], kmax: int, tails: np.ndarray) -> Decision:
        m, n = shape
        left = tails[: kmax + 1] / (m * n)
        exhausted = np.flatnonzero(left <= 1e-28 * left[0])
        if exhausted.size:  # exactly low rank: nothing is left to explain
            return Decision(int(exhausted[0]))
        k = np.arange(kmax + 1)
        if self.criterion == "BIC3":
            scores = left + k * left[-1] * (m + n - k) * math.log(m * n) / (m * n)
        else:
            penalty = {
                "1": (m + n) / (m * n) * math.log(m * n / (m + n)),
                "2": (m + n) / (m * n) * math.log(min(m, n)),
                "3": math.log(min(m, n)) / min(m, n),
            }[self.criterion[2]]
            is_log = self.criterion.startswith("IC")
            scores = np.log(left) + k * penalty if is_log else left + k * left[-1] * penalty
        return Decision(int(np.argmin(scores)), scores=scores, details={"kmax": kmax})


class AhnHorenstein(_FactorRule):
    """The largest ratio of neighbouring eigenvalues ("ER"), or of their growth ("GR").

    A mock eigenvalue before the first allows the answer 0. S. C. Ahn and A. R. Horenstein, Econometrica 81 (2013).
    """

    beyond = 1

    def __init__(self, criterion: str = "ER", kmax: int | None = None) -> None:
        if criterion not in ("ER", "GR"):
            raise ValueError(f"criterion = {criterion!r}, but must be 'ER' or 'GR'")
        self.criterion, self.kmax = criterion, kmax

    def _choose(self, spectrum: Spectrum, shape: tuple[int, int], kmax: int, tails: np.ndarray) -> Decision:
        mu = spectrum.s[: kmax + 1] ** 2
        mu = np.append(tails[0] / math.log(max(min(shape), 3)), mu)
        if self.criterion == "GR":
            left = np.append(tails[0], tails[1 : mu.size])
            with np.errstate(divide="ignore"):
                mu = np.log1p(np.where(left > 0, mu / np.where(left > 0, left, 1), np.inf))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = mu[:-1] / mu[1:]
        ratios = np.where(np.isnan(ratios), 0, ratios)
        return Decision(int(np.argmax(ratios)), scores=ratios, details={"kmax": kmax})


class Onatski(_FactorRule):
    """Eigenvalues whose distance to the next exceeds what the noise has, which is estimated from the values after kmax.

    A. Onatski, Rev. Econ. Stat. 92 (2010).
    """

    beyond = 5

    def __init__(self, kmax: int | None = None) -> None:
        self.kmax = kmax

    def _choose(self, spectrum: Spectrum, shape: tuple[int, int], kmax: int, tails: np.ndarray) -> Decision:
        values = spectrum.s**2
        if values.size < 6:
            return Decision(0, warnings=("fewer than 6 values: nothing to compare with",))
        gaps = values[:kmax] - values[1 : kmax + 1]
        rank, first, distance = kmax, kmax, 0.0
        for _ in range(100):
            at = np.arange(first, min(first + 5, values.size))  # the five values after the first ones
            slope = np.polyfit(at ** (2 / 3), values[at], 1)[0] if at.size > 1 else 0.0
            distance = 2 * abs(float(slope))
            wide = np.flatnonzero((gaps >= distance) & (gaps > 0))
            rank = int(wide[-1]) + 1 if wide.size else 0
            if rank == first:
                break
            first = rank
        return Decision(rank, details={"kmax": kmax, "distance": math.sqrt(distance) * spectrum.unit})
