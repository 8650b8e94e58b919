"""kron_svd: the best sum of Kronecker products (numbers K1.. as in the list of cases below)."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DTYPES, random_matrix, random_sparse, same_bits, sine_of_angle, snapshot
from svdkit.operators import Dense, GramOfSamples

LEFT, RIGHT = (4, 3), (5, 7)


def rearranged(a, left, right):
    (m1, n1), (m2, n2) = left, right
    return a.reshape(m1, m2, n1, n2).transpose(0, 2, 1, 3).reshape(m1 * n1, m2 * n2)


def values(a, left, right):
    return np.linalg.svd(rearranged(a, left, right), compute_uv=False)


def dense_sum(result):
    terms = zip(result.s, result.left, result.right, strict=True)
    return sum(s * np.kron(b, c) for s, b, c in terms)


def planted(rng, left, right, s):
    b = np.linalg.qr(rng.standard_normal((left[0] * left[1], len(s))))[0].T.reshape(-1, *left)
    c = np.linalg.qr(rng.standard_normal((right[0] * right[1], len(s))))[0].T.reshape(-1, *right)
    return sum(w * np.kron(x, y) for w, x, y in zip(s, b, c, strict=True))


class TestOptimality:
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_exact_sums_are_recovered(self, dtype, rng):
        """K1: the values are those of the matrix of coefficients."""
        b, c = random_matrix(rng, 3, 12, dtype), random_matrix(rng, 3, 35, dtype)
        a = sum(np.kron(x.reshape(LEFT), y.reshape(RIGHT)) for x, y in zip(b, c, strict=True))
        K = svdkit.kron_svd(a, LEFT, RIGHT, 3)
        core = np.linalg.qr(b.T)[1] @ np.linalg.qr(c.T)[1].T
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(K.s, np.linalg.svd(core, compute_uv=False), rtol=100 * eps)
        assert np.linalg.norm(a - K.to_dense()) <= 200 * eps * np.linalg.norm(a)
        assert K.dtype == a.dtype and K.report.converged

    @pytest.mark.parametrize("layout", ["C", "F", "csr", "csc"])
    def test_the_error_is_the_tail(self, layout, rng):
        """K2, for every rank; factors orthonormal."""
        a = rng.standard_normal((20, 21))
        s = values(a, LEFT, RIGHT)
        given = {"C": a, "F": np.asfortranarray(a), "csr": sp.csr_array(a), "csc": sp.csc_array(a)}[layout]
        for k in range(1, 13):
            K = svdkit.kron_svd(given, LEFT, RIGHT, k)
            np.testing.assert_allclose(K.s, s[:k], rtol=1e-12)
            left = np.linalg.norm(a - dense_sum(K))
            assert abs(left**2 - np.sum(s[k:] ** 2)) <= 1e-12 * np.sum(s**2)
            assert abs(K.error - left) <= 1e-7 * K.norm
            for stack in (K.left, K.right):
                vectors = stack.reshape(k, -1)
                np.testing.assert_allclose(vectors @ vectors.T, np.eye(k), atol=1e-12)

    def test_large_matrices_in_place(self, rng):
        left, right = (24, 20), (22, 25)
        a = planted(rng, left, right, [5.0, 3.0, 2.0]) + 1e-3 * rng.standard_normal((528, 500))
        before = snapshot(a)
        K = svdkit.kron_svd(a, left, right, 3)
        np.testing.assert_allclose(K.s, values(a, left, right)[:3], rtol=1e-12)
        assert K.report.method == "lanczos" and not any("copied" in note for note in K.report.notes)
        assert K.report.residuals.max() <= 1e-10 * K.s[0]
        assert snapshot(a) == before
        a.flags.writeable = False
        assert same_bits([K.s, K.left], [(again := svdkit.kron_svd(a, left, right, 3)).s, again.left])

    def test_nothing_near_is_better(self, rng):
        """K6: 100 random changes of the factors raise the error; alternating least squares never gets below."""
        a = rng.standard_normal((20, 21))
        K = svdkit.kron_svd(a, LEFT, RIGHT)
        best = np.linalg.norm(a - K.to_dense())
        for _ in range(100):
            b = K.left[0] + 1e-3 * rng.standard_normal(LEFT)
            c = K.right[0] + 1e-3 * rng.standard_normal(RIGHT)
            assert np.linalg.norm(a - K.s[0] * np.kron(b, c)) > best
        R = rearranged(a, LEFT, RIGHT)
        for _ in range(20):
            c = rng.standard_normal(35)
            for _ in range(200):
                b = R @ c / (c @ c)
                c = R.T @ b / (b @ b)
            assert np.linalg.norm(R - np.outer(b, c)) >= best * (1 - 1e-12)

    def test_transposes_and_shuffles(self, rng):
        """K8."""
        a = rng.standard_normal((20, 21))
        K, KT = svdkit.kron_svd(a, LEFT, RIGHT, 2), svdkit.kron_svd(a.T, LEFT[::-1], RIGHT[::-1], 2)
        np.testing.assert_allclose(KT.to_dense(), K.to_dense().T, atol=1e-12)
        np.testing.assert_allclose(K.T.to_dense(), K.to_dense().T, atol=1e-14)
        shuffled = a.reshape(4, 5, 3, 7).transpose(1, 0, 3, 2).reshape(20, 21)
        KS = svdkit.kron_svd(shuffled, RIGHT, LEFT, 2)
        np.testing.assert_allclose(np.abs(KS.left), np.abs(K.right), atol=1e-10)
        np.testing.assert_allclose(np.abs(KS.right), np.abs(K.left), atol=1e-10)

    def test_the_column_major_convention_gives_the_same_factors(self, rng):
        a = rng.standard_normal((20, 21))
        blocks = [a[i * 5 : i * 5 + 5, j * 7 : j * 7 + 7].ravel("F") for j in range(3) for i in range(4)]
        U, s, Vt = np.linalg.svd(np.array(blocks))
        K = svdkit.kron_svd(a, LEFT, RIGHT)
        b, c = U[:, 0].reshape(LEFT, order="F"), Vt[0].reshape(RIGHT, order="F")
        np.testing.assert_allclose(K.s[0] * np.kron(K.left[0], K.right[0]), s[0] * np.kron(b, c), atol=1e-12)

    def test_the_ordinary_svd_is_a_special_case(self, rng):
        """K10."""
        a = rng.standard_normal((80, 70))
        K, plain = svdkit.kron_svd(a, (80, 1), (1, 70), 4), svdkit.tsvd(a, 4)
        assert K.is_low_rank
        np.testing.assert_allclose(K.s, plain.s, rtol=1e-12)
        assert sine_of_angle(K.left[:, :, 0].T, plain.U) <= 1e-8
        np.testing.assert_allclose(K.to_dense(), plain.reconstruct(), atol=1e-10)

    def test_values_of_a_product(self, rng):
        """K7, and the exact SVD of one term."""
        b, c = rng.standard_normal((4, 3)), rng.standard_normal((5, 7))
        products = np.multiply.outer(*(np.linalg.svd(x, compute_uv=False) for x in (b, c))).ravel()
        svd = svdkit.kron_svd(np.kron(b, c), (4, 3), (5, 7)).svd()
        np.testing.assert_allclose(svd.s, np.sort(products)[::-1], rtol=1e-12)
        np.testing.assert_allclose(svd.reconstruct(), np.kron(b, c), atol=1e-12)
        np.testing.assert_allclose(svd.U.T @ svd.U, np.eye(15), atol=1e-12)


class TestKnownAnswers:
    def test_identity(self):
        """K12."""
        K = svdkit.kron_svd(np.eye(12), (3, 3), (4, 4))
        np.testing.assert_allclose(K.s, [np.sqrt(12)], rtol=1e-14)
        np.testing.assert_allclose(K.left[0], np.eye(3) / np.sqrt(3), atol=1e-14)
        np.testing.assert_allclose(K.right[0], np.eye(4) / 2, atol=1e-14)

    def test_separable_covariance_has_rank_one(self):
        """K11: exponential covariance on a grid product."""
        x, y = np.linspace(0, 1, 9), np.linspace(0, 2, 11)
        b, c = (np.exp(-np.abs(np.subtract.outer(t, t))) for t in (x, y))
        K = svdkit.kron_svd(np.kron(b, c), (9, 9), (11, 11), 2)
        assert K.s[1] <= 1e-14 * K.s[0]
        np.testing.assert_allclose(K.left[0] / K.left[0, 0, 0], b, atol=1e-13)
        assert np.linalg.eigvalsh(K.left[0]).min() > 0 and np.linalg.eigvalsh(K.right[0]).min() > 0

    def test_vectors(self, rng):
        """K13: gamma = g1 kron g2 of nonnegative vectors, as in Kronecker sparse Bayesian learning."""
        g1, g2 = rng.random(6), rng.random(10)
        K = svdkit.kron_svd(np.kron(g1, g2)[:, None], (6, 1), (10, 1), structure="nonneg")
        assert K.left.min() >= 0 and K.right.min() >= 0
        np.testing.assert_allclose(K.s[0] * np.kron(K.left[0], K.right[0])[:, 0], np.kron(g1, g2), atol=1e-14)

    def test_ties_leave_the_error_right(self, rng):
        q = np.linalg.qr(rng.standard_normal((36, 36)))[0]
        K = svdkit.kron_svd(q, (6, 6), (6, 6), 5)
        tail = np.sqrt(np.sum(values(q, (6, 6), (6, 6))[5:] ** 2))
        assert abs(np.linalg.norm(q - K.to_dense()) - tail) <= 1e-12

    def test_gram_of_samples(self, rng):
        g = rng.standard_normal((40, 4, 6))
        dense = np.einsum("ti,tj->ij", g.reshape(40, -1), g.reshape(40, -1)) / 40
        K = svdkit.kron_svd(GramOfSamples(g), (4, 4), (6, 6))
        np.testing.assert_allclose(K.to_dense(), svdkit.kron_svd(dense, (4, 4), (6, 6)).to_dense(), atol=1e-10)
        assert min(np.linalg.eigvalsh(f).min() for f in (K.left[0], K.right[0])) > 0
        assert abs(K.error - np.linalg.norm(dense - K.to_dense())) <= 1e-10


class TestUgly:
    def test_zero(self):
        K = svdkit.kron_svd(np.zeros((6, 6)), (2, 3), (3, 2), 3)
        assert not K.s.any() and not K.to_dense().any()
        np.testing.assert_allclose(np.linalg.norm(K.left, axis=(1, 2)), 1)

    @pytest.mark.parametrize("exponent", [-1000, -300, 300, 1000])
    def test_scale(self, exponent, rng):
        a = rng.standard_normal((144, 156))
        K, scaled = (svdkit.kron_svd(np.ldexp(a, e), (12, 13), (12, 12), 2) for e in (0, exponent))
        np.testing.assert_array_equal(np.ldexp(K.s, exponent), scaled.s)
        np.testing.assert_allclose(K.left, scaled.left, atol=1e-13)

    def test_more_terms_than_the_rank(self, rng):
        a = np.kron(rng.standard_normal(LEFT), rng.standard_normal(RIGHT))
        K = svdkit.kron_svd(a, LEFT, RIGHT, 12)
        assert K.s[1] <= 1e-14 * K.s[0]
        np.testing.assert_allclose(K.to_dense(), a, atol=1e-13)

    @pytest.mark.parametrize("shape", [(1, 30), (30, 1)])
    def test_vectors_of_either_kind(self, shape, rng):
        a = rng.standard_normal(shape)
        left, right = ((1, 5), (1, 6)) if shape[0] == 1 else ((5, 1), (6, 1))
        K = svdkit.kron_svd(a, left, right, 5)
        np.testing.assert_allclose(K.to_dense(), a, atol=1e-13)

    def test_integers_and_sparse_of_both_indices(self, rng):
        a = random_sparse(rng, 144, 156, 0.1)
        wide = sp.csr_array((a.data, a.indices.astype(np.int64), a.indptr.astype(np.int64)), a.shape)
        expected = values(a.toarray(), (12, 13), (12, 12))[:3]
        for given in (a, wide, a.tocsc()):
            np.testing.assert_allclose(svdkit.kron_svd(given, (12, 13), (12, 12), 3).s, expected, rtol=1e-10)
        counts = rng.integers(0, 9, (20, 21))
        assert any("int64" in note for note in svdkit.kron_svd(counts, LEFT, RIGHT).report.notes)

    def test_narrow_sparse_matrices_are_not_multiplied_for_ever(self, rng):
        a = random_sparse(rng, 400, 400, 0.01)
        K = svdkit.kron_svd(a, (2, 2), (200, 200), 2)
        np.testing.assert_allclose(K.s, values(a.toarray(), (2, 2), (200, 200))[:2], rtol=1e-12)
        assert K.report.passes <= 6

    @pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0)])
    def test_empty(self, shape):
        for left in ((1, 1), None, "auto"):
            with pytest.raises(ValueError, match="must have rows and columns"):
                svdkit.kron_svd(np.zeros(shape), left)

    def test_not_finite(self, rng):
        a = rng.standard_normal((20, 21))
        a[3, 4] = np.inf
        with pytest.raises(ValueError, match=r"A\[3, 4\] is inf"):
            svdkit.kron_svd(a, LEFT, RIGHT)


class TestOptions:
    def test_rules(self, rng):
        """Three planted terms at 1.5 times the edge of the noise, and shares of energy."""
        left, right = (12, 11), (13, 14)
        noise = rng.standard_normal((156, 154))
        edge = np.sqrt(132) + np.sqrt(182)
        a = planted(rng, left, right, [3 * edge, 2.5 * edge, 2 * edge]) + noise
        assert svdkit.kron_svd(a, left, right, svdkit.rank.GavishDonoho()).rank == 3
        K = svdkit.kron_svd(a, left, right, svdkit.rank.Energy(0.5))
        s = values(a, left, right)
        assert K.rank == 1 + np.flatnonzero(np.cumsum(s**2) >= 0.5 * np.sum(s**2))[0]
        assert svdkit.kron_svd(a, left, right, svdkit.rank.Elbow()).rank == 3

    def test_same_bits_for_any_threads(self, rng):
        a = rng.standard_normal((320, 270)).astype(np.float32)
        first, second = (svdkit.kron_svd(a, (16, 15), (20, 18), 4, threads=t) for t in (1, 2))
        assert same_bits([first.s, first.left, first.right], [second.s, second.left, second.right])

    def test_warm_start(self, rng):
        a = planted(rng, (12, 13), (12, 12), [9.0, 5.0, 4.0]) + 0.01 * rng.standard_normal((144, 156))
        cold = svdkit.kron_svd(a, (12, 13), (12, 12), 3, method="lanczos")
        near = a + 1e-9 * rng.standard_normal(a.shape)
        warm = svdkit.kron_svd(near, (12, 13), (12, 12), 3, method="lanczos", warm_start=cold)
        np.testing.assert_allclose(warm.s, values(near, (12, 13), (12, 12))[:3], rtol=1e-10)
        assert warm.report.passes < cold.report.passes
        with pytest.raises(ValueError, match="warm_start has factors"):
            svdkit.kron_svd(a, (12, 12), (12, 13), 3, warm_start=cold)

    def test_callback_and_time_limit(self, rng):
        a = rng.standard_normal((288, 312))
        seen = []
        svdkit.kron_svd(a, (12, 13), (24, 24), 8, callback=seen.append, method="lanczos")
        assert seen and seen[-1].wanted == 8
        with pytest.warns(svdkit.ConvergenceWarning):
            svdkit.kron_svd(a, (12, 13), (24, 24), 8, callback=lambda info: True, method="lanczos")
        with pytest.raises(svdkit.ConvergenceError):
            svdkit.kron_svd(a, (12, 13), (24, 24), 8, time_limit=1e-9, on_fail="raise", method="lanczos")

    def test_one_shape_is_enough_and_none_is_balanced(self, rng):
        a = rng.standard_normal((20, 21))
        assert svdkit.kron_svd(a, LEFT).right_shape == RIGHT
        assert svdkit.kron_svd(a, None, RIGHT).left_shape == LEFT
        K = svdkit.kron_svd(rng.standard_normal((64, 64)))
        assert (K.left_shape, K.right_shape) == ((8, 8), (8, 8))
        assert any("balanced" in note for note in K.report.notes)

    def test_nonsense(self, rng):
        a = rng.standard_normal((20, 21))
        for bad, match in (
            ({"left_shape": (4, 3), "right_shape": (50, 7)}, "left_shape"),
            ({"left_shape": (3, 3), "right_shape": (5, 7)}, "extents must multiply"),
            ({"left_shape": "best"}, "left_shape"),
            ({"left_shape": LEFT, "k": 13}, "k = 13"),
            ({"left_shape": LEFT, "k": 0}, "k = 0"),
            ({"left_shape": LEFT, "structure": "odd"}, "structure"),
            ({"left_shape": LEFT, "structure": "psd"}, "square"),
            ({"left_shape": LEFT, "budget": 100}, "budget"),
        ):
            with pytest.raises(ValueError, match=match):
                svdkit.kron_svd(a, **bad)
        with pytest.raises(TypeError, match="warm_start"):
            svdkit.kron_svd(a, LEFT, RIGHT, warm_start=a)
        with pytest.raises(TypeError, match="entries cannot be rearranged"):
            svdkit.kron_svd(Dense(a).to_scipy(), LEFT, RIGHT)
