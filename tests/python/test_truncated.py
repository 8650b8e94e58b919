"""tsvd keeps its contract: shapes, order, residuals, values and signs, for every dtype, shape and method."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import (
    DTYPES,
    accuracy,
    check_svd,
    random_matrix,
    random_sparse,
    same_bits,
    signs_are_fixed,
    sine_of_angle,
    singular_values,
    with_spectrum,
)

METHODS = ("auto", "lanczos", "full")
SHAPES = [(120, 80), (80, 120), (100, 100), (900, 24), (24, 900), (7, 5)]
SPECTRA = {
    "slow": lambda r: np.arange(1, r + 1) ** -0.5,
    "fast": lambda r: 10.0 ** -np.linspace(0, 12, r),
    "flat": lambda r: np.linspace(1.0, 0.9, r),
    "steps": lambda r: np.repeat(np.arange(r // 3 + 1, 0, -1.0), 3)[:r],
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shapes(shape, dtype, method, rng):
    a = random_matrix(rng, *shape, dtype)
    result = svdkit.tsvd(a, 5, method=method)
    check_svd(a, result, 5)
    assert result.report.converged
    assert signs_are_fixed(result.U)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_spectra(spectrum, dtype, method, rng):
    a = with_spectrum(rng, 160, 110, SPECTRA[spectrum](110), dtype)
    check_svd(a, svdkit.tsvd(a, 12, method=method), 12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_auto_on_a_matrix_too_large_for_lapack(dtype, rng):
    """Where a full decomposition would be wasteful, auto iterates and is as accurate."""
    a = with_spectrum(rng, 800, 700, np.arange(1, 701) ** -0.5, dtype)
    result = svdkit.tsvd(a, 10)
    check_svd(a, result, 10)
    assert result.report.method != "full"


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("format", ["csr", "csc"])
def test_sparse(format, dtype, rng):
    a = random_sparse(rng, 400, 300, dtype=dtype, format=format)
    result = svdkit.tsvd(a, 12)
    check_svd(a, result, 12)
    assert signs_are_fixed(result.U)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [1, 2, 3, 7, 8, 9, 16, 31, 39, 40])
def test_every_k_up_to_the_smaller_side(k, method, rng):
    a = rng.standard_normal((60, 40))
    check_svd(a, svdkit.tsvd(a, k, method=method), k)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(60, 40), (40, 60), (50, 50)], ids=str)
def test_all_triplets_of_a_sparse_matrix(shape, method, rng):
    a = random_sparse(rng, *shape, density=0.3)
    check_svd(a, svdkit.tsvd(a, min(shape), method=method))


@pytest.mark.parametrize("dtype", DTYPES)
def test_methods_agree(dtype, rng):
    s = np.concatenate([[5, 4, 3, 2.5, 2], np.linspace(1, 0.1, 75)])
    a = with_spectrum(rng, 120, 80, s, dtype)
    full = svdkit.tsvd(a, 5, method="full")
    lanczos = svdkit.tsvd(a, 5, method="lanczos")
    assert (full.report.method, lanczos.report.method) == ("full", "lanczos")
    np.testing.assert_allclose(full.s, lanczos.s, rtol=accuracy(dtype).value)
    angle = 20 * accuracy(dtype).residual
    assert sine_of_angle(full.U, lanczos.U) <= angle
    assert sine_of_angle(full.Vh.conj().T, lanczos.Vh.conj().T) <= angle


def test_method_full_is_backward_stable(rng):
    a = rng.standard_normal((200, 90))
    result = svdkit.tsvd(a, 90, method="full")
    np.testing.assert_allclose(result.s, singular_values(a), rtol=1e-13)
    assert np.linalg.norm(result.reconstruct() - a) <= 1e-13 * np.linalg.norm(a)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("block_size", [None, 1, 4])
def test_tighter_tolerance_costs_more_and_gives_more(block_size, dtype, rng):
    a = with_spectrum(rng, 300, 250, np.linspace(1, 0.2, 250) ** 2, dtype)
    options = {"method": "lanczos", "block_size": block_size}
    coarse, fine = svdkit.tsvd(a, 8, tol=1e-4, **options), svdkit.tsvd(a, 8, tol=1e-12, **options)
    assert coarse.report.passes < fine.report.passes
    check_svd(a, coarse, 8, tol=1e-4, value_tol=1e-4)
    check_svd(a, fine, 8, tol=1e-12)


@pytest.mark.parametrize("method", ["lanczos", "full"])
def test_tolerance_below_rounding_still_ends(method, rng):
    a = with_spectrum(rng, 200, 150, np.arange(1, 151) ** -1.0)
    result = svdkit.tsvd(a, 6, tol=1e-300, method=method)
    assert result.report.converged
    check_svd(a, result, 6, tol=0.0)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_first_triplets_of_a_longer_run(k, rng):
    """k ramp: the leading triplets do not depend on how many are asked for."""
    a = with_spectrum(rng, 250, 180, 0.8 ** np.arange(180))
    longer, shorter = svdkit.tsvd(a, 14, method="lanczos"), svdkit.tsvd(a, k, method="lanczos")
    np.testing.assert_allclose(shorter.s, longer.s[:k], rtol=1e-12)
    assert sine_of_angle(shorter.U, longer.U[:, :k]) <= 1e-7
    assert np.abs(shorter.U - longer.U[:, :k]).max() <= 1e-7  # simple values: even the signs agree


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS)
def test_adjoint_trades_the_sides(method, dtype, rng):
    a = with_spectrum(rng, 130, 90, 0.7 ** np.arange(90), dtype)
    one, other = svdkit.tsvd(a, 4, method=method), svdkit.tsvd(a.conj().T, 4, method=method)
    np.testing.assert_allclose(one.s, other.s, rtol=accuracy(dtype).value)
    assert sine_of_angle(one.U, other.Vh.conj().T) <= 50 * accuracy(dtype).residual


@pytest.mark.parametrize("method", METHODS)
def test_same_call_same_bits(method, rng):
    a = rng.standard_normal((150, 100))
    results = [svdkit.tsvd(a, 6, method=method) for _ in range(3)]
    assert same_bits(results[0], results[1]) and same_bits(results[0], results[2])


class TestSigns:
    def test_largest_entry_of_u_is_positive(self):
        for a in (np.diag([-3.0, 2.0, -1.0]), -np.ones((4, 3)), np.array([[0, -2.0], [1, 0]])):
            for method in METHODS:
                u, s, vh = svdkit.tsvd(a, 1, method=method)
                assert signs_are_fixed(u)
                np.testing.assert_allclose(a @ vh[0], s[0] * u[:, 0], atol=1e-14)

    @pytest.mark.parametrize("method", METHODS)
    def test_first_of_equal_entries_decides(self, method):
        a = np.outer([1.0, -1.0, 1.0, -1.0], [-1.0, 2.0])
        u, _, vh = svdkit.tsvd(a, 1, method=method)
        np.testing.assert_allclose(u[:, 0], [0.5, -0.5, 0.5, -0.5], atol=1e-14)
        np.testing.assert_allclose(vh[0], np.array([-1, 2]) / np.sqrt(5), atol=1e-14)

    @pytest.mark.parametrize("method", METHODS)
    def test_complex_phase(self, method, rng):
        a = np.outer([1j, 3.0, -2j], [1.0, 1j])
        u, _, _ = svdkit.tsvd(a, 1, method=method)
        assert abs(u[1, 0].imag) <= 1e-15 and u[1, 0].real > 0

    @pytest.mark.parametrize("method", METHODS)
    def test_negated_matrix_has_the_same_u(self, method, rng):
        a = with_spectrum(rng, 40, 30, 0.5 ** np.arange(10))
        one, other = svdkit.tsvd(a, 3, method=method), svdkit.tsvd(-a, 3, method=method)
        np.testing.assert_allclose(one.U, other.U, atol=1e-8)
        np.testing.assert_allclose(one.Vh, -other.Vh, atol=1e-8)


class TestValuesOnly:
    @pytest.mark.parametrize("a", ["dense", "sparse"])
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("method", METHODS)
    def test_svdvals(self, method, dtype, a, rng):
        a = random_sparse(rng, 90, 70, 0.2, dtype) if a == "sparse" else random_matrix(rng, 90, 70, dtype)
        s = svdkit.svdvals(a, 6, method=method)
        assert type(s) is np.ndarray and s.shape == (6,) and s.dtype == np.finfo(dtype).dtype
        np.testing.assert_allclose(s, singular_values(a)[:6], rtol=accuracy(dtype).value)

    def test_without_vectors(self, rng):
        a = rng.standard_normal((90, 70))
        s = svdkit.tsvd(a, 6, vectors=False)
        np.testing.assert_array_equal(s, svdkit.svdvals(a, 6))
        np.testing.assert_allclose(s, singular_values(a)[:6], rtol=1e-12)

    def test_operator(self, rng):
        a = sp.linalg.aslinearoperator(rng.standard_normal((90, 70)))
        np.testing.assert_allclose(svdkit.svdvals(a, 3), singular_values(a.A)[:3], rtol=1e-12)
