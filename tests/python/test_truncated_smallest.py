"""which="smallest": accurate to eps * sigma_1 for dense matrices, right or honestly unconverged for sparse ones."""

import warnings

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp
import svdkit
from reference import (
    DTYPES,
    accuracy,
    accurate_singular_values,
    orthonormality,
    path_incidence,
    random_matrix,
    residuals,
    same_bits,
    signs_are_fixed,
    sine_of_angle,
    singular_values,
    with_spectrum,
)

SHAPES = [(60, 60), (90, 50), (50, 90), (1500, 30), (30, 1500)]


def check_smallest(a, result, k, limit=None):
    """The k trailing triplets, in descending order."""
    u, s, vh = result
    promised = accuracy(u.dtype)
    exact = singular_values(a)
    assert u.shape == (a.shape[0], k) and s.shape == (k,) and vh.shape == (k, a.shape[1])
    assert np.all(np.diff(s) <= 0) and np.all(s >= 0)
    assert orthonormality(u) <= promised.orthonormality
    assert orthonormality(vh.conj().T) <= promised.orthonormality
    assert residuals(a, u, s, vh).max() <= (promised.residual + promised.noise) * exact[0]
    limit = 50 * np.finfo(s.dtype).eps if limit is None else limit
    np.testing.assert_allclose(s, exact[len(exact) - k :], rtol=0, atol=limit * exact[0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("k", [1, 4])
def test_dense(k, shape, dtype, rng):
    a = random_matrix(rng, *shape, dtype)
    result = svdkit.tsvd(a, k, which="smallest")
    assert result.report.converged
    check_smallest(a, result, k)
    assert signs_are_fixed(result.U)


@pytest.mark.parametrize("shape", [(80, 40), (40, 80), (40, 40)], ids=str)
def test_ill_conditioned(shape, rng):
    a = with_spectrum(rng, *shape, 10.0 ** -np.linspace(0, 14, 40))
    check_smallest(a, svdkit.tsvd(a, 6, which="smallest"), 6)


def test_hilbert():
    a = scipy.linalg.hilbert(14)
    s = svdkit.svdvals(a, 3, which="smallest")
    np.testing.assert_allclose(s, accurate_singular_values(a)[-3:], rtol=0, atol=5e-15)


@pytest.mark.parametrize("shape", [(70, 50), (50, 70)], ids=str)
def test_null_space(shape, rng):
    """Zero values among the trailing ones: a cluster of which only the subspace is determined."""
    s = np.concatenate([np.linspace(2, 1, 45), np.zeros(5)])
    a = with_spectrum(rng, *shape, s)
    result = svdkit.tsvd(a, 5, which="smallest")
    check_smallest(a, result, 5)
    assert np.linalg.norm(a @ result.Vh.T) <= 1e-13 and np.linalg.norm(result.U.T @ a) <= 1e-13


def test_all_of_them_are_both_ends(rng):
    a = rng.standard_normal((40, 25))
    smallest, largest = svdkit.tsvd(a, 25, which="smallest"), svdkit.tsvd(a, 25)
    np.testing.assert_allclose(smallest.s, largest.s, rtol=1e-12)


def test_subspace(rng):
    s = np.concatenate([np.linspace(2, 1, 57), [0.3, 0.2, 0.1]])
    a = with_spectrum(rng, 100, 60, s)
    result = svdkit.tsvd(a, 3, which="smallest")
    u, _, vh = np.linalg.svd(a)
    assert sine_of_angle(result.Vh.T, vh[57:60].T) <= 1e-10
    assert sine_of_angle(result.U, u[:, 57:60]) <= 1e-10


@pytest.mark.parametrize("form", ["csr", "csc"])
def test_sparse_with_gaps(form, rng):
    """Separated small values are found."""
    values = np.concatenate([[1e-3, 2e-3, 4e-3], np.linspace(1, 2, 300)])
    a = sp.diags_array(values).asformat(form)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
        result = svdkit.tsvd(a, 3, which="smallest")
    assert result.report.converged
    np.testing.assert_allclose(result.s, [4e-3, 2e-3, 1e-3], rtol=0, atol=1e-9)


@pytest.mark.parametrize("make", ["path", "random", "tall"])
def test_sparse_is_right_or_says_no(make, rng):
    """Never a converged report with values from elsewhere in the spectrum."""
    a = {
        "path": lambda: path_incidence(1500)[0],
        "random": lambda: sp.random_array((1300, 1250), density=0.01, rng=rng, format="csr"),
        "tall": lambda: sp.random_array((4000, 1000), density=0.004, rng=rng, format="csc"),
    }[make]()
    exact = singular_values(a)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = svdkit.tsvd(a, 3, which="smallest", max_passes=400)
    report = result.report
    assert report.converged == (not any(w.category is svdkit.ConvergenceWarning for w in caught))
    measured = residuals(a, *result)
    np.testing.assert_allclose(report.residuals, measured, rtol=1e-6, atol=1e-13 * exact[0])
    if report.converged:
        np.testing.assert_allclose(result.s, exact[-3:], rtol=0, atol=1e-9 * exact[0])
    else:
        assert report.residuals.max() > 1e-10 * exact[0]


def test_operator_is_right_or_says_no(rng):
    a = with_spectrum(rng, 200, 150, np.concatenate([np.linspace(2, 1, 148), [0.02, 0.01]]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
        result = svdkit.tsvd(sp.linalg.aslinearoperator(a), 2, which="smallest")
    assert not result.report.converged or np.allclose(result.s, [0.02, 0.01], atol=1e-9)


@pytest.mark.parametrize("scale", [1e-250, 1e250])
def test_scales(scale, rng):
    a = rng.standard_normal((50, 40))
    s = svdkit.svdvals(a * scale, 3, which="smallest")
    np.testing.assert_allclose(s / scale, singular_values(a)[-3:], rtol=1e-11)


def test_threads_change_no_bit(rng):
    a = rng.standard_normal((900, 60))
    results = [svdkit.tsvd(a, 3, which="smallest", threads=t) for t in (1, 2, 3, 4)]
    assert all(same_bits(results[0], r) for r in results[1:])
