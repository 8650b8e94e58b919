"""One budget of ranks over many matrices."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

RULES = ("energy", "eva", "welore", "scores", "uniform")
MOST_WORK = 4e9  # additions of an exact allocation


@dataclass(frozen=True)
class Allocation:
    """Ranks for many matrices. A sequence of integers: ``list(allocation)``, ``allocation[i]``.

    Attributes
    ----------
    ranks : ndarray of int, shape (L,)
    used : float
        Cost of these ranks, at most the budget.
    value : float
        What they keep: the sum of ``weight * s**2`` (or of scores).
    gap : float
        The best allocation keeps at most ``value + gap``; 0: this one is optimal.
    """

    ranks: np.ndarray
    used: float
    value: float
    gap: float

    def __iter__(self) -> Iterator[int]:
        return iter(self.ranks.tolist())

    def __len__(self) -> int:
        return self.ranks.size

    def __getitem__(self, index: int) -> int:
        return int(self.ranks[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.ranks, dtype=dtype)


def allocate_ranks(
    spectra: Sequence[Any],
    budget: float,
    costs: Any = None,
    rule: str = "energy",
    *,
    weights: Any = None,
    lower: Any = 0,
    upper: Any = None,
    exact: bool = False,
) -> Allocation:
    """Return ranks of many matrices that together cost at most `budget` and keep the most.

    Parameters
    ----------
    spectra : sequence of L arrays
        Singular values of every matrix, descending; with ``rule="scores"`` any scores, in the order of the triplets.
    budget : float
        Largest total cost ``sum(costs * ranks)``.
    costs : array_like, shape (L,), optional
        Of one more rank: ``m + n`` for the parameters of two factors. Default: 1.
    rule : {"energy", "eva", "welore", "scores", "uniform"}
        "energy" keeps the most ``sum(weights * s**2)``. "eva" does so for shares of every matrix's energy [1]_.
        "welore" cuts all spectra, each scaled to 0..1, at one height [2]_. "scores" takes the largest scores wherever
        they are, as AdaLoRA [3]_; the ranks then count them. "uniform" gives all matrices the same share of `upper` (or
        of their length): the recipe of SVD-LLM [4]_ with ``upper = m * n // (m + n)``.
    weights : array_like, shape (L,), optional
        Importance of every matrix, with "energy".
    lower, upper : int or array_like, shape (L,), optional
        Bounds of the ranks. Beyond ``m * n // (m + n)`` two factors cost more than the matrix.
    exact : bool
        The best allocation also where costs differ, by dynamic programming; costs and budget must be integers.

    Returns
    -------
    Allocation
        Optimal for equal costs, and with `exact`. For unequal costs the greedy choice by value over cost, with a bound
        of what it can miss in ``gap``.

    Raises
    ------
    ValueError
        If an argument is wrong, if the lower bounds cost more than the budget, or if `exact` would take too long.

    Notes
    -----
    Cost: sorting all values.

    References
    ----------
    .. [1] F. Paischer et al., EVA, arXiv 2410.07170 (2024).
    .. [2] A. Jaiswal et al., WeLore, arXiv 2407.11239 (2024).
    .. [3] Q. Zhang et al., AdaLoRA, ICLR (2023).
    .. [4] X. Wang et al., SVD-LLM, ICLR (2025).

    Examples
    --------
    >>> import svdkit
    >>> list(svdkit.allocate_ranks([[3.0, 2.0, 0.1], [2.5, 1.0, 0.9]], 3))
    [2, 1]
    """
    values = [np.asarray(s, np.float64) for s in spectra]
    if rule not in RULES:
        raise ValueError(f"rule = {rule!r}, but must be one of {', '.join(map(repr, RULES))}")
    for i, s in enumerate(values):
        if s.ndim != 1 or not np.isfinite(s).all():
            raise ValueError(f"spectra[{i}] has shape {s.shape}, but must be a vector of finite numbers")
        if rule != "scores" and (np.any(s < 0) or np.any(np.diff(s) > 0)):
            raise ValueError(f"spectra[{i}] must be descending and not negative; use numpy.sort(s)[::-1]")
    count = len(values)
    cost = _vector("costs", 1.0 if costs is None else costs, count)
    weight = _vector("weights", 1.0 if weights is None else weights, count)
    if count and not cost.min() > 0:
        raise ValueError(f"costs[{int(np.argmin(cost))}] = {cost.min()}, but costs must be positive")
    sizes = np.array([s.size for s in values], dtype=np.int64)
    low = np.minimum(_vector("lower", lower, count).astype(np.int64), sizes)
    high = sizes if upper is None else np.minimum(_vector("upper", upper, count).astype(np.int64), sizes)
    left = float(budget) - float(cost @ low)
    if left < 0:
        raise ValueError(f"budget = {budget}, but the lower bounds alone cost {float(cost @ low)}; lower them")
    high = np.maximum(high, low)
    if rule == "uniform":
        return _finish(_uniform(high, cost, float(budget), low), values, weight, cost, math.inf)
    if rule == "eva":
        weight = np.array([1 / e if e > 0 else 0.0 for e in (float(np.sum(s**2)) for s in values)])
    gains = [_gains(rule, s, w) for s, w in zip(values, weight, strict=True)]
    if rule == "scores":
        gains = [np.sort(g)[::-1] for g in gains]
    if exact:
        ranks, gap = _exact(gains, cost, left, low, high), 0.0
    else:
        ranks, gap = _greedy(gains, cost, left, low, high)
    if rule == "welore":
        gap = math.inf  # a height, not an optimum
    elif rule == "scores":
        return Allocation(ranks, float(cost @ ranks), _kept(gains, ranks), gap)
    return _finish(ranks, values, weight, cost, gap)


def _vector(name: str, value: Any, count: int) -> np.ndarray:
    vector = np.asarray(value, np.float64)
    if vector.shape not in ((), (count,)) or not np.all(vector >= 0) or not np.isfinite(vector).all():
        raise ValueError(f"{name} = {value!r}, but must be a number >= 0, or one for each of the {count} spectra")
    return np.broadcast_to(vector, (count,)).copy()


def _gains(rule: str, s: np.ndarray, weight: float) -> np.ndarray:
    if rule == "scores":
        return s
    if rule == "welore":
        span = s[0] - s[-1] if s.size else 0.0
        return (s - s[-1]) / span if span > 0 else np.zeros_like(s)
    return np.asarray(weight * s**2)


def _kept(gains: list[np.ndarray], ranks: np.ndarray) -> float:
    return math.fsum(float(g[:r].sum()) for g, r in zip(gains, ranks, strict=True))


def _finish(
    ranks: np.ndarray, values: list[np.ndarray], weight: np.ndarray, cost: np.ndarray, gap: float
) -> Allocation:
    energies = [w * s**2 for s, w in zip(values, weight, strict=True)]
    return Allocation(ranks, float(cost @ ranks), _kept(energies, ranks), gap)


def _uniform(high: np.ndarray, cost: np.ndarray, budget: float, low: np.ndarray) -> np.ndarray:
    """``floor(share * high)`` with the largest share that the budget allows."""
    total = float(cost @ high)
    share = min(1.0, budget / total) if total > 0 else 0.0
    return np.maximum(np.floor(share * high * (1 + 1e-12)).astype(np.int64), low)


def _greedy(
    gains: list[np.ndarray], cost: np.ndarray, left: float, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, float]:
    """By value over cost until the next does not fit, then whatever fits; and what this can miss at most."""
    owner = np.repeat(np.arange(len(gains)), high - low)
    ratios = np.concatenate([g[a:b] / c for g, a, b, c in zip(gains, low, high, cost, strict=True)] or [np.empty(0)])
    positive = ratios > 0  # nothing is bought that keeps nothing
    owner, ratios = owner[positive], ratios[positive]
    order = np.argsort(-ratios, kind="stable")  # ties: by matrix, then by triplet
    spent = np.cumsum(cost[owner[order]])
    fits = int(np.searchsorted(spent, left * (1 + 1e-15), side="right"))
    ranks = low + np.bincount(owner[order[:fits]], minlength=len(gains))
    if fits == order.size:
        return ranks, 0.0
    ratio = float(ratios[order[fits]])
    left -= float(spent[fits - 1]) if fits else 0.0
    if np.all(cost == cost[0]):
        return ranks, 0.0  # equal costs: the largest values are the best
    gap = ratio * left  # were it possible to buy a part of the next
    waiting = [(-gains[i][ranks[i]] / cost[i], i) for i in range(len(gains)) if ranks[i] < high[i]]
    heapq.heapify(waiting)
    while waiting:
        negative, i = heapq.heappop(waiting)
        if cost[i] > left or negative >= 0:
            continue  # nor will any later one of this matrix fit
        left -= float(cost[i])
        gap -= float(gains[i][ranks[i]])
        ranks[i] += 1
        if ranks[i] < high[i]:
            heapq.heappush(waiting, (-gains[i][ranks[i]] / cost[i], i))
    return ranks, max(gap, 0.0)


def _exact(gains: list[np.ndarray], cost: np.ndarray, left: float, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Dynamic programming over the budget, one stage for every different cost: equal costs are merged first."""
    if np.any(cost != np.floor(cost)) or left != math.floor(left):
        raise ValueError("exact=True needs integer costs and an integer budget; multiply them by a common factor")
    unit = math.gcd(*(int(c) for c in cost)) if cost.size else 1
    size = int(left) // unit
    best, choices = np.zeros(size + 1), []
    for c in np.unique(cost):
        members = np.flatnonzero(cost == c)
        owner = np.concatenate([np.full(high[i] - low[i], i) for i in members])
        merged = np.concatenate([gains[i][low[i] : high[i]] for i in members])
        order = np.argsort(-merged, kind="stable")
        step = int(c) // unit
        most = min(order.size, size // step)
        if float(most) * size > MOST_WORK:
            raise ValueError(f"exact=True would take {most * size:.1e} additions; use exact=False and its gap")
        total = np.append(0.0, np.cumsum(merged[order]))
        better, taken = best.copy(), np.zeros(size + 1, np.int64)
        for r in range(1, most + 1):
            candidate = best[: size + 1 - r * step] + total[r]
            window, chosen = better[r * step :], taken[r * step :]
            improved = candidate > window
            window[improved], chosen[improved] = candidate[improved], r
        best = better
        choices.append((owner[order], taken, step))
    ranks, at = low.copy(), int(np.argmax(best))
    for owner, taken, step in reversed(choices):
        ranks += np.bincount(owner[: taken[at]], minlength=ranks.size)
        at -= int(taken[at]) * step
    return ranks
