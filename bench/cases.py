"""The declared cases: a matrix, a precision, a number of triplets, and tags to select them by."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Case:
    """One problem that every peer is given."""

    matrix: str  # a recipe of matrices.py
    dtype: str  # "f32" or "f64"
    k: int
    tags: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.matrix}-{self.dtype}-k{self.k}"


def _cases(matrix: str, dtypes: str, ks: tuple[int, ...], tags: str, headline: tuple[int, ...] = ()) -> list[Case]:
    return [
        Case(matrix, dtype, k, frozenset([*tags.split(), *(["headline"] if k in headline else [])]))
        for dtype in dtypes.split()
        for k in ks
    ]


CASES = [
    *_cases("small-slow", "f32 f64", (10,), "small dense"),
    *_cases("small-noise", "f64", (32,), "small dense"),
    *_cases("small-sparse", "f64", (10,), "small sparse"),
    *_cases("king-james", "f64", (10,), "small sparse real"),
    *_cases("king-james", "f32 f64", (100,), "sparse real"),
    *_cases("square-slow", "f32 f64", (10, 64, 256), "dense square", headline=(64,)),
    *_cases("square-fast", "f32 f64", (64,), "dense square", headline=(64,)),
    *_cases("square-noise", "f32 f64", (64, 256), "dense square", headline=(64,)),
    *_cases("tall", "f32 f64", (32, 100), "dense tall", headline=(32,)),
    *_cases("wide", "f32 f64", (32, 100), "dense wide", headline=(32,)),
    *_cases("llm-4096", "f32", (16, 128), "dense square llm", headline=(16, 128)),
    *_cases("llm-11008", "f32", (16, 128), "dense llm", headline=(16, 128)),
    *_cases("sparse-ones", "f32 f64", (32,), "sparse"),
    *_cases("sparse-tfidf", "f32 f64", (32, 100), "sparse", headline=(32, 100)),
    *_cases("sparse-1m", "f64", (10, 32), "sparse large", headline=(32,)),
]


def select(patterns: str) -> list[Case]:
    """Cases that match one of the comma-separated words: a name, a pattern of names, a tag, or "all"."""
    words = patterns.split(",")
    chosen = [case for case in CASES if any(_matches(case, word) for word in words)]
    if not chosen:
        tags = sorted(frozenset[str]().union(*(case.tags for case in CASES)))
        names = [case.name for case in CASES]
        raise SystemExit(f"no case matches {patterns!r}; tags: {', '.join(tags)}; names: {', '.join(names)}")
    return chosen


def find(name: str) -> Case:
    """The case of this exact name."""
    return next(case for case in CASES if case.name == name)


def _matches(case: Case, word: str) -> bool:
    return word == "all" or word in case.tags or fnmatchcase(case.name, word)
