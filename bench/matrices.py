"""The matrices: built from a seed, kept in the cache directory, with their true leading singular values.

Dense ones are orthogonal x diagonal x orthogonal, so their values are known; sparse ones are random
term-document matrices with power-law terms, whose values come from a reference run with a checked residual.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.fft
import scipy.sparse
from numpy.typing import NDArray

from .accuracy import errors
from .environment import CACHE, ROOT

Vector = NDArray[np.float64]
Spectrum = Callable[[int], Vector]
Array = Any  # a NumPy array or a SciPy CSR array
TOPICS = 1_000  # of the random documents; a topic has a Zipf law of terms of its own
TOKENS = 1.05  # words for each distinct word of a document


class Built(NamedTuple):
    """A matrix in double precision and, when known by construction, all its singular values."""

    A: Array
    s: Vector | None = None


def slow(p: int) -> Vector:
    """i^-1/2: no gap anywhere."""
    return np.asarray(np.arange(1.0, p + 1) ** -0.5)


def fast(p: int) -> Vector:
    """i^-3/2: what randomized methods like."""
    return np.asarray(np.arange(1.0, p + 1) ** -1.5)


def noise(p: int) -> Vector:
    """Rank 20 above the values of a square matrix of white noise (quarter-circle law, edge at 1)."""
    x = np.linspace(0, 1, 100_001)
    mass = 2 / np.pi * (x * np.sqrt(1 - x * x) + np.arcsin(x))
    bulk = np.interp((np.arange(p - 20) + 0.5) / (p - 20), mass, x)
    return np.concatenate([np.linspace(5, 1.5, 20), bulk[::-1]])


def weights(p: int) -> Vector:
    """A layer of a language model: a slow decay that ends at zero, and eight outlying directions."""
    i = np.arange(1, p + 1)
    s = i**-0.3 * np.sqrt(1 - (i - 1) / p)
    s[:8] *= np.geomspace(12, 1.5, 8)
    return np.sort(s)[::-1]


def with_spectrum(m: int, n: int, spectrum: Spectrum, seed: int = 0) -> Built:
    """Q1 diag(s) Q2 with Q = (random signs)(cosine transform)(random permutation): mn log(mn) flops."""
    rng, p = np.random.default_rng(seed), min(m, n)
    s = spectrum(p)
    A = np.zeros((m, n))
    A[rng.permutation(m)[:p], rng.permutation(n)[:p]] = s
    for axis, length in enumerate((m, n)):
        A = scipy.fft.dct(A, axis=axis, norm="ortho", overwrite_x=True, workers=-1)
        A *= np.expand_dims(rng.choice([-1.0, 1.0], length), 1 - axis)
    return Built(A, s)


def term_counts(documents: int, terms: int, entries: int, seed: int = 0) -> Array:
    """CSR counts: log-normal lengths, Zipf-Mandelbrot terms; most of a document is of one topic."""
    rng, drawn = np.random.default_rng(seed), int(entries * TOKENS)
    length = rng.lognormal(sigma=0.8, size=documents)
    rows = np.repeat(np.arange(documents), rng.multinomial(drawn, length / length.sum()))
    columns = zipf(rng, terms, drawn, offset=10)
    shift = rng.integers(terms, size=TOPICS)[zipf(rng, TOPICS, documents, offset=1)]
    columns = (columns + shift[rows] * (rng.random(drawn) < 0.6)) % terms
    columns = rng.permutation(terms)[columns]
    counts = scipy.sparse.coo_array((np.ones(drawn), (rows, columns)), shape=(documents, terms)).tocsr()
    counts.indices, counts.indptr = counts.indices.astype(np.int32), counts.indptr.astype(np.int32)
    return counts


def zipf(rng: np.random.Generator, kinds: int, drawn: int, offset: float) -> NDArray[np.int64]:
    """Draws of i from 0..kinds-1 with probabilities proportional to 1 / (i + offset)."""
    mass = np.cumsum(1 / (np.arange(kinds) + offset))
    i = np.searchsorted(mass, mass[-1] * rng.random(drawn), side="right")
    return np.asarray(np.minimum(i, kinds - 1))


def ones(documents: int, terms: int, entries: int) -> Built:
    """Every entry one."""
    A = term_counts(documents, terms, entries)
    A.data[:] = 1
    return Built(A)


def tf_idf(documents: int, terms: int, entries: int) -> Built:
    """(1 + ln count)(ln((1+N)/(1+df)) + 1), rows of unit length."""
    A = term_counts(documents, terms, entries)
    seen = np.bincount(A.indices, minlength=terms)
    A.data = (1 + np.log(A.data)) * (np.log((1 + documents) / (1 + seen)) + 1)[A.indices]
    square = np.add.reduceat(A.data**2, A.indptr[:-1][np.diff(A.indptr) > 0])
    A.data /= np.repeat(np.sqrt(square), np.diff(A.indptr)[np.diff(A.indptr) > 0])
    return Built(A)


def king_james() -> Built:
    """The term-document matrix bundled with the package: 1189 chapters x 8524 terms."""
    spec = importlib.util.find_spec("svdkit")
    installed = map(Path, (spec.submodule_search_locations if spec else None) or ())
    for folder in (*installed, ROOT / "python" / "svdkit", ROOT / "tests" / "data"):
        for path in sorted(folder.rglob("kjv_chapter*.npz")):
            return Built(scipy.sparse.csr_array(scipy.sparse.load_npz(path)).astype(np.float64))
    raise FileNotFoundError("the King James matrix is not installed")


RECIPES: dict[str, Callable[[], Built]] = {
    "small-slow": lambda: with_spectrum(600, 400, slow),
    "small-noise": lambda: with_spectrum(500, 500, noise),
    "small-sparse": lambda: tf_idf(5_000, 2_000, 100_000),
    "square-slow": lambda: with_spectrum(4_000, 4_000, slow),
    "square-fast": lambda: with_spectrum(4_000, 4_000, fast),
    "square-noise": lambda: with_spectrum(4_000, 4_000, noise),
    "tall": lambda: with_spectrum(200_000, 256, slow),
    "wide": lambda: with_spectrum(256, 100_000, slow),
    "llm-4096": lambda: with_spectrum(4_096, 4_096, weights),
    "llm-11008": lambda: with_spectrum(4_096, 11_008, weights),
    "sparse-ones": lambda: ones(100_000, 50_000, 5_000_000),
    "sparse-tfidf": lambda: tf_idf(100_000, 50_000, 5_000_000),
    "sparse-1m": lambda: tf_idf(1_000_000, 200_000, 10_000_000),
    "king-james": king_james,
}
DTYPES = {"f32": np.float32, "f64": np.float64}
# A change of this file makes new cache entries, so that none can be stale.
VERSION = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]


def load(name: str, dtype: str) -> Array:
    """The matrix, from the cache if it is there."""
    dense, sparse = _path(name, dtype, "npy"), _path(name, dtype, "npz")
    if not dense.exists() and not sparse.exists():
        _build(name, dtype)
    return np.load(dense) if dense.exists() else scipy.sparse.load_npz(sparse)


def truth(name: str, dtype: str, k: int) -> Vector:
    """The k leading singular values."""
    known = _path(name, "f64", "values.npy")
    reference = known if known.exists() else _path(name, dtype, "reference.npy")
    if not reference.exists() or len(np.load(reference, mmap_mode="r")) < k:
        np.save(reference, _reference(load(name, dtype), k))
    return np.asarray(np.load(reference)[:k])


def _build(name: str, dtype: str) -> None:
    CACHE.mkdir(exist_ok=True)
    A, s = RECIPES[name]()
    if s is not None:
        np.save(_path(name, "f64", "values.npy"), s)
    A = A.astype(DTYPES[dtype])
    if isinstance(A, np.ndarray):
        np.save(_path(name, dtype, "npy"), A)
    else:
        scipy.sparse.save_npz(_path(name, dtype, "npz"), A, compressed=False)


def _reference(A: Array, k: int) -> Vector:
    """LAPACK when A is small, else ARPACK to working precision; refused unless its residual is tiny."""
    A = A.astype(np.float64)
    if max(A.shape) <= 10_000:
        U, s, Vh = np.linalg.svd(A.toarray() if scipy.sparse.issparse(A) else A, full_matrices=False)
    else:
        U, s, Vh = scipy.sparse.linalg.svds(A, k, solver="arpack", rng=0)
    best = np.argsort(-s)[:k]
    residual = errors(A, U[:, best], s[best], Vh[best], s[best]).resid
    if residual > 1e-11:
        raise RuntimeError(f"the reference of {A.shape} has a residual of {residual:.0e}")
    return np.asarray(s[best])


def _path(name: str, dtype: str, suffix: str) -> Path:
    return CACHE / f"{name}-{dtype}-{VERSION}.{suffix}"


def main(name: str, dtype: str, k: str) -> None:
    """Build what is missing and say what there is, as JSON."""
    try:
        A, s = load(name, dtype), truth(name, dtype, int(k))
    except FileNotFoundError as reason:
        print(json.dumps({"skipped": str(reason)}))
        return
    entries = A.nnz if scipy.sparse.issparse(A) else A.size
    print(json.dumps({"shape": A.shape, "entries": int(entries), "spectrum": [s[0], s[-1]]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
