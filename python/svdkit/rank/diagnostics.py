"""How many components a spectrum amounts to: effective ranks. They describe; they do not select.

``1 <= stable rank <= participation ratio <= matrix entropy <= nuclear ratio <= effective rank <= rank``
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._spectrum import spectrum_of


def _shares(s: Any, power: int) -> np.ndarray:
    values = spectrum_of(s).s ** power
    total = values.sum()
    return values / total if total > 0 else values[:0]


def _entropy(shares: np.ndarray) -> float:
    positive = shares[shares > 0]
    return float(np.exp(-np.sum(positive * np.log(positive)))) if positive.size else 0.0


def effective_rank(s: Any) -> float:
    """Return ``exp(H(p))`` for ``p = s / sum(s)``. O. Roy and M. Vetterli, EUSIPCO (2007).

    Examples
    --------
    >>> from svdkit.rank import effective_rank
    >>> round(effective_rank([2.0, 2.0, 2.0]), 12)
    3.0
    """
    return _entropy(_shares(s, 1))


def matrix_entropy(s: Any) -> float:
    """Return ``exp(H(q))`` for ``q = s**2 / sum(s**2)``, the exponential of the von Neumann entropy."""
    return _entropy(_shares(s, 2))


def stable_rank(s: Any) -> float:
    """Return ``||A||_F^2 / ||A||_2^2``."""
    shares = _shares(s, 2)
    return float(1 / shares[0]) if shares.size else 0.0


def participation_ratio(s: Any) -> float:
    """Return ``sum(s**2)**2 / sum(s**4)``."""
    shares = _shares(s, 2)
    return float(1 / np.sum(shares**2)) if shares.size else 0.0


def nuclear_ratio(s: Any) -> float:
    """Return ``(sum(s) / ||A||_F)**2``."""
    shares = _shares(s, 1)
    return float(1 / np.sum(shares**2)) if shares.size else 0.0


def nuclear_norm(s: Any) -> float:
    """Return the sum of the singular values."""
    spectrum = spectrum_of(s)
    return float(np.sum(spectrum.s[::-1]) * spectrum.unit)


def nuclear_norm_bound(A: Any) -> float:
    """Return the L1,2 norm of `A` (m x n), the sum of the norms of its columns: at least the nuclear norm.

    Equal to it if the columns are orthogonal. Cost: 2 m n flops.
    """
    A = np.asarray(A)
    if A.ndim != 2:
        raise ValueError(f"A has shape {A.shape}, but must have 2 dimensions")
    peak = float(np.abs(A).max(initial=0.0))
    return peak * float(np.linalg.norm(A / peak, axis=0).sum()) if peak > 0 else 0.0


def numerical_rank(s: Any, shape: Any = None) -> int:
    """Return the number of values above ``max(m, n) eps s[0]``; without a shape, of a square matrix."""
    spectrum = spectrum_of(s, shape)
    size = max(spectrum.shape or (spectrum.s.size,))
    limit = size * np.finfo(np.asarray(s).dtype if np.asarray(s).dtype.kind == "f" else np.float64).eps
    return int(np.count_nonzero(spectrum.s > limit * spectrum.s[0])) if spectrum.s.size else 0
