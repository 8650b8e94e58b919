"""SketchedSVD: the SVD of a matrix that is seen once."""

from __future__ import annotations

import json
import math
import os
from typing import Any

import numpy as np

from . import _arguments as check
from ._arrays import as_array
from ._core import version
from ._error_estimate import dense_core, gaussian, product
from ._inputs import check_finite, is_sparse
from ._report import Report
from ._result import SVDResult
from ._sparse import sparse_operator

__all__ = ["SketchedSVD"]

BLOCK = 2048  # rows taken in together: a matter of the row's number, so that bits do not depend on how rows arrive
DENSE = 2**24  # entries of a sparse block that are written out together
PROBES = 10  # rows of the sketch that the error is estimated with


class SketchedSVD:
    """A truncated SVD of data seen once: rows as they come, or blocks of a matrix of known height in any order.

    Keeps ``W = Psi^T A``, and the triangular factor of ``A X``; with `rows`, ``A X`` itself. The matrix is then nearly
    ``A X (Psi^T A X)^+ Psi^T A`` (generalised Nystrom [1]_).

    Parameters
    ----------
    n : int
        Columns.
    k : int
        Triplets.
    rows : int, optional
        Rows of the whole matrix. With it the result has left vectors and blocks may come in any order; memory is
        ``rows * (k + oversample)``. Without it memory does not depend on the number of rows, and ``U`` has none.
    oversample : int
        Random vectors beyond k.
    dtype : {"float64", "float32"}
    rng : int, Generator or SeedSequence
        Two states to be merged need the same.
    threads : int, optional

    Notes
    -----
    Cost of a row: 5 n (k + oversample) flops. Memory: 5 n (k + oversample) / 2 numbers and a block of 2048 rows.
    Accurate when the spectrum decays; :attr:`error` says how accurate, from random vectors that have no part in it.

    References
    ----------
    .. [1] Y. Nakatsukasa, arXiv 2009.11392 (2020).
    .. [2] J. A. Tropp, A. Yurtsever, M. Udell and V. Cevher, SIAM J. Sci. Comput. 41 (2019).

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> A = np.outer(np.arange(1000.0), np.ones(30))
    >>> state = svdkit.SketchedSVD(30, 1)
    >>> for first in range(0, 1000, 100):
    ...     state.update(A[first : first + 100])
    >>> bool(np.isclose(state.result().s[0], np.linalg.norm(A)))
    True
    """

    def __init__(
        self,
        n: int,
        k: int,
        *,
        rows: int | None = None,
        oversample: int = 10,
        dtype: Any = "float64",
        rng: Any = 0,
        threads: int | None = None,
    ) -> None:
        self.n = check.positive_int("n", n)
        self.k = check.positive_int("k", k, self.n)
        self.height = None if rows is None else check.positive_int("rows", rows, 2**62)
        extra = check.integer("oversample", oversample)
        if extra < 0:
            raise ValueError(f"oversample = {extra}, but must not be negative; 10 is the default")
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise TypeError(f"dtype = {dtype!r}, but must be float32 or float64; complex data are not supported here")
        self.seed, self.threads = check.seed(rng), check.optional_int("threads", threads)
        self._width = min(self.k + extra, self.n)
        self._left_width = self._width + (self._width + 1) // 2
        self._right = gaussian(self.n, self._width, self.dtype, self.seed ^ 1)  # X
        self._below = np.zeros((self.n, self._left_width + PROBES), self.dtype)  # (Psi, Theta)^T A, transposed
        self._image = None if rows is None else np.zeros((self.height or 0, self._width), self.dtype)  # A X
        self._factor = np.zeros((0, self._width))  # triangular factor of A X
        self._waiting: list[np.ndarray] = []
        self._first_waiting = self._next = 0  # numbers of rows

    @property
    def rows(self) -> int:
        """Rows seen in order."""
        return self._next

    @property
    def nbytes(self) -> int:
        """Bytes of the state."""
        arrays = [self._right, self._below, self._factor, *self._waiting]
        return sum(a.nbytes for a in arrays) + (0 if self._image is None else self._image.nbytes)

    def update(self, rows: Any) -> None:
        """Take in the next rows: an array or a sparse matrix of shape (b, n), b >= 0.

        Raises
        ------
        ValueError, TypeError
            If the rows do not fit or are not finite. The state is as before then.
        """
        if is_sparse(rows) and rows.shape[0] * self.n > DENSE:  # a few rows at a time
            by_row, few = rows.tocsr(), max(1, DENSE // self.n)
            for first in range(0, rows.shape[0], few):
                self.update(by_row[first : first + few])
            return
        block = self._checked(rows)
        if block.shape[1] != self.n:
            raise ValueError(
                f"rows has shape {block.shape}, but must have n = {self.n} columns; pass rows.reshape(-1, n)"
            )
        if self.height is not None and self._next + block.shape[0] > self.height:
            raise ValueError(
                f"rows has {block.shape[0]} rows after {self._next}, but there are {self.height} in all; "
                f"use add(block, row)"
            )
        self._next += block.shape[0]
        while block.shape[0]:
            room = BLOCK - (self._next_in_block())
            self._waiting.append(np.array(block[:room]))
            block = block[room:]
            if self._next_in_block() == BLOCK:
                self._flush()

    def add(self, block: Any, row: int = 0, col: int = 0) -> None:
        """Add a block, dense or sparse, to the matrix at (row, col); needs the height, ``rows=``, of the matrix."""
        if self._image is None or self.height is None:
            raise ValueError("add needs the height of the matrix: SketchedSVD(n, k, rows=m)")
        piece = self._checked(block)
        row, col = check.integer("row", row), check.integer("col", col)
        if row < 0 or col < 0 or row + piece.shape[0] > self.height or col + piece.shape[1] > self.n:
            raise ValueError(
                f"a block of shape {piece.shape} at ({row}, {col}) does not lie inside a matrix of shape "
                f"({self.height}, {self.n})"
            )
        core, image = dense_core(piece), self._image
        image[row : row + piece.shape[0]] += product(core, self._right[col : col + piece.shape[1]], piece.shape[0])
        psi = gaussian(piece.shape[0], self._left_width + PROBES, self.dtype, self.seed, row)
        self._below[col : col + piece.shape[1]] += product(core, psi, piece.shape[1], adjoint=True)

    def merge(self, other: SketchedSVD) -> SketchedSVD:
        """Return the state of both matrices' sum (with `rows`), made from the same seed."""
        mine, its = ((x.n, x.k, x.height, x.seed, x._width, x.dtype) for x in (self, other))
        if mine != its or self.height is None:
            raise ValueError(
                f"states of (n, k, rows, seed, width, dtype) {mine} and {its} cannot be merged; "
                f"make both with the same arguments and with rows="
            )
        total = SketchedSVD(
            self.n, self.k, rows=self.height, oversample=self._width - self.k, dtype=self.dtype, rng=self.seed
        )
        for part in (self, other):
            whole = part._settled()
            total._below += whole._below
            if total._image is not None and whole._image is not None:
                total._image += whole._image
        return total

    def result(self) -> SVDResult:
        """Return the k triplets of what was seen, with the estimated error of the approximation in the notes.

        Without ``rows=`` ``U`` has no rows: ``rows @ result.Vh.T / result.s`` gives those of any row.
        """
        whole = self._settled()
        U, s, Vh, error = whole._triplets()
        report = Report(
            "sketched",
            "the matrix is seen once",
            True,
            np.full(s.size, error),
            0.0,
            1,
            1,
            {},
            self.nbytes,
            max(self.threads, 1),
            self.seed,
            [f"residuals are the estimated Frobenius norm of the whole error, {error:.2e}"],
        )
        return SVDResult(U, s, Vh, report)

    @property
    def error(self) -> float:
        """Estimated ``||A - U s Vh||_F`` for all k + oversample triplets, to a relative deviation of about 0.2."""
        return self._settled()._triplets()[3]

    def save(self, path: str | os.PathLike[str] | Any) -> None:
        """Write the state to a ``.npz`` file."""
        whole = self._settled(keep_waiting=True)
        settings = {
            "n": self.n,
            "k": self.k,
            "rows": self.height,
            "oversample": self._width - self.k,
            "dtype": str(self.dtype),
            "rng": self.seed,
            "next": self._next,
            "version": version,
        }
        waiting = np.concatenate(whole._waiting) if whole._waiting else np.zeros((0, self.n), self.dtype)
        image = np.zeros((0, 0)) if self._image is None else self._image
        np.savez(
            path, settings=json.dumps(settings), below=self._below, factor=self._factor, image=image, waiting=waiting
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str] | Any) -> SketchedSVD:
        """Read a state that :meth:`save` wrote; it goes on as if it had never stopped."""
        with np.load(path) as file:
            settings = json.loads(str(file["settings"]))
            following = settings.pop("next")
            settings.pop("version")
            state = cls(settings.pop("n"), settings.pop("k"), **settings)
            state._below, state._factor, state._next = file["below"], file["factor"], following
            if state._image is not None:
                state._image = file["image"]
            if file["waiting"].size:
                state._waiting = [file["waiting"]]
            state._first_waiting = following - sum(len(w) for w in state._waiting)
        return state

    def _next_in_block(self) -> int:
        return sum(len(rows) for rows in self._waiting)

    def _checked(self, rows: Any) -> np.ndarray:
        if is_sparse(rows):
            sparse_operator(rows, "rows", self.threads, [])  # the checks
            rows = rows.toarray()
        block = as_array(rows, "rows")
        if block.ndim != 2 or block.dtype.kind not in "biuf":
            raise ValueError(f"rows has shape {block.shape} and dtype {block.dtype}, but must be real, (b, {self.n})")
        block = np.ascontiguousarray(block, self.dtype)
        if block.size:
            check_finite(block, "rows", "rows", self.threads)
        return block

    def _flush(self) -> None:
        block = self._waiting[0] if len(self._waiting) == 1 else np.concatenate(self._waiting)
        self._waiting = []
        core = dense_core(block)
        image = product(core, self._right, len(block))
        psi = gaussian(len(block), self._left_width + PROBES, self.dtype, self.seed, self._first_waiting)
        self._below += product(core, psi, self.n, adjoint=True)
        if self._image is not None:
            self._image[self._first_waiting : self._first_waiting + len(block)] += image
        else:
            stacked = np.vstack([self._factor, image.astype(np.float64)])
            self._factor = np.asarray(np.linalg.qr(stacked, mode="r"))
        self._first_waiting += len(block)

    def _settled(self, keep_waiting: bool = False) -> SketchedSVD:
        """The state with the rows that wait for their block taken in; it is not changed itself."""
        if not self._waiting or keep_waiting:
            return self
        copy = object.__new__(SketchedSVD)
        copy.__dict__.update(self.__dict__)
        copy._below = self._below.copy()
        copy._image = None if self._image is None else self._image.copy()
        copy._flush()
        return copy

    def _triplets(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        below = self._below.T.astype(np.float64)
        W, theta = below[: self._left_width], below[self._left_width :]
        right = self._right.astype(np.float64)
        Q, R = _orthogonal(self._image) if self._image is not None else (None, self._factor)
        # A X (W X)^+ W, with the small singular values of W X taken as zero.
        core_q, core_r = np.linalg.qr(W @ right)
        x, sigma, yh = np.linalg.svd(core_r)
        kept = sigma > 10 * np.finfo(self.dtype).eps * sigma.max(initial=0)
        inverse = (yh[kept].T / sigma[kept]) @ x[:, kept].T
        tail = inverse @ (core_q.T @ W)  # (W X)^+ W
        U, s, Vh = np.linalg.svd(R @ tail, full_matrices=False)
        rest = theta - (theta @ right) @ tail
        peak = float(np.abs(rest).max(initial=0)) or 1.0
        error = peak * float(np.linalg.norm(rest / peak)) / math.sqrt(PROBES)
        k = min(self.k, s.size)
        left = np.zeros((0, k)) if Q is None else Q @ U[:, :k]
        flip = np.ones(k)
        if left.size:
            flip = np.sign(left[np.argmax(np.abs(left), axis=0), np.arange(k)])
            flip[flip == 0] = 1
        left, Vh = left * flip, Vh[:k] * flip[:, None]
        return left.astype(self.dtype), s[:k].astype(self.dtype), Vh.astype(self.dtype), error


def _orthogonal(image: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Q and R of the image in double precision."""
    pair = np.linalg.qr(image.astype(np.float64))
    return pair.Q, pair.R
