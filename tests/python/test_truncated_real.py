"""Real matrices: leading values against LAPACK, the hard end of an ill-conditioned one, a badly scaled one."""

import warnings

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
import svdkit
from reference import check_svd, residuals, sine_of_angle, singular_values

NAMES = ("illc1850", "lp_stair", "west0479")


@pytest.fixture(scope="module")
def matrices(data_path):
    return {name: sp.csr_array(scipy.io.mmread(data_path / f"{name}.mtx.gz")) for name in NAMES}


@pytest.fixture(scope="module")
def exact(matrices):
    return {name: singular_values(a) for name, a in matrices.items()}


@pytest.mark.parametrize("method", ["auto", "lanczos", "full"])
@pytest.mark.parametrize("format", ["csr", "csc", "dense"])
@pytest.mark.parametrize("name", NAMES)
def test_leading_values(name, format, method, matrices, exact):
    a = matrices[name]
    result = svdkit.tsvd(a.toarray() if format == "dense" else a.asformat(format), 20, method=method)
    assert result.report.converged
    check_svd(a, result, 20, values=exact[name])


@pytest.mark.parametrize("name", NAMES)
def test_single_precision(name, matrices, exact):
    a = matrices[name].astype(np.float32)
    check_svd(a, svdkit.tsvd(a, 10, method="lanczos"), 10)


@pytest.mark.parametrize("name", NAMES)
def test_published_values(name, exact):
    """The facts that tests/data/README.md states."""
    published = {
        "illc1850": (2.123342643, 2.079293602, 2.070148692, 0.001511378436),
        "lp_stair": (14.63922233, 14.39232391, 14.22147429, 0.03054156838),
        "west0479": (318951.7598, 317252.8998, 316948.9798, None),
    }[name]
    s = exact[name]
    np.testing.assert_allclose(s[:3], published[:3], rtol=1e-9)
    assert published[3] is None or s[-1] == pytest.approx(published[3], rel=1e-8)


@pytest.mark.parametrize("k", [1, 5])
def test_smallest_of_illc1850(k, matrices, exact):
    """Dense: accurate to eps * sigma_1, although the smallest values are 1e-3 of the largest."""
    a = matrices["illc1850"].toarray()
    result = svdkit.tsvd(a, k, which="smallest")
    assert result.report.converged
    np.testing.assert_allclose(result.s, exact["illc1850"][-k:], rtol=0, atol=1e-14 * exact["illc1850"][0])
    assert residuals(a, *result).max() <= 1e-13


def test_smallest_of_sparse_illc1850_is_right_or_unconverged(matrices, exact):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
        result = svdkit.tsvd(matrices["illc1850"], 3, which="smallest", max_passes=600)
    if result.report.converged:
        np.testing.assert_allclose(result.s, exact["illc1850"][-3:], rtol=0, atol=1e-9)
    else:
        assert residuals(matrices["illc1850"], *result).max() > 1e-10 * exact["illc1850"][0]


def test_badly_scaled_west0479(matrices, exact):
    """Condition 3e11; rows and columns of very different size; smallest values in the rounding of the largest."""
    a = matrices["west0479"]
    s = svdkit.svdvals(a.toarray(), 479)
    np.testing.assert_allclose(s, exact["west0479"], rtol=0, atol=1e-13 * exact["west0479"][0])
    smallest = svdkit.svdvals(a.toarray(), 3, which="smallest")
    np.testing.assert_allclose(smallest, exact["west0479"][-3:], rtol=0, atol=1e-14 * exact["west0479"][0])


def test_balanced_west0479(matrices):
    """Scaling rows to unit length through an operator, the matrix untouched."""
    a = matrices["west0479"]
    weights = 1 / np.sqrt(a.multiply(a).sum(axis=1))
    op = svdkit.operators.Scaled(svdkit.operators.Sparse(a), rows=weights)
    check_svd(sp.diags_array(weights) @ a, svdkit.tsvd(op, 10, method="lanczos"), 10)


def test_warm_start_after_a_small_change(matrices):
    a = matrices["illc1850"]
    cold = svdkit.tsvd(a, 10, method="lanczos", rng=1)
    changed = a * 1.0
    changed.data = changed.data * (1 + 1e-7 * np.sin(np.arange(changed.nnz)))
    warm = svdkit.tsvd(changed, 10, method="lanczos", warm_start=cold)
    again = svdkit.tsvd(changed, 10, method="lanczos", rng=2)
    np.testing.assert_allclose(warm.s, again.s, rtol=1e-12)
    assert sine_of_angle(warm.U, again.U) <= 1e-6
    assert warm.report.passes < again.report.passes


def test_transposed_problem(matrices):
    for name in NAMES:
        a = matrices[name]
        one, other = svdkit.svdvals(a, 10, method="lanczos"), svdkit.svdvals(a.T, 10, method="lanczos")
        np.testing.assert_allclose(one, other, rtol=1e-12)
