"""The weighted low-rank problem: from A and two metrics to T = F_R^H A F_C, and from triplets of T back to A.

With R = F_R F_R^H and C = F_C F_C^H, T = U~ s V~^H:

  min over rank k of tr[(A - B)^H R (A - B) C] = sum_{i > k} s_i^2,   B = U s V^H,
  U = A F_C V~ / s,   V = A^H F_R U~ / s,   U^H R U = I,   V^H C V = I.

No factor is inverted: where it is the identity U = U~, and B = U~ U~^H A. For definite metrics these are F_R^-H U~ and
F_C^-H V~; for singular ones B keeps, in the directions that a metric does not see, what A does there: the limit of
R + eps I. (From T V~ = U~ s: F_R^H U = U~, hence the values of B and of T's truncation agree, singular or not.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._error_estimate import product
from .._half import is_half, widen
from .._inputs import Matrix, is_sparse
from .._scalars import DTYPES, OPERATORS, real_dtype
from .metric import Metric

STRIP = 2**23  # entries of A - B looked at together


@dataclass(slots=True)
class WeightedProblem:
    """A opened, and its metrics; everything in units in which A and the metrics are near one."""

    matrix: Matrix
    rows: Metric | None
    cols: Metric | None
    exponent: int = 0  # the matrix is 2^exponent times what is computed with

    @property
    def unit(self) -> int:
        """Exponent of the singular values."""
        return self.exponent + sum(side.exponent for side in (self.rows, self.cols) if side is not None)

    @property
    def sides(self) -> tuple[Metric | None, Metric | None]:
        """The row and the column metric."""
        return self.rows, self.cols

    def core_in_units(self) -> Any:
        """A over 2^exponent; nothing is copied."""
        return self._with_weights(self.matrix.core, None, None)

    def scaled(self, core: Any) -> Any:
        """The same with the roots of diagonal metrics on its rows and columns; `core` is A."""
        return self._with_weights(core, *(None if side is None else side.root for side in self.sides))

    def _with_weights(self, core: Any, left: np.ndarray | None, right: np.ndarray | None) -> Any:
        if self.exponent:
            left = np.ldexp(np.ones(self.matrix.shape[0]) if left is None else left, -self.exponent)
        if left is None and right is None:
            return core
        real = real_dtype(DTYPES[type(core)])
        left, right = (np.empty(0, real) if side is None else side.astype(real) for side in (left, right))
        return type(core).scaled(core, left, right)

    def unfold(self, core: Any, U: np.ndarray, s: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Generalised vectors of A from those of A with the roots of diagonal metrics on it; `core` is A."""
        core, (m, n) = self._with_weights(core, None, None), self.matrix.shape
        if self.cols is not None and self.cols.root is not None:
            left = U if self.rows is None else self.rows.spread(U) if self.rows.root is not None else self.rows.times(U)
            V = product(core, left, n, adjoint=True) / s
        if self.rows is not None and self.rows.root is not None:
            U = product(core, V if self.cols is None else self.cols.times(V), m) / s
        return U, V

    def transformed(self, formed: bool) -> Any:
        """T, as an operator of the engine or, `formed`, as an array where a metric is not diagonal."""
        core, dtype = self.scaled(self.matrix.core), self.matrix.dtype
        left, right = (self._dense_factor(side, dtype) for side in (self.rows, self.cols))
        if not formed or (left is None and right is None):
            dense = OPERATORS[dtype].dense
            if right is not None:
                core = type(core).product(core, dense(right))
            return core if left is None else type(core).product(dense(left.conj().T), core)
        if right is None:
            assert left is not None
            return np.ascontiguousarray(product(core, left, core.shape[1], adjoint=True).conj().T)
        T = self._times(core, right)
        return T if left is None else left.conj().T @ T

    def _times(self, core: Any, F: np.ndarray) -> np.ndarray:
        """A F, a product of two arrays where A is one."""
        A = self.matrix.entries
        if isinstance(A, np.ndarray) and A.dtype == self.matrix.dtype and core is self.matrix.core:
            return A @ F
        return product(core, F, core.shape[0])

    @staticmethod
    def _dense_factor(side: Metric | None, dtype: np.dtype[Any]) -> np.ndarray | None:
        if side is None or side.root is not None:
            return None
        if side.factor.dtype.kind == "c" and dtype.kind != "c":
            raise TypeError("a metric is complex and A is real; pass A.astype(complex)")
        return side.factor_for(dtype)

    def lift(self, U: np.ndarray, s: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Generalised singular vectors of A from those of T; A is read once for every side with a metric."""
        floor = np.finfo(s.dtype).eps * s.max(initial=0)
        size = np.maximum(s, floor) if floor else np.ones_like(s)
        core, (m, n) = self.core_in_units(), self.matrix.shape
        left, right = U, V
        if self.rows is not None:
            left = product(core, V if self.cols is None else self.cols.spread(V), m) / size
        if self.cols is not None:
            right = product(core, U if self.rows is None else self.rows.spread(U), n, adjoint=True) / size
        return left, right

    def in_units(self, U: np.ndarray, s: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same triplets for A and the metrics as the user gave them."""
        left, right = (0 if side is None else side.exponent for side in (self.rows, self.cols))
        return _times_power(U, -left), np.ldexp(s, self.unit), _times_power(V, -right)

    def energies(self, U: np.ndarray, s: np.ndarray, Vh: np.ndarray) -> tuple[float, float]:
        """The weighted squared norms of A - B and of A, summed in double precision, A read once."""
        if self.rows is not None and self.rows.root is None and (self.cols is None or self.cols.root is not None):
            return self.adjoint().energies(Vh.conj().T, s, U.conj().T)
        sums = [0.0, 0.0]  # of A - B and of A
        kept: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for first, strip in self._strips():
            part = slice(first, first + len(strip))
            B = (U[part] * s).astype(strip.dtype) @ Vh
            for i, E in enumerate((strip - B, strip)):
                E = E * 2.0**-self.exponent
                if self.rows is None:
                    sums[i] += _energy(E, self.cols)
                elif self.rows.root is not None:
                    sums[i] += _energy(self.rows.root[part, None] * E, self.cols)
                else:
                    kept[i].append(E)
        if self.rows is not None and self.rows.root is None:
            sums = [_energy_between(np.concatenate(parts), self.rows, self.cols) for parts in kept]
        left, whole = (math.ldexp(x, 2 * self.unit) if x < 1e300 else math.inf for x in sums)
        return left, whole

    def adjoint(self) -> WeightedProblem:
        """The same problem for A^H."""
        core, entries = self.matrix.core, self.matrix.entries
        plain = entries is not None and not is_half(entries.dtype)
        flipped = Matrix(
            type(core).adjoint(core), self.matrix.dtype, self.matrix.shape[::-1],
            entries=entries.conj().T if plain else None,
        )  # fmt: skip
        return WeightedProblem(flipped, self.cols, self.rows, self.exponent)

    def _strips(self) -> Iterator[tuple[int, np.ndarray]]:
        """Rows of A in double precision, a few at a time."""
        A, (m, n), dtype = self.matrix.entries, self.matrix.shape, self.matrix.dtype
        wide = np.result_type(dtype, np.float64)
        rows = max(1, STRIP // max(n, 1))
        if is_sparse(A):
            A = A.tocsr()
        for first in range(0, m, rows):
            last = min(first + rows, m)
            if A is None:
                unit = np.zeros((m, last - first), dtype)
                unit[np.arange(first, last), np.arange(last - first)] = 1
                strip = product(self.matrix.core, unit, n, adjoint=True).conj().T
            elif is_sparse(A):
                strip = A[first:last].toarray()
            else:
                strip = widen(A[first:last]) if is_half(A.dtype) else A[first:last]
            yield first, strip.astype(wide)


def scaled_problem(matrix: Matrix, rows: Metric | None, cols: Metric | None) -> WeightedProblem:
    """The problem, with a power of two taken out of A where products with a metric could leave the range."""
    safe = 20 if real_dtype(matrix.dtype) == np.float32 else 200
    exponent = math.frexp(matrix.max_abs)[1] if matrix.max_abs else 0
    return WeightedProblem(matrix, rows, cols, exponent if abs(exponent) > safe else 0)


def _energy(E: np.ndarray, cols: Metric | None) -> float:
    if cols is None:
        return float(np.vdot(E, E).real)
    if cols.products_only:
        return float(np.vdot(E.conj().T, cols.times(np.ascontiguousarray(E.conj().T))).real)
    weighed = cols.weigh(E)
    return float(np.vdot(weighed, weighed).real)


def _energy_between(E: np.ndarray, rows: Metric, cols: Metric | None) -> float:
    if not rows.products_only:
        return _energy(rows.weigh(E.conj().T).conj().T, cols)
    right = E if cols is None else cols.times(np.ascontiguousarray(E.conj().T)).conj().T
    return float(np.vdot(E, rows.times(np.ascontiguousarray(right))).real)


def _times_power(X: np.ndarray, exponent: int) -> np.ndarray:
    return X * X.real.dtype.type(2.0**exponent) if exponent else X
