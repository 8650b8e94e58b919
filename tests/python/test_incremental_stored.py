"""States that stop and go on: pickles, files, copies. Bit for bit."""

import io
import json
import pickle

import numpy as np
import pytest
import svdkit
from reference import sparse_normal

KINDS = {
    "plain": {},
    "left": {"left": False},
    "forget": {"forget": 0.9},
    "center": {"center": True},
    "fd": {"shrink": "fd"},
    "keep": {"keep": True},
}


def through_pickle(state):
    return pickle.loads(pickle.dumps(state))


def through_file(state):
    file = io.BytesIO()
    state.save(file)
    file.seek(0)
    return svdkit.IncrementalSVD.load(file)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("passage", [through_pickle, through_file])
@pytest.mark.parametrize("kind", KINDS)
def test_goes_on_as_if_never_stopped(rng, kind, passage, dtype):
    A = sparse_normal(rng, 900, 700, 0.02).astype(dtype)
    state = svdkit.IncrementalSVD(6, **KINDS[kind])
    for i in range(0, 600, 60):
        state.append_rows(A[i : i + 60])
    other = passage(state)
    assert other.shape == state.shape
    for each in (state, other):
        for i in range(600, 900, 60):
            each.append_rows(A[i : i + 60])
    for a, b in zip(state.result(), other.result(), strict=True):
        assert a.dtype == b.dtype == dtype
        np.testing.assert_array_equal(a, b)
    if kind == "center":
        np.testing.assert_array_equal(state.mean, other.mean)
    assert state.energy == other.energy and state.error_bound == other.error_bound


def test_an_empty_state_is_stored_too():
    for passage in (through_pickle, through_file):
        state = passage(svdkit.IncrementalSVD(3, forget=0.5))
        assert state.shape == (0, 0) and state.forget == 0.5
        state.append_rows(np.eye(4))
        assert state.rank == 3


def test_merged_states_are_independent(rng):
    A = sparse_normal(rng, 300, 700, 0.05)
    one, two = svdkit.IncrementalSVD(5).fit(A[:150]), svdkit.IncrementalSVD(5).fit(A[150:])
    before = one.s.copy()
    merged = one.merge(two)
    merged.append_rows(A[:10])
    np.testing.assert_array_equal(one.s, before)
    assert merged.shape == (310, 700)


@pytest.mark.parametrize("layout", [None, 1])
def test_states_of_other_versions_say_what_to_do(layout, rng):
    state = svdkit.IncrementalSVD(3).fit(sparse_normal(rng, 20, 30, 0.2))
    file = io.BytesIO()
    state.save(file)
    file.seek(0)
    with np.load(file) as stored:
        arrays = dict(stored)
    numbers = json.loads(str(arrays.pop("numbers")))
    del numbers["layout"]
    other = io.BytesIO()
    np.savez(other, numbers=json.dumps(numbers | ({} if layout is None else {"layout": layout})), **arrays)
    other.seek(0)
    with pytest.raises(ValueError, match="from_result"):
        svdkit.IncrementalSVD.load(other)
    fields = state._model.__getstate__() | {"layout": layout}
    with pytest.raises(ValueError, match="from_result"):
        state._model.__setstate__(fields)


def test_other_files_are_refused():
    file = io.BytesIO()
    np.savez(file, A=np.eye(2))
    file.seek(0)
    with pytest.raises(ValueError, match="no state"):
        svdkit.IncrementalSVD.load(file)
