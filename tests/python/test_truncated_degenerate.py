"""Inputs at the edge of the definition: zero, rank deficient, one row, all of the triplets, nothing at all."""

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
import svdkit
from reference import DTYPES, accuracy, check_svd, orthonormal, orthonormality, random_matrix, with_spectrum

METHODS = ("auto", "lanczos", "full")


def forms(a):
    return {"dense": a, "csr": sp.csr_array(a), "csc": sp.csc_array(a), "operator": sp.linalg.aslinearoperator(a)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (700, 650)], ids=str)
def test_zero_matrix(shape, dtype, method):
    m, n = shape
    for a in forms(np.zeros(shape, dtype)).values():
        result = svdkit.tsvd(a, 3, method=method)
        u, s, vh = result
        assert result.dtype == np.dtype(dtype) and result.report.converged
        assert np.all(s == 0) and np.all(result.report.residuals == 0)
        np.testing.assert_array_equal(u, np.eye(m, 3))
        np.testing.assert_array_equal(vh, np.eye(3, n))


@pytest.mark.parametrize("form", ["dense", "csr", "csc", "operator"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rank", [1, 3, 9])
def test_rank_below_k(rank, method, form, rng):
    """The vectors of zero values are completed: orthonormal, never NaN."""
    a = with_spectrum(rng, 120, 90, np.linspace(3, 1, rank))
    result = svdkit.tsvd(forms(a)[form], 10, method=method)
    check_svd(a, result, 10)
    assert np.all(result.s[rank:] <= 1e-13)
    assert result.report.converged


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS)
def test_outer_product(method, dtype, rng):
    x, y = random_matrix(rng, 50, 1, dtype), random_matrix(rng, 1, 40, dtype)
    result = svdkit.tsvd(x @ y, 4, method=method)
    check_svd(x @ y, result, 4)
    assert result.s[0] == pytest.approx(np.linalg.norm(x) * np.linalg.norm(y), rel=accuracy(dtype).value)


@pytest.mark.parametrize("method", METHODS)
def test_few_nonzero_columns(method, rng):
    a = np.zeros((80, 60))
    a[:, [3, 50]] = rng.standard_normal((80, 2))
    for form in forms(a).values():
        check_svd(a, svdkit.tsvd(form, 5, method=method), 5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("values", [[1], [3, 2, 1], [1, 1e-3], [1, 1, 1, 1]], ids=str)
def test_few_entries(values, dtype, method):
    """A 6 x 6 matrix with so few entries on its diagonal that a search from random vectors breaks down early."""
    a = np.zeros((6, 6), dtype)
    a[range(len(values)), range(len(values))] = values
    for k in range(1, 7):
        check_svd(a, svdkit.tsvd(a, k, method=method), k)


def very_sparse(dtype, density):
    """Hardly any entries, empty rows and columns, often a rank below k."""
    for seed in range(300):
        rng = np.random.default_rng(seed)
        m, n = rng.integers(1, 40, 2)
        a = sp.csr_array(random_matrix(rng, m, n, dtype) * (rng.random((m, n)) < density))
        yield a, int(rng.integers(1, min(m, n) + 1))


@pytest.mark.parametrize("density", [0.03, 0.1, 0.3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_very_sparse(dtype, density):
    for a, k in very_sparse(dtype, density):
        check_svd(a, svdkit.tsvd(a, k, method="lanczos"), k)


@pytest.mark.parametrize("density", [0.03, 0.1, 0.3])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])  # noise of noise underflows in single precision
def test_very_sparse_has_the_bits_of_its_half(dtype, density):
    for a, k in very_sparse(dtype, density):
        whole, half = (svdkit.tsvd(x, k, method="lanczos") for x in (a, a * np.dtype(dtype).type(0.5)))
        np.testing.assert_array_equal(half.U, whole.U)
        np.testing.assert_array_equal(half.Vh, whole.Vh)


@pytest.mark.parametrize("method", METHODS)
def test_graded_down_to_rounding(method):
    """Few columns, values from 1 to 1e-15: those that are small still have an absolute error of a few eps."""
    for seed in range(150):
        rng = np.random.default_rng(seed)
        m, n = rng.integers(3, 40, 2)
        a = with_spectrum(rng, m, n, 10.0 ** -np.linspace(0, 15, min(m, n)))
        k = int(rng.integers(1, min(m, n) + 1))
        check_svd(a, svdkit.tsvd(a, k, method=method), k)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("k", [1, 5, 16])
def test_wide_range_of_values(k, method):
    """diag(1, 0.1, ..., 1e-15): small values are computed, not cut off."""
    exact = 10.0 ** -np.arange(16)
    a = np.diag(exact)
    result = svdkit.tsvd(a, k, method=method)
    check_svd(a, result, k)
    np.testing.assert_allclose(result.s, exact[:k], rtol=0, atol=2e-15)


@pytest.mark.parametrize("method", ["lanczos", "full"])
def test_small_values_of_a_large_matrix_are_not_cut_off(method, rng):
    """A Gram matrix in double precision would lose everything below 1e-8."""
    exact = 10.0 ** -np.linspace(0, 12, 25)
    a = with_spectrum(rng, 300, 200, exact)
    result = svdkit.tsvd(a, 25, method=method)
    check_svd(a, result, 25)
    np.testing.assert_allclose(result.s[:20], exact[:20], rtol=1e-3)
    single = svdkit.tsvd(a.astype(np.float32), 8, method=method)  # down to 3e-4
    np.testing.assert_allclose(single.s, exact[:8], rtol=1e-2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (1, 1000), (1000, 1)], ids=str)
def test_one_row_or_column(shape, dtype, rng):
    a = random_matrix(rng, *shape, dtype)
    for method in METHODS:
        for form in [*forms(a).values(), a.T.copy().T, np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2]]:
            result = svdkit.tsvd(form, 1, method=method)
            check_svd(a, result, 1)
            assert result.s[0] == pytest.approx(float(np.linalg.norm(a)), rel=10 * float(np.finfo(dtype).eps))


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)], ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_empty(shape, dtype):
    m, n = shape
    for a in (np.empty(shape, dtype), sp.csr_array(shape, dtype=dtype)):
        result = svdkit.tsvd(a, 0)
        u, s, vh = result
        assert u.shape == (m, 0) and s.shape == (0,) and vh.shape == (0, n)
        assert u.dtype == np.dtype(dtype) and result.report.converged
        with pytest.raises(ValueError, match="k"):
            svdkit.tsvd(a, 1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [8, 64, 256])
