"""A kept matrix: its triplets, certified, after any change."""

import io
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import sparse_normal


def topics(rng, m, n, entries):
    """Counts with a decaying spectrum."""
    rows = rng.integers(0, m, entries)
    cols = (n * rng.random(entries) ** 3).astype(int)
    group = rows % 40
    cols = np.where(rng.random(entries) < 0.5, (cols // 40 * 40 + group) % n, cols)
    return sp.csr_array((np.ones(entries), (rows, cols)), shape=(m, n))


def assert_certified(state, A, tol):
    result = state.result(tol)
    A = sp.csr_array(A)
    unit = result.s[0]
    left = A @ result.Vh.T - result.U * result.s
    right = A.T @ result.U - result.Vh.T * result.s
    residuals = np.maximum(np.linalg.norm(left, axis=0), np.linalg.norm(right, axis=0))
    assert residuals.max() <= tol * unit
    assert np.all(residuals <= result.report.residuals + 1e-12 * unit)
    eye = np.eye(result.rank)
    assert np.abs(result.U.T @ result.U - eye).max() < 1e-10
    assert np.abs(result.Vh @ result.Vh.T - eye).max() < 1e-12
    np.testing.assert_allclose(result.s, svdkit.svdvals(A, result.rank), atol=10 * tol**2 * unit + 1e-12 * unit)
    return result


@pytest.mark.parametrize("tol", [1e-4, 1e-8, 1e-10])
def test_rows_are_appended(rng, tol):
    A = topics(rng, 6000, 3000, 120_000)
    state = svdkit.IncrementalSVD(10, keep=True)
    state.append_rows(A[:4000])
    assert_certified(state, A[:4000], tol)
    for end in range(4200, 6001, 600):
        state.append_rows(A[state.shape[0] : end])
        result = assert_certified(state, A[:end], tol)
    assert state.explained_energy == pytest.approx(np.sum(result.s**2) / sp.linalg.norm(A[:end]) ** 2)
    assert not state.needs_refit
    assert state.energy == pytest.approx(sp.linalg.norm(A[:end]) ** 2)
    assert state.error_bound == pytest.approx(np.sqrt(state.energy - np.sum(result.s**2)))
    np.testing.assert_array_equal(state.rows([3]), state.result().U[[3]])


def test_all_changes(rng):
    A = topics(rng, 3000, 2000, 60_000)
    state = svdkit.IncrementalSVD(6, keep=True)
    state.append_rows(A[:2500, :1500])
    assert_certified(state, A[:2500, :1500], 1e-9)
    state.append_cols(A[:2500, 1500:])
    state.append_rows(A[2500:].toarray())
    assert_certified(state, A, 1e-9)
    D, E = sparse_normal(rng, 3000, 2, 0.01), sparse_normal(rng, 2000, 2, 0.01)
    state.add(D, E)
    state.set_entries([1, 1, 2], [5, 5, 0], [10.0, 20.0, 5.0])
    A = sp.lil_array(A + D @ E.T)
    A[1, 5] += 30
    A[2, 0] += 5
    A = sp.csr_array(A)
    assert_certified(state, A, 1e-9)
    state.delete_rows([0, 7])
    state.delete_cols([1])
    keep = np.ones(3000, bool)
    keep[[0, 7]] = False
    A = A[keep][:, np.arange(2000) != 1]
    assert state.shape == A.shape
    assert_certified(state, A, 1e-9)


def test_jumps_in_the_spectrum(rng):
    """New rows that replace every direction, and rows far larger or smaller than the rest."""
    A = topics(rng, 4000, 2500, 80_000)
    state = svdkit.IncrementalSVD(8, keep=True)
    state.append_rows(A)
    assert_certified(state, A, 1e-8)
    for scale in (1e3, 1e-3, 1e6):
        B = scale * sparse_normal(rng, 50, 2500, 0.01)
        state.append_rows(B)
        A = sp.vstack([A, B]).tocsr()
        assert_certified(state, A, 1e-8)


def test_small_and_degenerate(rng):
    state = svdkit.IncrementalSVD(5, keep=True)
    assert state.shape == (0, 0)
    state.append_cols(np.zeros((4, 0)))
    state.append_cols(np.eye(4, 3))
    np.testing.assert_allclose(state.result().s, [1, 1, 1])
    state.append_rows(np.zeros((2, 3)))
    assert state.shape == (6, 3) and state.rank == 3
    state = svdkit.IncrementalSVD(2, keep=True)
    state.append_rows(np.zeros((50, 40)))
    assert not state.result().s.any()
    state = svdkit.IncrementalSVD(2, keep=True)
    state.append_rows(np.eye(5, dtype=np.float32))
    assert state.result().U.dtype == np.float32
    with pytest.raises(ValueError, match="finite"):
        state.append_rows(np.full((1, 5), np.nan))
    assert state.shape == (5, 5)


def test_threads_do_not_change_bits(rng):
    A = topics(rng, 5000, 2500, 100_000)
    results = []
    for threads in (1, 2):
        state = svdkit.IncrementalSVD(8, keep=True, threads=threads)
        state.append_rows(A[:4500])
        state.result()
        state.append_rows(A[4500:])
        results.append(state.result())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_results_do_not_depend_on_the_way(rng):
    """One piece or many, results asked for in between or not, stored or not: the same bits."""
    A = topics(rng, 4000, 2500, 80_000)
    expected = svdkit.IncrementalSVD(8, keep=True).fit(A).result()
    state = svdkit.IncrementalSVD(8, keep=True)
    for end in (1000, 1001, 2500, 4000):
        state.append_rows(A[state.shape[0] : end])
        state.result(1e-6)
    file = io.BytesIO()
    state.save(file)
    file.seek(0)
    for other in (state, svdkit.IncrementalSVD.load(file), pickle.loads(pickle.dumps(state))):
        for a, b in zip(expected, other.result(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert state.result() is state.result()  # while nothing changes
