"""What an incremental SVD says of its own state: orthogonality, laziness, memory; the formats that batches come in."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import sparse_normal


def off_identity(result):
    eye = np.eye(result.rank)
    return max(np.abs(result.U.T @ result.U - eye).max(), np.abs(result.Vh @ result.Vh.T - eye).max())


def test_orthogonality_is_what_it_is(rng):
    """Followed without a look at the tall factors, or measured: within rounding of the truth at every look."""
    A = sparse_normal(rng, 4000, 5000, 0.002)
    state = svdkit.IncrementalSVD(8, combine=1).fit(A[:2000])
    for i in range(16):
        state.append_rows(A[2000 + i : 2001 + i])
    for look in range(20):
        for i in range(16):
            at = 2016 + 16 * look + i
            state.append_rows(A[at : at + 1])
        report = state.report
        assert report.orthogonality <= 4.6e-13
        assert abs(report.orthogonality - off_identity(state.result())) <= 1e-14 * max(report.condition, 1) ** 2
    assert report.condition > 1  # lazy all the while
    assert report.updates == state.report.updates == 16 * 21 + 1


@pytest.mark.parametrize("spoiled", ["U", "Vh"])
def test_lost_orthogonality_is_found_and_restored(rng, spoiled):
    """Vectors that were not orthonormal to begin with, by 1e-8: found by the first look, then restored."""
    A = sparse_normal(rng, 3000, 2000, 0.01)
    parts = dict(zip(("U", "s", "Vh"), svdkit.tsvd(A, 6), strict=True))
    parts[spoiled] = parts[spoiled].copy()
    parts[spoiled][..., 0] += 1e-8
    state = svdkit.IncrementalSVD.from_result(tuple(parts.values()), combine=1)
    for i in range(15):
        state.append_rows(A[i : i + 1])
    assert off_identity(state.result()) > 1e-10
    assert state.report.reorthonormalisations == 0
    state.append_rows(A[15:16])
    assert state.report.reorthonormalisations == 1
    assert off_identity(state.result()) < 1e-14
    assert state.report.orthogonality < 1e-14


def test_account_of_updates(rng):
    A = sparse_normal(rng, 2000, 3000, 0.01)
    state = svdkit.IncrementalSVD(5).fit(A[:1000])
    assert state.report.whole_batches == 1  # more than one core takes in
    state.append_rows(A[1000:1003])
    report = state.report
    assert report.updates == 2
    assert report.touched == A[1000:1003].nnz
    assert report.touched_total == A[:1003].nnz
    assert report.formed == 0
    state.append_rows(A[1003:1005].toarray())
    assert state.report.formed == 1  # dense directions are written out
    before = state.s
    state.refresh()
    assert state.report.condition == 1
    np.testing.assert_allclose(state.s, before, rtol=1e-13)


def test_memory_doubles_rather_than_following_every_append(rng):
    A = sparse_normal(rng, 1500, 800, 0.02)
    state, sizes = svdkit.IncrementalSVD(4, combine=1), set()
    for i in range(1500):
        state.append_rows(A[i : i + 1])
        sizes.add(state.nbytes)
    assert len(sizes) <= 24
    kept, sizes = svdkit.IncrementalSVD(4, keep=True), set()
    for i in range(1500):
        kept.append_rows(A[i : i + 1])
        sizes.add(kept.nbytes)
    assert len(sizes) <= 50  # three arrays


@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["csr", "csc"])
def test_formats_of_every_kind_of_update(rng, kind, dtype, index):
    """Each update, in every format, beside the same one with dense arrays."""

    def stored(B):
        B = sp.csr_array(B.astype(dtype)).asformat(kind)
        B.indices, B.indptr = B.indices.astype(index), B.indptr.astype(index)
        return B

    start, rows = sparse_normal(rng, 700, 600, 0.03), sparse_normal(rng, 5, 600, 0.03)
    cols, D, E = (sparse_normal(rng, *shape, 0.03) for shape in ((705, 3), (705, 2), (603, 2)))
    states = [svdkit.IncrementalSVD(6), svdkit.IncrementalSVD(6)]
    for state, form in zip(states, (stored, lambda B: B.toarray().astype(dtype)), strict=True):
        state.append_rows(form(start))
        state.append_rows(form(rows))
        state.append_cols(form(cols))
        state.add(form(D), form(E))
    one, two = states
    assert one.result().U.dtype == dtype
    tolerance = 1e-12 if dtype == np.float64 else 2e-6
    np.testing.assert_allclose(one.s, two.s, rtol=tolerance)
    difference = one.result().reconstruct() - two.result().reconstruct()
    assert np.abs(difference).max() <= 100 * tolerance * one.s[0]
