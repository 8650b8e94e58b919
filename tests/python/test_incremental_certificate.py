"""What an incremental SVD says of its own error; frequent directions; refits."""

import numpy as np
import pytest
import svdkit
from reference import sparse_normal, with_spectrum


def fed(A, size, **options):
    state = svdkit.IncrementalSVD(8, **options)
    for first in range(0, A.shape[0], size):
        state.append_rows(A[first : first + size])
    return state


@pytest.fixture
def A(rng):
    return with_spectrum(rng, 800, 600, 0.97 ** np.arange(600))


@pytest.mark.parametrize("size", [7, 50, 300])
@pytest.mark.parametrize("sparse", [False, True])
def test_row_appends_are_certified(rng, A, size, sparse):
    A = sparse_normal(rng, 800, 600, 0.02) if sparse else A
    state = fed(A, size)
    A = A.toarray() if sparse else A
    true = np.linalg.svd(A, compute_uv=False)
    result = state.result()
    energy = np.sum(A**2)
    assert state.energy == pytest.approx(energy, rel=1e-13)
    assert np.all(state.s <= true[:8] * (1 + 1e-13))  # lower bounds
    assert np.linalg.norm(A - result.reconstruct()) <= state.error_bound
    assert state.explained_energy == pytest.approx(np.sum(state.s**2) / energy, rel=1e-12)
    difference = np.linalg.eigvalsh(A.T @ A - (result.Vh.T * result.s**2) @ result.Vh)
    assert difference[0] >= -1e-12 * energy
    assert difference[-1] <= state.psd_gap * (1 + 1e-12)
    assert np.all(result.report.residuals == state.error_bound)


def test_everything_else_is_bounded_too(rng):
    A = sparse_normal(rng, 500, 650, 0.02).toarray()
    state = svdkit.IncrementalSVD(8).fit(A[:, :600])
    state.append_cols(A[:, 600:])
    D, E = rng.standard_normal((500, 2)), rng.standard_normal((650, 2))
    state.add(D, E)
    state.set_entries([1, 2], [3, 3], [5.0, -5.0])
    A += D @ E.T
    A[1, 3] += 5
    A[2, 3] -= 5
    state.delete_rows([0, 9])
    A = np.delete(A, [0, 9], axis=0)
    assert np.linalg.norm(A - state.result().reconstruct()) <= state.error_bound
    assert state.psd_gap == np.inf
    assert 0 < state.explained_energy < 1


def test_needs_refit_and_refit(rng):
    easy = with_spectrum(rng, 800, 600, 0.3 ** np.arange(600))
    assert not fed(easy, 50).needs_refit
    hard = with_spectrum(rng, 800, 600, np.ones(600))
    state = fed(hard, 50)
    assert state.needs_refit
    A = with_spectrum(rng, 800, 600, 0.8 ** np.arange(600))
    state = fed(A, 50)
    result = state.refit(A)
    np.testing.assert_allclose(result.s, 0.8 ** np.arange(8), rtol=1e-12)
    np.testing.assert_allclose(state.s, result.s, rtol=1e-15)
    best = np.sqrt(np.sum(0.64 ** np.arange(8, 600)))
    assert state.error_bound == pytest.approx(best, rel=1e-6)
    assert not state.needs_refit
    state.append_rows(A[:5])
    assert state.shape == (805, 600)
    with pytest.raises(ValueError, match="shape"):
        state.refit(A)


def test_frequent_directions_keep_their_guarantee(rng):
    for values in (np.ones(200), 0.97 ** np.arange(200), 1 / np.arange(1.0, 201)):
        A = with_spectrum(rng, 1000, 200, values)
        A *= rng.choice([1e-2, 1, 10], 1000)[:, None]
        true = np.linalg.svd(A, compute_uv=False)
        for size in (3, 40, 500):
            state = fed(A, size, shrink="fd")
            V, s = state.result().Vh.T, state.s
            difference = np.linalg.eigvalsh(A.T @ A - (V * s**2) @ V.T)
            bound = min(np.sum(true[r:] ** 2) / (9 - r) for r in range(9))
            assert difference[0] >= -1e-12 * true[0] ** 2
            assert difference[-1] <= bound * (1 + 1e-12)
            assert difference[-1] <= state.psd_gap * (1 + 1e-10)


def test_truncation_alone_lacks_that_guarantee(rng):
    """A stream made to fool plain truncation: many small equal directions one after the other, then the proof."""
    n, k = 300, 8
    A = np.vstack([2.0 * np.eye(n)[:8]] * 20 + [np.eye(n)[[8 + i % 250]] for i in range(3000)])
    plain, fd = svdkit.IncrementalSVD(k), svdkit.IncrementalSVD(k, shrink="fd")
    for i in range(0, A.shape[0], 10):
        plain.append_rows(A[i : i + 10])
        fd.append_rows(A[i : i + 10])
    true = np.linalg.svd(A, compute_uv=False)
    bound = min(np.sum(true[r:] ** 2) / (k + 1 - r) for r in range(k + 1))
    V, s = fd.result().Vh.T, fd.s
    assert np.linalg.norm(A.T @ A - (V * s**2) @ V.T, 2) <= bound


def test_state_without_left_vectors_does_not_grow(rng):
    A = sparse_normal(rng, 3000, 400, 0.02)
    state = svdkit.IncrementalSVD(6, left=False)
    state.append_rows(A[:1000])
    before = state.nbytes
    state.append_rows(A[1000:])
    assert state.nbytes == before
    assert state.shape == (3000, 400)
    assert state.result().U.shape == (0, 6)
    twin = svdkit.IncrementalSVD(6)
    twin.append_rows(A[:1000])
    twin.append_rows(A[1000:])
    np.testing.assert_array_equal(state.s, twin.s)
    with pytest.raises(ValueError, match="left"):
        state.rows([0])
