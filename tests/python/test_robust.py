"""Robust SVD: known answers, exact recovery, stationarity, and cases in which a plain SVD is lost."""

import numpy as np
import pytest
import robust_cases as cases
import svdkit
from reference import orthonormality, signs_are_fixed, sine_of_angle


def divergence_scale(E, w, alpha):
    return np.sum(w * E**2) / (np.sum(w) - w.size * alpha * (1 + alpha) ** -1.5)


@pytest.mark.parametrize(
    ("X", "cell", "expected"),
    [
        (np.arange(1.0, 21).reshape(5, 4).T, (1, 2), [53.5599, 2.3589, 0.14915, 0.0]),  # README of rsvddpd
        (np.arange(1.0, 13).reshape(4, 3), (1, 1), [25.473, 1.290, 0.028]),  # its vignette
    ],
)
def test_numbers_of_the_r_package(X, cell, expected):
    X = X.copy()
    X[cell] = 100
    result = svdkit.robust_svd(X, min(X.shape), method="deflation", scale="iqr", tol=1e-12, max_iter=2000)
    np.testing.assert_allclose(result.s, expected, atol=1e-4 * expected[0], rtol=0)
    np.testing.assert_allclose(result.s[:3], expected[:3], rtol=1e-2)
    assert orthonormality(result.U) < 1e-12 and orthonormality(result.Vh.T) < 1e-12


@pytest.mark.parametrize("shape", [(60, 40), (25, 70)])
def test_small_alpha_is_the_truncated_svd(rng, shape):
    A = cases.low_rank(rng, *shape, 3) + 0.1 * rng.standard_normal(shape)
    plain = svdkit.tsvd(A, 3)
    result = svdkit.robust_svd(A, 3, alpha=1e-8, tol=1e-11)
    np.testing.assert_allclose(result.s, plain.s, rtol=1e-6)
    assert sine_of_angle(result.U, plain.U) < 1e-6
    exactly = svdkit.robust_svd(A, 3, alpha=0)
    np.testing.assert_allclose(exactly.s, plain.s, rtol=1e-12)
    rest = A - plain.reconstruct()
    np.testing.assert_allclose(exactly.sigma, np.sqrt(np.mean(rest**2)), rtol=1e-10)


@pytest.mark.parametrize("rank", [1, 3, 5])
@pytest.mark.parametrize(("missing", "wrong"), [(0.0, 0.2), (0.3, 0.1), (0.6, 0.1)])
def test_exact_recovery_without_noise(rng, rank, missing, wrong):
    L = cases.low_rank(rng, 150, 100, rank)
    A = L.copy()
    bad = rng.random(L.shape) < wrong
    A[bad] += rng.uniform(5, 20, bad.sum())
    A[rng.random(L.shape) < missing] = np.nan
    result = svdkit.robust_svd(A, rank, missing="mask")
    assert result.report.converged and result.report.iterations <= 40
    assert cases.error(result, L) < 1e-8
    seen = ~np.isnan(A)
    np.testing.assert_array_equal(result.outliers() & seen, bad & seen)


@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("rank", [1, 4, 10])
def test_stationary(rng, alpha, rank):
    A, _, _ = cases.contaminated(rng, "10% cells", 120, 90, rank)
    result = svdkit.robust_svd(A, rank, alpha=alpha, tol=1e-10, max_iter=3000)
    assert result.report.converged
    E, sigma = A - result.reconstruct(), float(result.sigma[0])
    w = np.exp(-alpha * E**2 / (2 * sigma**2))
    top = result.s[0]
    assert np.linalg.norm((w * E) @ result.Vh.T, axis=0).max() < 1e-6 * top
    assert np.linalg.norm((w * E).T @ result.U, axis=0).max() < 1e-6 * top
    assert abs(divergence_scale(E, w, alpha) / sigma**2 - 1) < 1e-6
    np.testing.assert_allclose(result.weights(), w, rtol=1e-9, atol=1e-14)
    measured = np.maximum(np.linalg.norm((w * E) @ result.Vh.T, axis=0), np.linalg.norm((w * E).T @ result.U, axis=0))
    np.testing.assert_allclose(result.report.residuals, measured, atol=1e-10 * top)


@pytest.mark.parametrize("loss", ["dpd", "huber", "welsch"])
@pytest.mark.parametrize("rank", [2, 11])
def test_objective_falls_when_the_scale_is_fixed(rng, loss, rank):
    A, _, _ = cases.contaminated(rng, "10% cells", 120, 90, rank)
    H = svdkit.robust_svd(A, rank, loss=loss, scale=1.0).objective
    assert H.size > 3
    assert np.all(np.diff(H) <= 1e-12 * np.abs(H[:-1]).max())


