"""Nothing depends on the unit: from 1e-300 to 1e300 the same vectors, and values that scale with A."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DTYPES, accuracy, check_svd, orthonormality, random_sparse

DOUBLE_EXPONENTS = [-990, -700, -301, -299, -40, -1, 1, 40, 299, 301, 700, 990]
SINGLE_EXPONENTS = [-122, -60, -41, -39, -1, 1, 39, 41, 60, 120]


def exponents(dtype):
    return SINGLE_EXPONENTS if accuracy(dtype).value > 1e-10 else DOUBLE_EXPONENTS


def scaled(a, exponent):
    """2^exponent A, exact."""
    if sp.issparse(a):
        b = a.copy()
        b.data = scaled(a.data, exponent)
        return b
    if np.iscomplexobj(a):
        return (np.ldexp(a.real, exponent) + 1j * np.ldexp(a.imag, exponent)).astype(a.dtype)
    return np.ldexp(a, exponent)


def entries_near_one(rng, m, n, dtype):
    """Magnitudes in [1, 2): exact under every scaling that is tried."""
    a = rng.uniform(1, 2, (m, n)) * rng.choice([-1, 1], (m, n))
    if np.dtype(dtype).kind == "c":
        a = a + 1j * rng.uniform(1, 2, (m, n))
    return a.astype(dtype)


@pytest.mark.parametrize("method", ["lanczos", "full"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_of_two_change_no_bit_dense(dtype, order, method, rng):
    a = np.array(entries_near_one(rng, 90, 70, dtype), order=order)
    u, s, vh = svdkit.tsvd(a, 5, method=method)
    for exponent in exponents(dtype):
        result = svdkit.tsvd(scaled(a, exponent), 5, method=method)
        np.testing.assert_array_equal(result.U, u, err_msg=str(exponent))
        np.testing.assert_array_equal(result.Vh, vh, err_msg=str(exponent))
        np.testing.assert_array_equal(result.s, np.ldexp(s, exponent), err_msg=str(exponent))
        assert result.report.converged


@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_of_two_change_no_bit_sparse(dtype, format, rng):
    a = random_sparse(rng, 150, 100, 0.1, format=format).astype(dtype)
    a.data = entries_near_one(rng, 1, a.nnz, dtype)[0]
    u, s, vh = svdkit.tsvd(a, 5, method="lanczos")
    for exponent in exponents(dtype):
        result = svdkit.tsvd(scaled(a, exponent), 5, method="lanczos")
        np.testing.assert_array_equal(result.U, u, err_msg=str(exponent))
        np.testing.assert_array_equal(result.Vh, vh, err_msg=str(exponent))
        np.testing.assert_array_equal(result.s, np.ldexp(s, exponent), err_msg=str(exponent))


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-160, 1e-80, 1e80, 1e160, 1e200, 1e300])
@pytest.mark.parametrize("method", ["auto", "lanczos", "full"])
@pytest.mark.parametrize("form", ["dense", "csr", "operator"])
def test_extreme_double(form, method, scale, rng):
    base = rng.standard_normal((80, 60))
    a = {"dense": np.asarray, "csr": sp.csr_array, "operator": sp.linalg.aslinearoperator}[form](base * scale)
    result = svdkit.tsvd(a, 5, method=method)
    assert result.report.converged
    exact = np.linalg.svd(base, compute_uv=False)
    np.testing.assert_allclose(result.s / scale, exact[:5], rtol=1e-12)
    assert orthonormality(result.U) <= 1e-12 and orthonormality(result.Vh.T) <= 1e-12
    left = np.linalg.norm(base @ result.Vh.T - result.U * (result.s / scale), axis=0)
    assert left.max() <= 1e-10 * exact[0]


@pytest.mark.parametrize("scale", [1e-37, 1e-25, 1e-12, 1e12, 1e25, 1e36])
@pytest.mark.parametrize("method", ["auto", "lanczos", "full"])
@pytest.mark.parametrize("form", ["dense", "csr", "operator"])
def test_extreme_single(form, method, scale, rng):
    base = entries_near_one(rng, 40, 30, "float64")
    single = (base * scale).astype(np.float32)
    a = {"dense": np.asarray, "csr": sp.csr_array, "operator": sp.linalg.aslinearoperator}[form](single)
    result = svdkit.tsvd(a, 4, method=method)
    assert result.dtype == np.float32 and result.report.converged
    exact = np.linalg.svd(single.astype(float), compute_uv=False)
    np.testing.assert_allclose(result.s.astype(float), exact[:4], rtol=accuracy("float32").value)
    assert orthonormality(result.U) <= 1e-5


@pytest.mark.parametrize("method", ["lanczos", "full"])
def test_largest_single_precision(method):
    """Values close to overflow: the norm of a column must not overflow on the way."""
    a = np.full((5, 4), 7e37, dtype=np.float32)
    np.testing.assert_allclose(svdkit.svdvals(a, 1, method=method), [7e37 * np.sqrt(20)], rtol=1e-6)


@pytest.mark.parametrize("method", ["lanczos", "full"])
def test_subnormal_entries(method, rng):
    """Entries of a few units in the last place: values are right to one such unit."""
    whole = rng.integers(-50, 50, (40, 30)).astype(float)
    unit = 5e-324
    s = svdkit.svdvals(whole * unit, 4, method=method)
    exact = np.linalg.svd(whole, compute_uv=False)[:4]
    assert np.abs(s / unit - exact).max() <= 1.0


@pytest.mark.parametrize("method", ["auto", "lanczos", "full"])
def test_columns_of_very_different_size(method, rng):
    a = rng.standard_normal((60, 40)) * np.logspace(150, -150, 40)
    check_svd(a / 1e150, [*_rescaled(svdkit.tsvd(a, 3, method=method), 1e-150)], 3)


def _rescaled(result, factor):
    return result.U, result.s * factor, result.Vh


@pytest.mark.parametrize("scale", [1e-250, 1e250])
def test_residuals_are_those_of_the_given_matrix(scale, rng):
    a = rng.standard_normal((90, 60))
    report = svdkit.tsvd(a * scale, 4, method="lanczos").report
    assert np.all(report.residuals <= 1e-10 * scale * np.linalg.norm(a, 2))
    assert np.any(report.residuals > 0)
