"""What a rank rule sees of a matrix: leading singular values, total energy, shape, and the entries where given.

Values are divided by a power of two, so that every rule gives the same rank for s and for 2^q s, to the bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Spectrum:
    """Singular values of an m x n matrix, descending, in units of 2^exponent."""

    s: np.ndarray  # the leading values
    shape: tuple[int, int] | None = None
    energy_total: float | None = None  # the sum of all squares, in units of 4^exponent
    complete: bool = True  # whether s holds all min(m, n) values
    data: Any = None  # the matrix itself
    exponent: int = 0

    @cached_property
    def tails(self) -> np.ndarray | None:
        """Energy beyond the first k values, k = 0..len(s), added up from the small end; None if it is not known."""
        squares = self.s**2
        rest = 0.0
        if not self.complete:
            if self.energy_total is None:
                return None
            rest = max(self.energy_total - math.fsum(squares), 0.0)
        return np.append(np.cumsum(np.append(rest, squares[::-1]))[:0:-1], rest)

    @property
    def total(self) -> float | None:
        """The sum of all squared values, if it is known."""
        return None if self.tails is None else float(self.tails[0])

    @property
    def unit(self) -> float:
        """What a value of 1 here stands for."""
        return math.ldexp(1.0, self.exponent)

    def scaled(self, value: float) -> float:
        """A quantity of the user's (a noise level, a threshold) in units of this spectrum."""
        return math.ldexp(value, -self.exponent)


def spectrum_of(
    s: Any, shape: Any = None, *, norm_fro: float | None = None, energy_total: float | None = None, data: Any = None
) -> Spectrum:
    """A checked spectrum; `norm_fro` or `energy_total` of the whole matrix where `s` is only its beginning."""
    values = np.asarray(s)
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise ValueError(
            f"s has shape {values.shape} and dtype {values.dtype}, but must be a vector of singular values; "
            f"pass result.s, or svdkit.svdvals(A, k)"
        )
    values = values.astype(np.float64)
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        raise ValueError(f"s[{bad[0]}] = {values[bad[0]]}, but singular values must be finite and not negative")
    rising = np.flatnonzero(np.diff(values) > 0)
    if rising.size:
        i = rising[0]
        raise ValueError(
            f"s[{i + 1}] = {values[i + 1]} is larger than s[{i}] = {values[i]}, but s must be descending; "
            f"use numpy.sort(s)[::-1]"
        )
    size = None if shape is None else shape_of(shape)
    if size is not None and values.size > min(size):
        raise ValueError(f"s has {values.size} values, but a matrix of shape {size} has only {min(size)}")
    peak = float(values[0]) if values.size else 0.0
    exponent = math.frexp(peak)[1] if peak > 0 else 0
    complete = size is None or values.size == min(size)
    total = None
    if norm_fro is not None:
        total = math.ldexp(norm_fro, -exponent) ** 2
    elif energy_total is not None:
        if not energy_total >= 0:
            raise ValueError(f"energy_total = {energy_total!r}, but must be the sum of all squared values")
        total = math.ldexp(math.sqrt(energy_total), -exponent) ** 2
    if size is None and total is not None:  # whether there is more to come is for the energy to say
        complete = total <= math.fsum(np.ldexp(values, -exponent) ** 2) * (1 + 1e-12)
    return Spectrum(np.ldexp(values, -exponent), size, total, complete, data, exponent)


def shape_of(shape: Any) -> tuple[int, int]:
    """Two positive integers."""
    try:
        m, n = (int(size) for size in shape)
    except (TypeError, ValueError):
        m = n = -1
    if m < 0 or n < 0:
        raise ValueError(f"shape = {shape!r}, but must be (m, n), the shape of the matrix; pass A.shape")
    return m, n
