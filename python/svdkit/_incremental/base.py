"""What a state of an incremental SVD knows: how it was made, what it can say of itself, how it is stored."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict
from typing import Any, Self

import numpy as np

from .. import _arguments as check
from .batches import check_indices
from .kept_matrix import KeptMatrix
from .model import LAYOUT, Model, Settings, UpdateReport, check_layout
from .running_mean import RunningMean


class IncrementalState:
    """Everything of IncrementalSVD but the updates."""

    result: Any  # the method of the class that is built on this one

    def __init__(
        self,
        k: int,
        *,
        keep: bool = False,
        center: bool = False,
        forget: float = 1.0,
        shrink: str | None = None,
        left: bool = True,
        refresh_cond: float = 1e3,
        tol: float | None = None,
        chunk: int | None = None,
        combine: int | None = None,
        rng: Any = 0,
        threads: int | None = None,
    ) -> None:
        self._settings = Settings(
            check.positive_int("k", k),
            shrink is not None and check.choice("shrink", shrink, ("fd",)) == "fd",
            bool(left) and not center and shrink is None,
            _at_least_one("refresh_cond", refresh_cond),
            check.optional_int("chunk", chunk),
            check.tolerance(tol),
            check.seed(rng),
            check.optional_int("threads", threads),
            check.optional_int("combine", combine),
        )
        if keep and (center or shrink is not None or not left or forget != 1.0):
            raise ValueError(
                "keep = True goes with none of center, shrink, left=False and forget; a kept matrix has no need of them"
            )
        self.forget = forget
        self._model: Model | None = None
        self._mean = RunningMean() if center else None
        self._kept = KeptMatrix(self._settings) if keep else None
        self._dtype: np.dtype[Any] = np.dtype(np.float64)
        self._seen = False  # whether the data have decided on the dtype

    def _opened(self, shape: tuple[int, int]) -> Model:
        """The model; the first update decides on its shape."""
        if self._model is None:
            self._model = Model(self._settings, shape)
        return self._model

    @contextmanager
    def _all_or_nothing(self, one_step: bool = True) -> Iterator[None]:
        """Whatever ends an update early, the state is as before. The engine sees to that itself within one step."""
        model, mean = self._model, self._mean
        if not one_step:
            model, mean = None if model is None else model.copy(), copy(mean)
        try:
            yield
        except BaseException:
            self._model, self._mean = model, mean
            raise

    def _length(self, axis: int) -> int | None:
        """What a batch must fit: the rows (axis 0) or columns of the matrix; None before the first update."""
        if self._kept is not None:
            return self._kept.shape[axis] if self._kept.opened else None
        return None if self._model is None else self._model.shape[axis]

    def _saw(self, dtype: np.dtype[Any]) -> None:
        """The results are single precision only while all data were."""
        single = dtype == np.float32 and (not self._seen or self._dtype == np.float32)
        self._dtype, self._seen = np.dtype(np.float32 if single else np.float64), True

    def _forgetting(self) -> float:
        factor = check.number("forget", self.forget)
        if not 0 < factor <= 1:
            raise ValueError(f"forget = {factor}, but must be in (0, 1]; 1 forgets nothing")
        return factor

    def _needs_left(self, what: str) -> None:
        if not self._settings.left:
            raise ValueError(f"{what} needs left vectors, which this state does not keep (left, center or shrink)")

    @property
    def k(self) -> int:
        """Triplets asked for."""
        return self._settings.k

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the matrix."""
        if self._kept is not None:
            return self._kept.shape
        m, n = (0, 0) if self._model is None else self._model.shape
        return (m if self._mean is None else self._mean.rows), n

    @property
    def rank(self) -> int:
        """Triplets that there are."""
        return int(self.s.size)

    @property
    def s(self) -> np.ndarray:
        """The singular values."""
        if self._kept is not None:
            return self._kept.result(None, self._dtype).s
        s = np.zeros(0) if self._model is None else self._model.core.values()
        return np.asarray(s.astype(self._dtype, copy=False))

    @property
    def nbytes(self) -> int:
        """Bytes of the state."""
        if self._kept is not None:
            return self._kept.nbytes
        return 0 if self._model is None else int(self._model.core.nbytes)

    @property
    def energy(self) -> float:
        """``|A|_F**2`` of all that was put in: exact while rows and columns are appended, else an estimate."""
        return self._kept.energy if self._kept is not None else self._opened((0, 0)).energy

    @property
    def error_bound(self) -> float:
        """An upper bound of ``|A - (U * s) @ Vh|_F``: the sum of what every update lost."""
        if self._kept is not None:
            return float(np.sqrt(max(self.energy - float(np.sum(self.s.astype(np.float64) ** 2)), 0.0)))
        return self._opened((0, 0)).error_bound

    @property
    def psd_gap(self) -> float:
        """An upper bound of ``A^T A - V S^2 V^T``, which is then not negative either; infinite where none is known.

        It holds while only rows are appended (while only columns are: of ``A A^T - U S^2 U^T``), and then every
        singular value of the state is a lower bound.
        """
        return 0.0 if self._kept is not None else self._opened((0, 0)).psd_gap

    @property
    def explained_energy(self) -> float:
        """The share of :attr:`energy` that the triplets hold, 0..1."""
        if self._kept is not None:
            whole = self.energy
            return float(np.sum(self.s.astype(np.float64) ** 2) / whole) if whole > 0 else 1.0
        return self._opened((0, 0)).explained

    @property
    def needs_refit(self) -> bool:
        """Whether what was lost may exceed the smallest triplet: then decompose the matrix anew, see ``refit``."""
        return self._kept is None and self._opened((0, 0)).needs_refit

    @property
    def report(self) -> UpdateReport:
        """What the updates did so far."""
        return self._opened((0, 0)).report()

    @property
    def mean(self) -> np.ndarray:
        """The mean of the rows; with ``center=True``."""
        return np.zeros(self.shape[1]) if self._mean is None or self._mean.mean is None else self._mean.mean.copy()

    @property
    def explained_variance(self) -> np.ndarray:
        """``s**2 / (m - 1)``, the variances along the right vectors; with ``center=True``."""
        weight = self.shape[0] if self._mean is None else self._mean.weight
        return np.asarray(self.s.astype(np.float64) ** 2 / max(weight - 1, 1))

    @property
    def explained_variance_ratio(self) -> np.ndarray:
        """The share of the total variance along every right vector."""
        return np.asarray(self.s.astype(np.float64) ** 2 / (self.energy or 1.0))

    def transform(self, X: Any) -> np.ndarray:
        """Coordinates of the rows of `X` (dense or sparse), less the mean, in the right vectors: (p, k)."""
        V = self.result().Vh.T
        return np.asarray(X @ V) - self.mean @ V

    def rows(self, which: Any) -> np.ndarray:
        """Rows of U, k^2 flops each, nothing multiplied out."""
        return self._lines("rows", which, 0)

    def row(self, i: int) -> np.ndarray:
        """Row i of U."""
        return self.rows([check.integer("i", i)])[0]

    def cols(self, which: Any) -> np.ndarray:
        """Rows of V: what belongs to these columns of the matrix."""
        return self._lines("columns", which, 1)

    def col(self, j: int) -> np.ndarray:
        """Row j of V."""
        return self.cols([check.integer("j", j)])[0]

    def _lines(self, side: str, which: Any, axis: int) -> np.ndarray:
        index = np.atleast_1d(np.asarray(which))
        check_indices("which", index, self.shape[axis])
        if side == "rows":
            self._needs_left("rows")
        if self._kept is not None:
            U, _, Vh = self.result()
            return np.asarray(U[index] if axis == 0 else Vh.T[index])
        return self._opened((0, 0)).core.take(side, index.tolist()).astype(self._dtype, copy=False)

    def save(self, path: str | os.PathLike[str] | Any) -> None:
        """Write the state to a ``.npz`` file."""
        arrays: dict[str, Any] = {}
        numbers: dict[str, Any] = {"layout": LAYOUT, "settings": asdict(self._settings), "forget": self.forget}
        numbers |= {"dtype": str(self._dtype), "seen": self._seen}
        for name, part in (("model", self._model), ("mean", self._mean), ("kept", self._kept)):
            if part is not None:
                numbers[name], more = part.to_parts()
                arrays |= {f"{name}_{key}": array for key, array in more.items()}
        np.savez(path, numbers=json.dumps(numbers), **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str] | Any) -> Self:
        """Read a state that :meth:`save` wrote; it goes on as if it had never stopped, bit for bit."""
        with np.load(path) as file:
            if "numbers" not in file:
                raise ValueError("the file holds no state of IncrementalSVD; pass one that `save` wrote")
            numbers = json.loads(str(file["numbers"]))
            check_layout(numbers.get("layout"), "the file")
            settings = Settings(**numbers["settings"])
            state = cls(settings.k)
            state._settings, state.forget = settings, numbers["forget"]
            state._dtype, state._seen = np.dtype(numbers["dtype"]), numbers["seen"]
            for name, kind in (("model", Model), ("mean", RunningMean), ("kept", KeptMatrix)):
                if name in numbers:
                    arrays = {key.removeprefix(f"{name}_"): file[key] for key in file if key.startswith(f"{name}_")}
                    setattr(state, f"_{name}", kind.from_parts(settings, numbers[name], arrays))
        return state


def _at_least_one(name: str, value: Any) -> float:
    number = check.number(name, value)
    if not number >= 1:
        raise ValueError(f"{name} = {number}, but a condition is at least 1; 1e3 is the default")
    return number
