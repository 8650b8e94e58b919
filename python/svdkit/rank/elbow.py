"""Elbows of the scree plot."""

from __future__ import annotations

import numpy as np

from .._spectrum import Spectrum
from ._rule import Decision, Rule

KINDS = ("profile", "chord", "kneedle", "second_difference", "gap")


class Elbow(Rule):
    """The bend of the curve of singular values. A heuristic: the answer depends on how many values are looked at.

    Parameters
    ----------
    kind : {"profile", "chord", "kneedle", "second_difference", "gap"}
        "profile": largest profile likelihood of two groups of values with one variance [1]_. "chord": farthest below
        the chord. "kneedle": first knee [2]_. "second_difference": sharpest bend. "gap": largest ratio of neighbours.
    side : {"at", "before"}
        Whether the value at the bend is kept. Means nothing for "profile" and "gap", which cut between two values.
    kmax : int, optional
        How many values are looked at. Default: all that are given; 50 as ``k=`` of a decomposition.

    References
    ----------
    .. [1] M. Zhu and A. Ghodsi, Comput. Statist. Data Anal. 51 (2006).
    .. [2] V. Satopaa et al., ICDCS Workshops (2011).

    Examples
    --------
    >>> from svdkit.rank import Elbow, select_rank
    >>> select_rank([9.0, 8.0, 7.0, 0.3, 0.2, 0.1], Elbow())
    3
    """

    def __init__(self, kind: str = "profile", side: str = "at", kmax: int | None = None) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind = {kind!r}, but must be one of {', '.join(map(repr, KINDS))}")
        if side not in ("at", "before"):
            raise ValueError(f"side = {side!r}, but must be 'at' or 'before'")
        if kmax is not None and kmax < 3:
            raise ValueError(f"kmax = {kmax}, but an elbow needs at least 3 values")
        self.kind, self.side, self.kmax = kind, side, kmax

    def first_look(self, shape: tuple[int, int]) -> int:
        return min(self.kmax or 50, min(shape))

    def decide(self, spectrum: Spectrum) -> Decision | None:
        y = spectrum.s[: self.kmax]
        if self.kmax is not None and y.size < self.kmax and not spectrum.complete:
            return None
        details = {"values": int(y.size)}
        if y.size < 3 or y[0] == y[-1]:
            return Decision(0, warnings=("the spectrum is flat: it has no elbow",), details=details)
        scores = _SCORES[self.kind](y)
        if scores is None:
            return Decision(0, warnings=("no knee was found",), details=details)
        at = int(np.argmax(scores)) + 1
        inclusive = self.side == "at" or self.kind in ("profile", "gap")
        return Decision(at if inclusive else at - 1, scores=scores, details=details)


def _normalised(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(0, 1, y.size), (y - y[-1]) / (y[0] - y[-1])


def _chord(y: np.ndarray) -> np.ndarray:
    x, z = _normalised(y)
    return np.asarray((1 - x - z) / np.sqrt(2))


def _kneedle(y: np.ndarray) -> np.ndarray | None:
    """The difference curve with its first knee as the only candidate."""
    x, z = _normalised(y)
    difference = (1 - z) - x
    padded = np.concatenate([[np.inf], difference, [np.inf]])
    low = (difference <= padded[:-2]) & (difference <= padded[2:])
    padded[[0, -1]] = -np.inf
    high = (difference >= padded[:-2]) & (difference >= padded[2:])
    high[[0, -1]] = False
    threshold, knee = -np.inf, -1
    for i in range(y.size - 1):
        if high[i]:
            threshold, knee = difference[i] - 1 / (y.size - 1), i
        elif low[i] and knee >= 0:
            threshold = 0.0
        if knee >= 0 and difference[i + 1] < threshold:
            return np.where(np.arange(y.size) == knee, 1.0, 0.0)
    return None


def _second_difference(y: np.ndarray) -> np.ndarray:
    return np.concatenate([[-np.inf], y[:-2] - 2 * y[1:-1] + y[2:], [-np.inf]])


def _gap(y: np.ndarray) -> np.ndarray:
    """Ratios of neighbours in the first half: tails of rounding errors have large ones too."""
    most = max(1, y.size // 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = y[:most] / y[1 : most + 1]
    return np.where(np.isnan(ratios), -np.inf, ratios)


def _profile(y: np.ndarray) -> np.ndarray:
    """Log-likelihood of two normal groups, y[:k] and y[k:], with one variance, for k = 1..K-1."""
    total = y.size
    k = np.arange(1, total)
    first, second = np.cumsum(y)[:-1], np.cumsum(y[::-1])[::-1][1:]
    means = np.stack([first / k, second / (total - k)])
    squares = np.array([np.sum((y[:i] - a) ** 2) + np.sum((y[i:] - b) ** 2) for i, a, b in zip(k, *means, strict=True)])
    variance = np.maximum(squares / max(total - 2, 1), np.finfo(float).tiny)
    return np.asarray(-0.5 * total * np.log(variance) - 0.5 * squares / variance)


_SCORES = {
    "profile": _profile,
    "chord": _chord,
    "kneedle": _kneedle,
    "second_difference": _second_difference,
    "gap": _gap,
}
