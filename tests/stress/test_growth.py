"""A thousand calls leave no memory behind. In processes of their own, where nothing else comes and goes."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PREAMBLE = """
    import gc, resource, sys
    sys.path.insert(0, {tests!r})
    import numpy as np, scipy.sparse as sp, svdkit
    from reference import random_sparse

    rng = np.random.default_rng(0)
    dense = rng.standard_normal((120, 70))
    sparse = random_sparse(rng, 150, 90, 0.05)
    single = dense.astype(np.float32)
    complex_ = dense + 1j * rng.standard_normal(dense.shape)

    def fails(error, *arguments, **options):
        try:
            svdkit.tsvd(*arguments, **options)
        except error:
            return
        raise SystemExit("no error")

    def broken(x):
        raise KeyError("broken")

    def resident():
        gc.collect()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
"""

CALLS = {
    "dense": "svdkit.tsvd(dense, 10, method='lanczos')",
    "full": "svdkit.tsvd(dense, 10, method='full')",
    "sparse": "svdkit.tsvd(sparse, 10, method='lanczos'); svdkit.tsvd(sparse.tocsc(), 3)",
    "types": "svdkit.tsvd(single, 10); svdkit.tsvd(complex_, 10); svdkit.tsvd(dense.astype(int), 3)",
    "values": "svdkit.svdvals(dense, 20, which='smallest'); svdkit.svdvals(sparse, 5, center=True, scale=True)",
    "operators": """
        op = svdkit.operators
        low = op.LowRank(dense[:, :3], None, dense[:3])
        both = op.Stacked([op.Centered(op.Dense(dense)), 2 * op.Dense(dense) - low])
        svdkit.tsvd(both.H, 5, method='lanczos')""",
    "callbacks": """
        a = svdkit.operators.Callback(dense.shape, lambda x: dense @ x, lambda y: dense.T @ y)
        svdkit.tsvd(a, 5, method='lanczos', callback=lambda info: info.residuals.sum() < 0)""",
    "linear operators": "svdkit.tsvd(sp.linalg.aslinearoperator(sparse), 5, method='lanczos')",
    "errors": """
        fails(ValueError, dense, 1000)
        fails(ValueError, np.where(dense > 2, np.nan, dense), 3)
        fails(KeyError, svdkit.operators.Callback(dense.shape, broken, broken, check_adjoint=False), 3)
        fails(KeyError, dense, 3, method='lanczos', callback=broken)
        fails(svdkit.ConvergenceError, dense, 10, method='lanczos', max_passes=6, on_fail='raise')""",
    "results": """
        result = svdkit.tsvd(dense, 10)
        result.truncate(5).to_operator() @ dense.T; result.reconstruct(); result.project(dense)
        svdkit.tsvd(dense, 5, warm_start=result)""",
}


LINUX = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")


def growth(body):
    """Bytes that a thousand calls leave behind, after a hundred to warm up."""
    code = textwrap.dedent(PREAMBLE.format(tests=str(Path(__file__).parents[1]))) + textwrap.dedent(
        """
        kept = []
        def call():
        {body}

        for _ in range(100):
            call()
        before = resident()
        for _ in range(1000):
            call()
        print(resident() - before)
        """
    ).format(body=textwrap.indent(textwrap.dedent(body).strip(), "    "))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@LINUX
@pytest.mark.parametrize("name", CALLS)
def test_no_growth(name):
    """One leaked U of ten vectors a call would be 9 MB; allocators settle within one."""
    assert growth(CALLS[name]) < 2_000_000


@LINUX
@pytest.mark.parametrize("method", ["full", "lanczos"])
def test_kept_results_cost_what_they_hold(method):
    """A result of three triplets is 5 kB and a report; nothing of the work it took stays with it."""
    kept = growth(f"kept.append(svdkit.tsvd(dense, 3, method={method!r}))")
    assert 4_000_000 < kept < 16_000_000
