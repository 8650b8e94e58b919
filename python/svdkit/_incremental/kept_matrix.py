"""A sparse matrix that grows and changes, and its leading triplets whenever they are wanted.

Rows are appended to arrays that double when they are full. Other changes wait, as entries, until the next result, and
are then merged into the rows once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from .. import _arguments as check
from .._result import SVDResult
from .._scalars import OPERATORS
from .._tsvd import Request, run

DOUBLE = np.dtype(np.float64)
DEFAULT_TOL = 1e-8


class KeptMatrix:
    """Sparse rows in one piece, changes that wait, and the last result while nothing has changed."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self.opened = False
        self._begin, self._place, self._value = np.zeros(1, np.int32), np.zeros(0, np.int32), np.zeros(0)
        self._rows = self._cols = self._entries = 0
        self._settled_cols = 0  # columns when the rows were merged last
        self._waiting: list[sp.coo_array] = []
        self._result: tuple[float, SVDResult] | None = None

    def __getstate__(self) -> dict[str, Any]:
        self._settle()
        begin, place, value = self._arrays()
        return self.__dict__ | {"_begin": begin.copy(), "_place": place.copy(), "_value": value.copy()}

    @property
    def shape(self) -> tuple[int, int]:
        return self._rows, self._cols

    @property
    def nbytes(self) -> int:
        arrays = self._begin.nbytes + self._place.nbytes + self._value.nbytes
        waiting = sum(block.data.nbytes + 2 * block.row.nbytes for block in self._waiting)
        return arrays + waiting

    @property
    def energy(self) -> float:
        """|A|_F^2."""
        self._settle()
        return float(self._operator().norm_fro(self._settings.threads)) ** 2 if self._rows and self._cols else 0.0

    def append_rows(self, B: Any, shape: tuple[int, int]) -> None:
        if not self.opened:
            self._cols = self._settled_cols = shape[1]
        self.opened, self._result = True, None
        if self._waiting or self._settled_cols != self._cols:
            self._settle()
        by_row = sp.csr_array(B)
        count = by_row.nnz
        index = np.int64 if max(self._entries + count, self._cols) >= 2**31 else self._begin.dtype
        self._begin = _grown(self._begin.astype(index, copy=False), self._rows + 1, shape[0])
        self._place = _grown(self._place.astype(index, copy=False), self._entries, count)
        self._value = _grown(self._value, self._entries, count)
        self._begin[self._rows + 1 : self._rows + 1 + shape[0]] = by_row.indptr[1:] + self._entries
        self._place[self._entries : self._entries + count] = by_row.indices
        self._value[self._entries : self._entries + count] = by_row.data
        self._rows, self._entries = self._rows + shape[0], self._entries + count

    def append_cols(self, B: Any, shape: tuple[int, int]) -> None:
        if not self.opened:
            self._rows, self.opened = shape[0], True
            self._begin = np.zeros(shape[0] + 1, np.int32)
        block = sp.coo_array(B)
        self._cols += shape[1]
        self._wait(block.row, block.col + (self._cols - shape[1]), block.data)

    def add(self, D: Any, E: Any, shape: tuple[int, int]) -> None:
        if not self.opened:
            self.append_rows(sp.csr_array(shape), shape)
        product = sp.coo_array(sp.csr_array(D) @ sp.csr_array(E).T)
        self._wait(product.row, product.col, product.data)

    def change(self, i: np.ndarray, j: np.ndarray, v: np.ndarray) -> None:
        self._wait(i, j, v)

    def delete(self, side: str, which: list[int]) -> None:
        self._settle()
        keep = np.ones(self.shape[0 if side == "rows" else 1], bool)
        keep[which] = False
        A = self._matrix()
        self._take(A[keep] if side == "rows" else A[:, keep])

    def result(self, tol: Any, dtype: np.dtype[Any]) -> SVDResult:
        """The triplets, to a residual of `tol` times the largest value."""
        accuracy = check.tolerance(tol) or self._settings.tol or DEFAULT_TOL
        if self._result is None or self._result[0] > accuracy:
            self._settle()
            self._result = accuracy, self._solve(accuracy)
        result = self._result[1]
        if dtype == result.dtype:
            return result
        U, s, Vh = (part.astype(dtype) for part in result)
        return SVDResult(U, s, Vh, result.report)

    def _solve(self, tol: float) -> SVDResult:
        """By tsvd, from nothing: the matrix alone decides on the bits of a result.

        Going on from the last result has been measured and does not pay: 1000 new rows (2%) leave the old vectors two
        digits, and the six that are missing cost a block method more products than a Krylov space needs for all eight,
        whether the spectrum is flat or has a gap below the k-th value.

        Nor does a wider basis V kept with A^T A V, which new rows update without a read of A. For 100k x 50k, 5M
        entries and k = 32, blocks of residuals beside 64, 96 or 192 such vectors take 188, 171 or 146 products where
        the Krylov space takes 208. But these come in blocks of 32 against a basis of 250 to 340: what orthogonality
        and rotations cost more exceeds what is saved. Images in single precision stop at 1e-7, as values next to the
        k-th mix with it.
        """
        settings = self._settings
        request = Request(
            *(min(settings.k, *self.shape), tol, "largest", True, False, None, None, "auto", None, None),
            *(settings.seed, settings.threads or None, None, False, None, "warn"),
        )
        result: SVDResult = run(self._matrix(), request)
        return result

    def _wait(self, i: np.ndarray, j: np.ndarray, v: np.ndarray) -> None:
        self._result = None
        if v.size or self._settled_cols != self._cols:
            self._waiting.append(sp.coo_array((v.astype(DOUBLE), (i, j)), shape=self.shape))

    def _settle(self) -> None:
        """Merge what waits into the rows."""
        if not self._waiting and self._settled_cols == self._cols:
            return
        A, waiting, self._waiting = self._matrix(), self._waiting, []
        for block in waiting:
            A = A + sp.csr_array((block.data, (block.row, block.col)), shape=self.shape)
        self._take(A)

    def _take(self, A: sp.csr_array) -> None:
        self._begin, self._place, self._value = A.indptr, A.indices, A.data
        self._rows, self._cols = A.shape
        self._settled_cols, self._entries = self._cols, int(A.indptr[-1])
        self._result = None

    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self._begin[: self._rows + 1], self._place[: self._entries], self._value[: self._entries]

    def _matrix(self) -> sp.csr_array:
        begin, place, value = self._arrays()
        return sp.csr_array((value, place, begin), shape=self.shape)

    def _operator(self) -> Any:
        return _core_of(self._matrix())

    def to_parts(self) -> tuple[Any, dict[str, np.ndarray]]:
        """Numbers, and arrays by name."""
        self._settle()
        self._result = None  # not stored: both find it again
        begin, place, value = self._arrays()
        return list(self.shape), {"begin": begin, "place": place, "value": value}

    @classmethod
    def from_parts(cls, settings: Any, numbers: Any, arrays: dict[str, np.ndarray]) -> KeptMatrix:
        kept = cls(settings)
        kept.opened = True
        kept._take(sp.csr_array((arrays["value"], arrays["place"], arrays["begin"]), shape=tuple(numbers)))
        return kept


def _grown(a: np.ndarray, used: int, more: int) -> np.ndarray:
    """An array with room for more; twice as large when it is full."""
    if used + more <= a.size:
        return a
    larger = np.empty(max(2 * a.size, used + more), a.dtype)
    larger[:used] = a[:used]
    return larger


def _core_of(A: sp.csr_array) -> Any:
    return OPERATORS[DOUBLE].sparse(A.indptr, A.indices, np.ascontiguousarray(A.data, DOUBLE), *A.shape, False)
