"""Which way to the triplets of a weighted problem: by T, by its Gram matrix in double precision, or by products."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from .._by_rule import is_rule
from .._report import Report
from .._scalars import real_dtype
from .._spectrum import Spectrum
from .._tsvd import Request, decompose
from .gram_double import gram_double
from .problem import WeightedProblem
from .products import by_products

Triplets = tuple[np.ndarray, np.ndarray, np.ndarray, Report]
MAX_FORMED = 2**30  # bytes of T where A is sparse
MANY = 0.1  # share of the triplets from which the Gram matrix in double precision is cheapest


class _Opened:
    """An operator of the engine in the shape in which the gate takes it."""

    def __init__(self, core: Any) -> None:
        self._core = core
        self.notes: list[str] = []


class _Informed:
    """A rank rule that is told the energy of T, which shows none of its entries."""

    def __init__(self, rule: Any, problem: WeightedProblem) -> None:
        (m, n), dtype = problem.matrix.shape, problem.matrix.dtype
        self.rule, self.needs = rule, rule.needs
        whole = problem.energies(np.empty((m, 0), dtype), np.empty(0), np.empty((0, n), dtype))[1]
        self.energy = math.ldexp(whole, -2 * problem.unit)

    def first_look(self, shape: tuple[int, int]) -> int:
        return int(self.rule.first_look(shape))

    def decide(self, spectrum: Spectrum) -> Any:
        energy = math.ldexp(self.energy, -2 * spectrum.exponent)
        return self.rule.decide(spectrum if spectrum.complete else replace(spectrum, energy_total=energy))

    def __repr__(self) -> str:
        return repr(self.rule)


def triplets(problem: WeightedProblem, request: Request, method: str) -> Triplets:
    """U, s, V of the weighted problem, generalised and in the units of the computation, and the report."""
    m, n = problem.matrix.shape
    if 0 in (m, n):
        U, s, Vh, report = decompose(problem.matrix.entries, request)
        return U, s, Vh.conj().T, report
    sides = [side for side in (problem.rows, problem.cols) if side is not None]
    must = any(side.products_only for side in sides)
    if must and method == "factor":
        raise ValueError("method = 'factor' needs factors, and a metric is known by its products only; use 'auto'")
    found = None
    if must or method == "products" or (method == "auto" and _products_are_cheaper(problem, request)):
        found = by_products(problem, request)
    if found is None or not (found[3].converged or must or method == "products"):
        found = _by_factors(problem, request)
    rank, report = found[1].size, found[3]
    if report.converged and not is_rule(request.k) and rank < request.k:
        report.notes.append(f"A has rank {rank} in these metrics: no more triplets are returned")
    return found


def _vectors(k: int) -> int:
    """How many vectors a Krylov method multiplies, about: spectra of layers and graphs, not of noise."""
    return 3 * k + 80


def _products_are_cheaper(problem: WeightedProblem, request: Request) -> bool:
    """Whether a few products with C cost less than its factor and the product with it."""
    if is_rule(request.k) or request.which == "smallest":
        return False
    m, n = problem.matrix.shape
    fresh = [s for s in (problem.rows, problem.cols) if s is not None and s.dense is not None and not s.factored]
    if not fresh or any(side is not None and side.root is None and side not in fresh for side in problem.sides):
        return False
    sizes = [side.size for side in fresh]
    products = _vectors(request.k) * (4.0 * m * n + sum(2.0 * size**2 for size in sizes))
    factors = sum(size**3 / 3 for size in sizes) + m * n * sum(sizes) / 2
    return products < factors


def _by_factors(problem: WeightedProblem, request: Request) -> Triplets:
    dense = [side for side in problem.sides if side is not None and side.root is None]
    formed = bool(dense) and _is_worth_forming(problem, request)
    T = problem.transformed(formed)
    rank = min(T.shape)
    wanted = request.k if is_rule(request.k) else min(request.k, rank)
    if rank == 0:
        return _nothing(problem, request)
    part = _copy(request, k=_Informed(wanted, problem) if is_rule(wanted) and not formed else wanted)
    single = formed and real_dtype(problem.matrix.dtype) == np.float32 and rank > 512
    if single and request.which == "largest" and not is_rule(wanted) and wanted >= MANY * rank:
        U, s, Vh, report = gram_double(T, wanted, request.tol or 1e-5, request.threads)
        report.seed = request.rng
    else:
        U, s, Vh, report = decompose(T if formed else _Opened(T), part)
    report.notes[:0] = problem.matrix.notes
    if formed:
        report.notes.append(f"A was multiplied by a factor of its metric, {T.shape[0]} x {T.shape[1]}")
    report.passes += problem.matrix.passes + len([side for side in problem.sides if side is not None])
    if request.which == "largest":
        kept = s > max(T.shape) * np.finfo(s.dtype).eps * s.max(initial=0)
        U, s, Vh, report.residuals = U[:, kept], s[kept], Vh[kept], report.residuals[kept]
    left, right = problem.lift(U, s, np.ascontiguousarray(Vh.conj().T))
    return left, s, right, report


def _is_worth_forming(problem: WeightedProblem, request: Request) -> bool:
    """Whether T costs less than the products with a factor that a Krylov method would take besides."""
    m, n = problem.matrix.shape
    A = problem.matrix.entries
    if is_rule(request.k) or request.which == "smallest":
        return True
    size = m * n * problem.matrix.dtype.itemsize
    if A is None or (not isinstance(A, np.ndarray) and size > MAX_FORMED):
        return False
    return 2 * _vectors(request.k) > m


def _nothing(problem: WeightedProblem, request: Request) -> Triplets:
    (m, n), dtype = problem.matrix.shape, problem.matrix.dtype
    report = Report(
        "none", "a metric is zero", True, np.empty(0), request.tol, 0, 0, {}, 0, 1, request.rng, problem.matrix.notes
    )
    return np.empty((m, 0), dtype), np.empty(0, real_dtype(dtype)), np.empty((n, 0), dtype), report


def _copy(request: Request, **changes: Any) -> Request:
    from copy import copy

    part = copy(request)
    for name, value in changes.items():
        setattr(part, name, value)
    return part
