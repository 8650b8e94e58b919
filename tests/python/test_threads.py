"""Threads: how many, and that no number of them changes a bit of any answer."""

import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
import threadpoolctl
from reference import DTYPES, random_matrix, random_sparse, same_bits

COUNTS = (1, 2, 3, 4)


@pytest.fixture(autouse=True)
def restore():
    yield
    svdkit.set_num_threads(None)


def check_same_bits(a, k, **options):
    results = [svdkit.tsvd(a, k, threads=t, **options) for t in COUNTS]
    assert [r.report.threads for r in results] == list(COUNTS)
    for result in results[1:]:
        assert same_bits(result, results[0])
        assert result.report.residuals.tobytes() == results[0].report.residuals.tobytes()
        assert result.report.passes == results[0].report.passes


@pytest.mark.parametrize("method", ["lanczos", "full"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(400, 350), (5000, 40), (40, 5000)], ids=str)
def test_dense(shape, dtype, order, method, rng):
    check_same_bits(np.array(random_matrix(rng, *shape, dtype), order=order), 6, method=method)


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3000, 2000), (20_000, 300), (300, 20_000)], ids=str)
def test_sparse(shape, dtype, format, rng):
    check_same_bits(random_sparse(rng, *shape, density=0.03, dtype=dtype, format=format), 6, method="lanczos")


def test_sparse_with_one_heavy_row(rng):
    a = random_sparse(rng, 5000, 3000, 0.002).tolil()
    a[1234, :] = rng.standard_normal(3000)
    check_same_bits(a.tocsr(), 6, method="lanczos")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_dense(dtype, rng):
    """Large enough for every blocked and threaded path."""
    check_same_bits(random_matrix(rng, 1600, 1500, dtype), 12, method="lanczos", block_size=16, tol=1e-4)


@pytest.mark.parametrize("options", [{"center": True}, {"block_size": 3}, {"vectors": True, "tol": 1e-3}])
def test_options(options, rng):
    check_same_bits(rng.standard_normal((700, 500)), 5, method="lanczos", **options)


def test_composed_operators(rng):
    a, b = rng.standard_normal((900, 300)), random_sparse(rng, 700, 300, 0.05)
    op = svdkit.operators.Stacked([svdkit.operators.Dense(a), 2.0 * svdkit.operators.Sparse(b)])
    check_same_bits(op, 5, method="lanczos")


def test_scipy_operator(rng):
    """The user's own products are serial here, so the rest must not depend on threads either."""
    a = random_sparse(rng, 2000, 1500, 0.01)
    check_same_bits(sp.linalg.aslinearoperator(a), 5, method="lanczos")


def test_more_threads_than_work():
    check_same_bits(np.diag(np.arange(1.0, 4.0)), 2)
    assert svdkit.tsvd(np.eye(3), 1, threads=64).report.converged


def test_a_call_changes_no_global_state(rng):
    a = rng.standard_normal((400, 300))

    def state():
        pools = [(p["filepath"], p["num_threads"]) for p in threadpoolctl.threadpool_info()]
        return svdkit.get_num_threads(), sorted(pools)

    before = state()
    for threads in (1, 2, 3):
        svdkit.tsvd(a, 3, threads=threads, method="lanczos")
        svdkit.tsvd(a, 3, threads=threads, method="full")
    assert state() == before


def test_set_and_get(rng):
    a = rng.standard_normal((40, 30))
    for threads in (3, 1, 2):
        svdkit.set_num_threads(threads)
        assert svdkit.get_num_threads() == threads
        assert svdkit.tsvd(a, 2).report.threads == threads
        assert svdkit.tsvd(a, 2, threads=4).report.threads == 4


@pytest.mark.parametrize("threads", [0, -1, 1.5, "two"])
def test_set_refuses(threads):
    with pytest.raises((TypeError, ValueError), match=f"threads.*{threads}"):
        svdkit.set_num_threads(threads)


def run_with(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("threads", ["1", "3"])
def test_honours_omp_num_threads(threads):
    assert run_with("import svdkit; print(svdkit.get_num_threads())", OMP_NUM_THREADS=threads) == threads


def test_honours_threadpoolctl(rng):
    a = rng.standard_normal((300, 200))
    svdkit.tsvd(a, 3, method="lanczos")
    with threadpoolctl.threadpool_limits(limits=1):
        assert svdkit.get_num_threads() == 1
        assert svdkit.tsvd(a, 3).report.threads == 1
    with threadpoolctl.threadpool_limits(limits=2):
        assert svdkit.tsvd(a, 3).report.threads == 2


def test_set_none_goes_back():
    before = svdkit.get_num_threads()
    svdkit.set_num_threads(before + 3)
    svdkit.set_num_threads(None)
    assert svdkit.get_num_threads() == before


def test_show_config(capfd):
    text = str(svdkit.show_config())
    for word in (svdkit.__version__, np.__version__, "blas", "simd", "threads"):
        assert word in text.lower()
    assert capfd.readouterr() == ("", "")
