"""Noise of unequal variance: HeteroPCA and biwhitening."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import orthonormal, orthonormality, sine_of_angle
from svdkit import biwhiten, hetero_pca, tsvd, weighted_svd

D, N, K = 100, 1000, 3


def noisy(seed, spread, strengths=(1.0, 1.0, 1.0)):
    rng = np.random.default_rng(seed)
    U = orthonormal(rng, D, K)
    deviations = np.exp(spread * rng.standard_normal(D))
    signal = (U * np.array(strengths) * 8) @ rng.standard_normal((K, N))
    return U, signal + deviations[:, None] * rng.standard_normal((D, N))


@pytest.mark.parametrize("seed", range(3))
def test_unequal_rows_mislead_pca_and_not_this(seed):
    U, A = noisy(seed, 1.5)
    plain = sine_of_angle(tsvd(A, K).U, U)
    deleted, filled = (sine_of_angle(hetero_pca(A, K, max_iter=steps).U, U) for steps in (1, 100))
    assert filled < 0.7 * plain
    assert deleted < 0.8 * plain


@pytest.mark.parametrize("seed", [0, 1, 3])  # 2 draws a row so noisy that its neighbours drown the signal: all fail
def test_log_normal_deviations_of_two_hundred_rows(seed):
    """Plain PCA finds the noisy rows; deleting the diagonal is nearly all of the gain (sines .999, .131 and .136)."""
    rng = np.random.default_rng(seed)
    U = orthonormal(rng, 200, 2)
    deviations = np.exp(1.5 * rng.standard_normal(200))
    A = 15 * U @ rng.standard_normal((2, 2000)) + deviations[:, None] * rng.standard_normal((200, 2000))
    deleted, filled = (sine_of_angle(hetero_pca(A, 2, max_iter=steps).U, U) for steps in (1, 8))
    assert sine_of_angle(tsvd(A, 2).U, U) > 0.99
    assert deleted < 0.2 and filled < 0.2
    assert abs(filled - deleted) < 0.03


@pytest.mark.parametrize("seed", range(3))
def test_equal_rows_give_the_angle_of_pca(seed):
    U, A = noisy(seed, 0.0)
    assert sine_of_angle(hetero_pca(A, K).U, U) == pytest.approx(sine_of_angle(tsvd(A, K).U, U), rel=0.05)


@pytest.mark.parametrize("second, deflate", [(4.0, False), (4.0, True), (1.0, True), (0.05, True)])
def test_without_noise_it_is_the_svd(second, deflate):
    """Deleting the diagonal moves eigenvectors of small values far away: then the fill has to start from large ones."""
    rng = np.random.default_rng(0)
    A = (orthonormal(rng, 30, 2) * [5.0, second]) @ orthonormal(rng, 40, 2).T
    result = hetero_pca(A, 2, tol=1e-13, max_iter=1000, deflate=deflate)
    exact = tsvd(A, 2)
    assert sine_of_angle(result.U, exact.U) < 1e-8
    np.testing.assert_allclose(result.s, exact.s, rtol=1e-10)
    assert orthonormality(result.U) < 1e-12 and orthonormality(result.Vh.T) < 1e-10
    assert np.max(result.report.residuals) < 1e-6 and result.report.converged


def test_deflation_helps_ill_conditioned_signals():
    errors = []
    for seed in range(5):
        U, A = noisy(seed, 1.2, (40.0, 6.0, 1.0))
        errors.append([sine_of_angle(hetero_pca(A, K, deflate=deflate).U, U) for deflate in (False, True)])
    plain, deflated = np.mean(errors, axis=0)
    assert deflated <= 1.02 * plain


def test_vectors_and_values_are_those_of_the_projected_matrix():
    _, A = noisy(1, 1.0)
    result = hetero_pca(A, K)
    np.testing.assert_allclose(result.reconstruct(), result.U @ (result.U.T @ A), atol=1e-9)
    np.testing.assert_allclose(
        result.report.residuals, np.linalg.norm(A @ result.Vh.T - result.U * result.s, axis=0), rtol=1e-8
    )


@pytest.mark.parametrize("kind", ["float32", "sparse", "operator", "complex", "tiny", "huge"])
def test_kinds_of_input(kind):
    U, A = noisy(0, 1.0)
    expected = hetero_pca(A, K)
    given = {
        "float32": lambda: A.astype(np.float32),
        "sparse": lambda: sp.csc_array(A),
        "operator": lambda: svdkit.operators.Dense(A),
        "complex": lambda: A.astype(complex),
        "tiny": lambda: A * 1e-300,
        "huge": lambda: A * 1e300,
    }[kind]()
    result = hetero_pca(given, K)
    assert sine_of_angle(result.U, expected.U) < 1e-4
    assert result.U.dtype == (np.float32 if kind == "float32" else np.complex128 if kind == "complex" else np.float64)


def test_bad_arguments_of_hetero_pca():
    with pytest.raises(ValueError, match="below the number of rows"):
        hetero_pca(np.eye(4), 4)
    with pytest.raises(ValueError, match="max_iter"):
        hetero_pca(np.eye(4), 2, max_iter=0)
    with pytest.raises(ValueError, match="k = "):
        hetero_pca(np.eye(4), 0)
    assert not hetero_pca(np.zeros((4, 5)), 2).s.any()


def counts(seed, m=300, n=200, rank=4):
    rng = np.random.default_rng(seed)
    factors = rng.gamma(0.6, 1, (m, rank)) @ rng.gamma(0.6, 1, (rank, n))
    mean = np.exp(rng.standard_normal((m, 1))) * (2 * factors + 0.1) * np.exp(rng.standard_normal(n))
    return rng.poisson(5 * mean).astype(float), mean


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sparse", [False, True])
def test_biwhitening_makes_variances_one_and_finds_the_rank(seed, sparse):
    A, _ = counts(seed)
    A = A[A.sum(axis=1) > 0][:, A.sum(axis=0) > 0]
    found = biwhiten(sp.csr_array(A) if sparse else A)
    scaled = found.rows[:, None] * A * found.cols
    np.testing.assert_allclose(scaled.mean(axis=1), 1, rtol=1e-8)
    np.testing.assert_allclose(scaled.mean(axis=0), 1, rtol=1e-8)
    assert found.rank in (4, 5)  # four factors and a background
    assert found.s[found.rank - 1] > found.edge > found.s[-1]


def test_biwhitening_of_a_known_profile():
    rng = np.random.default_rng(0)
    variance = np.outer(np.exp(rng.standard_normal(200)), np.exp(rng.standard_normal(150)))
    signal = np.sqrt(variance) * ((orthonormal(rng, 200, 3) * 100) @ orthonormal(rng, 150, 3).T)
    found = biwhiten(signal + np.sqrt(variance) * rng.standard_normal(variance.shape), variance)
    np.testing.assert_allclose(np.outer(found.rows, found.cols) * variance, 1, rtol=1e-9)
    assert found.rank == 3
    A = signal + np.sqrt(variance) * rng.standard_normal(variance.shape)
    error = [np.linalg.norm((B - signal) / np.sqrt(variance)) for B in (
        weighted_svd(A, 3, rows=found.rows, cols=found.cols).reconstruct(), tsvd(A, 3).reconstruct())]  # fmt: skip
    assert error[0] < 0.7 * error[1]


def test_bad_arguments_of_biwhiten():
    A = np.ones((4, 3))
    A[2] = 0
    with pytest.raises(ValueError, match="row 2"):
        biwhiten(A)
    with pytest.raises(ValueError, match="negative"):
        biwhiten(-np.ones((4, 3)))
    with pytest.raises(ValueError, match="shape"):
        biwhiten(np.ones((4, 3)), np.ones((3, 4)))
    with pytest.raises(ValueError, match="zeros"):
        biwhiten(np.triu(np.ones((4, 4))), max_iter=50)
    with pytest.raises(TypeError, match="entries"):
        biwhiten(svdkit.operators.Dense(np.ones((4, 3))))
