"""Rules that look at the entries: parallel analysis, bi-cross-validation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._spectrum import Spectrum
from ..truncated import svdvals, tsvd
from ._rule import Decision, Rule, leading_run, positive, unit_interval


class DataRule(Rule):
    """A rule that looks at the entries."""

    needs = "the matrix itself"

    def first_look(self, shape: tuple[int, int]) -> int:
        return 1

    def _data(self, spectrum: Spectrum) -> np.ndarray:
        data = spectrum.data
        if data is None:
            raise ValueError(f"{self!r} looks at the matrix itself: pass data=A")
        dense = data.toarray() if hasattr(data, "toarray") else np.asarray(data)
        if dense.ndim != 2 or dense.dtype.kind not in "biuf":
            raise TypeError(f"{self!r} needs a real matrix, got shape {dense.shape} and dtype {dense.dtype}")
        return np.asarray(dense, np.float64)


class ParallelAnalysis(DataRule):
    """Values that exceed those of the same matrix with its structure destroyed, a number of times.

    Parameters
    ----------
    null : {"permutation", "signflip"}
        Every column is permuted by itself [1]_, or every entry gets a random sign [2]_, which noise of unequal size in
        rows and columns needs.
    quantile : float
        Of the values of the null matrices, to be exceeded.
    repeats : int
        Null matrices.
    deflate : bool
        Take every accepted component out before the next is tested, so that strong factors do not hide weak ones [3]_;
        on small matrices it may accept one of noise.
    kmax : int, optional
        The most components considered. Default: ``min(min(m, n) // 2, 50)``.
    rng : int, Generator or SeedSequence

    Notes
    -----
    Columns are centred first, with "permutation". Cost: `repeats` truncated decompositions; with `deflate`, for every
    component. ``details["p_values"]`` has ``(1 + #exceeding) / (repeats + 1)``.

    References
    ----------
    .. [1] A. Buja and N. Eyuboglu, Multivar. Behav. Res. 27 (1992).
    .. [2] D. Hong, Y. Sheng and E. Dobriban, Selecting the number of components in PCA via random signflips (2020).
    .. [3] E. Dobriban and A. B. Owen, J. R. Stat. Soc. B 81 (2019).
    """

    def __init__(
        self,
        null: str = "permutation",
        quantile: float = 0.95,
        repeats: int = 20,
        deflate: bool = False,
        kmax: int | None = None,
        rng: Any = 0,
    ) -> None:
        if null not in ("permutation", "signflip"):
            raise ValueError(f"null = {null!r}, but must be 'permutation' or 'signflip'")
        self.null, self.quantile, self.repeats = (
            null,
            unit_interval("quantile", quantile),
            int(positive("repeats", repeats)),
        )
        self.deflate, self.kmax, self.rng = bool(deflate), kmax, rng

    def decide(self, spectrum: Spectrum) -> Decision | None:
        X = self._data(spectrum)
        if self.null == "permutation":
            X = X - X.mean(axis=0)
        kmax = min(self.kmax or max(1, min(min(X.shape) // 2, 50)), min(X.shape))
        rng = np.random.default_rng(self.rng)
        if self.deflate:
            return self._deflated(X, kmax, rng)
        s, null = svdvals(X, kmax), np.array([svdvals(self._destroyed(X, rng), kmax) for _ in range(self.repeats)])
        limits = np.quantile(null, self.quantile, axis=0)
        p = (1 + np.count_nonzero(null >= s, axis=0)) / (self.repeats + 1)
        rank = leading_run(s > limits)
        return Decision(rank, float(limits[min(rank, kmax - 1)]), scores=s - limits, details={"p_values": p})

    def _deflated(self, X: np.ndarray, kmax: int, rng: np.random.Generator) -> Decision:
        scores, limit = [], 0.0
        for rank in range(kmax):
            U, s, Vh = tsvd(X, 1)
            limit = float(
                np.quantile([svdvals(self._destroyed(X, rng), 1)[0] for _ in range(self.repeats)], self.quantile)
            )
            scores.append(float(s[0]) - limit)
            if scores[-1] <= 0:
                return Decision(rank, limit, scores=np.array(scores))
            X = X - (U * s) @ Vh
        return Decision(kmax, limit, scores=np.array(scores), warnings=("all kmax components are significant",))

    def _destroyed(self, X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.null == "permutation":
            return rng.permuted(X, axis=0)
        return X * rng.choice([-1.0, 1.0], size=X.shape)


class BiCrossValidation(DataRule):
    """The rank that predicts held-out blocks best: for ``X = [A B; C D]``, A by ``B D_k^+ C``.

    Parameters
    ----------
    folds : (int, int)
        Into how many groups rows and columns are cut; every pair of groups is held out once.
    repeats : int
        Random cuts.
    kmax : int, optional
        Default: ``min(min(m, n) // 2, 50)``.
    rng : int, Generator or SeedSequence

    Notes
    -----
    One truncated SVD of each retained block serves all ranks. Cost: ``repeats * folds[0] * folds[1]`` of them.

    References
    ----------
    A. B. Owen and P. O. Perry, Ann. Appl. Stat. 3 (2009).
    """

    def __init__(
        self, folds: tuple[int, int] = (2, 2), repeats: int = 1, kmax: int | None = None, rng: Any = 0
    ) -> None:
        if min(folds) < 2:
            raise ValueError(f"folds = {folds}, but rows and columns must be cut into 2 groups or more")
        self.folds, self.repeats, self.kmax, self.rng = tuple(folds), int(positive("repeats", repeats)), kmax, rng

    def decide(self, spectrum: Spectrum) -> Decision | None:
        X = self._data(spectrum)
        m, n = X.shape
        if m < self.folds[0] or n < self.folds[1]:
            raise ValueError(f"folds = {self.folds}, but the matrix has shape {X.shape}: fewer rows or columns")
        rng = np.random.default_rng(self.rng)
        smallest = min(m - -(-m // self.folds[0]), n - -(-n // self.folds[1]))
        kmax = min(self.kmax or max(1, min(min(m, n) // 2, 50)), smallest)
        errors = np.zeros(kmax + 1)
        for _ in range(self.repeats):
            rows = np.array_split(rng.permutation(m), self.folds[0])
            cols = np.array_split(rng.permutation(n), self.folds[1])
            for row in rows:
                for col in cols:
                    errors += _held_out_errors(X, row, col, kmax)
        return Decision(int(np.argmin(errors)), scores=errors / (self.repeats * m * n))


def _held_out_errors(X: np.ndarray, row: np.ndarray, col: np.ndarray, kmax: int) -> np.ndarray:
    """Squared error of the block (row, col) predicted with k = 0..kmax components of the rest."""
    other_row, other_col = np.setdiff1d(np.arange(X.shape[0]), row), np.setdiff1d(np.arange(X.shape[1]), col)
    A, B = X[np.ix_(row, col)], X[np.ix_(row, other_col)]
    C, D = X[np.ix_(other_row, col)], X[np.ix_(other_row, other_col)]
    U, s, Vh = tsvd(D, kmax)
    left, right = B @ Vh.T, U.T @ C
    errors = np.empty(kmax + 1)
    errors[0] = np.sum(A**2)
    for k in range(kmax):
        if s[k] <= max(D.shape) * np.finfo(float).eps * s[0]:
            errors[k + 1 :] = np.inf  # the block has no more than k components
            break
        A = A - np.outer(left[:, k], right[k] / s[k])
        errors[k + 1] = np.sum(A**2)
    return errors
