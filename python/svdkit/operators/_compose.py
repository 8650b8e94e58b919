"""Operators made of operators. Wherever one is expected, an array or a sparse matrix does as well."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .._scalars import OPERATORS, real_dtype
from ._base import Operator, as_operator


class Scaled(Operator):
    """``diag(rows) A diag(cols)``: real weights on the rows and columns, A itself untouched.

    Parameters
    ----------
    A : operator, array or sparse matrix, shape (m, n)
    rows : array, shape (m,), optional
    cols : array, shape (n,), optional

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import Scaled
    >>> Scaled(np.ones((2, 2)), rows=[1, 2]).to_dense()
    array([[1., 1.],
           [2., 2.]])
    """

    __slots__ = ()

    def __init__(self, A: Any, rows: Any = None, cols: Any = None) -> None:
        part = as_operator(A, "A")
        real = real_dtype(part.dtype)
        weights = [_weights(*each, real) for each in (("rows", rows, part.shape[0]), ("cols", cols, part.shape[1]))]
        super().__init__(type(part._core).scaled(part._core, *weights), part.notes)


class Centered(Operator):
    """``A - 1 c^T``: the same number subtracted from every entry of a column, without densifying.

    Parameters
    ----------
    A : operator, array or sparse matrix, shape (m, n)
    offsets : array, shape (n,), optional
        Default: the column means, which cost one pass over A.

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import Centered
    >>> Centered(np.array([[1.0, 5.0], [3.0, 5.0]])).to_dense()
    array([[-1.,  0.],
           [ 1.,  0.]])
    """

    __slots__ = ()

    def __init__(self, A: Any, offsets: Any = None) -> None:
        part = as_operator(A, "A")
        if offsets is None:
            offsets = part._core.column_means()
        offsets = _weights("offsets", offsets, part.shape[1], part.dtype)
        super().__init__(type(part._core).centered(part._core, offsets), part.notes)


class Sum(Operator):
    """``A + B + ...``, each term with a weight if wanted, never formed.

    Parameters
    ----------
    *terms : operators, arrays or sparse matrices of one shape and dtype
    weights : numbers, optional
        One for each term.

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import Sum
    >>> Sum(np.eye(2), np.ones((2, 2)), weights=(3, -1)).to_dense()
    array([[ 2., -1.],
           [-1.,  2.]])
    """

    __slots__ = ()

    def __init__(self, *terms: Any, weights: Sequence[complex] | None = None) -> None:
        parts = _same_dtype(terms, "terms")
        for part in parts[1:]:
            if part.shape != parts[0].shape:
                raise ValueError(f"the terms of a sum have shapes {parts[0].shape} and {part.shape}; they must agree")
        factors = [1] * len(parts) if weights is None else [_number(weight, parts[0]) for weight in weights]
        if len(factors) != len(parts):
            raise ValueError(f"weights has {len(factors)} numbers for {len(parts)} terms; give one for each")
        core, factor = parts[0]._core, factors[0]
        for part, weight in list(zip(parts[1:], factors[1:], strict=True)) or [(_zero(parts[0]), 0)]:
            core = type(core).sum(core, part._core, factor, weight)
            factor = 1
        super().__init__(core, [note for part in parts for note in part.notes])


class Product(Operator):
    """``A @ B @ ...``, never formed: the factors in turn.

    Parameters
    ----------
    *factors : operators, arrays or sparse matrices of one dtype

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import Product
    >>> Product(np.ones((2, 3)), np.ones((3, 1))).to_dense()
    array([[3.],
           [3.]])
    """

    __slots__ = ()

    def __init__(self, *factors: Any) -> None:
        parts = _same_dtype(factors, "factors")
        core = parts[0]._core
        for left, right in pairwise(parts):
            if left.shape[1] != right.shape[0]:
                raise ValueError(f"a product of shapes {left.shape} and {right.shape} needs equal inner extents")
            core = type(core).product(core, right._core)
        super().__init__(core, [note for part in parts for note in part.notes])


class Stacked(Operator):
    """Matrices below one another (``axis=0``) or side by side (``axis=1``).

    Parameters
    ----------
    parts : sequence of operators, arrays or sparse matrices of one dtype
    axis : {0, 1}

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.operators import Stacked
    >>> Stacked([np.ones((1, 2)), np.zeros((1, 2))]).to_dense()
    array([[1., 1.],
           [0., 0.]])
    """

    __slots__ = ()

    def __init__(self, parts: Sequence[Any], axis: int = 0) -> None:
        if axis not in (0, 1):
            raise ValueError(f"axis = {axis!r}, but must be 0 (below one another) or 1 (side by side)")
        operators = _same_dtype(parts, "parts")
        for part in operators[1:]:
            if part.shape[1 - axis] != operators[0].shape[1 - axis]:
                raise ValueError(f"shapes {operators[0].shape} and {part.shape} do not stack along axis {axis}")
        core = type(operators[0]._core).stacked([part._core for part in operators], axis == 0)
        super().__init__(core, [note for part in operators for note in part.notes])


def multiple(A: Operator, number: Any) -> Sum:
    """`number` times `A`."""
    return Sum(A, weights=(number,))


def _zero(A: Operator) -> Operator:
    m, n = A.shape
    left, right, none = np.empty((m, 0), A.dtype), np.empty((n, 0), A.dtype), np.empty(0, real_dtype(A.dtype))
    return Operator(OPERATORS[A.dtype].low_rank(left, none, right))


def _number(value: Any, A: Operator) -> complex:
    if A.dtype.kind == "c":
        return complex(value)
    if np.iscomplexobj(value):
        raise TypeError(f"{value} is complex and the operator {A.dtype}; convert it, e.g. Dense(X.astype(complex))")
    return float(value)


def _same_dtype(parts: Sequence[Any], name: str) -> list[Operator]:
    operators = [as_operator(part, f"{name}[{i}]") for i, part in enumerate(parts)]
    if not operators:
        raise ValueError(f"{name} is empty, but at least one is needed")
    for i, part in enumerate(operators):
        if part.dtype != operators[0].dtype:
            raise TypeError(
                f"{name}[0] is {operators[0].dtype} and {name}[{i}] is {part.dtype}, but all must have one dtype; "
                f"convert the data of one, e.g. Dense(X.astype({operators[0].dtype}))"
            )
    return operators


def _weights(name: str, values: Any, size: int, dtype: np.dtype[Any]) -> np.ndarray:
    """Empty for None."""
    if values is None:
        return np.empty(0, dtype)
    vector = np.asarray(values)
    if vector.shape != (size,):
        raise ValueError(f"{name} has shape {vector.shape}, but must be a vector of length {size}")
    if vector.dtype.kind not in "biufc" or (vector.dtype.kind == "c" and dtype.kind != "c"):
        raise TypeError(f"{name} has dtype {vector.dtype}, but must fit {dtype}; convert it")
    if not np.isfinite(vector).all():
        raise ValueError(f"{name} has entries that are not finite")
    return np.ascontiguousarray(vector, dtype)
