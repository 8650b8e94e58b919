"""The peers: one function each, ``(A, k) -> (U, s, Vh)``, with defaults unless the name says otherwise."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import scipy.sparse

Triplets = Any  # unpacks to U, s, Vh
Solver = Callable[[Any, int], Triplets]


@dataclass(frozen=True)
class Peer:
    """A solver, and what it takes."""

    name: str
    solve: Solver
    module: str  # imported before the clock starts
    kinds: tuple[str, ...] = ("dense", "sparse")
    work: float = np.inf  # refuse above this many m*n*min(m, n)
    prepare: Callable[[Any], Any] = lambda A: A  # a conversion its users would have done already; not timed

    def refuses(self, A: Any) -> str | None:
        """Why this peer cannot or should not be run here, if so."""
        try:
            importlib.import_module(self.module)
        except ImportError as problem:
            return f"not installed ({problem})"
        kind = "sparse" if scipy.sparse.issparse(A) else "dense"
        if kind not in self.kinds:
            return f"not for {kind} matrices"
        if float(A.shape[0]) * A.shape[1] * min(A.shape) > self.work:
            return "too slow"
        return None


PEERS: dict[str, Peer] = {}


def peer(name: str, module: str, **properties: Any) -> Callable[[Solver], Solver]:
    """Declare the function below as a peer."""

    def declare(solve: Solver) -> Solver:
        PEERS[name] = Peer(name, solve, module, **properties)
        return solve

    return declare


def select(patterns: str) -> list[Peer]:
    """Peers whose name matches one of the comma-separated patterns."""
    chosen = [peer for peer in PEERS.values() if any(fnmatchcase(peer.name, word) for word in patterns.split(","))]
    if not chosen:
        raise SystemExit(f"no peer matches {patterns!r}; there are {', '.join(PEERS)}")
    return chosen


FULL: dict[str, Any] = {"kinds": ("dense",), "work": 3e11}


@peer("svdkit", "svdkit")
def svdkit_default(A: Any, k: int) -> Triplets:
    import svdkit

    return svdkit.tsvd(A, k)


@peer("svdkit-lanczos", "svdkit")
def svdkit_lanczos(A: Any, k: int) -> Triplets:
    import svdkit

    return svdkit.tsvd(A, k, method="lanczos")


@peer("svdkit-1e-3", "svdkit")
def svdkit_loose(A: Any, k: int) -> Triplets:
    import svdkit

    return svdkit.tsvd(A, k, tol=1e-3)


@peer("svdkit-rsvd", "svdkit")
def svdkit_randomized(A: Any, k: int) -> Triplets:
    import svdkit

    return svdkit.rsvd(A, k)


@peer("svdkit-full", "svdkit", **FULL)
def svdkit_full(A: Any, k: int) -> Triplets:
    import svdkit

    return svdkit.tsvd(A, k, method="full")


@peer("numpy-full", "numpy.linalg", **FULL)
def numpy_full(A: Any, k: int) -> Triplets:
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    return U[:, :k], s[:k], Vh[:k]


@peer("scipy-full", "scipy.linalg", **FULL)
def scipy_full(A: Any, k: int) -> Triplets:
    import scipy.linalg

    U, s, Vh = scipy.linalg.svd(A, full_matrices=False, check_finite=False)
    return U[:, :k], s[:k], Vh[:k]


@peer("scipy-arpack", "scipy.sparse.linalg")
def arpack(A: Any, k: int) -> Triplets:
    return _svds(A, k, "arpack")


@peer("scipy-propack", "scipy.sparse.linalg")
def propack(A: Any, k: int) -> Triplets:
    return _svds(A, k, "propack")


@peer("scipy-lobpcg", "scipy.sparse.linalg")
def lobpcg(A: Any, k: int) -> Triplets:
    return _svds(A, k, "lobpcg")


def _svds(A: Any, k: int, solver: str) -> Triplets:
    import scipy.sparse.linalg

    return scipy.sparse.linalg.svds(A, k, solver=solver, rng=0)


@peer("sklearn-rsvd", "sklearn.utils.extmath")
def sklearn_randomized(A: Any, k: int) -> Triplets:
    from sklearn.utils.extmath import randomized_svd

    return randomized_svd(A, k, random_state=0)


@peer("sklearn-truncated", "sklearn.decomposition")
def sklearn_truncated(A: Any, k: int) -> Triplets:
    from sklearn.decomposition import TruncatedSVD

    model = TruncatedSVD(k, random_state=0)
    scores = model.fit_transform(A)
    return scores / model.singular_values_, model.singular_values_, model.components_


def _tensor(A: Any) -> Any:
    import torch

    if not scipy.sparse.issparse(A):
        return torch.from_numpy(A)
    starts, columns = (torch.from_numpy(part.astype(np.int64)) for part in (A.indptr, A.indices))
    return torch.sparse_csr_tensor(starts, columns, torch.from_numpy(A.data), A.shape)


@peer("torch-lowrank-2", "torch", prepare=_tensor)
def torch_lowrank_2(A: Any, k: int) -> Triplets:
    return _svd_lowrank(A, k, 2)


@peer("torch-lowrank-4", "torch", prepare=_tensor)
def torch_lowrank_4(A: Any, k: int) -> Triplets:
    return _svd_lowrank(A, k, 4)


def _svd_lowrank(A: Any, k: int, niter: int) -> Triplets:
    import torch

    torch.manual_seed(0)
    U, s, V = torch.svd_lowrank(A, q=min(k + 10, *A.shape), niter=niter)
    return U[:, :k].numpy(), s[:k].numpy(), V[:, :k].numpy().T


@peer("torch-full", "torch", prepare=_tensor, **FULL)
def torch_full(A: Any, k: int) -> Triplets:
    import torch

    U, s, Vh = torch.linalg.svd(A, full_matrices=False)
    return U[:, :k].numpy(), s[:k].numpy(), Vh[:k].numpy()


@peer("fbpca", "fbpca")
def fbpca_default(A: Any, k: int) -> Triplets:
    import fbpca

    return fbpca.pca(A, k, raw=True)


@peer("primme", "primme")
def primme_default(A: Any, k: int) -> Triplets:
    import primme

    return primme.svds(A, k)


@peer("primme-1e-6", "primme")
def primme_tight(A: Any, k: int) -> Triplets:
    import primme

    return primme.svds(A, k, tol=1e-6)
