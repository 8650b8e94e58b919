"""Tucker decompositions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _arguments as check
from .unfolding import checked, mode_product, norm_of, rank_list, share_of, truncated, unfolding

HOOI_SWEEPS = 50


@dataclass
class TuckerResult:
    """``T ~ core x_1 factors[0] x_2 factors[1] ...``, with orthonormal columns in every factor.

    Attributes
    ----------
    core : ndarray, shape (r_1, ..., r_d)
    factors : list of ndarray, shapes (n_k, r_k)
    spectra : list of ndarray
        Leading singular values of every unfolding: of T, or of what was left of it ("st-hosvd").
    tails : list of float
        Norm of what the truncation of each mode left out of these.
    norm : float
        Of the tensor.
    sweeps : int
        Of HOOI.
    """

    core: np.ndarray
    factors: list[np.ndarray]
    spectra: list[np.ndarray]
    tails: list[float]
    norm: float
    sweeps: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor."""
        return tuple(factor.shape[0] for factor in self.factors)

    @property
    def error(self) -> float:
        """Norm of the error, by Pythagoras: digits are lost where it is below 1e-7 `norm`."""
        return self.norm * float(np.sqrt(max(1 - (norm_of(self.core) / (self.norm or 1.0)) ** 2, 0.0)))

    @property
    def bounds(self) -> tuple[float, float]:
        """(lower, upper) bounds of the error from the tails: the largest, and the root of the sum of squares."""
        return float(max(self.tails)), float(np.linalg.norm(self.tails))

    @property
    def parameters(self) -> int:
        """Numbers in the core and the factors."""
        return self.core.size + sum(factor.size for factor in self.factors)

    def to_dense(self) -> np.ndarray:
        """Return the tensor itself."""
        return tucker_apply(self.core, self.factors)


def tucker(
    T: Any,
    ranks: Any = None,
    *,
    tol: float | None = None,
    budget: float | None = None,
    method: str = "st-hosvd",
    **options: Any,
) -> TuckerResult:
    """Return a Tucker decomposition, from truncated SVDs of the unfoldings.

    Parameters
    ----------
    T : array, shape (n_1, ..., n_d)
    ranks : int or sequence of d ints, optional
        Shape of the core; larger than possible means as large as possible.
    tol : float, optional
        Instead of ranks: relative error of the whole, shared equally by the modes.
    budget : float, optional
        Instead of ranks: the most numbers in core and factors; :func:`core_shape` chooses.
    method : {"st-hosvd", "hosvd", "hooi"}
        Each mode of what the modes before left [2]_ (cheapest), each mode of T [1]_, or the former improved until the
        error stands still [3]_.
    **options
        Of :func:`svdkit.tsvd`, except `tol`.

    Returns
    -------
    TuckerResult

    Notes
    -----
    The squared error is at most the sum of the squared tails, at least the largest of those of T, and at most d times
    the best. Unfoldings are multiplied where the tensor lies.

    References
    ----------
    .. [1] L. De Lathauwer, B. De Moor and J. Vandewalle, SIAM J. Matrix Anal. Appl. 21 (2000), 1253-1278.
    .. [2] N. Vannieuwenhoven, R. Vandebril and K. Meerbergen, SIAM J. Sci. Comput. 34 (2012).
    .. [3] L. De Lathauwer, B. De Moor and J. Vandewalle, SIAM J. Matrix Anal. Appl. 21 (2000), 1324-1342.

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> T = np.einsum("i,j,k->ijk", np.arange(1.0, 4), np.ones(4), np.arange(1.0, 6))
    >>> result = svdkit.tucker(T, 1)
    >>> result.core.shape, bool(np.allclose(result.to_dense(), T))
    ((1, 1, 1), True)
    """
    T = checked(T, 1)
    check.choice("method", method, ("st-hosvd", "hosvd", "hooi"))
    if sum(given is not None for given in (ranks, tol, budget)) != 1:
        raise ValueError("give one of ranks, tol and budget")
    d, norm = T.ndim, norm_of(T)
    if budget is not None:
        spectra = [np.linalg.svd(np.moveaxis(T, k, 0).reshape(T.shape[k], -1), compute_uv=False) for k in range(d)]
        ranks = core_shape(spectra, T.shape, budget)
    wanted = [share_of(None, tol, norm, d)] * d if ranks is None else rank_list(ranks, d, "ranks")
    factors: list[np.ndarray] = []
    spectra, tails, core = [], [], T
    for mode in range(d):
        source = T if method == "hosvd" else core
        U, s, _, tail = truncated(unfolding(source, mode), wanted[mode], norm, options, norm_of(source))
        factors.append(U)
        spectra.append(s)
        tails.append(tail)
        core = mode_product(core, U.conj().T, mode)
    result = TuckerResult(core, factors, spectra, tails, norm)
    return _hooi(T, result, options) if method == "hooi" else result


