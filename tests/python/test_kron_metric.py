"""kron_metric: the nearest Kronecker product of a Fisher matrix that is never formed."""

import numpy as np
import pytest
import svdkit
from svdkit import Metric, kron_metric, weighted_svd

M, N, T = 5, 4, 60


@pytest.fixture
def gradients():
    rng = np.random.default_rng(1)
    left, right = rng.standard_normal((M, M)), rng.standard_normal((N, N))
    return np.einsum("ij,tjk,kl->til", left, rng.standard_normal((T, M, N)), right)


def fisher(G):
    columns = G.transpose(0, 2, 1).reshape(len(G), -1)  # vec stacks columns
    return columns.T @ columns / len(G)


def nearest(F, m, n):
    """The best Kronecker product of an (n m) x (n m) matrix, from the SVD of its rearrangement."""
    R = F.reshape(n, m, n, m).transpose(0, 2, 1, 3).reshape(n * n, m * m)
    s = np.linalg.svd(R, compute_uv=False)
    return s, np.sqrt(np.linalg.norm(F) ** 2 - s[0] ** 2)


def test_it_is_the_nearest_product(gradients):
    F = fisher(gradients)
    s, least = nearest(F, M, N)
    B, A = kron_metric(gradients, tol=1e-14, rounds=100)
    product = np.kron(A.to_dense(), B.to_dense())
    assert np.linalg.norm(F - product) == pytest.approx(least, rel=1e-9)
    assert np.linalg.norm(product) == pytest.approx(s[0], rel=1e-9)
    assert np.linalg.norm(A.to_dense()) == pytest.approx(np.linalg.norm(B.to_dense()), rel=1e-9)


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_every_iterate_is_positive_semidefinite(gradients, rounds):
    for few in (gradients, gradients[:2]):  # also with fewer samples than rows
        for metric in kron_metric(few, rounds=rounds):
            values = np.linalg.eigvalsh(metric.to_dense())
            assert values[0] >= -1e-12 * values[-1]


def test_the_two_halves_are_adjoint(gradients):
    from svdkit.kronecker_metric import _of_matrices

    rng = np.random.default_rng(2)
    X, Y = rng.standard_normal((M, M)), rng.standard_normal((N, N))
    left, right = np.sum(_of_matrices(gradients, X, True) * Y), np.sum(X * _of_matrices(gradients, Y, False))
    assert left == pytest.approx(right, rel=1e-12)


def test_one_round_gives_the_shampoo_statistics(gradients):
    B, A = (metric.to_dense() for metric in kron_metric(iter(gradients), rounds=1))
    rows, cols = np.einsum("tij,tkj->ik", gradients, gradients), np.einsum("tij,tik->jk", gradients, gradients)
    np.testing.assert_allclose(B / np.trace(B), rows / np.trace(rows), atol=1e-14)
    np.testing.assert_allclose(A / np.trace(A), cols / np.trace(cols), atol=1e-14)
    assert np.trace(A) * np.trace(B) == pytest.approx(np.trace(fisher(gradients)), rel=1e-12)


def test_streams_equal_arrays(gradients):
    whole = [m.to_dense() for m in kron_metric(gradients)]
    for pieces in ([gradients[:7], gradients[7:]], list(gradients)):
        for got, expected in zip(kron_metric(pieces), whole, strict=True):
            np.testing.assert_allclose(got.to_dense(), expected, rtol=1e-9)


def test_rank_one_gradients_are_not_formed():
    rng = np.random.default_rng(0)
    D, X = rng.standard_normal((T, M)), rng.standard_normal((T, N))
    whole = kron_metric(np.einsum("ti,tj->tij", D, X))
    for got, expected in zip(kron_metric(D, activations=X), whole, strict=True):
        np.testing.assert_allclose(got.to_dense(), expected.to_dense(), rtol=1e-9)


def test_the_quadratic_form_is_the_loss(gradients):
    """GFWSVD: vec(W - Z)^T (A kron B) vec(W - Z) is the tail of the spectrum."""
    W = np.random.default_rng(5).standard_normal((M, N))
    B, A = kron_metric(gradients)
    result = weighted_svd(W, 2, rows=B, cols=A)
    e = (W - result.reconstruct()).T.ravel()
    value = e @ np.kron(A.to_dense(), B.to_dense()) @ e
    assert result.loss == pytest.approx(value, rel=1e-11)
    full = weighted_svd(W, min(M, N), rows=B, cols=A)
    assert value == pytest.approx(np.sum(full.s[2:] ** 2), rel=1e-11)


def test_semidefinite_factors_work(gradients):
    W = np.random.default_rng(5).standard_normal((M, N))
    B, A = kron_metric(gradients[:1])
    result = weighted_svd(W, 2, rows=B, cols=A)
    assert np.isfinite(result.reconstruct()).all() and result.rank >= 1
    B, A = kron_metric(gradients[:1], ridge=0.01)
    assert weighted_svd(W, 2, rows=B, cols=A).rank == 2


def test_all_zero_gradients():
    B, A = kron_metric(np.zeros((3, M, N)))
    assert not B.to_dense().any() and not A.to_dense().any()


def test_bad_arguments(gradients):
    with pytest.raises(ValueError, match="iterator"):
        kron_metric(iter(gradients))
    with pytest.raises(ValueError, match="empty"):
        kron_metric([])
    with pytest.raises(ValueError, match=r"samples\[1\]"):
        kron_metric([gradients[0], gradients[0].T])
    with pytest.raises(ValueError, match="finite"):
        kron_metric(np.full((2, M, N), np.nan))
    with pytest.raises(ValueError, match="rounds"):
        kron_metric(gradients, rounds=0)
    with pytest.raises(ValueError, match="rows"):
        kron_metric(np.ones((3, M)), activations=np.ones((2, N)))
    with pytest.raises(ValueError, match="shape"):
        kron_metric(np.ones((2, 3, 4, 5)))
    assert isinstance(svdkit.kron_metric(gradients[0])[0], Metric)
