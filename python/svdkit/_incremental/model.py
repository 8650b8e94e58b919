"""The truncated model of an incremental SVD: the engine's state, its certificate and its account of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._core import IncrementalState

LAYOUT = 3  # of stored states: the arrays and numbers that there are
PARTS = ("begin", "place", "value")  # of vectors that wait
MIXED = 3  # kind of a certificate after more than appended rows, or than appended columns


@dataclass(frozen=True, slots=True)
class Settings:
    """What does not change while a model lives; checked."""

    k: int
    shrink: bool = False
    left: bool = True
    refresh_cond: float = 1e3
    chunk: int = 0
    tol: float = 0.0
    seed: int = 0
    threads: int = 0
    combine: int = 0

    def state(self, shape: tuple[int, int]) -> Any:
        """An empty state of the engine."""
        return IncrementalState(
            *(*shape, self.k, self.refresh_cond, self.tol, self.chunk, self.combine),
            *(self.shrink, self.left, self.seed, self.threads),
        )


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What the updates of a state did so far.

    Attributes
    ----------
    updates : int
        Small cores, whole batches and removals.
    waiting : int
        Vectors of the last small batches, which those that come next may still join: they make one update, and these
        numbers are as if it were done.
    materialisations : int
        Times a lazy factor was multiplied out.
    condition : float
        Of the lazy factors now.
    orthogonality : float
        Largest entry of ``|U^T U - I|`` and ``|V^T V - I|`` when it was looked at last, every 16 updates.
    reorthonormalisations : int
        Times it was restored.
    touched, touched_total : int
        Rows of the factors that the last update wrote, at most, and all of them.
    formed : int
        Batches whose new directions were written out: dense ones, and sparse ones too near the span of the model.
    whole_batches : int
        Batches that were decomposed as a whole.
    """

    updates: int
    waiting: int
    materialisations: int
    condition: float
    orthogonality: float
    reorthonormalisations: int
    touched: int
    touched_total: int
    formed: int
    whole_batches: int