def test_hadamard(n, method):
    """All values equal: every vector is singular, any k converges at once."""
    a = scipy.linalg.hadamard(n).astype(float)
    k = min(n, 20)
    result = svdkit.tsvd(a, k, method=method)
    check_svd(a, result, k, values=np.full(n, np.sqrt(n)))
    assert result.report.residuals.max() <= 1e-13 * np.sqrt(n)
    assert result.report.passes <= 60


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_dft(dtype, method):
    a = scipy.linalg.dft(200).astype(dtype)
    result = svdkit.tsvd(a, 20, method=method)
    check_svd(a, result, 20, values=np.full(200, np.sqrt(200)))
    assert result.report.residuals.max() <= 500 * np.finfo(dtype).eps * np.sqrt(200)


@pytest.mark.parametrize("method", METHODS)
def test_orthogonal_and_permutation(method, rng):
    for a in (orthonormal(rng, 90, 90), np.eye(90)[rng.permutation(90)], orthonormal(rng, 120, 40)):
        check_svd(a, svdkit.tsvd(a, 10, method=method), 10, values=np.ones(10))


@pytest.mark.parametrize("method", METHODS)
def test_identity_like_sparse(method):
    for shape in [(500, 500), (700, 300), (300, 700)]:
        result = svdkit.tsvd(sp.eye_array(*shape, format="csr"), 12, method=method)
        np.testing.assert_allclose(result.s, 1, rtol=1e-14)
        assert orthonormality(result.U) <= 1e-12 and orthonormality(result.Vh.T) <= 1e-12


@pytest.mark.parametrize("method", METHODS)
def test_nilpotent(method):
    """All eigenvalues zero, all singular values but one equal to one."""
    a = np.diag(np.ones(99), 1)
    check_svd(a, svdkit.tsvd(a, 10, method=method), 10, values=np.ones(10))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("gap", [1e-3, 1e-9, 1e-14])
def test_nearly_equal_values(gap, method, rng):
    a = with_spectrum(rng, 150, 100, np.concatenate([2 + gap * np.arange(5), np.linspace(1, 0.1, 95)]))
    check_svd(a, svdkit.tsvd(a, 5, method=method), 5)


@pytest.mark.parametrize("method", METHODS)
def test_two_by_two_exact_cases(method):
    cases = {
        ((3.0, 0.0), (4.0, 0.0)): (5, 0),
        ((1.0, 1.0), (0.0, 0.0)): (np.sqrt(2), 0),
        ((0.0, 1.0), (1.0, 0.0)): (1, 1),
        ((1.0, 1.0), (0.0, 1.0)): ((1 + np.sqrt(5)) / 2, (np.sqrt(5) - 1) / 2),
    }
    for a, values in cases.items():
        np.testing.assert_allclose(svdkit.svdvals(np.array(a), 2, method=method), values, atol=1e-15)
