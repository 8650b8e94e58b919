"""Matrices that are two functions: their results checked, and the pair checked to be adjoint."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ._scalars import OPERATORS, compute_dtype

Product = Callable[[np.ndarray], Any]


def function_operator(
    shape: Any, matmat: Product, rmatmat: Product | None, dtype: Any, name: str, check_adjoint: bool = True
) -> Any:
    """An operator of the engine that calls ``matmat(X)`` for A X and ``rmatmat(Y)`` for A^H Y."""
    try:
        rows, cols = (operator.index(extent) for extent in shape)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the shape of {name} is {shape!r}, but must be two integers") from error
    if rows < 0 or cols < 0:
        raise ValueError(f"the shape of {name} is {shape!r}, but must not be negative")
    if rmatmat is None:
        raise _no_adjoint(name)
    scalar = compute_dtype(np.dtype(np.float64 if dtype is None else dtype), name)
    core = OPERATORS[scalar].callback(
        rows, cols, _checked(matmat, rows, scalar, f"{name}.matmat"), _checked(rmatmat, cols, scalar, f"{name}.rmatmat")
    )
    if check_adjoint and rows and cols:
        _check_adjoint(core, scalar, name)
    return core


def _checked(function: Product, rows: int, dtype: np.dtype[Any], what: str) -> Product:
    scan = OPERATORS[dtype].scan_values

    def product(x: np.ndarray) -> np.ndarray:
        y = np.asarray(function(x))
        if y.shape != (rows, x.shape[1]):
            raise ValueError(f"{what} returned shape {y.shape} for a block of shape {x.shape}, not {rows, x.shape[1]}")
        if y.dtype.kind == "c" and dtype.kind != "c":
            raise TypeError(f"{what} returned {y.dtype}, but the operator's dtype is {dtype}; declare a complex dtype")
        y = np.ascontiguousarray(y, dtype)
        _, _, bad = scan(y.reshape(-1))
        if bad >= 0:
            i, j = divmod(bad, y.shape[1])
            raise ValueError(f"{what} returned {y[i, j]} at [{i}, {j}]; products of finite blocks must be finite")
        return y

    return product


def _check_adjoint(core: Any, dtype: np.dtype[Any], name: str) -> None:
    allowed = 1e-3 if dtype.char in "fF" else 1e-8
    try:
        mismatch = core.adjoint_mismatch()
    except (NotImplementedError, TypeError) as error:
        if isinstance(error, TypeError) and str(error) != "'NoneType' object is not callable":
            raise
        raise _no_adjoint(name) from error  # how SciPy says that rmatvec was not given
    if mismatch > allowed:
        raise ValueError(
            f"{name}.rmatmat is not the adjoint of {name}.matmat: <y, A x> and <A^H y, x> differ by {mismatch:.1e} "
            f"(relative) for a random pair, allowed is {allowed:.0e}; correct one of them (for a complex matrix "
            f"rmatmat must conjugate)"
        )


def _no_adjoint(name: str) -> TypeError:
    return TypeError(
        f"{name} has no product with its adjoint, which a singular value decomposition needs; "
        f"define rmatvec or rmatmat, e.g. LinearOperator(shape, matvec=..., rmatvec=...)"
    )
