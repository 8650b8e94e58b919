"""Rules on how much is kept: energy, nuclear mass, tolerance."""

from __future__ import annotations

import numpy as np

from .._spectrum import Spectrum
from ._rule import CompleteRule, Decision, Rule, need_all, positive, unit_interval

EPS = np.finfo(np.float64).eps


class Energy(Rule):
    """The smallest rank that keeps a share `tau` of the energy, the sum of squared singular values.

    0 for ``tau=0``, the numerical rank for ``tau=1``. Needs leading values and the total energy.

    Parameters
    ----------
    tau : float
        In [0, 1].

    Examples
    --------
    >>> from svdkit.rank import Energy, select_rank
    >>> select_rank([3.0, 2.0, 1.0], Energy(0.9))
    2
    """

    needs = "leading values and the total energy"

    def __init__(self, tau: float = 0.95) -> None:
        self.tau = unit_interval("tau", tau)

    def decide(self, spectrum: Spectrum) -> Decision | None:
        tails = spectrum.tails
        if tails is None:
            raise ValueError(f"{self!r} needs the total energy beside leading values: pass energy_total=norm(A)**2")
        allowed = (1 - self.tau * (1 - 4 * EPS * max(spectrum.s.size, 1))) * tails[0]
        enough = np.flatnonzero(tails <= allowed)
        if not enough.size:
            return None
        kept = 1 - tails / tails[0] if tails[0] > 0 else np.ones_like(tails)
        warnings: tuple[str, ...] = ()
        if not spectrum.complete and allowed < 1e-12 * tails[0]:
            warnings = ("the energy left is below the rounding of the total: compute all values",)
        return Decision(int(enough[0]), scores=kept, warnings=warnings)


class NuclearMass(CompleteRule):
    """The smallest rank that keeps a share `tau` of the nuclear norm, the sum of the singular values.

    Needs all values.
    """

    def __init__(self, tau: float = 0.95) -> None:
        self.tau = unit_interval("tau", tau)

    def decide(self, spectrum: Spectrum) -> Decision | None:
        if spectrum.shape is not None and not spectrum.complete:
            return None
        tails = np.append(np.cumsum(spectrum.s[::-1])[::-1], 0.0)
        allowed = (1 - self.tau * (1 - 4 * EPS * max(spectrum.s.size, 1))) * tails[0]
        return Decision(int(np.flatnonzero(tails <= allowed)[0]))


class Tolerance(Rule):
    """The smallest rank whose truncation error is at most `eps`, relative to the norm of A.

    Parameters
    ----------
    eps : float
        Relative error allowed.
    norm : {"spectral", "fro"}
        "spectral": values above ``eps * s[0]`` are kept, which needs leading values only; "fro" needs the total energy.

    Examples
    --------
    >>> from svdkit.rank import Tolerance, select_rank
    >>> select_rank([1.0, 0.5, 1e-9], Tolerance(1e-6))
    2
    """

    def __init__(self, eps: float, norm: str = "spectral") -> None:
        self.eps = float(eps)
        self.norm = norm
        if not 0 <= self.eps <= 1:
            raise ValueError(f"eps = {eps!r}, but must be in [0, 1], relative to the norm of A")
        if norm not in ("spectral", "fro"):
            raise ValueError(f"norm = {norm!r}, but must be 'spectral' or 'fro'")

    def decide(self, spectrum: Spectrum) -> Decision | None:
        if self.norm == "spectral":
            limit = self.eps * (spectrum.s[0] if spectrum.s.size else 0.0)
            rank = int(np.count_nonzero(spectrum.s > limit))
            decided = rank < spectrum.s.size or spectrum.complete
            return Decision(rank, limit * spectrum.unit) if decided else None
        tails = spectrum.tails
        if tails is None:
            raise ValueError(f"{self!r} needs the total energy beside leading values: pass energy_total=norm(A)**2")
        enough = np.flatnonzero(tails <= self.eps**2 * tails[0])
        return Decision(int(enough[0])) if enough.size else None


class SoftThreshold(Rule):
    """Values above `threshold`: what singular value thresholding leaves (Cai, Candes & Shen 2010)."""

    def __init__(self, threshold: float) -> None:
        self.threshold = positive("threshold", threshold)

    def decide(self, spectrum: Spectrum) -> Decision | None:
        rank = int(np.count_nonzero(spectrum.s > spectrum.scaled(self.threshold)))
        return Decision(rank, self.threshold) if rank < spectrum.s.size or spectrum.complete else None


class Universal(Rule):
    """Universal singular value thresholding: values of at least ``(2 + eta) sqrt(max(m, n) p) noise`` are kept.

    `observed_fraction` is p, the share of entries that were observed; the others are zero in A, which is not rescaled.
    Needs leading values. Chatterjee, Ann. Statist. 43 (2015).
    """

    def __init__(self, noise: float, observed_fraction: float = 1.0, eta: float = 0.01) -> None:
        self.noise = positive("noise", noise)
        self.observed_fraction = unit_interval("observed_fraction", observed_fraction)
        self.eta = positive("eta", eta)

    def decide(self, spectrum: Spectrum) -> Decision | None:
        need_all(spectrum, self)
        longest = max(spectrum.shape or (0,))
        threshold = (2 + self.eta) * np.sqrt(longest * self.observed_fraction) * self.noise
        rank = int(np.count_nonzero(spectrum.s >= spectrum.scaled(threshold)))
        return Decision(rank, float(threshold)) if rank < spectrum.s.size or spectrum.complete else None
