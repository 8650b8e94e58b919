"""A sparse matrix that grows and changes, and its leading triplets whenever they are wanted.

Rows are appended to arrays that double when they are full. Other changes wait, as entries, until the next result, and
are then merged into the rows once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from .. import _arguments as check
from .._core import Tracker
from .._report import Report
from .._result import SVDResult
from .._scalars import OPERATORS
from .._tsvd import Request, run
from .batches import rows_of

DOUBLE = np.dtype(np.float64)
DEFAULT_TOL = 1e-8
BLOCK = 8  # vectors that tsvd multiplies at a time
SHORT = 1000  # a shape that is decomposed anew in less time than it takes to track it


class KeptMatrix:
    """Sparse rows in one piece, changes that wait, and a tracker."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings
        self.opened = False
        self._begin, self._place, self._value = np.zeros(1, np.int32), np.zeros(0, np.int32), np.zeros(0)
        self._rows = self._cols = self._entries = 0
        self._settled_cols = 0  # columns when the rows were merged last
        self._waiting: list[sp.coo_array] = []
        self._tracker: Tracker | None = None
        self._start: np.ndarray | None = None  # right vectors of the last result, for a tracker
        self._changed = 0  # rows that came or went since then
        self._too_many: int | None = None  # so many changed rows cost more to track than a decomposition
        self._vectors_anew = 0  # that a decomposition multiplies
        self._result: tuple[float, SVDResult] | None = None

    def __getstate__(self) -> dict[str, Any]:
        self._put_down()
        begin, place, value = self._arrays()
        return self.__dict__ | {"_begin": begin.copy(), "_place": place.copy(), "_value": value.copy()}

    def _put_down(self) -> None:
        """Keep only what can be stored, so that a state goes on as its copy does."""
        self._settle()
        self._tracker = self._start = None
        if self._result is not None and self._result[1].report.method == "tracking":
            self._result = None

    @property
    def shape(self) -> tuple[int, int]:
        return self._rows, self._cols

    @property
    def nbytes(self) -> int:
        arrays = self._begin.nbytes + self._place.nbytes + self._value.nbytes
        waiting = sum(block.data.nbytes + 2 * block.row.nbytes for block in self._waiting)
        return arrays + waiting + (0 if self._tracker is None else self._tracker.nbytes)

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
        if shape[0] and self._follows(shape[0]):
            self._tracked_rows(by_row, 1)
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
        if side == "rows":
            if self._follows(len(which)):
                self._tracked_rows(A[which], -1)
            self._take(A[keep])
        else:
            self._forget_tracking()
            self._take(A[:, keep])

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
        k = min(self._settings.k, *self.shape)
        if self._tracker is not None:
            budget = self._vectors_anew - k
            found: Any = self._tracker.solve(self._operator(), tol, budget, self._settings.threads)
            if found is not None:
                self._changed = 0
                U, s, Vh, fields = found
                return SVDResult(U, s, Vh, Report(**fields))
            if self._tracker.multiplied > budget:
                self._too_many = self._changed
        return self._anew(k, tol)

    def _anew(self, k: int, tol: float) -> SVDResult:
        """By tsvd; its vectors are for a tracker, where the shape is fit for one.

        Not from the last right vectors: after a change of 2% that saves one product in ten and no time that could be
        measured (100k x 50k, 5M entries, k = 32), and a result would depend on those before it.
        """
        settings = self._settings
        request = Request(
            *(k, tol, "largest", True, False, None, None, "auto", None, None, settings.seed),
            *(settings.threads or None, None, False, None, "warn"),
        )
        result: SVDResult = run(self._matrix(), request)
        self._forget_tracking()
        self._vectors_anew = result.report.passes * BLOCK
        if k and min(self.shape) > max(SHORT, 10 * k) and result.s[-1] > 0:
            self._start = np.ascontiguousarray(result.Vh.T)
        return result

    def _follows(self, count: int) -> bool:
        """Whether a tracker will know of so many rows that come or go; asked before they do."""
        self._changed += count
        if self._too_many is not None and self._changed >= self._too_many:
            self._forget_tracking(self._changed)
        if self._start is not None:
            V, self._start, settings = self._start, None, self._settings
            self._tracker = Tracker(self._operator(), V, V.shape[1], settings.seed, settings.threads)
        return self._tracker is not None

    def _tracked_rows(self, rows: sp.csr_array, sign: int) -> None:
        assert self._tracker is not None
        self._tracker.change(rows_of(rows, self._cols)[0], sign, self._settings.threads)

    def _forget_tracking(self, changed: int = 0) -> None:
        self._tracker = self._start = None
        self._changed = changed

    def _wait(self, i: np.ndarray, j: np.ndarray, v: np.ndarray) -> None:
        self._result = None
        if v.size or self._settled_cols != self._cols:
            self._waiting.append(sp.coo_array((v.astype(DOUBLE), (i, j)), shape=self.shape))

    def _settle(self) -> None:
        """Merge what waits into the rows."""
        if not self._waiting and self._settled_cols == self._cols:
            return
        if self._settled_cols != self._cols:
            self._forget_tracking()
        A, waiting, self._waiting = self._matrix(), self._waiting, []
        touched = np.unique(np.concatenate([block.row for block in waiting])) if waiting else np.zeros(0, np.int64)
        follows = touched.size > 0 and self._follows(2 * touched.size)
        if follows:
            self._tracked_rows(A[touched], -1)
        for block in waiting:
            A = A + sp.csr_array((block.data, (block.row, block.col)), shape=self.shape)
        if follows:
            self._tracked_rows(A[touched], 1)
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
        self._put_down()
        begin, place, value = self._arrays()
        numbers = [*self.shape, self._too_many]
        return numbers, {"begin": begin, "place": place, "value": value}

    @classmethod
    def from_parts(cls, settings: Any, numbers: Any, arrays: dict[str, np.ndarray]) -> KeptMatrix:
        kept = cls(settings)
        kept.opened = True
        *shape, kept._too_many = numbers
        kept._take(sp.csr_array((arrays["value"], arrays["place"], arrays["begin"]), shape=tuple(shape)))
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
