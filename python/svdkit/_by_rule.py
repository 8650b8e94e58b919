"""A decomposition of the rank that a rule chooses: more and more triplets, each call warm, until the rule can tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ._deviations import norm_fro
from ._half import is_half
from ._inputs import Matrix
from ._report import Report
from ._scalars import megabytes
from ._spectrum import Spectrum, spectrum_of

Triplets = tuple[np.ndarray, np.ndarray, np.ndarray, Report]
Solve = Callable[[int, Any, int, float | None], Triplets]  # (k, start vectors, passes so far, seconds left)


def is_rule(k: Any) -> bool:
    return callable(getattr(k, "decide", None)) and callable(getattr(k, "first_look", None))


def decompose_by_rule(matrix: Matrix, rule: Any, time_limit: float, threads: int, solve: Solve) -> Triplets:
    """`solve` gives k leading triplets; the rule sees their values until it answers."""
    begin, p = time.perf_counter(), min(matrix.shape)
    norm = norm_fro(matrix, threads)
    data = _entries(matrix) if rule.needs == "the matrix itself" else None
    k, start, passes = min(max(rule.first_look(matrix.shape), 1), p), None, 0
    while True:
        left = max(time_limit - (time.perf_counter() - begin), 1e-9) if time_limit else None
        U, s, Vh, report = solve(k, start, passes, left)
        passes += report.passes
        spectrum = _seen(s, matrix.shape, norm, data)
        decision = rule.decide(spectrum)
        if decision is not None:
            rank = min(decision.rank, k)
            if rank < decision.rank:  # a rule that looked at the entries
                k, start = decision.rank, Vh
                continue
            report.reason += f"; {rule!r} chose rank {rank} having seen {k} of {p} values"
            report.notes.extend(decision.warnings)
            break
        if not report.converged or k == p:
            rank = k
            report.notes.append(f"{rule!r} could not decide from {k} values")
            break
        k, start = min(2 * k, p), Vh
    report.passes = passes
    report.residuals = report.residuals[:rank]
    top = float(s[0]) if s.size else 0.0
    report.converged = bool(np.all(report.residuals <= report.tol * top))
    return U[:, :rank], s[:rank], Vh[:rank], report


def _seen(s: np.ndarray, shape: tuple[int, int], norm: float | None, data: Any) -> Spectrum:
    return spectrum_of(np.sort(s)[::-1], shape, norm_fro=norm, data=data)


def _entries(matrix: Matrix) -> Any:
    """The matrix itself; written out where it is an operator or was centred or scaled."""
    plain = matrix.offsets is None and matrix.divisors is None
    if plain and matrix.entries is not None and not is_half(matrix.entries.dtype):
        return matrix.entries
    m, n = matrix.shape
    dense = np.empty((m, n), matrix.dtype)
    matrix.core.apply(np.eye(n, dtype=matrix.dtype), dense)
    matrix.notes.append(f"the matrix was written out for the rank rule ({megabytes(dense.nbytes)})")
    return dense