def tucker_apply(core: Any, factors: Sequence[Any]) -> np.ndarray:
    """Return ``core x_1 factors[0] x_2 factors[1] ...``: the tensor of a Tucker decomposition, such as an adapter's.

    Examples
    --------
    >>> import numpy as np
    >>> from svdkit.tensor import tucker_apply
    >>> tucker_apply(np.ones((1, 1)), [np.ones((2, 1)), np.ones((3, 1))]).shape
    (2, 3)
    """
    whole = np.asarray(core)
    if len(factors) != whole.ndim:
        raise ValueError(f"core has {whole.ndim} modes, but there are {len(factors)} factors; give one for each mode")
    for mode, factor in enumerate(factors):
        factor = np.asarray(factor)
        if factor.ndim != 2 or factor.shape[1] != whole.shape[mode]:
            raise ValueError(f"factors[{mode}] has shape {factor.shape}, but must have {whole.shape[mode]} columns")
        whole = mode_product(whole, factor, mode)
    return whole


def core_shape(spectra: Sequence[Any], shape: Sequence[int], budget: float) -> tuple[int, ...]:
    """Return ranks whose core and factors have at most `budget` numbers and keep much of the energy of every mode.

    Greedy: from (1, ..., 1), the mode that gains most energy for a number, again and again. Not optimal: the problem
    is a kind of knapsack.

    Examples
    --------
    >>> from svdkit.tensor import core_shape
    >>> core_shape([[3.0, 1.0], [3.0, 1.0], [3.0, 0.0]], (2, 2, 2), 12)
    (2, 1, 1)
    """
    energies = [np.asarray(s, dtype=float) ** 2 for s in spectra]
    ranks = [1] * len(energies)

    def cost(r: Sequence[int]) -> int:
        return int(np.prod(r)) + sum(n * k for n, k in zip(shape, r, strict=True))

    if cost(ranks) > budget:
        raise ValueError(f"budget = {budget}, but even a core of one number needs {cost(ranks)}; allow more")
    while True:
        gains = []
        for mode, energy in enumerate(energies):
            larger = [r + (i == mode) for i, r in enumerate(ranks)]
            if larger[mode] <= energy.size and cost(larger) <= budget and energy[larger[mode] - 1] > 0:
                gains.append((energy[larger[mode] - 1] / (cost(larger) - cost(ranks)), -mode))
        if not gains:
            return tuple(ranks)
        ranks[-max(gains)[1]] += 1


def _hooi(T: np.ndarray, start: TuckerResult, options: dict[str, Any]) -> TuckerResult:
    """Alternating: each factor the best for the others. The norm of the core never falls."""
    factors, core, kept = list(start.factors), start.core, norm_of(start.core)
    sweeps = 0
    while sweeps < HOOI_SWEEPS:
        sweeps += 1
        for mode, old in enumerate(factors):
            part = T
            for other, factor in enumerate(factors):
                if other != mode:
                    part = mode_product(part, factor.conj().T, other)
            k = min(old.shape[1], *unfolding(part, mode).shape)
            factors[mode] = truncated(unfolding(part, mode), k, start.norm, options)[0]
            core = mode_product(part, factors[mode].conj().T, mode)
        before, kept = kept, norm_of(core)
        if kept - before <= 1e-14 * start.norm:
            break
    return TuckerResult(core, factors, start.spectra, start.tails, start.norm, sweeps)
