"""Which shapes? Candidates compared at equal numbers of parameters, the ordinary SVD among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._kron_shapes import Shape, candidates, divisors, parameters
from ..operators import KroneckerRearranged, Operator
from ..randomized import rsvd
from ..truncated import svdvals

COARSE = 6  # divisors of an extent that are looked at first
FINALISTS = 3
CLEAR = 1.05  # a leading value this far above the edge of noise is structure


@dataclass(frozen=True)
class Candidate:
    """One pair of shapes: as many terms as the budget allows, and the error that they leave."""

    left: Shape
    right: Shape
    terms: int
    parameters: int
    error: float  # relative to the norm of A
    exact: bool  # else an upper estimate from two reads of A
    leading: float  # the largest singular value of the rearranged matrix, relative to the norm of A

    @property
    def is_low_rank(self) -> bool:
        """Whether this is the ordinary SVD."""
        return self.left[1] == 1 and self.right[0] == 1

    @property
    def above_noise(self) -> float:
        """The leading value over the largest that white noise of the same norm would have."""
        rows, cols = self.left[0] * self.left[1], self.right[0] * self.right[1]
        return self.leading * float(np.sqrt(rows * cols) / (np.sqrt(rows) + np.sqrt(cols)))


class Candidates:
    """The shapes that were compared, best first; iterates, and prints as a table.

    Attributes
    ----------
    budget : int
        Parameters that every candidate may use.
    verdict : {"kronecker", "low rank", "noise"}
        What the best candidate says of A: a sum of Kronecker products, or the ordinary SVD, is best at equal
        parameters; or even the best leaves what white noise would leave.
    """

    def __init__(self, rows: list[Candidate], budget: int) -> None:
        self.rows, self.budget = sorted(rows, key=lambda row: row.error), budget

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def best(self) -> Candidate:
        """Of those whose errors are exact."""
        return min((row for row in self.rows if row.exact), key=lambda row: row.error)

    @property
    def verdict(self) -> str:
        """See the class."""
        if self.best.error > 0 and self.best.above_noise < CLEAR:
            return "noise"
        return "low rank" if self.best.is_low_rank else "kronecker"

    def __repr__(self) -> str:
        lines = [f"{'left':>12} {'right':>12} {'terms':>6} {'parameters':>11} {'error':>10}"]
        for row in self.rows:
            left, right = (f"{a} x {b}" for a, b in (row.left, row.right))
            mark = "" if row.exact else " at most"
            name = "  (SVD)" if row.is_low_rank else ""
            lines.append(f"{left:>12} {right:>12} {row.terms:>6} {row.parameters:>11} {row.error:>10.4g}{mark}{name}")
        return "\n".join([*lines, f"budget {self.budget}: {self.verdict}"])


def compare(A: Operator, budget: int, norm: float, options: dict[str, Any]) -> Candidates:
    """Pairs of shapes on a coarse grid, then the neighbours of the best, then the best again to full precision."""
    fitting = [pair for pair in candidates(A.shape) if parameters(*pair) <= budget]
    if not fitting:
        raise ValueError(
            f"budget = {budget} parameters, but a single term of any shape needs more for a matrix of shape {A.shape}; "
            f"allow more"
        )
    rows, cols = (divisors(extent) for extent in A.shape)
    grid = {(m, n) for m in _thinned(rows) for n in _thinned(cols)}
    plain = (A.shape[0], 1)
    found = {pair[0]: _score(A, pair, budget, norm, None) for pair in fitting if pair[0] in grid or pair[0] == plain}
    for best in _best(found):
        near = {(_step(rows, best.left[0], a), _step(cols, best.left[1], b)) for a in (-1, 0, 1) for b in (-1, 0, 1)}
        for pair in fitting:
            if pair[0] in near and pair[0] not in found:
                found[pair[0]] = _score(A, pair, budget, norm, None)
    finalists = {row.left for row in _best(found)} | ({plain} & found.keys())
    for pair in fitting:
        if pair[0] in finalists or not found:
            found[pair[0]] = _score(A, pair, budget, norm, options)
    return Candidates(list(found.values()), budget)


def _best(found: dict[Shape, Candidate]) -> list[Candidate]:
    return sorted(found.values(), key=lambda row: row.error)[:FINALISTS]


def _score(A: Operator, pair: tuple[Shape, Shape], budget: int, norm: float, options: Any) -> Candidate:
    """With `options` to the precision of tsvd, else from two reads of A."""
    left, right = pair
    R = KroneckerRearranged(A, left, right)
    full = min(R.shape)
    terms = min(budget // parameters(left, right), full)
    if options is None:
        s = rsvd(R, terms, passes=2).s
    else:
        s = svdvals(R, terms, **options)
    kept = (s.astype(float) / norm) ** 2
    error = float(np.sqrt(max(1 - kept.sum(), 0.0)))
    return Candidate(
        left, right, terms, terms * parameters(left, right), error, options is not None, float(s[0]) / norm
    )


def _thinned(values: list[int]) -> set[int]:
    """At most COARSE of them, about equal ratios apart."""
    if len(values) <= COARSE:
        return set(values)
    wanted = np.geomspace(values[0], values[-1], COARSE)
    return {min(values, key=lambda value: abs(np.log(value / target))) for target in wanted}


def _step(values: list[int], value: int, by: int) -> int:
    place = values.index(value) + by
    return values[min(max(place, 0), len(values) - 1)]
