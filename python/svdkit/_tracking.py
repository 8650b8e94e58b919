"""Following the leading triplets of a matrix that gains rows, to a measured residual.

An orthonormal basis Q of a few times k vectors is kept from one call to the next, with Z = A^T A Q. Rows E appended to A
change Z by E^T (E Q) exactly, so the first Rayleigh-Ritz step on Q reads only the new rows, and all that the last call
learned of the spectrum still works: its directions beyond k keep the new ones out of the way of the wanted. The basis
then grows by blocks of residuals (a block Davidson or, without restarts, Lanczos process) until Z Y - Q Y theta^2 is
small; a last product with A gives U, and the residuals that are reported.

Cost of a block of w vectors: one fused read of A, 6 n p w flops for a basis of p. Memory: 2 n (p + w) numbers.
Papers: Davidson, J. Comput. Phys. 17 (1975); Morgan & Scott, SIAM J. Sci. Stat. Comput. 7 (1986).
"""

from __future__ import annotations

from typing import Any

import numpy as np

WIDTH = 32  # vectors of a block, at most
STEPS = 40  # blocks of one call, at most
SMALLEST = 1e-3  # a wanted value below this share of the largest is too small for its square


class Tracker:
    """The basis, and its image under A^T A."""

    def __init__(self, k: int, V: np.ndarray, image: np.ndarray) -> None:
        self.k = k
        self.keep = min(4 * k, k + 128)
        n, p = V.shape
        self._room = min(self.keep + 8 * WIDTH, n)
        self._q, self._z = (np.empty((n, self._room), order="F") for _ in range(2))
        self._q[:, :p], self._z[:, :p] = V, image
        self._size = p
        self._projected = np.zeros((self._room, self._room))
        self.reads = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._q.nbytes + self._z.nbytes

    def append(self, rows: Any) -> None:
        """A gains rows, given as an operator."""
        _, change = products(rows, self._q[:, : self._size])
        self._z[:, : self._size] += change

    def solve(self, core: Any, tol: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
        """U, s, V and residuals; None where this is no way to them."""
        self.reads = 0
        q, z = self._q, self._z
        first = 0
        for _ in range(STEPS):
            p = self._size
            self._project(first)
            values, Y = np.linalg.eigh(self._projected[:p, :p])
            values, Y = values[::-1], np.ascontiguousarray(Y[:, ::-1])
            theta = np.sqrt(np.maximum(values[: self.k], 0.0))
            if not theta[-1] > SMALLEST * theta[0]:
                return None
            V = q[:, :p] @ Y[:, : self.k]
            R = z[:, :p] @ Y[:, : self.k] - V * values[: self.k]
            residuals = np.sqrt(np.einsum("ij,ij->j", R, R)) / theta
            if residuals.max() <= 0.5 * tol * theta[0]:
                self._contract(Y)
                answer = self._finish(core, V)
                if answer[3].max() <= tol * answer[1][0]:
                    return answer
                return None
            wanted = np.argsort(-residuals)[:WIDTH]
            wanted = wanted[residuals[wanted] > 0.15 * tol * theta[0]]
            if p + wanted.size > self._room:
                self._contract(Y)
                Y, p, first = np.eye(self._size), self._size, 0
            W = self._orthonormal(R[:, wanted] / (residuals[wanted] * theta[wanted]))
            first = p
            q[:, p : p + W.shape[1]] = W
            _, z[:, p : p + W.shape[1]] = products(core, W)
            self.reads += 1
            self._size = p + W.shape[1]
        return None

    def _project(self, first: int) -> None:
        """Q^T Z from column `first` on."""
        p, T = self._size, self._projected
        T[:p, first:p] = self._q[:, :p].T @ self._z[:, first:p]
        T[first:p, :first] = T[:first, first:p].T
        T[first:p, first:p] = (T[first:p, first:p] + T[first:p, first:p].T) / 2

    def _orthonormal(self, W: np.ndarray) -> np.ndarray:
        """Residuals are orthogonal to the basis but for rounding; Cholesky QR twice."""
        known = self._q[:, : self._size]
        for _ in range(2):
            W = W - known @ (known.T @ W)
            values, X = np.linalg.eigh(W.T @ W)
            good = values > 1e-10 * values[-1]
            W = W @ (X[:, good] / np.sqrt(values[good]))
        return W

    def _contract(self, Y: np.ndarray) -> None:
        """Keep the leading Ritz vectors only."""
        p, keep = self._size, min(self.keep, self._size)
        for x in (self._q, self._z):
            x[:, :keep] = x[:, :p] @ Y[:, :keep]
        self._size = keep

    def _finish(self, core: Any, V: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The singular value decomposition of A V, and residuals from fresh products."""
        image, back = products(core, V)
        self.reads += 1
        values, X = np.linalg.eigh(image.T @ image)
        values, X = values[::-1], X[:, ::-1]
        s = np.sqrt(values)
        U, V = image @ (X / s), V @ X
        right = back @ (X / s) - V * s
        return U, s, V, np.sqrt(np.einsum("ij,ij->j", right, right))


def products(core: Any, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A X and A^T A X."""
    X = np.ascontiguousarray(X)
    image, back = np.empty((core.shape[0], X.shape[1])), np.empty_like(X)
    core.apply_gram(X, image, back)
    return image, back
