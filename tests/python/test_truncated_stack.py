"""A stack of matrices (B, m, n): the answers of a loop, stacked."""

import numpy as np
import pytest
import svdkit
from reference import DTYPES, check_svd, random_matrix, same_bits


@pytest.mark.parametrize("shape", [(12, 9), (9, 12)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_a_loop(dtype, shape, rng):
    stack = np.stack([random_matrix(rng, *shape, dtype) for _ in range(5)])
    result = svdkit.tsvd(stack, 3)
    u, s, vh = result
    assert u.shape == (5, shape[0], 3) and s.shape == (5, 3) and vh.shape == (5, 3, shape[1])
    assert result.report.residuals.shape == (5, 3) and result.report.converged
    for i in range(5):
        assert same_bits((u[i], s[i], vh[i]), svdkit.tsvd(stack[i], 3))
        check_svd(stack[i], (u[i], s[i], vh[i]), 3)


def test_result_methods(rng):
    stack = rng.standard_normal((4, 8, 6))
    result = svdkit.tsvd(stack, 6)
    assert result.shape == (4, 8, 6) and result.rank == 6
    np.testing.assert_allclose(result.reconstruct(), stack, atol=1e-13)
    assert result.truncate(2).s.shape == (4, 2)
    x = rng.standard_normal((4, 6, 3))
    np.testing.assert_allclose(result @ x, stack @ x, atol=1e-13)


def test_values_only(rng):
    stack = rng.standard_normal((4, 8, 6))
    np.testing.assert_allclose(svdkit.svdvals(stack, 3), np.linalg.svd(stack, compute_uv=False)[:, :3], rtol=1e-12)


def test_views_and_dtypes(rng):
    stack = rng.integers(0, 9, (6, 14, 10))[::-2, ::2, ::-1]
    result = svdkit.tsvd(stack, 2)
    assert result.dtype == np.float64
    for i in range(3):
        check_svd(stack[i], (result.U[i], result.s[i], result.Vh[i]), 2)


def test_threads_change_no_bit(rng):
    stack = rng.standard_normal((7, 30, 20))
    results = [svdkit.tsvd(stack, 4, threads=t) for t in (1, 2, 3)]
    assert same_bits(results[0], results[1]) and same_bits(results[0], results[2])


def test_bad_entry_is_named(rng):
    stack = rng.standard_normal((4, 8, 6))
    stack[2, 3, 4] = np.nan
    with pytest.raises(ValueError, match=r"A\[2, 3, 4\]|A\[2\].*\[3, 4\]"):
        svdkit.tsvd(stack, 2)


def test_empty_stack():
    with pytest.raises(ValueError, match="stack"):
        svdkit.tsvd(np.empty((0, 8, 6)), 2)


def test_k_is_checked(rng):
    with pytest.raises(ValueError, match="k = 7"):
        svdkit.tsvd(rng.standard_normal((4, 8, 6)), 7)