@pytest.mark.parametrize("rank", [1, 3])
@pytest.mark.parametrize("alpha", [0.3, 0.5])
@pytest.mark.parametrize("kind", cases.KINDS)
def test_starts_that_a_plain_svd_loses(kind, rank, alpha):
    """Relative errors on good rows: medians over draws stay near what a clean matrix allows (0.13 to 0.16)."""
    errors = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        A, L, good = cases.contaminated(rng, kind, 150, 100, rank)
        result = svdkit.robust_svd(A, rank, alpha=alpha)
        assert result.report.converged
        assert not np.any(good[result.unsupported_rows])
        errors.append(cases.error(result, L, good))
    assert np.max(errors) < 0.2
    assert np.max(errors) < 0.185 or kind == "30% cells"


@pytest.mark.parametrize("rows", [False, True])
def test_cases_of_the_r_package(rows):
    """1000 x 500, rank 5, noise 0.02: the package reaches 0.021 with bad cells, and fails with bad rows."""
    rng = np.random.default_rng(0)
    A, L, good = cases.gross(rng, 1000, 500, 5, rows)
    result = svdkit.robust_svd(A, 5)
    assert result.report.converged
    noise = 0.02 * np.sqrt(5 * (1000 + 500)) / np.linalg.norm(L)
    assert cases.error(result, L, good) < 1.2 * noise
    np.testing.assert_allclose(result.sigma, 0.02, rtol=0.02)
    np.testing.assert_array_equal(result.unsupported_rows, np.flatnonzero(~good))


@pytest.mark.parametrize("alpha", [0.3, 0.5, 1.0])
def test_efficiency_on_clean_data(alpha):
    ratios, sigmas = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        L = cases.low_rank(rng, 400, 300, 1)
        A = L + rng.standard_normal(L.shape)
        result = svdkit.robust_svd(A, 1, alpha=alpha)
        ratios.append((cases.error(result, L) / cases.error(svdkit.tsvd(A, 1), L)) ** 2)
        sigmas.append(result.sigma[0])
    expected = (1 + alpha**2 / (1 + 2 * alpha)) ** 1.5
    assert abs(np.mean(ratios) / expected - 1) < 0.15
    np.testing.assert_allclose(sigmas, 1, rtol=0.03)


def test_three_quarters_of_a_row_wrong():
    """Such a row is given up, and the rest does not notice; two fifths are no trouble."""
    rng = np.random.default_rng(3)
    L = cases.low_rank(rng, 120, 100, 1)
    A = L + 0.1 * rng.standard_normal(L.shape)
    A[5, rng.permutation(100)[:80]] += rng.uniform(3, 9, 80)
    A[7, :40] += 5
    result = svdkit.robust_svd(A, 1)
    np.testing.assert_array_equal(result.unsupported_rows, [5])
    good = np.arange(120) != 5
    assert cases.error(result, L, good) < 0.02
    assert np.linalg.norm(result.reconstruct()[7] - L[7]) < 0.1 * np.linalg.norm(L[7])


def test_automatic_alpha():
    rng = np.random.default_rng(0)
    L = cases.low_rank(rng, 100, 80, 2)
    clean = svdkit.robust_svd(L + rng.standard_normal(L.shape), 2, alpha="auto")
    assert clean.alpha in (0.1, 0.2, 0.3, 0.4, 0.5) and "alpha chosen" in " ".join(clean.report.notes)
    A, L, good = cases.contaminated(rng, "30% cells", 100, 80, 2)
    errors = {a: cases.error(svdkit.robust_svd(A, 2, alpha=a), L) for a in (0.1, 0.2, 0.3, 0.4, 0.5, "auto")}
    assert errors["auto"] <= 1.15 * min(errors.values())


def test_signs_and_order(rng):
    A, _, _ = cases.contaminated(rng, "10% cells", 60, 80, 4)
    for method in ("joint", "deflation"):
        result = svdkit.robust_svd(A, 4, method=method)
        assert signs_are_fixed(result.U)
        assert np.all(np.diff(result.s) <= 0)
        assert orthonormality(result.U) < 1e-12 and orthonormality(result.Vh.T) < 1e-12


def test_deflation_is_nested(rng):
    A, _, _ = cases.contaminated(rng, "10% cells", 80, 60, 3)
    one, three = (svdkit.robust_svd(A, k, method="deflation", tol=1e-9) for k in (1, 3))
    if not any("sorted" in note for note in three.report.notes):
        np.testing.assert_allclose(one.s[0], three.s[0], rtol=1e-12)
    assert three.sigma.shape == (3,)
