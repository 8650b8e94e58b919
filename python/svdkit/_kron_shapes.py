"""Shapes of the factors of a Kronecker product: completed, checked, listed."""

from __future__ import annotations

import math
from typing import Any

from . import _arguments as check

Shape = tuple[int, int]


def factor_shapes(shape: Shape, left: Any, right: Any) -> tuple[Shape, Shape]:
    """Both shapes for a matrix of shape (m, n), whose extents they must divide; either may be None."""
    first, second = completed(shape, left, right)
    product = (first[0] * second[0], first[1] * second[1])
    if product != tuple(shape):
        raise ValueError(
            f"left_shape = {first} and right_shape = {second} make a {product[0]} x {product[1]} product, but "
            f"A is {shape[0]} x {shape[1]}; extents must multiply to those of A, e.g. {_remedy(shape)}"
        )
    return first, second


def completed(shape: Shape, left: Any, right: Any) -> tuple[Shape, Shape]:
    """Both shapes; the one that is None is the smallest with which the product covers (m, n)."""
    if left is None and right is None:
        return balanced(shape)
    given = shape_pair("left_shape", left) if left is not None else shape_pair("right_shape", right)
    if left is not None and right is not None:
        return given, shape_pair("right_shape", right)
    rest = (-(-shape[0] // given[0]), -(-shape[1] // given[1]))
    return (given, rest) if left is not None else (rest, given)


def needs_padding(shape: Shape, left: Shape, right: Shape) -> bool:
    """Whether the product covers A and is larger, but no factor could be smaller in an extent and still cover it."""
    larger = False
    for extent, a, b in zip(shape, left, right, strict=True):
        if a * b == extent:
            continue
        smallest = a == -(-extent // b) or b == -(-extent // a)
        if a * b < extent or not smallest:
            return False
        larger = True
    return larger


def balanced(shape: Shape) -> tuple[Shape, Shape]:
    """The divisors for which both factors have about as many entries, and about the same aspect: fewest parameters a
    term, and the largest full rank."""

    def key(pair: tuple[Shape, Shape]) -> tuple[float, ...]:
        (m1, n1), (m2, n2) = pair
        return parameters(*pair), abs(math.log(m1 * n2) - math.log(m2 * n1)), -m1 * n1

    return min(candidates(shape), key=key)


def candidates(shape: Shape) -> list[tuple[Shape, Shape]]:
    """All pairs of shapes whose product is (m, n), but for 1 x 1 factors where there is a choice, and for rows times
    columns, which are columns times rows. ``(m, 1), (1, n)`` is the ordinary singular value decomposition."""
    m, n = shape
    pairs = [((a, b), (m // a, n // b)) for a in divisors(m) for b in divisors(n)]
    twice = {((1, n), (m, 1))} - {((m, 1), (1, n))}
    useful = [pair for pair in pairs if (1, 1) not in pair and pair not in twice]
    return useful or pairs


def parameters(left: Shape, right: Shape) -> int:
    """Numbers in the two factors of one term."""
    return left[0] * left[1] + right[0] * right[1]


def divisors(n: int) -> list[int]:
    small = [d for d in range(1, math.isqrt(n) + 1) if n % d == 0]
    return sorted({*small, *(n // d for d in small)})


def shape_pair(name: str, value: Any) -> Shape:
    """Two positive integers."""
    try:
        a, b = value
    except (TypeError, ValueError):
        raise ValueError(f"{name} = {value!r}, but must be a pair of integers (rows, columns)") from None
    return check.positive_int(f"{name}[0]", a, 2**62), check.positive_int(f"{name}[1]", b, 2**62)


def _remedy(shape: Shape) -> str:
    left, right = balanced(shape)
    return f"left_shape={left}, right_shape={right}"
