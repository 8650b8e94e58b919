"""Matrices known by their products with blocks of vectors. They compose, and are never formed.

Every operator multiplies (``matmat``, ``rmatmat``, ``gram``), has ``shape``, ``dtype``, ``.T`` and ``.H``, and
composes: ``A + B``, ``A - B``, ``A @ B``, ``2 * A``, ``A * column_weights``. All parts must have the same dtype.
Wherever a function takes a matrix it takes an operator.
"""

from ._base import Operator
from ._compose import Centered, Product, Scaled, Stacked, Sum
from ._data import Callback, Dense, LowRank, Sparse
from ._kronecker import GramOfSamples, KroneckerRearranged, KroneckerSum

__all__ = [
    "Callback",
    "Centered",
    "Dense",
    "GramOfSamples",
    "KroneckerRearranged",
    "KroneckerSum",
    "LowRank",
    "Operator",
    "Product",
    "Scaled",
    "Sparse",
    "Stacked",
    "Sum",
]
