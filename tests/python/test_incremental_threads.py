"""A state that several threads use: every call has it for itself, and reading changes no later bit."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import svdkit
from reference import sparse_normal


def started(A):
    state = svdkit.IncrementalSVD(6, threads=1).fit(A[:60])
    state.append_rows(A[60:70])
    return state


def test_merging_each_other_while_both_are_read_and_grow(rng):
    A = sparse_normal(rng, 400, 1500, 0.02)
    one, two, twin = (started(A) for _ in range(3))

    def grow(state):
        for i in range(70, 400, 3):
            state.append_rows(A[i : i + 3])

    def merge(state, other):
        for _ in range(40):
            merged = state.merge(other)
            assert merged.shape[0] >= 140 and np.all(np.isfinite(merged.s))

    def read(state):
        for _ in range(100):
            assert np.all(np.isfinite(state.s)) and np.all(np.isfinite(state.cols([0, 7])))

    with ThreadPoolExecutor(6) as pool:
        tasks = [pool.submit(merge, one, two), pool.submit(merge, two, one)]
        tasks += [pool.submit(work, state) for work in (grow, read) for state in (one, two)]
        for task in tasks:
            task.result(timeout=120)
    grow(twin)
    for state in (one, two):
        for a, b in zip(state.result(), twin.result(), strict=True):
            np.testing.assert_array_equal(a, b)
