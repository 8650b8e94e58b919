"""KroneckerResult: products, parts, algebra, and what one term knows exactly (K3)."""

import pickle

import numpy as np
import pytest
import svdkit
from reference import DTYPES, accuracy, random_matrix

# 50 shapes, primes and ones among them.
EXTENTS = np.random.default_rng(3).choice([1, 2, 3, 4, 5, 7, 11, 13], (50, 4))


def near(got, expected, dtype):
    limit = 1000 * np.finfo(dtype).eps * max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(got, expected, rtol=0, atol=limit)


def result(rng, left, right, k, dtype="float64"):
    a = random_matrix(rng, left[0] * right[0], left[1] * right[1], dtype)
    return svdkit.kron_svd(a, left, right, k)


@pytest.mark.parametrize("extents", EXTENTS, ids=str)
def test_products(extents, rng):
    m1, n1, m2, n2 = map(int, extents)
    k = min(3, m1 * n1, m2 * n2)
    K = result(rng, (m1, n1), (m2, n2), k)
    dense = sum(s * np.kron(b, c) for s, b, c in zip(K.s, K.left, K.right, strict=True))
    near(K.to_dense(), dense, K.dtype)
    for width in (1, 5, 70):
        x, y = rng.standard_normal((n1 * n2, width)), rng.standard_normal((m1 * m2, width))
        near(K @ x, dense @ x, K.dtype)
        near(K.T @ y, dense.T @ y, K.dtype)
        near(K.rmatmul(y.T), y.T @ dense, K.dtype)
        near(y.T @ K, y.T @ dense, K.dtype)
    near(K @ x[:, 0], dense @ x[:, 0], K.dtype)
    near(y[:, 0] @ K, y[:, 0] @ dense, K.dtype)
    near(K.norm_fro(), np.linalg.norm(dense), K.dtype)
    near(K.trace(), np.trace(dense), K.dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_scalar(dtype, rng):
    K = result(rng, (4, 4), (5, 5), 3, dtype)
    dense = K.to_dense()
    x = random_matrix(rng, 20, 3, dtype)
    near(K @ x, dense @ x, dtype)
    near(x.T @ K, x.T @ dense, dtype)
    near(K.H @ x, dense.conj().T @ x, dtype)
    near(K.T @ x, dense.T @ x, dtype)
    near(K.trace(), np.trace(dense), dtype)
    assert (K @ x).dtype == np.dtype(dtype)
    real = result(rng, (4, 4), (5, 5), 1)
    near(real @ (x + 0j), real.to_dense() @ x, "float32")


class TestParts:
    def test_truncate(self, rng):
        K = result(rng, (4, 3), (5, 7), 5)
        assert K.truncate(2).rank == 2 and K.truncate(0).rank == 0
        near(K.truncate(2).to_dense(), svdkit.kron_svd(K.to_dense(), (4, 3), (5, 7), 2).to_dense(), K.dtype)
        assert K.truncate(2).error > K.error
        assert not K.truncate(0).to_dense().any() and not (K.truncate(0) @ np.ones(21)).any()
        with pytest.raises(ValueError, match="k = 6"):
            K.truncate(6)

    def test_factors(self, rng):
        K = result(rng, (4, 3), (5, 7), 2)
        for split in ("sqrt", "left", "right"):
            B, C = K.factors(split)
            near(sum(np.kron(b, c) for b, c in zip(B, C, strict=True)), K.to_dense(), K.dtype)
        B, C = K.factors()
        near(np.linalg.norm(B, axis=(1, 2)), np.linalg.norm(C, axis=(1, 2)), K.dtype)
        with pytest.raises(ValueError, match="split"):
            K.factors("middle")

    def test_signs(self, rng):
        K = result(rng, (4, 4), (5, 5), 10)
        for b in K.left:
            assert b.trace() > 0.01 or b.ravel()[np.argmax(np.abs(b))] > 0

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_adapter_initialisation(self, dtype, rng):
        """W = sum + residual, to a unit in the last place of the larger of W and the sum."""
        w = random_matrix(rng, 24, 40, dtype)
        K = svdkit.kron_svd(w, (4, 5), (6, 8), svdkit.rank.Elbow("chord"))
        back = K.residual(w) + K.to_dense()
        assert np.all(np.abs(back - w) <= np.spacing(np.maximum(np.abs(w), np.abs(K.to_dense()))))

    def test_repr_and_pickle(self, rng):
        K = result(rng, (4, 3), (5, 7), 2)
        assert repr(K) == "<KroneckerResult: 2 terms (4 x 3) kron (5 x 7), 20 x 21, float64, converged>"
        assert K @ np.ones(21) is not None
        again = pickle.loads(pickle.dumps(K))
        near(again @ np.ones(21), K @ np.ones(21), K.dtype)
        assert again.norm == K.norm


class TestAlgebra:
    def test_sums_and_recompression(self, rng):
        K, L = (result(rng, (4, 3), (5, 7), k) for k in (3, 2))
        total = K + 2.0 * L - L
        near(total.to_dense(), K.to_dense() + L.to_dense(), K.dtype)
        assert total.rank == 7
        small = total.recompress()
        assert small.rank == 5
        near(small.to_dense(), total.to_dense(), K.dtype)
        vectors = small.left.reshape(5, -1)
        near(vectors @ vectors.T, np.eye(5), K.dtype)
        best = svdkit.kron_svd(total.to_dense(), (4, 3), (5, 7), 2)
        near(total.recompress(2).to_dense(), best.to_dense(), K.dtype)
        near(total.norm_fro(), np.linalg.norm(total.to_dense()), K.dtype)
        assert (K - K).recompress().norm_fro() <= 1e-14 * K.norm_fro()

    def test_terms_of_other_shapes(self, rng):
        K, L = result(rng, (4, 3), (5, 7), 1), result(rng, (5, 7), (4, 3), 1)
        with pytest.raises(ValueError, match="no common terms"):
            K + L
        with pytest.raises(TypeError):
            K + 1

    def test_operator_in_solvers(self, rng):
        K = result(rng, (12, 10), (11, 13), 3)
        op = K.to_operator()
        assert op is K.to_operator()
        plain = svdkit.tsvd(K.to_dense(), 4)
        np.testing.assert_allclose(svdkit.tsvd(op, 4).s, plain.s, rtol=accuracy(K.dtype).value)
        again = svdkit.kron_svd(op, (12, 10), (11, 13), 2)
        np.testing.assert_allclose(again.s, K.s[:2], rtol=1e-12)


class TestOneTerm:
    @pytest.fixture
    def K(self, rng):
        return svdkit.kron_svd(np.kron(rng.standard_normal((3, 3)), rng.standard_normal((4, 4))), (3, 3), (4, 4))

    def test_inverse_and_solve(self, K, rng):
        dense = K.to_dense()
        np.testing.assert_allclose(K.inverse().to_dense() @ dense, np.eye(12), atol=1e-8)
        for b in (rng.standard_normal(12), rng.standard_normal((12, 5))):
            np.testing.assert_allclose(dense @ K.solve(b), b, atol=1e-8)
        np.testing.assert_allclose(np.linalg.norm(K.inverse().left), 1)

    def test_determinant(self, K):
        sign, logarithm = np.linalg.slogdet(K.to_dense())
        assert K.slogdet()[0] == sign
        np.testing.assert_allclose(K.slogdet()[1], logarithm, rtol=1e-10)
        np.testing.assert_allclose(K.det(), np.linalg.det(K.to_dense()), rtol=1e-10)

    def test_svd(self, K):
        svd = K.svd(5)
        np.testing.assert_allclose(svd.s, np.linalg.svd(K.to_dense(), compute_uv=False)[:5], rtol=1e-12)
        np.testing.assert_allclose(K.to_dense() @ svd.Vh.T, svd.U * svd.s, atol=1e-12)
        assert np.all(svd.U[np.argmax(np.abs(svd.U), axis=0), np.arange(5)] > 0)

    @pytest.mark.parametrize("symmetric", [False, True])
    def test_eigenvalues(self, symmetric, rng):
        b, c = rng.standard_normal((3, 3)), rng.standard_normal((4, 4))
        if symmetric:
            b, c = b + b.T, c + c.T
        K = svdkit.kron_svd(np.kron(b, c), (3, 3), (4, 4))
        w, V = K.eig()
        np.testing.assert_allclose(K.to_dense() @ V, V * w, atol=1e-10)
        assert np.isrealobj(w) == symmetric or not symmetric
        assert len(K.eig(3)[0]) == 3 and np.all(np.diff(np.abs(w)) <= 1e-12)

    def test_refusals(self, K, rng):
        two = result(rng, (3, 3), (4, 4), 2)
        for call in (two.inverse, two.svd, two.eig, two.det, lambda: two.solve(np.ones(12))):
            with pytest.raises(ValueError, match="single Kronecker product"):
                call()
        with pytest.raises(ValueError, match="square factors"):
            result(rng, (3, 2), (4, 5), 1).inverse()
        with pytest.raises(ValueError, match="12 rows"):
            K.solve(np.ones(11))
        with pytest.raises(ValueError, match="rows"):
            K @ np.ones(11)
        zero = svdkit.kron_svd(np.zeros((12, 12)), (3, 3), (4, 4))
        with pytest.raises(np.linalg.LinAlgError):
            zero.solve(np.ones(12))
        assert zero.det() == 0
