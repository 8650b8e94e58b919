"""Small sparse batches wait for each other; nobody can tell from the bits when a state was looked at."""

import io
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import sparse_normal

KINDS = {"plain": {}, "no left": {"left": False}, "forget": {"forget": 0.9}, "fd": {"shrink": "fd"}}


def look_at(state):
    """Everything that can be asked without changing the matrix."""
    state.result()
    state.cols([0, 3])
    _ = state.s, state.rank, state.report, state.energy, state.error_bound, state.nbytes
    state.save(io.BytesIO())


def assert_same(one, two):
    for a, b in zip(one.result(), two.result(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.report == two.report
    assert (one.energy, one.error_bound, one.psd_gap) == (two.energy, two.error_bound, two.psd_gap)


def grow(state, A, look):
    """Rows by ones to fives, now and then something else."""
    at = 200
    state.append_rows(A[:at])
    for step in range(60):
        count = 1 + step % 5
        state.append_rows(A[at : at + count])
        at += count
        if look:
            look_at(state)
        if state._settings.left and step % 13 == 12:
            state.append_cols(sp.random_array((state.shape[0], 2), density=0.02, rng=step, format="csc"))
            if look:
                look_at(state)
            state.set_entries([0, 5, 9], [1, 2, 3], [1.0, -2.0, 0.5])
            state.delete_cols([0, state.shape[1] - 1])
    return state


@pytest.mark.parametrize("n", [300, 2000])  # directions formed, and as pairs
@pytest.mark.parametrize("kind", KINDS)
def test_looking_changes_no_later_bit(rng, kind, n):
    A = sparse_normal(rng, 400, n, 0.03)
    alone, watched = (grow(svdkit.IncrementalSVD(6, **KINDS[kind]), A, look) for look in (False, True))
    assert alone.report.waiting > 0
    assert_same(alone, watched)


def test_values_alone_are_those_of_the_triplets(rng):
    """Values are read before the factors follow; at every number of updates, also where orthogonality is due."""
    A = sparse_normal(rng, 500, 900, 0.03)
    reader, other, twin = (svdkit.IncrementalSVD(6).fit(A[:60]) for _ in range(3))
    for i in range(60, 500, 4):
        for each in (reader, other, twin):
            each.append_rows(A[i : i + 4])
        s, bound = reader.s, reader.error_bound
        assert reader.shape == other.shape
        np.testing.assert_array_equal(s, other.result().s)
        np.testing.assert_array_equal(reader.result().s, s)
        assert bound == other.error_bound
    assert_same(reader, twin)


@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_stored_with_what_waits(rng, kind, looked):
    A = sparse_normal(rng, 300, 900, 0.03)
    state = svdkit.IncrementalSVD(6, **KINDS[kind])
    for i in range(0, 150, 4):
        state.append_rows(A[i : i + 4])
    if looked:
        look_at(state)
    file = io.BytesIO()
    state.save(file)
    file.seek(0)
    others = [svdkit.IncrementalSVD.load(file), pickle.loads(pickle.dumps(state))]
    assert state.report.waiting > 0
    for each in (state, *others):
        for i in range(152, 300, 4):
            each.append_rows(A[i : i + 4])
    for other in others:
        assert_same(state, other)


def test_parts_that_wait_are_one_batch(rng):
    A = sparse_normal(rng, 120, 1000, 0.03)
    whole, parts = (svdkit.IncrementalSVD(6).fit(A[:100]) for _ in range(2))
    whole.append_rows(A[100:112])
    for i in range(100, 112, 3):
        parts.append_rows(A[i : i + 3])
    assert parts.report == whole.report and whole.report.waiting == 12
    for a, b in zip(whole.result(), parts.result(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_together_less_is_lost(rng):
    A = sparse_normal(rng, 600, 900, 0.02)
    states = {combine: svdkit.IncrementalSVD(8, combine=combine).fit(A[:200]) for combine in (1, None, 64)}
    true = np.linalg.svd(A.toarray(), compute_uv=False)[:8]
    held = []
    for combine, state in states.items():
        for i in range(200, 600, 2):
            state.append_rows(A[i : i + 2])
        U, s, Vh = state.result()
        assert np.all(s <= true * (1 + 1e-12))
        assert np.linalg.norm(A.toarray() - (U * s) @ Vh) <= state.error_bound * (1 + 1e-12)
        np.testing.assert_allclose(state.energy, np.sum(A.data**2), rtol=1e-13)
        assert (state.report.waiting == 0) == (combine == 1)
        held.append(float(np.sum(s**2)))
    assert held == sorted(held)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_forgetting_and_scales_of_what_waits(rng, scale):
    """Of a rank that fits nothing is lost: the weighted rows have the values of the state."""
    A = sparse_normal(rng, 24, 700, 0.1) * scale
    state = svdkit.IncrementalSVD(24, forget=0.5)
    dense = np.zeros((0, 700))
    for i in range(0, 24, 2):
        dense = np.vstack([0.5 * dense, A[i : i + 2].toarray()])
        state.append_rows(A[i : i + 2])
    s = np.linalg.svd(dense / scale, compute_uv=False)
    np.testing.assert_allclose(state.s[:16] / scale, s[:16], rtol=1e-11)


def test_units_that_follow_larger_entries(rng):
    A = sparse_normal(rng, 12, 800, 0.1)
    state = svdkit.IncrementalSVD(12)
    for i, scale in enumerate([1e-150, 1e-150, 1.0, 1e150]):
        state.append_rows(A[3 * i : 3 * i + 3] * scale)
    expected = np.linalg.svd(A[9:].toarray(), compute_uv=False)
    np.testing.assert_allclose(state.s[:3] / 1e150, expected, rtol=1e-13)


def test_a_batch_that_is_refused_leaves_what_waits(rng):
    A = sparse_normal(rng, 40, 600, 0.05)
    state, twin = (svdkit.IncrementalSVD(5).fit(A[:30]) for _ in range(2))
    for each in (state, twin):
        each.append_rows(A[30:34])
    bad = A[34:36].copy()
    bad.data[0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        state.append_rows(bad)
    for each in (state, twin):
        each.append_rows(A[36:38])
    assert_same(state, twin)


def test_merging_takes_nothing_from_the_other(rng):
    A = sparse_normal(rng, 90, 600, 0.05)
    one, two, twin = (svdkit.IncrementalSVD(5).fit(A[:30]) for _ in range(3))
    for each in (one, two, twin):
        each.append_rows(A[30:35])
    both = one.merge(two)
    assert both.shape == (70, 600)
    for each in (two, twin):
        each.append_rows(A[40:44])
    assert_same(two, twin)
