"""Matrices whose singular values are known: from formulas, or from arithmetic in extended precision."""

import numpy as np
import pytest
import scipy.linalg
import svdkit
from reference import accurate_singular_values, check_svd, grid_differences, path_incidence, sine_of_angle

METHODS = ("auto", "lanczos", "full")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("format", ["csr", "csc", "dense"])
def test_path(format, method):
    """Differences of neighbours on a path of 400 nodes: close values, the hard end of an easy spectrum."""
    a, exact = path_incidence(400)
    a = a.toarray() if format == "dense" else a.asformat(format)
    result = svdkit.tsvd(a, 10, method=method)
    check_svd(a, result, 10, values=exact)
    np.testing.assert_allclose(result.s, exact[:10], rtol=1e-13)
    i, j = np.arange(1, 400)[:, None], np.arange(399, 389, -1)
    left = np.sqrt(2 / 400) * np.sin(np.pi * i * j / 400)
    assert sine_of_angle(result.U, left) <= 1e-6


def test_path_single_vector():
    a, exact = path_incidence(400)
    result = svdkit.tsvd(a, 10, method="lanczos", block_size=1)
    np.testing.assert_allclose(result.s, exact[:10], rtol=1e-13)


def test_path_single_precision():
    a, exact = path_incidence(400)
    result = svdkit.tsvd(a.astype(np.float32), 10, method="lanczos")
    np.testing.assert_allclose(result.s, exact[:10], rtol=2e-6)


@pytest.mark.parametrize("shape", [(12, 17), (25, 25), (3, 150)], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_grid(method, shape):
    a, exact = grid_differences(*shape)
    check_svd(a, svdkit.tsvd(a, 12, method=method), 12, values=exact)


@pytest.mark.parametrize("method", METHODS)
def test_all_ones_plus_identity(method):
    """11^T + I: one value n + 1, all others one."""
    n = 80
    a = np.ones((n, n)) + np.eye(n)
    check_svd(a, svdkit.tsvd(a, 6, method=method), 6, values=[n + 1, *np.ones(n - 1)])


@pytest.mark.parametrize("method", METHODS)
def test_lower_triangle_of_ones(method):
    """Summation matrix: sigma_j = 1 / (2 sin((2j - 1) pi / (4n + 2)))."""
    n = 150
    exact = 1 / (2 * np.sin((2 * np.arange(1, n + 1) - 1) * np.pi / (4 * n + 2)))
    a = np.tril(np.ones((n, n)))
    check_svd(a, svdkit.tsvd(a, 10, method=method), 10, values=exact)


@pytest.mark.parametrize("method", METHODS)
def test_circulant(method, rng):
    """Values are the moduli of the Fourier transform of the first column, in pairs."""
    column = rng.standard_normal(121)
    exact = np.sort(np.abs(np.fft.fft(column)))[::-1]
    a = scipy.linalg.circulant(column)
    check_svd(a, svdkit.tsvd(a, 11, method=method), 11, values=exact)


def vandermonde(m, n):
    return np.vander(np.linspace(-1, 1, m), n, increasing=True)


def kahan(n, theta=1.2):
    c, s = np.cos(theta), np.sin(theta)
    return np.diag(s ** np.arange(n)) @ (np.eye(n) - c * np.triu(np.ones((n, n)), 1))


ILL_CONDITIONED = {
    "Hilbert 12": scipy.linalg.hilbert(12),
    "Hilbert 20": scipy.linalg.hilbert(20),
    "Kahan 40": kahan(40),
    "Vandermonde 30 x 20": vandermonde(30, 20),
    "Vandermonde 20 x 30": vandermonde(30, 20).T.copy(),
    "Pascal 12": scipy.linalg.pascal(12).astype(float),
    "Lotkin 15": np.vstack([np.ones(15), scipy.linalg.hilbert(15)[1:]]),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ILL_CONDITIONED)
def test_ill_conditioned(name, method):
    """Absolute error of a few eps * sigma_1, down to values that are lost in it."""
    a = ILL_CONDITIONED[name]
    exact = accurate_singular_values(a)
    for k in (1, 5, min(a.shape)):
        result = svdkit.tsvd(a, k, method=method)
        check_svd(a, result, k, values=exact)
        np.testing.assert_allclose(result.s, exact[:k], rtol=0, atol=5e-15 * exact[0])


@pytest.mark.parametrize("name", ILL_CONDITIONED)
def test_ill_conditioned_single(name):
    a = ILL_CONDITIONED[name].astype(np.float32)
    exact = accurate_singular_values(a)
    result = svdkit.tsvd(a, 5)
    check_svd(a, result, 5, values=exact)
    np.testing.assert_allclose(result.s, exact[:5], rtol=0, atol=3e-6 * exact[0])


def test_reference_in_extended_precision():
    """The reference itself: the determinant of the Hilbert matrix is known exactly."""
    n = 8
    c = np.prod([np.prod(np.arange(1.0, i + 1)) for i in range(1, n)])
    c2 = np.prod([np.prod(np.arange(1.0, i + 1)) for i in range(1, 2 * n)])
    s = accurate_singular_values(scipy.linalg.hilbert(n))
    assert np.prod(s) == pytest.approx(c**4 / c2, rel=1e-5)
