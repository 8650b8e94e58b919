"""Calls at the same time, from threads and after a fork, give the bits of a call alone."""

import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DTYPES, random_matrix, random_sparse, same_bits


def problems(rng):
    """Different sizes, types and methods, a few of each."""
    for dtype in DTYPES:
        yield random_matrix(rng, 150, 100, dtype), {"k": 5, "method": "lanczos"}
        yield random_sparse(rng, 300, 200, 0.05, dtype), {"k": 4, "method": "lanczos", "block_size": 3}
        yield random_matrix(rng, 60, 40, dtype), {"k": 7, "method": "full"}


@pytest.mark.parametrize("threads", [1, 2, None])
def test_thread_pool(threads, rng):
    work = [(a, {**options, "threads": threads}) for a, options in problems(rng)] * 4
    alone = [svdkit.tsvd(a, **options) for a, options in work]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda item: svdkit.tsvd(item[0], **item[1]), work))
    assert all(same_bits(x, y) for x, y in zip(alone, together, strict=True))


def test_callbacks_in_several_threads(rng):
    """Every call hears only of itself, and an error in one leaves the others alone."""
    a = rng.standard_normal((200, 150))
    expected = svdkit.tsvd(a, 5, method="lanczos")

    def call(i):
        me, steps = threading.get_ident(), []

        def watch(info):
            assert threading.get_ident() == me
            steps.append(info.iteration)
            if i % 3 == 0 and info.iteration == 2:
                raise LookupError(i)

        try:
            result = svdkit.tsvd(a, 5, method="lanczos", callback=watch)
        except LookupError as error:
            return error.args == (i,) and i % 3 == 0
        return same_bits(result, expected) and steps == sorted(set(steps)) and i % 3 != 0

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(call, range(12)))


def test_operators_in_python_in_several_threads(rng):
    a = random_sparse(rng, 300, 200, 0.05)
    op = sp.linalg.aslinearoperator(a)
    expected = svdkit.tsvd(op, 5, method="lanczos")
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: svdkit.tsvd(op, 5, method="lanczos"), range(8)))
    assert all(same_bits(result, expected) for result in results)


def test_gil_is_released(rng):
    """Another thread gets on with its work while a decomposition runs."""
    a = random_sparse(rng, 20_000, 10_000, 2e-4)
    ticks, done = [], threading.Event()

    def tick():
        while not done.wait(0.002):
            ticks.append(0)

    other = threading.Thread(target=tick)
    other.start()
    seconds = svdkit.tsvd(a, 20, method="lanczos").report.seconds["total"]
    done.set()
    other.join()
    assert len(ticks) > 20 * seconds


FORK = """
    import os, sys, threading
    import numpy as np, svdkit

    rng = np.random.default_rng(0)
    a = rng.standard_normal((700, 600))
    def both(threads):
        return [svdkit.tsvd(a, 5, threads=threads, method=method) for method in ("lanczos", "full")]
    expected = both({before})
    child = os.fork()
    if child == 0:
        results = both({after})
        same = all(x.tobytes() == y.tobytes() for r, e in zip(results, expected) for x, y in zip(r, e))
        os._exit(0 if same else 3)
    _, status = os.waitpid(child, 0)
    again = both({before})
    same = all(x.tobytes() == y.tobytes() for r, e in zip(again, expected) for x, y in zip(r, e))
    sys.exit(os.waitstatus_to_exitcode(status) or (0 if same else 4))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("before", [1, 2, 3])
@pytest.mark.parametrize("after", [1, 2])
def test_fork_after_a_call(before, after):
    """A forked child has none of the parent's threads, and must not wait for them."""
    code = textwrap.dedent(FORK).format(before=before, after=after)
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        pytest.fail("the child or its parent hangs after the fork")
    assert process.returncode == 0, err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_multiprocessing_pool():
    code = """
        import multiprocessing, numpy as np, svdkit

        def work(seed):
            a = np.random.default_rng(seed).standard_normal((700, 600))
            return svdkit.svdvals(a, 3, threads=2, method="lanczos")

        if __name__ == "__main__":
            expected = [work(seed) for seed in range(4)]
            with multiprocessing.get_context("fork").Pool(2) as pool:
                got = pool.map(work, range(4))
            assert all(x.tobytes() == y.tobytes() for x, y in zip(got, expected))
    """
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        pytest.fail("a pool of forked processes hangs")
    assert process.returncode == 0, err


def test_inputs_are_not_written_to_by_concurrent_calls(rng):
    a = rng.standard_normal((200, 150))
    before = a.tobytes()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda k: svdkit.tsvd(a, k), range(1, 13)))
    assert a.tobytes() == before
    assert isinstance(np.asarray(a), np.ndarray)
