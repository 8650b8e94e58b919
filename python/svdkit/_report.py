"""Report: what a solver did, and how good its answer is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(slots=True, repr=False)
class Report:
    """What a call did, and how good its answer is; part of every result.

    Attributes
    ----------
    method, reason : str
        The method that was used, and why.
    converged : bool
        Whether every residual is at most ``tol * s[0]``.
    residuals : ndarray, shape (k,)
        ``max(||A v_i - s_i u_i||, ||A^H u_i - s_i v_i||)`` of every triplet, from fresh products.
    tol : float
        The tolerance, relative to the largest singular value, as used.
    passes : int
        How many times the matrix was read.
    iterations : int
        Block steps.
    seconds : dict
        Time by phase.
    peak_bytes : int
        Largest workspace, results included and the matrix not.
    threads : int
    seed : int
        Of the random numbers; ``rng=report.seed`` repeats the call.
    notes : list of str
        Copies made, fallbacks taken, why it stopped early.
    """

    method: str
    reason: str
    converged: bool
    residuals: np.ndarray
    tol: float
    passes: int
    iterations: int
    seconds: dict[str, float]
    peak_bytes: int
    threads: int
    seed: int
    notes: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        worst = float(np.max(self.residuals, initial=0))
        phases = ", ".join(f"{name} {value:.3g}" for name, value in self.seconds.items())
        rows = {
            "method": f"{self.method} ({self.reason})",
            "converged": f"{self.converged}, largest residual {worst:.1e}, tol {self.tol:.1e} * s[0]",
            "passes": f"{self.passes}, iterations {self.iterations}",
            "seconds": phases or "0",
            "peak": f"{self.peak_bytes / 1e6:.3g} MB, threads {self.threads}, seed {self.seed}",
            "notes": "; ".join(self.notes),
        }
        return "\n".join(f"{name:<10} {text}" for name, text in rows.items() if text)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain Python values, fit for JSON."""
        return asdict(self) | {"residuals": self.residuals.tolist()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Report:
        """The report that :meth:`to_dict` described."""
        return cls(**fields | {"residuals": np.asarray(fields["residuals"], dtype=float)})
