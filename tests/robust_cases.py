"""Low-rank matrices with noise 1 and wrong cells, as in the simulations that robust methods are compared on."""

import numpy as np
from reference import orthonormal

KINDS = (
    "clean",
    "10% cells",
    "30% cells",
    "30% both signs",
    "10% small",
    "block",
    "10% rows equal",
    "30% rows equal",
    "10% rows random",
    "30% rows random",
)


def low_rank(rng, m, n, r):
    """Rank r, entries of size sqrt(r)."""
    s = np.linspace(1.5, 1, r) if r > 1 else np.ones(1)
    L = (orthonormal(rng, m, r) * s) @ orthonormal(rng, n, r).T
    return L * np.sqrt(m * n * r) / np.linalg.norm(L)


def contaminated(rng, kind, m, n, r):
    """(A, L, good rows)"""
    L = low_rank(rng, m, n, r)
    A, good = L + rng.standard_normal((m, n)), np.ones(m, bool)
    share = float(kind.split("%")[0]) / 100 if "%" in kind else 0
    cells = rng.random((m, n)) < share
    rows = rng.permutation(m)[: int(share * m)]
    if kind.endswith("cells"):
        A[cells] += rng.uniform(10, 20, cells.sum())
    elif kind.endswith("signs"):
        A[cells] += rng.uniform(10, 20, cells.sum()) * rng.choice([-1, 1], cells.sum())
    elif kind.endswith("small"):
        A[cells] += 4
    elif kind == "block":
        A[: m // 3, : n // 3] += 20  # a ninth of the cells, of rank one
    elif "rows" in kind:
        A[rows] = 20 if kind.endswith("equal") else 15 * rng.standard_normal((rows.size, n))
        good[rows] = False
    return A, L, good


def gross(rng, m, n, r, rows):
    """Noise 0.02, entries of size one; 5 % of the cells, or whole rows, off by 5 to 10."""
    L = (orthonormal(rng, m, r) * np.linspace(2, 1, r)) @ orthonormal(rng, n, r).T * np.sqrt(m * n)
    A, good = L + 0.02 * rng.standard_normal((m, n)), np.ones(m, bool)
    if rows:
        bad = rng.permutation(m)[: m // 20]
        A[bad] += rng.uniform(5, 10, (bad.size, n)) * rng.choice([-1, 1], (bad.size, n))
        good[bad] = False
    else:
        cells = rng.random((m, n)) < 0.05
        A[cells] += rng.uniform(5, 10, cells.sum()) * rng.choice([-1, 1], cells.sum())
    return A, L, good


def error(result, L, good=slice(None)):
    """Relative error of the low-rank matrix on good rows."""
    return np.linalg.norm((result.reconstruct() - L)[good]) / np.linalg.norm(L[good])
