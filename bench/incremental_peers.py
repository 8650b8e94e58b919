"""What incremental SVDs are measured against: the dense method of Zha and Simon, and PyPI's IncSVD."""

from __future__ import annotations

import contextlib
import importlib.util
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import svdkit

CHUNK = 500  # rows that the dense peers take in at a time: their cost grows with the square


class Svdkit:
    """IncrementalSVD, with its defaults."""

    def __init__(self, U: Any, s: Any, Vh: Any) -> None:
        self.state = svdkit.IncrementalSVD.from_result((U, s, Vh))

    def rows(self, B: sp.csr_array) -> None:
        self.state.append_rows(B)

    def cols(self, B: sp.csc_array) -> None:
        self.state.append_cols(B)

    def values(self) -> np.ndarray:
        return self.state.s


class ZhaSimon:
    """NumPy and BLAS: QR of the residual, SVD of the core, both factors rotated."""

    def __init__(self, U: Any, s: Any, Vh: Any) -> None:
        self.U, self.s, self.V = U, s, np.ascontiguousarray(Vh.T)

    def rows(self, B: Any) -> None:
        for first in range(0, B.shape[0], CHUNK):
            self.U, self.V = self._update(self.U, self.V, sp.csr_array(B)[first : first + CHUNK].toarray())

    def cols(self, B: Any) -> None:
        B = sp.csc_array(B)
        for first in range(0, B.shape[1], CHUNK):
            self.V, self.U = self._update(self.V, self.U, B[:, first : first + CHUNK].toarray().T)

    def _update(self, X: np.ndarray, Y: np.ndarray, E: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        k, t = self.s.size, E.shape[0]
        C = Y.T @ E.T
        Q, R = np.linalg.qr(E.T - Y @ C)
        core = np.zeros((k + t, k + R.shape[0]))
        core[:k, :k] = np.diag(self.s)
        core[k:, :k], core[k:, k:] = C.T, R.T
        F, s, Gh = np.linalg.svd(core, full_matrices=False)
        self.s = s[:k]
        X = np.vstack([X @ F[:k, :k], F[k:, :k]])
        return X, Y @ Gh[:k, :k].T + Q @ Gh[:k, k:].T

    def values(self) -> np.ndarray:
        return self.s


class IncSVD:
    """The published code, exact augmentation."""

    def __init__(self, U: Any, s: Any, Vh: Any) -> None:
        from IncSVD.EvolvingMatrix import EvolvingMatrix

        with contextlib.redirect_stdout(io.StringIO()):
            self.matrix = EvolvingMatrix(sp.eye(U.shape[0] + 1, Vh.shape[1] + 1, format="csr"), 1, method="ZhaSimon")
        m = self.matrix
        m._m, m._n, m._k_dim = U.shape[0], Vh.shape[1], s.size
        m._Uk, m._sigmak, m._Vk = U.copy(), s.copy(), np.array(Vh.T, order="C")  # written in place
        m._Ku, m._Kv = np.eye(s.size), np.eye(s.size)
        m._inverted_index = [0] * (4 * max(m._m, m._n))

    def rows(self, B: Any) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            for first in range(0, B.shape[0], CHUNK):
                self.matrix.add_row(sp.csr_matrix(sp.csr_array(B)[first : first + CHUNK]))

    def cols(self, B: Any) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            for first in range(0, B.shape[1], CHUNK):
                self.matrix.add_column(sp.csc_matrix(sp.csc_array(B)[:, first : first + CHUNK]))

    def values(self) -> np.ndarray:
        return np.sort(np.asarray(self.matrix.Sigmak))[::-1]


def peers() -> dict[str, Callable[..., Any]]:
    """Those that are installed."""
    found: dict[str, Callable[..., Any]] = {"svdkit": Svdkit, "zha-simon": ZhaSimon}
    if importlib.util.find_spec("IncSVD") is not None:
        found["incsvd"] = IncSVD
    return found
