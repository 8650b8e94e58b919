"""Rule: what all rank rules have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._spectrum import Spectrum


@dataclass(frozen=True)
class Decision:
    """What a rule found: a rank, the threshold on the singular values if it has one, and how it came to it."""

    rank: int
    threshold: float | None = None
    scores: np.ndarray | None = None  # one for every candidate rank from 0 on (elbows: from 1)
    warnings: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


class Rule(ABC):
    """A rank rule. Use it as ``k=`` of a decomposition, or with :func:`select_rank`."""

    needs: str = "leading values"

    def first_look(self, shape: tuple[int, int]) -> int:
        """How many leading values of an m x n matrix are worth having before the first decision."""
        return min(16, min(shape))

    @abstractmethod
    def decide(self, spectrum: Spectrum) -> Decision | None:
        """The rank, or None if it takes more leading values to tell."""

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value is not None)
        return f"{type(self).__name__}({given})"


class CompleteRule(Rule):
    """A rule that looks at all min(m, n) singular values."""

    needs = "all singular values"

    def first_look(self, shape: tuple[int, int]) -> int:
        return min(shape)


def dimensions(spectrum: Spectrum, rule: Rule) -> tuple[int, int]:
    """The shape of the matrix, for rules that depend on it."""
    if spectrum.shape is None:
        raise ValueError(f"{rule!r} depends on the shape of the matrix: pass shape=(m, n)")
    return spectrum.shape


def need_all(spectrum: Spectrum, rule: Rule) -> bool:
    """Whether all values are there; without a shape there is no telling, so it is asked for."""
    dimensions(spectrum, rule)
    return spectrum.complete


def unit_interval(name: str, value: float) -> float:
    """A number in [0, 1]."""
    if not 0 <= float(value) <= 1:
        raise ValueError(f"{name} = {value!r}, but must be in [0, 1]")
    return float(value)


def positive(name: str, value: float) -> float:
    """A positive number."""
    if not float(value) > 0:
        raise ValueError(f"{name} = {value!r}, but must be a positive number")
    return float(value)


def leading_run(passes: np.ndarray) -> int:
    """Length of the run of True at the beginning."""
    return int(np.argmin(np.append(passes, False)))
