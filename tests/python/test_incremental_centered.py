"""Principal components of a stream: the mean is exact, the components are scikit-learn's."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import sparse_normal, with_spectrum
from svdkit._incremental import running_mean


def fed(A, size, **options):
    state = svdkit.IncrementalSVD(7, center=True, **options)
    for first in range(0, A.shape[0], size):
        state.append_rows(A[first : first + size])
    return state


@pytest.mark.parametrize("size", [20, 100, 350])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csc_array])
def test_equal_to_incremental_pca(rng, size, kind):
    decomposition = pytest.importorskip("sklearn.decomposition")
    A = with_spectrum(rng, 700, 60, 0.9 ** np.arange(60)) + 3 * rng.standard_normal(60)
    A[np.abs(A) < 0.02] = 0
    peer = decomposition.IncrementalPCA(7, batch_size=size).fit(A)
    state = svdkit.IncrementalSVD(7, center=True)
    stored = kind(A)
    for first in range(0, 700, size):
        state.append_rows(stored[first : first + size])
    np.testing.assert_allclose(state.mean, peer.mean_, atol=1e-12)
    np.testing.assert_allclose(state.s, peer.singular_values_, rtol=1e-10)
    np.testing.assert_allclose(state.explained_variance, peer.explained_variance_, rtol=1e-10)
    np.testing.assert_allclose(state.explained_variance_ratio, peer.explained_variance_ratio_, rtol=1e-10)
    angle = np.linalg.svd(state.result().Vh @ peer.components_.T, compute_uv=False)[-1]
    assert angle == pytest.approx(1, abs=1e-10)
    ours, theirs = state.transform(stored[:9]), peer.transform(A[:9])
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-8)


def test_exact_where_nothing_is_lost(rng):
    A = rng.standard_normal((500, 5)) @ rng.standard_normal((5, 80)) + 100
    state = fed(A, 33)
    B = A - A.mean(axis=0)
    np.testing.assert_allclose(state.s[:5], np.linalg.svd(B, compute_uv=False)[:5], rtol=1e-12)
    assert state.energy == pytest.approx(np.sum(B**2), rel=1e-12)
    assert state.explained_energy == pytest.approx(1)
    assert state.shape == (500, 80)


def test_sparse_rows_of_a_wide_matrix(rng):
    A = sparse_normal(rng, 300, 5000, 0.01)
    state = fed(A, 60)
    B = A.toarray() - A.toarray().mean(axis=0)
    assert state.energy == pytest.approx(np.sum(B**2), rel=1e-12)
    assert np.all(state.s <= np.linalg.svd(B, compute_uv=False)[:7] * (1 + 1e-12))
    assert np.abs(state.result().Vh @ state.result().Vh.T - np.eye(7)).max() < 1e-12


def test_one_row_at_a_time_and_forgetting(rng):
    A = rng.standard_normal((60, 12)) + 5
    state = svdkit.IncrementalSVD(12, center=True)
    for row in A:
        state.append_rows(row[None, :])
    np.testing.assert_allclose(state.s[:11], np.linalg.svd(A - A.mean(0), compute_uv=False)[:11], rtol=1e-11)
    state = svdkit.IncrementalSVD(12, center=True, forget=0.5)
    state.append_rows(A[:40])
    state.append_rows(A[40:])
    weight = np.repeat([0.25, 1.0], [40, 20])
    mean = weight @ A / weight.sum()
    np.testing.assert_allclose(state.mean, mean, rtol=1e-13)
    B = np.sqrt(weight)[:, None] * (A - mean)
    np.testing.assert_allclose(state.s, np.linalg.svd(B, compute_uv=False), rtol=1e-11)


def test_bad_input():
    with pytest.raises(ValueError, match="left"):
        svdkit.IncrementalSVD(2, center=True).append_cols(np.eye(3))
    state = svdkit.IncrementalSVD(2, center=True)
    state.append_rows(np.eye(3))
    with pytest.raises(ValueError, match="finite"):
        state.append_rows(np.full((1, 3), np.nan))
    assert state.shape == (3, 3)
    np.testing.assert_allclose(state.mean, 1 / 3)


def test_a_refused_first_batch_decides_nothing():
    state = svdkit.IncrementalSVD(3, center=True)
    with pytest.raises(ValueError, match="nan"):
        state.append_rows(np.full((4, 6), np.nan))
    assert state.shape == (0, 0)
    state.append_rows(np.eye(5))
    assert state.shape == (5, 5)


def test_sparse_rows_in_several_blocks_are_taken_in_whole_or_not_at_all(rng, monkeypatch):
    A = sp.random_array((100, 20), density=0.3, rng=rng, format="csr")
    monkeypatch.setattr(running_mean, "DENSE", 600)
    states = [svdkit.IncrementalSVD(3, center=True).fit(A[:20]) for _ in range(2)]
    block = running_mean.RunningMean._block
    left = [2]

    def interrupted(self, X, forget):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        yield from block(self, X, forget)

    with monkeypatch.context() as patch:
        patch.setattr(running_mean.RunningMean, "_block", interrupted)
        with pytest.raises(KeyboardInterrupt):
            states[0].append_rows(A[20:])
    assert left == [0]
    for compared in range(2):
        assert states[0].shape == states[1].shape
        np.testing.assert_array_equal(states[0].mean, states[1].mean)
        np.testing.assert_array_equal(states[0].result().Vh, states[1].result().Vh)
        if compared == 0:
            for state in states:
                state.append_rows(A[20:])