class Model:
    """A ~ U diag(s) V^T, updated."""

    def __init__(self, settings: Settings, shape: tuple[int, int]) -> None:
        self.settings = settings
        self.core = settings.state(shape)

    def __getstate__(self) -> dict[str, Any]:
        return {"layout": LAYOUT, "settings": self.settings, "state": self.core.state()}

    def __setstate__(self, fields: dict[str, Any]) -> None:
        check_layout(fields.get("layout"), "the pickle")
        self.settings = fields["settings"]
        self.core = self.settings.state((0, 0))
        self.core.restore(fields["state"])

    @classmethod
    def of_triplets(
        cls, settings: Settings, U: np.ndarray, s: np.ndarray, Vh: np.ndarray, energy: float | None
    ) -> Model:
        """A model of known triplets; `energy` is |A|_F^2 where it is more than theirs."""
        model = cls(settings, (0, 0))
        peak = float(s[0]) if s.size else 0.0
        exponent = math.frexp(peak)[1] - 1 if peak > 0 else 0
        values = np.ldexp(s.astype(np.float64), -exponent)
        known = math.fsum(values**2)
        whole = known if energy is None else max(math.ldexp(math.sqrt(energy), -exponent) ** 2, known)
        rest = whole - known
        tail = min(rest, float(values[-1] ** 2)) if s.size else rest
        certificate = (whole, math.sqrt(rest), tail, 0, 1, exponent)
        eye = np.eye(s.size)
        left = U if settings.left else np.zeros((0, s.size))
        unknown = np.zeros((0, 0))  # the Gram matrix
        parts = [
            (np.ascontiguousarray(left, np.float64), eye, U.shape[0], unknown, 0, 0, 1.0),
            (np.ascontiguousarray(Vh.T, np.float64), eye, Vh.shape[1], unknown, 0, 0, 1.0),
        ]
        waiting = ("rows", 0, np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0))
        model.core.restore((*parts, values, certificate, (0,) * 7, 0.0, waiting))
        return model

    def copy(self) -> Model:
        """An independent one."""
        other = object.__new__(Model)
        other.__setstate__(self.__getstate__())
        return other

    def to_parts(self) -> tuple[Any, dict[str, np.ndarray]]:
        """Numbers, and arrays by name."""
        left, right, values, certificate, counts, orthogonality, waiting = self.core.state()
        arrays: dict[str, np.ndarray] = {}
        histories: list[Any] = []
        for side, (base, factor, rows, gram, *history) in (("left", left), ("right", right)):
            arrays |= {side: base, f"{side}_factor": factor, f"{side}_gram": gram}
            histories.append([rows, *history])
        side, length, *compressed = waiting
        arrays |= {f"waiting_{name}": array for name, array in zip(PARTS, compressed, strict=True)}
        return [*histories, certificate, counts, orthogonality, values.tolist(), side, length], arrays

    @classmethod
    def from_parts(cls, settings: Settings, numbers: Any, arrays: dict[str, np.ndarray]) -> Model:
        model = cls(settings, (0, 0))
        *histories, certificate, counts, orthogonality, values, side, length = numbers
        left, right = (
            (arrays[name], arrays[f"{name}_factor"], rows, arrays[f"{name}_gram"], *history)
            for name, (rows, *history) in zip(("left", "right"), histories, strict=True)
        )
        waiting = (side, length, *(arrays[f"waiting_{name}"] for name in PARTS))
        model.core.restore(
            (left, right, np.array(values, np.float64), tuple(certificate), tuple(counts), orthogonality, waiting)
        )
        return model

    @property
    def shape(self) -> tuple[int, int]:
        return self.core.shape

    @property
    def energy(self) -> float:
        """|A|_F^2, an estimate after edits and removals."""
        energy, *_, exponent = self.core.certificate()
        return scaled(energy, 2 * exponent)

    @property
    def error_bound(self) -> float:
        """Bounds |A - U S V^T|_F."""
        _, error, *_, exponent = self.core.certificate()
        return scaled(error, exponent)

    @property
    def psd_gap(self) -> float:
        """Bounds A^T A - V S^2 V^T; infinite where nothing is known."""
        _, _, gap, *_, exponent = self.core.certificate()
        return scaled(gap, 2 * exponent)

    @property
    def explained(self) -> float:
        """The share of the energy that the triplets hold, in units that cannot overflow."""
        energy, *_, exponent = self.core.certificate()
        s = np.ldexp(self.core.values(), -exponent)
        return float(min(math.fsum(s**2) / energy, 1.0)) if energy > 0 else 1.0

    @property
    def needs_refit(self) -> bool:
        """Whether what was lost may outweigh the smallest triplet."""
        _, error, gap, kind, _, exponent = self.core.certificate()
        s = np.ldexp(self.core.values(), -exponent)
        smallest = float(s[-1]) if s.size else 0.0
        return bool(error > smallest) if kind == MIXED else bool(gap > smallest**2)

    def report(self) -> UpdateReport:
        return UpdateReport(**self.core.account())

    def triplets(self, dtype: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """U, s and Vh, multiplied out, signs fixed."""
        U, s, Vh = self.core.triplets()
        by = U if U.size else Vh.T
        if by.size:
            flip = np.sign(by[np.argmax(np.abs(by), axis=0), np.arange(s.size)])
            flip[flip == 0] = 1
            U *= flip
            Vh *= flip[:, None]
        return U.astype(dtype, copy=False), s.astype(dtype, copy=False), Vh.astype(dtype, copy=False)


def check_layout(found: Any, what: str) -> None:
    """Stored states are read by the version that wrote them, or a later one with the same layout."""
    if found != LAYOUT:
        raise ValueError(
            f"{what} holds a state of layout {found or 'before 3'}, but this version of svdkit reads layout {LAYOUT}; "
            f"read it with the version that wrote it and go on from its triplets: "
            f"IncrementalSVD.from_result(old.result(), energy=old.energy)"
        )


def check_triplets(U: np.ndarray, s: np.ndarray, Vh: np.ndarray) -> None:
    """Three arrays that fit together, real and finite, with orthonormal vectors."""
    if U.ndim != 2 or s.ndim != 1 or Vh.ndim != 2 or U.shape[1] != s.size or Vh.shape[0] != s.size:
        raise ValueError(
            f"U, s, Vh have shapes {U.shape}, {s.shape}, {Vh.shape}, but must have (m, k), (k,), (k, n); "
            f"pass the three parts of a result"
        )
    for name, part in (("U", U), ("s", s), ("Vh", Vh)):
        if part.dtype.kind not in "fiu":
            raise TypeError(f"{name} has dtype {part.dtype}, but must be real; complex data are for tsvd and rsvd")
        if not np.isfinite(part).all():
            raise ValueError(f"{name} has entries that are not finite; repeat the decomposition")
    if s.size and (s[-1] < 0 or (np.diff(s) > 0).any()):
        raise ValueError("s must be descending and not negative; pass the values of a result")
    allowed = 1e-3 if min(U.dtype.itemsize, Vh.dtype.itemsize) < 8 else 1e-6
    for name, gram in (("U", U.T @ U), ("Vh", Vh @ Vh.T)):
        off = float(np.abs(gram - np.eye(s.size)).max(initial=0))
        if off > allowed:
            raise ValueError(f"{name} is not orthonormal: off by {off:.1e}; orthonormalise it, or decompose the matrix")


def scaled(value: float, exponent: int) -> float:
    """value 2^exponent; infinite rather than an error."""
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.inf
