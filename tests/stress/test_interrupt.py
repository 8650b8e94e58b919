"""Ctrl-C ends a long run within a second, from whatever it was doing."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

PREAMBLE = """
    import contextlib, signal, sys, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs inherit that it is ignored
    sys.path.insert(0, {tests!r})
    import numpy as np, svdkit
    from reference import path_incidence

    def started(info):
        if info.iteration == 1:
            print("started", flush=True)

    @contextlib.contextmanager
    def unchanged(state):
        before = state.s, state.shape, state.energy, state.error_bound, state.mean
        print("started", flush=True)
        try:
            yield
        except KeyboardInterrupt:
            for old, new in zip(before, (state.s, state.shape, state.energy, state.error_bound, state.mean)):
                np.testing.assert_array_equal(old, new)
            raise
"""

LONG_RUNS = {
    "sparse": "svdkit.tsvd(path_incidence(200_000)[0], 30, tol=1e-14, method='lanczos', callback=started)",
    "without callback": """
        print("started", flush=True)
        svdkit.tsvd(path_incidence(200_000)[0], 30, tol=1e-14, method='lanczos')""",
    "dense": """
        a = np.eye(3000) + 1e-3 * np.random.default_rng(0).random((3000, 3000))
        svdkit.tsvd(a, 200, tol=1e-14, method='lanczos', callback=started)""",
    "operator in Python": """
        a = path_incidence(100_000)[0]
        op = svdkit.operators.Callback(a.shape, lambda x: a @ x, lambda y: a.T @ y)
        svdkit.tsvd(op, 30, tol=1e-14, method='lanczos', callback=started)""",
    "operator that sleeps": """
        def product(x):
            time.sleep(0.2)
            return x
        op = svdkit.operators.Callback((500, 500), product, product)
        print("started", flush=True)
        svdkit.tsvd(op + svdkit.operators.Dense(np.diag(np.linspace(1, 2, 500))), 5, tol=1e-14, method='lanczos')""",
    "weighted fit": """
        rng = np.random.default_rng(0)
        a = np.where(rng.random((800, 600)) < 0.1, rng.standard_normal((800, 600)), np.nan)
        svdkit.weighted_svd(
            a, 40, elements="observed", method="em", tol=1e-12, max_iter=10**6, callback=started
        )""",
    "incremental batch": """
        state = svdkit.IncrementalSVD(30, tol=1e-14).fit(np.eye(5, 200_000))
        with unchanged(state):
            state.append_rows(path_incidence(200_000)[0])""",
    "incremental product": """
        import scipy.sparse as sp
        D, E = sp.eye_array(200_000, format="csc"), sp.eye_array(200_000, k=1, format="csc")
        state = svdkit.IncrementalSVD(30).fit(sp.eye_array(5, 200_000))
        state.append_rows(sp.csr_array((199_995, 200_000)))
        with unchanged(state):
            state.add(D, E)""",
    "incremental mean": """
        state = svdkit.IncrementalSVD(30, center=True, tol=1e-14).fit(np.eye(5, 4000))
        rows = np.random.default_rng(0).random((4000, 4000))
        with unchanged(state):
            state.append_rows(rows)""",
    "kept matrix": """
        state = svdkit.IncrementalSVD(30, keep=True, tol=1e-14).fit(path_incidence(200_000)[0])
        print("started", flush=True)
        state.result()""",
    "one thread": """
        svdkit.tsvd(path_incidence(200_000)[0], 30, tol=1e-14, method='lanczos', threads=1, callback=started)""",
}


def start(body):
    code = textwrap.dedent(PREAMBLE.format(tests=str(Path(__file__).parents[1]))) + textwrap.dedent(
        """
        try:
        {body}
        except KeyboardInterrupt:
            print("interrupted", time.monotonic(), flush=True)
            assert svdkit.svdvals(np.diag([3.0, 2.0]), 1)[0] == 3  # and the library still works
            sys.exit(0)
        print("finished", flush=True)
        """
    ).format(body=textwrap.indent(textwrap.dedent(body), "    "))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == "nt", reason="SIGINT cannot be sent to one process there")
@pytest.mark.parametrize("name", LONG_RUNS)
def test_ctrl_c(name):
    process = start(LONG_RUNS[name])
    try:
        assert process.stdout.readline().strip() == "started", process.stderr.read()
        time.sleep(0.5)
        assert process.poll() is None, process.communicate()
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert out.startswith("interrupted"), err
    assert float(out.split()[1]) - sent < 1.0
    assert process.returncode == 0, err
