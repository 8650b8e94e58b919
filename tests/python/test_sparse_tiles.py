"""Wide sparse matrices: products come from a copy of the entries in tiles, across the rows or both ways."""

import numpy as np
import pytest
import scipy.sparse
from reference import random_matrix
from svdkit import operators

M, N = 300, 13_000  # more columns than three tiles, and 32 entries for each


@pytest.fixture(scope="module", params=[38, 60], ids=["across", "both ways"])
def dense(request):
    per_column = request.param
    rng = np.random.default_rng(0)
    a = np.zeros((M, N))
    a[rng.integers(M, size=per_column * N), np.tile(np.arange(N), per_column)] = rng.standard_normal(per_column * N)
    a[:, 5000:5100] = rng.standard_normal((M, 100))  # a heavy column of tiles
    return a


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["csr", "csc"])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_products(dense, dtype, layout, index):
    entries = scipy.sparse.csr_array(dense.astype(dtype))
    entries.indices, entries.indptr = entries.indices.astype(index), entries.indptr.astype(index)
    operator, reference = operators.Sparse(entries), dense
    if layout == "csc":
        operator, reference = operators.Sparse(entries.T), dense.T
    rng, tol = np.random.default_rng(1), 200 * np.finfo(dtype).eps
    for b in (1, 3, 8, 16, 40, 67):
        x, y = random_matrix(rng, reference.shape[1], b, dtype), random_matrix(rng, reference.shape[0], b, dtype)
        scale = np.abs(reference).max() * np.sqrt(N)
        np.testing.assert_allclose(operator @ x, reference @ x.astype("float64"), atol=tol * scale)
        np.testing.assert_allclose(operator.T @ y, reference.T @ y.astype("float64"), atol=tol * scale)
    assert "tiles" in operator._core.note()


def test_unsorted_and_duplicate_entries(dense):
    entries = scipy.sparse.coo_array(dense)
    order = np.random.default_rng(2).permutation(entries.nnz)
    rows, cols = (np.concatenate([c[order], c[order[:500]]]) for c in entries.coords)
    values = np.concatenate([entries.data[order], np.ones(500)])
    by_row = np.argsort(rows, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=M))])
    messy = scipy.sparse.csr_array((values[by_row], cols[by_row], indptr), shape=(M, N))
    operator, whole, rng = operators.Sparse(messy), messy.toarray(), np.random.default_rng(3)
    x, y = rng.standard_normal((N, 8)), rng.standard_normal((M, 8))
    np.testing.assert_allclose(operator @ x, whole @ x, atol=1e-10)
    np.testing.assert_allclose(operator.T @ y, whole.T @ y, atol=1e-11)


def test_threads_do_not_change_bits(dense):
    import svdkit

    entries = scipy.sparse.csr_array(dense)
    results = [svdkit.tsvd(entries, 4, tol=1e-3, threads=threads) for threads in (1, 2, 3)]
    for result in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(result, results[0], strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_wide_panels_are_narrow_ones_side_by_side(dense, dtype):
    core = operators.Sparse(scipy.sparse.csr_array(dense.astype(dtype)))._core
    x = np.random.default_rng(4).standard_normal((N, 75)).astype(dtype)

    def gram(x):
        y, z = np.full((M, x.shape[1]), np.nan, dtype), np.full((N, x.shape[1]), np.nan, dtype)
        core.apply_gram(np.ascontiguousarray(x), y, z)
        return y, z

    y, z = gram(x)
    for first in range(0, 75, 8):
        y_part, z_part = gram(x[:, first : first + 8])
        assert np.array_equal(y[:, first : first + 8], y_part)
        assert np.array_equal(z[:, first : first + 8], z_part)
