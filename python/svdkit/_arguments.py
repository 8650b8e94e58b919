"""The scalar arguments, checked. A message names the argument, its value, the rule and the remedy."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

SMALLEST = 5e-324  # a tolerance that asks for all the accuracy there is


def integer(name: str, value: Any) -> int:
    if not isinstance(value, bool | np.bool_):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise TypeError(f"{name} = {value!r} is a {type(value).__name__}, but must be an integer; use int({name})")


def positive_int(name: str, value: Any, most: int = 2**31 - 1) -> int:
    """0 for None: the engine chooses."""
    number = integer(name, value)
    if not 1 <= number <= most:
        raise ValueError(f"{name} = {number}, but must be in 1..{most}; leave it out for the default")
    return number


def optional_int(name: str, value: Any) -> int:
    return 0 if value is None else positive_int(name, value)


def rank(k: Any, shape: tuple[int, ...]) -> int:
    """The number of triplets: 1..min(m, n), and 0 for an empty matrix only."""
    number = integer("k", k)
    m, n = shape[-2:]
    most = min(m, n)
    if most == 0 and number != 0:
        raise ValueError(f"k = {number}, but a matrix of shape {shape} has no singular values; only k = 0 is possible")
    if most and not 1 <= number <= most:
        raise ValueError(
            f"k = {number}, but must be in 1..{most} = 1..min(m, n) for a matrix of shape {shape}; "
            f"choose a {'smaller' if number > most else 'larger'} k"
        )
    return number


def number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} = {value!r} is a {type(value).__name__}, but must be a number or None") from error


def positive(name: str, value: Any) -> float:
    size = number(name, value)
    if not 0 < size < math.inf:
        raise ValueError(f"{name} = {value!r}, but must be a positive number; leave it out for the default")
    return size


def tolerance(tol: Any) -> float:
    """0 for None: the default of the precision."""
    if tol is None:
        return 0.0
    value = number("tol", tol)
    if not 0 <= value < 1:
        raise ValueError(
            f"tol = {value!r}, but must be in [0, 1): it bounds the residuals relative to the largest singular value; "
            f"use None for the default of the precision, 0 for all the accuracy there is"
        )
    return max(value, SMALLEST)


def seconds(name: str, value: Any) -> float:
    """0 for None: no limit."""
    if value is None:
        return 0.0
    limit = number(name, value)
    if not limit > 0:
        raise ValueError(f"{name} = {limit!r}, but must be a positive number of seconds; use None for no limit")
    return 0.0 if math.isinf(limit) else limit


def choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} = {value!r}, but must be {' or '.join(map(repr, allowed))}")
    return value


def seed(rng: Any) -> int:
    """The 64 bits that start the engine's generator, as in Scientific Python's SPEC 7."""
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(0, 2**64, dtype=np.uint64))
    if isinstance(rng, np.random.BitGenerator):
        return seed(np.random.Generator(rng))
    if isinstance(rng, np.random.SeedSequence):
        return int(rng.generate_state(1, np.uint64)[0])
    if rng is None:
        return seed(np.random.SeedSequence())
    try:
        value = integer("rng", rng)
    except TypeError:
        raise TypeError(
            f"rng = {rng!r} is a {type(rng).__name__}, but must be an int, a numpy.random.Generator, BitGenerator or "
            f"SeedSequence, or None for fresh entropy; use numpy.random.default_rng(...)"
        ) from None
    if value < 0:
        raise ValueError(f"rng = {value}, but a seed must not be negative; use {-value}")
    return value if value < 2**64 else seed(np.random.SeedSequence(value))


def start_vectors(value: Any, n: int, dtype: np.dtype[Any]) -> np.ndarray | None:
    """Right vectors (n x j) of a result, a (U, s, Vh) tuple or an array."""
    if value is None:
        return None
    Vh = getattr(value, "Vh", value[2] if isinstance(value, tuple) and len(value) == 3 else None)
    V = np.asarray(value) if Vh is None else np.asarray(Vh).conj().T
    if V.ndim != 2 or V.shape[0] != n or V.shape[1] == 0:
        raise ValueError(
            f"warm_start gives right vectors of shape {V.shape}, but they must be the columns of an array of shape "
            f"({n}, j) with j >= 1; pass a result for a matrix with {n} columns, or result.Vh.conj().T"
        )
    if V.dtype.kind not in "fciub":
        raise TypeError(f"warm_start has dtype {V.dtype}, but must be numeric")
    if V.dtype.kind == "c" and dtype.kind != "c":
        raise TypeError("warm_start is complex and the matrix is real; pass its real part")
    if not np.isfinite(V).all():
        raise ValueError("warm_start has entries that are not finite; leave it out to start from random vectors")
    return V.astype(dtype, copy=False)
