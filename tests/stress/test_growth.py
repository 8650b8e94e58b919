"""A thousand calls leave no memory behind. In processes of their own, so that a peak is a leak."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PREAMBLE = """
    import gc, resource, sys, warnings
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

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB on Linux
"""

CALLS = {
    "dense": "svdkit.tsvd(dense, 10, method='lanczos')",
    "full": "svdkit.tsvd(dense, 10, method='full')",
    "sparse": "svdkit.tsvd(sparse, 10, method='lanczos'); svdkit.tsvd(sparse.tocsc(), 3)",
    "types": "svdkit.tsvd(single, 10); svdkit.tsvd(complex_, 10); svdkit.tsvd(dense.astype(int), 3)",
    "values": "svdkit.svdvals(dense, 20, which='smallest'); svdkit.svdvals(sparse, 5, center=True, scale=True)",
    "operators": """
        op = svdkit.operators
        both = op.Stacked([op.Centered(op.Dense(dense)), 2 * op.Dense(dense) - op.LowRank(dense[:, :3], None, dense[:3])])
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


@pytest.mark.parametrize("name", CALLS)
def test_no_growth(name):
    pytest.importorskip("resource")
    code = textwrap.dedent(PREAMBLE.format(tests=str(Path(__file__).parents[1]))) + textwrap.dedent(
        """
        def call():
        {body}

        for _ in range(100):
            call()
        gc.collect()
        before = peak()
        for _ in range(1000):
            call()
        print(peak() - before)
        """
    ).format(body=textwrap.indent(textwrap.dedent(CALLS[name]).strip(), "    "))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    # One leaked U of ten vectors a call would be 9 MB; allocators settle within two.
    assert int(done.stdout) < 2048
