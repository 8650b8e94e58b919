"""Unfoldings of tensors, and what their decompositions share."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _arguments as check
from .._arrays import as_array
from .._scalars import compute_dtype
from ..operators import KroneckerRearranged, Operator
from ..rank import Tolerance
from ..truncated import tsvd


def unfolding(T: Any, mode: int) -> Operator:
    """Return the unfolding of a tensor along a mode, n_mode x (product of the others), as an operator, without a copy.

    Parameters
    ----------
    T : array, shape (n_1, ..., n_d)
        Read where it lies if it is C-contiguous.
    mode : int

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.tensor import unfolding
    >>> T = np.arange(24.0).reshape(2, 3, 4)
    >>> bool((unfolding(T, 1).to_dense() == T.transpose(1, 0, 2).reshape(3, 8)).all())
    True
    """
    T = np.ascontiguousarray(T)
    before, n, after = int(np.prod(T.shape[:mode])), T.shape[mode], int(np.prod(T.shape[mode + 1 :]))
    return KroneckerRearranged(T.reshape(before, n * after), (1, n), (before, after))


def truncated(matrix: Any, k: Any, norm: float, options: dict[str, Any], total: float | None = None) -> Any:
    """(U, s, Vh, norm of the rest): at most k triplets; for a float as many as leave no more, at least one."""
    shape = matrix.shape
    if isinstance(k, float):  # the norm of the rest that is allowed
        size = norm_of(matrix) if total is None else total
        rule = Tolerance(min(k / size, 1.0) if size else 1.0, norm="fro")
        U, s, Vh = tsvd(matrix, rule, **options)
        if s.size == 0:
            U, s, Vh = tsvd(matrix, 1, **options)
    else:
        U, s, Vh = tsvd(matrix, min(k, *shape), **options)
    size = total if total is not None else norm_of(matrix)
    scale = size or 1.0
    rest = size * float(np.sqrt(max(1 - np.sum((s.astype(float) / scale) ** 2), 0.0)))
    return U, s, Vh, 0.0 if s.size == min(shape) else rest


def mode_product(T: np.ndarray, M: np.ndarray, mode: int) -> np.ndarray:
    """``T x_mode M``, contiguous."""
    return np.ascontiguousarray(np.moveaxis(np.tensordot(M, T, (1, mode)), 0, mode))


def checked(T: Any, least: int) -> np.ndarray:
    """A contiguous array of a scalar of the engine, finite, with at least `least` modes."""
    T = as_array(T, "T")
    if T.ndim < least or T.size == 0:
        raise ValueError(f"T has shape {T.shape}, but must have at least {least} modes and no empty one")
    T = np.ascontiguousarray(T, compute_dtype(T.dtype, "T"))
    if not np.isfinite(T).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(T))[0]))
        raise ValueError(f"T{list(place)} is {T[place]}, but all entries must be finite")
    return T


def norm_of(T: Any) -> float:
    """Frobenius norm, without overflow or underflow."""
    if isinstance(T, Operator):
        return float(T._core.norm_fro())
    peak = float(np.abs(T).max(initial=0))
    return peak * float(np.linalg.norm((T / peak).astype(np.result_type(T, np.float64)))) if peak else 0.0


def rank_list(ranks: Any, count: int, name: str) -> list[int]:
    """`count` positive integers, from one or from so many."""
    values = [ranks] * count if np.ndim(ranks) == 0 else list(ranks)
    if len(values) != count:
        raise ValueError(f"{name} = {ranks!r}, but must be an integer or {count} of them")
    return [check.positive_int(name, value) for value in values]


def share_of(ranks: Any, tol: float | None, norm: float, parts: int) -> float:
    """The norm that each truncation may leave out."""
    if ranks is not None:
        if tol is not None:
            raise ValueError(f"ranks = {ranks!r} and tol = {tol!r}, but only one of them can be chosen")
        return 0.0
    if tol is None:
        raise ValueError("give ranks or tol")
    accuracy = check.number("tol", tol)
    if not 0 < accuracy < 1:
        raise ValueError(f"tol = {tol!r}, but must be in (0, 1), relative to the norm of T")
    return accuracy * norm / float(np.sqrt(parts))
