"""Sums of Kronecker products fitted to weighted cells, or to those that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from .._arrays import as_array
from .._inputs import is_sparse
from .._kron_shapes import Shape, factor_shapes
from ..weighted import weighted_svd
from .build import result_from_triplets
from .result import KroneckerResult

OF_TSVD = ("method", "block_size", "max_passes")


def fit_elements(
    A: Any, elements: Any, left_shape: Any, right_shape: Any, k: Any, options: dict[str, Any]
) -> KroneckerResult:
    """The rank-k fit of the rearranged cells, with rearranged weights: the same cells, and the same sum of squares."""
    for name in OF_TSVD:
        if options[name] not in (None, "auto"):
            raise ValueError(f"{name} = {options[name]!r} does not go with elements; leave it out")
    A = A if is_sparse(A) else as_array(A, "A")
    if len(A.shape) != 2:
        raise ValueError(f"A has shape {A.shape}, but must have 2 dimensions")
    left, right = factor_shapes(A.shape, left_shape, right_shape)
    weights: Any = elements
    if not isinstance(elements, str):
        weights = elements if is_sparse(elements) else as_array(elements, "elements")
        if weights.shape != A.shape:
            raise ValueError(f"elements has shape {weights.shape}, but must have that of A, {A.shape}")
        weights = rearranged(weights, left, right)
    rest = {name: value for name, value in options.items() if name not in OF_TSVD}
    found = weighted_svd(rearranged(A, left, right), k, elements=weights, **rest)
    return result_from_triplets(found.U, found.s, found.Vh, found.report, left, right)


def rearranged(A: Any, left: Shape, right: Shape) -> Any:
    """A copy of the cells where a Kronecker product is an outer product."""
    (m1, n1), (m2, n2) = left, right
    if not is_sparse(A):
        return A.reshape(m1, m2, n1, n2).transpose(0, 2, 1, 3).reshape(m1 * n1, m2 * n2)
    cells = sp.coo_array(A)
    i, j = cells.row.astype(np.int64), cells.col.astype(np.int64)
    places = (i // m2 * n1 + j // n2, i % m2 * n2 + j % n2)
    return sp.csr_array((cells.data, places), shape=(m1 * n1, m2 * n2))
