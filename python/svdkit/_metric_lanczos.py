"""Leading triplets of A between two metrics that are known by their products only: block Krylov, thick restart.

  H = A C A^H R is self-adjoint in the inner product x^H R y, and H u = s^2 u.

A basis Q with Q^H R Q = I grows by blocks of H Q; Rayleigh-Ritz on Q^H R H Q; restart with the Ritz vectors. Then
v = A^H R u / s, so that A C v = s u, and both metrics may be singular.

Cost: a block step multiplies b vectors with A, C, A^H and R (R twice) and takes 8 m b p flops for a basis of p. Values
appear squared: those below sqrt(eps) of the largest are noise, and their residuals say so. Paper: G. I. Allen, L.
Grosenick and J. Taylor, A generalized least-square matrix decomposition, J. Amer. Statist. Assoc. 109 (2014), whose
power iteration in these inner products this accelerates; Y. Zhou and Y. Saad, Numer. Algorithms 47 (2008), block
Krylov-Schur.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Product = Callable[[np.ndarray], np.ndarray]
Poll = Callable[[int, int, np.ndarray], bool]  # (block steps, converged, residuals) -> stop?


@dataclass
class Found:
    """Triplets of the weighted problem, and how they were reached."""

    U: np.ndarray  # m x k, U^H R U = I
    s: np.ndarray
    residuals: np.ndarray  # R-norms of A C v - s u
    steps: int
    converged: bool


class _Basis:
    """Q with Q^H R Q = I, beside it R Q and H Q, in room for p columns."""

    def __init__(self, m: int, p: int, dtype: np.dtype[Any], apply: Product, metric: Product | None) -> None:
        self.Q = np.empty((m, p), dtype, order="F")
        self.RQ = self.Q if metric is None else np.empty_like(self.Q)
        self.HQ = np.empty_like(self.Q)
        self.apply = apply
        self.metric: Product = (lambda X: X) if metric is None else metric
        self.count = 0
        self.last = slice(0, 0)  # the newest block

    def extend(self, W: np.ndarray, floor: float) -> int:
        """Append an orthonormal basis of the part of W outside Q; returns how many columns that took."""
        for _ in range(3):
            W = self.outside(W)
            gram = W.conj().T @ self.metric(W)
            values, Y = np.linalg.eigh((gram + gram.conj().T) / 2)
            kept = values > max(floor**2, 1e-14 * values.max(initial=0))
            if not kept.any():
                return 0
            W = W @ (Y[:, kept] / np.sqrt(values[kept]))
            floor = 1e-3  # what rounding left of a direction in Q
            if kept.all() and values.min() > 1e-4 * values.max():
                break
        added = min(W.shape[1], self.Q.shape[1] - self.count)
        self.last = slice(self.count, self.count + added)
        self.Q[:, self.last] = W[:, :added]
        if self.RQ is not self.Q:
            self.RQ[:, self.last] = self.metric(W[:, :added])
        self.HQ[:, self.last] = self.apply(W[:, :added])
        self.count += added
        return added

    def outside(self, W: np.ndarray) -> np.ndarray:
        """W without its part in Q."""
        Q, RQ = self.Q[:, : self.count], self.RQ[:, : self.count]
        for _ in range(2):
            W = W - Q @ (RQ.conj().T @ W)
        return W

    def ritz(self) -> tuple[np.ndarray, np.ndarray]:
        """Ritz values, descending, and the coordinates of their vectors."""
        projected = self.RQ[:, : self.count].conj().T @ self.HQ[:, : self.count]
        theta, Y = np.linalg.eigh((projected + projected.conj().T) / 2)
        return np.maximum(theta[::-1], 0), np.ascontiguousarray(Y[:, ::-1])

    def residual_norms(self, Y: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """R-norms of H u - theta u for the Ritz vectors u = Q Y."""
        rest = self.HQ[:, : self.count] @ Y - self.Q[:, : self.count] @ (Y * theta)
        return np.sqrt(np.maximum(np.einsum("ij,ij->j", rest.conj(), self.metric(rest)).real, 0))

    def rotate(self, Y: np.ndarray) -> None:
        """Replace Q by Q Y."""
        for X in {id(X): X for X in (self.Q, self.RQ, self.HQ)}.values():
            X[:, : Y.shape[1]] = X[:, : self.count] @ Y
        self.count = Y.shape[1]


def metric_lanczos(
    apply: Product,
    metric: Product | None,
    random_block: Callable[[int], np.ndarray],
    k: int,
    tol: float,
    max_steps: int,
    poll: Poll,
) -> Found:
    """k leading eigenpairs of ``apply`` = H in the inner product of `metric` (None: the plain one).

    ``random_block(i)`` is the i-th block (m x b) to start from, or to go on from where H leaves the basis alone; fewer
    than k triplets come back when H has no more.
    """
    W = apply(random_block(0))
    m, b = W.shape
    p = min(m, max(2 * k + 6 * b, k + 12 * b))
    basis = _Basis(m, p + b, W.dtype, apply, metric)
    steps, top = 0, 0.0
    while True:
        added = basis.extend(W, 1e-13 * top) or basis.extend(apply(random_block(steps + 1)), 1e-13 * top)
        steps += 1
        full = basis.count >= p
        if full or steps % 3 == 1 or not added:
            theta, Y = basis.ritz()
            top = float(theta[0]) if theta.size else 0.0
            lead, values = Y[:, :k], np.sqrt(theta[:k])
            real = values > 1e-7 * np.sqrt(top)  # below that, squared values are noise
            residuals = np.zeros(len(values))
            residuals[real] = basis.residual_norms(lead[:, real], theta[:k][real]) / values[real]
            good = residuals <= tol * np.sqrt(top)
            done = (len(values) == k and bool(good.all())) or not added
            if poll(steps, int(good.sum()), residuals) or done or steps >= max_steps:
                U = basis.Q[:, : basis.count] @ lead[:, real]
                return Found(U, values[real], residuals[real], steps, done and bool(good.all()))
        W = basis.HQ[:, basis.last]
        if full:
            W = basis.outside(W)  # orthogonal to all of the basis, also to what goes
            basis.rotate(Y[:, : k + max(b, k // 4)])
