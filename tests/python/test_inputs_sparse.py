"""The gate for scipy.sparse: every format, index type and storage quirk gives the values of the dense matrix."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DTYPES, accuracy, check_svd, random_sparse, snapshot

M, N, K = 90, 60, 5
FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")


def with_indices(a, index_dtype):
    a = a.copy()
    a.indices, a.indptr = a.indices.astype(index_dtype), a.indptr.astype(index_dtype)
    assert a.indices.dtype == index_dtype
    return a


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("format", FORMATS)
def test_formats(format, kind, rng):
    plain = random_sparse(rng, M, N)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sp.SparseEfficiencyWarning)  # so many diagonals
        a = getattr(sp, f"{format}_{kind}")(plain)
    before = snapshot(a) if format not in ("lil", "dok") else None
    result = svdkit.tsvd(a, K, method="lanczos")
    check_svd(plain, result, K)
    assert before is None or snapshot(a) == before
    reported = any("cop" in note or "conver" in note for note in result.report.notes)
    assert reported == (format not in ("csr", "csc"))


@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("format", ["csr", "csc"])
def test_index_and_value_types(format, dtype, index_dtype, rng):
    plain = random_sparse(rng, M, N, dtype=dtype)
    a = with_indices(plain.asformat(format), index_dtype)
    result = svdkit.tsvd(a, K, method="lanczos")
    assert result.dtype == np.dtype(dtype)
    check_svd(plain, result, K)
    assert not any("cop" in note for note in result.report.notes)


@pytest.mark.parametrize("dtype", ["int8", "int64", "bool"])
def test_integers_and_bool_compute_in_double(dtype, rng):
    a = sp.csr_array((random_sparse(rng, M, N) * 20).astype(dtype))
    result = svdkit.tsvd(a, K)
    assert result.dtype == np.float64
    check_svd(a.toarray(), result, K)
    assert any(dtype in note for note in result.report.notes)


def unsorted_copy(a, rng):
    a = a.copy()
    for start, stop in zip(a.indptr[:-1], a.indptr[1:], strict=True):
        order = start + rng.permutation(stop - start)
        a.indices[start:stop], a.data[start:stop] = a.indices[order], a.data[order]
    a.has_sorted_indices = False
    return a


@pytest.mark.parametrize("format", ["csr", "csc"])
def test_unsorted_indices(format, rng):
    plain = random_sparse(rng, M, N, format=format)
    a = unsorted_copy(plain, rng)
    before = snapshot(a)
    check_svd(plain, svdkit.tsvd(a, K, method="lanczos"), K)
    assert snapshot(a) == before


def duplicated(format):
    """Entries stored two or three times; toarray() adds them."""
    rng = np.random.default_rng(5)
    rows, cols = rng.integers(0, M, 900), rng.integers(0, N, 900)
    values = rng.standard_normal(900)
    rows, cols = np.concatenate([rows, rows[:300]]), np.concatenate([cols, cols[:300]])
    values = np.concatenate([values, rng.standard_normal(300)])
    if format == "coo":
        return sp.coo_array((values, (rows, cols)), shape=(M, N))
    major, minor, size = (rows, cols, M) if format == "csr" else (cols, rows, N)
    order = np.argsort(major, kind="stable")
    pointers = np.concatenate([[0], np.cumsum(np.bincount(major, minlength=size))])
    make = sp.csr_array if format == "csr" else sp.csc_array
    return make((values[order], minor[order], pointers), shape=(M, N))


@pytest.mark.parametrize("format", ["csr", "csc", "coo"])
def test_duplicate_entries_add_up(format):
    a = duplicated(format)
    expected, before = a.toarray(), snapshot(a)
    check_svd(expected, svdkit.tsvd(a, K, method="lanczos"), K)
    assert snapshot(a) == before


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_duplicates_that_cancel(scale):
    """Stored entries far larger than the matrix they add up to."""
    big = 1e5 * scale
    a = sp.csr_array(([big, scale, -big, scale], [0, 0, 0, 1], [0, 3, 4]), shape=(2, 2))
    np.testing.assert_allclose(svdkit.svdvals(a, 2), [scale, scale], rtol=1e-9)


@pytest.mark.parametrize("format", ["csr", "csc"])
def test_explicit_zeros(format, rng):
    a = random_sparse(rng, M, N, density=0.2, format=format)
    a.data[::3] = 0
    assert a.nnz > np.count_nonzero(a.data)
    check_svd(a.toarray(), svdkit.tsvd(a, K, method="lanczos"), K)


@pytest.mark.parametrize("format", ["csr", "csc"])
def test_empty_rows_and_columns(format, rng):
    wide = np.zeros((M, N))
    wide[10:30, 5:40] = rng.standard_normal((20, 35))
    check_svd(wide, svdkit.tsvd(sp.csr_array(wide).asformat(format), K, method="lanczos"), K)


@pytest.mark.parametrize("format", ["csr", "csc", "coo"])
@pytest.mark.parametrize("method", ["lanczos", "full", "auto"])
def test_no_entries_at_all(format, method):
    a = sp.coo_array((M, N), dtype=np.float64).asformat(format)
    u, s, vh = svdkit.tsvd(a, K, method=method)
    assert np.all(s == 0)
    np.testing.assert_array_equal(u, np.eye(M, K))
    np.testing.assert_array_equal(vh, np.eye(K, N))


@pytest.mark.parametrize("dtype", DTYPES)
def test_csr_csc_dense_and_operator_agree(dtype, rng):
    plain = random_sparse(rng, M, N, density=0.2, dtype=dtype)
    forms = {
        "csr": plain,
        "csc": plain.asformat("csc"),
        "rows": plain.toarray(),
        "columns": np.asfortranarray(plain.toarray()),
        "operator": sp.linalg.aslinearoperator(plain),
    }
    values = {name: svdkit.svdvals(a, K, method="lanczos") for name, a in forms.items()}
    limit = 1e-13 if accuracy(dtype).value < 1e-10 else 2e-6
    for name, s in values.items():
        assert s.dtype == values["csr"].dtype
        np.testing.assert_allclose(s, values["csr"], rtol=limit, err_msg=name)


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
@pytest.mark.parametrize("bad", [10**6, -1])
def test_index_out_of_range(format, index_dtype, bad, rng):
    a = with_indices(random_sparse(rng, M, N, format=format), index_dtype)
    a.indices[7] = bad
    with pytest.raises(ValueError, match=str(bad)):
        svdkit.tsvd(a, K)


@pytest.mark.parametrize("format", ["csr", "csc"])
def test_decreasing_pointers(format, rng):
    a = random_sparse(rng, M, N, format=format)
    a.indptr[4] = a.indptr[-1]
    with pytest.raises(ValueError, match="pointer|indptr"):
        svdkit.tsvd(a, K)
