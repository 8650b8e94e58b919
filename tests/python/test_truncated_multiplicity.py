"""Repeated values: every copy is found, however small the blocks and however loose the tolerance.

A Krylov space of one vector holds one copy of a repeated value, and every returned triplet passes its residual test all
the same. So nothing but looking again finds the missing copies.
"""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DTYPES, accuracy, check_svd, grid_differences, multiplicity_family, orthonormal

SEEDS = range(5)


def copies(s, value=1.0):
    return int(np.sum(np.abs(s - value) <= 0.02 * value))


@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-10])
@pytest.mark.parametrize("mult", [3, 5, 8, 12])
def test_blocks_of_eight(mult, tol):
    a = sp.diags_array(multiplicity_family(mult), format="csr")
    for seed in SEEDS:
        s = svdkit.svdvals(a, mult + 2, method="lanczos", block_size=8, tol=tol, rng=seed)
        assert copies(s) == mult


@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-10])
@pytest.mark.parametrize("mult", [3, 5, 8, 12])
@pytest.mark.parametrize("block_size", [1, 2, 4])
def test_small_blocks(block_size, mult, tol):
    a = sp.diags_array(multiplicity_family(mult), format="csr")
    for seed in SEEDS:
        s = svdkit.svdvals(a, mult + 2, method="lanczos", block_size=block_size, tol=tol, rng=seed)
        assert copies(s) == mult


@pytest.mark.parametrize("mult", [3, 5, 8, 12])
@pytest.mark.parametrize("method", ["auto", "lanczos", "full"])
def test_default_options(method, mult):
    values = multiplicity_family(mult)
    result = svdkit.tsvd(sp.diags_array(values, format="csr"), mult + 2, method=method)
    assert copies(result.s) == mult
    check_svd(np.diag(values), result, mult + 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rotated_dense(dtype, rng):
    """The same family without its sparsity, in every precision: the whole invariant subspace is found."""
    values = multiplicity_family(12)
    n = len(values)
    u, v = orthonormal(rng, n + 30, n, dtype), orthonormal(rng, n, n, dtype)
    a = ((u * values) @ v.conj().T).astype(dtype)
    result = svdkit.tsvd(a, 14, method="lanczos")
    check_svd(a, result, 14)
    assert copies(result.s) == 12
    outside = result.U[:, :12] - u[:, :12] @ (u[:, :12].conj().T @ result.U[:, :12])
    assert np.linalg.norm(outside, 2) <= 50 * accuracy(dtype).residual


@pytest.mark.parametrize("block_size", [1, 4, 8])
def test_repeated_below_the_top(block_size):
    values = np.concatenate([[3.0, 2.0], np.ones(12), np.linspace(0.9, 0.01, 400)])
    for seed in SEEDS:
        s = svdkit.svdvals(sp.diags_array(values, format="csr"), 16, method="lanczos", block_size=block_size, rng=seed)
        np.testing.assert_allclose(s, values[:16], rtol=1e-12)


@pytest.mark.parametrize("block_size", [1, 8])
def test_k_cuts_through_the_copies(block_size):
    """With fewer triplets wanted than there are copies, all of them have the repeated value."""
    a = sp.diags_array(multiplicity_family(12), format="csr")
    result = svdkit.tsvd(a, 7, method="lanczos", block_size=block_size)
    check_svd(a, result, 7, values=np.ones(7))


def test_several_families():
    values = np.concatenate([np.full(6, 4.0), np.full(9, 2.0), np.full(5, 1.0), np.linspace(0.9, 0.01, 300)])
    s = svdkit.svdvals(sp.diags_array(values, format="csr"), 20, method="lanczos")
    np.testing.assert_allclose(s, values[:20], rtol=1e-12)


def test_block_diagonal_copies(rng):
    """The same block five times: every value of it comes five times."""
    block = rng.standard_normal((30, 25))
    a = sp.block_diag([block] * 5, format="csr")
    exact = np.repeat(np.linalg.svd(block, compute_uv=False), 5)
    result = svdkit.tsvd(a, 20, method="lanczos")
    check_svd(a, result, 20, values=exact)


def test_zero_start_directions():
    """Values of a block that the other blocks do not touch (disconnected graph)."""
    a = sp.block_diag([sp.eye_array(200) * 0.5, np.array([[7.0]]), np.array([[6.0]])], format="csr")
    np.testing.assert_allclose(svdkit.svdvals(a, 4, method="lanczos"), [7, 6, 0.5, 0.5], rtol=1e-13)


def test_symmetric_grid():
    """A square grid has every value (i, j) twice."""
    a, values = grid_differences(20, 20)
    for method in ("lanczos", "full"):
        result = svdkit.tsvd(a, 15, method=method)
        check_svd(a, result, 15, values=values)


def test_nearly_repeated():
    """A cluster that is split only in the twelfth digit."""
    values = np.concatenate([1 + 1e-12 * np.arange(10), np.linspace(0.9, 0.01, 400)])
    s = svdkit.svdvals(sp.diags_array(values, format="csr"), 12, method="lanczos")
    assert copies(s) == 10
