"""Tensor trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .unfolding import checked, norm_of, rank_list, share_of, truncated


@dataclass
class TensorTrain:
    """``T[i_1, ..., i_d] ~ cores[0][0, i_1] @ cores[1][:, i_2] @ ... @ cores[-1][:, i_d, 0]``.

    Attributes
    ----------
    cores : list of ndarray
        Of shapes (r_0, n_1, r_1), ..., (r_{d-1}, n_d, r_d) with r_0 = r_d = 1; all but the last are orthonormal.
    tails : list of float
        Norm of what each truncation left out.
    norm : float
        Of the tensor.
    """

    cores: list[np.ndarray]
    tails: list[float]
    norm: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor."""
        return tuple(core.shape[1] for core in self.cores)

    @property
    def ranks(self) -> tuple[int, ...]:
        """(r_1, ..., r_{d-1})."""
        return tuple(core.shape[2] for core in self.cores[:-1])

    @property
    def error(self) -> float:
        """Norm of the error: exactly the root of the sum of the squared tails. At most sqrt(d - 1) times the best."""
        return float(np.linalg.norm(self.tails))

    def to_dense(self) -> np.ndarray:
        """Return the tensor itself."""
        whole = self.cores[0]
        for core in self.cores[1:]:
            whole = np.tensordot(whole, core, 1)
        return whole[0, ..., 0]


def tt_svd(T: Any, ranks: Any = None, *, tol: float | None = None, **options: Any) -> TensorTrain:
    """Return a tensor train, by truncated SVDs from left to right (TT-SVD) [1]_.

    Parameters
    ----------
    T : array, shape (n_1, ..., n_d), d >= 2
    ranks : int or sequence of d - 1 ints, optional
        At most; larger than possible means as large as possible.
    tol : float, optional
        Instead of ranks: relative error of the whole, shared equally by the d - 1 truncations.
    **options
        Of :func:`svdkit.tsvd`, except `tol`.

    Returns
    -------
    TensorTrain

    Notes
    -----
    The error is within ``sqrt(d - 1)`` of the best with these ranks. Cost: a truncated SVD of n_1 x (n_2 ... n_d), and
    smaller ones.

    References
    ----------
    .. [1] I. Oseledets, Tensor-train decomposition, SIAM J. Sci. Comput. 33 (2011).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> T = np.add.outer(np.add.outer(np.arange(3.0), np.arange(4.0)), np.arange(5.0))
    >>> train = svdkit.tt_svd(T, tol=1e-10)
    >>> train.ranks, bool(np.allclose(train.to_dense(), T))
    ((2, 2), True)
    """
    T = checked(T, 2)
    d, norm = T.ndim, norm_of(T)
    wanted = rank_list(ranks, d - 1, "ranks") if ranks is not None else None
    share = share_of(ranks, tol, norm, d - 1)
    cores, tails, left, rest = [], [], 1, T
    for mode in range(d - 1):
        matrix = rest.reshape(left * T.shape[mode], -1)
        k = share if wanted is None else wanted[mode]
        U, s, Vh, tail = truncated(matrix, k, norm, options)
        tails.append(tail)
        cores.append(U.reshape(left, T.shape[mode], s.size))
        left, rest = s.size, s[:, None] * Vh
    cores.append(rest.reshape(left, T.shape[-1], 1))
    return TensorTrain(cores, tails, norm)
