"""Tensor trains, Tucker decompositions, and Kronecker products of three factors or more: error bounds, exact cases."""

import numpy as np
import pytest
import svdkit
from reference import DTYPES, random_matrix
from svdkit.tensor import core_shape, tucker_apply, unfolding

SHAPE = (5, 6, 7, 4)


def smooth(shape, decay=1.0):
    """A tensor whose unfoldings decay."""
    grids = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    return 1 / (1 + decay * sum((i + 1) * g for i, g in enumerate(grids))) + np.sin(3 * grids[0] * grids[-1])


def mode_values(T, mode):
    return np.linalg.svd(np.moveaxis(T, mode, 0).reshape(T.shape[mode], -1), compute_uv=False)


def tail(s, k):
    return float(np.linalg.norm(s[k:]))


class TestUnfolding:
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("shape", [(5,), (5, 6), (6, 5, 7), (66, 3, 70), (9, 80, 90), SHAPE, (1, 4, 1, 3)])
    def test_it_is_the_matrix_it_stands_for(self, shape, dtype, rng):
        T = random_matrix(rng, int(np.prod(shape)), 1, dtype).reshape(shape)
        for mode in range(T.ndim):
            expected = np.moveaxis(T, mode, 0).reshape(shape[mode], -1)
            np.testing.assert_array_equal(unfolding(T, mode).to_dense(), expected)

    def test_large_modes_are_not_copied(self, rng):
        assert unfolding(rng.standard_normal((12, 120, 30)), 1).notes == []


class TestTrain:
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_full_ranks_are_exact(self, dtype, rng):
        T = random_matrix(rng, 840, 1, dtype).reshape(SHAPE)
        train = svdkit.tt_svd(T, 10**6)
        assert train.ranks == (5, 28, 4) and train.shape == SHAPE and train.error == 0
        np.testing.assert_allclose(train.to_dense(), T, atol=200 * np.finfo(dtype).eps)

    @pytest.mark.parametrize("ranks", [1, 2, (3, 5, 2)])
    def test_the_error_and_its_bounds(self, ranks):
        T = smooth(SHAPE)
        train = svdkit.tt_svd(T, ranks)
        error = np.linalg.norm(T - train.to_dense())
        assert abs(train.error - error) <= 1e-7 * np.linalg.norm(T)
        splits = [np.linalg.svd(T.reshape(int(np.prod(SHAPE[: j + 1])), -1), compute_uv=False) for j in range(3)]
        best = [tail(s, r) for s, r in zip(splits, train.ranks, strict=True)]
        assert max(best) <= error * (1 + 1e-9) and error <= np.linalg.norm(best) * (1 + 1e-9)
        for core in train.cores[:-1]:
            q = core.reshape(-1, core.shape[2])
            np.testing.assert_allclose(q.T @ q, np.eye(q.shape[1]), atol=1e-12)

    @pytest.mark.parametrize("tol", [0.3, 1e-2, 1e-3])
    def test_tolerance(self, tol):
        T = smooth(SHAPE)
        train = svdkit.tt_svd(T, tol=tol)
        assert np.linalg.norm(T - train.to_dense()) <= tol * np.linalg.norm(T)
        finer = svdkit.tt_svd(T, tol=tol / 10)
        assert sum(finer.ranks) > sum(train.ranks)

    def test_zero_and_nonsense(self):
        assert not svdkit.tt_svd(np.zeros((3, 4, 5)), tol=0.1).to_dense().any()
        assert not svdkit.tt_svd(np.zeros((3, 4, 5)), 2).to_dense().any()
        T = np.ones((3, 4, 5))
        for bad in ({}, {"ranks": (1, 2, 3)}, {"ranks": 0}, {"tol": 2.0}, {"ranks": 2, "tol": 0.1}):
            with pytest.raises(ValueError, match="ranks|tol"):
                svdkit.tt_svd(T, **bad)
        with pytest.raises(ValueError, match="at least 2 modes"):
            svdkit.tt_svd(np.ones(3), 1)
        T[1, 2, 3] = np.nan
        with pytest.raises(ValueError, match=r"T\[1, 2, 3\] is nan"):
            svdkit.tt_svd(T, 1)


class TestTucker:
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("method", ["st-hosvd", "hosvd", "hooi"])
    def test_low_multilinear_rank_is_recovered(self, method, dtype, rng):
        core = random_matrix(rng, 24, 1, dtype).reshape(2, 3, 2, 2)
        factors = [np.linalg.qr(random_matrix(rng, n, r, dtype))[0] for n, r in zip(SHAPE, core.shape, strict=True)]
        T = tucker_apply(core, factors)
        result = svdkit.tucker(T, core.shape, method=method)
        assert result.core.dtype == np.dtype(dtype) and result.shape == SHAPE
        np.testing.assert_allclose(result.to_dense(), T, atol=500 * np.finfo(dtype).eps * np.abs(T).max())

    @pytest.mark.parametrize("ranks", [1, 2, (3, 2, 4, 1)])
    def test_errors_lie_within_their_bounds(self, ranks):
        T = smooth(SHAPE)
        wanted = (ranks,) * 4 if np.isscalar(ranks) else ranks
        spectra = [mode_values(T, mode) for mode in range(4)]
        tails = [tail(s, r) for s, r in zip(spectra, wanted, strict=True)]
        errors = {}
        for method in ("hosvd", "st-hosvd", "hooi"):
            result = svdkit.tucker(T, ranks, method=method)
            errors[method] = error = np.linalg.norm(T - result.to_dense())
            assert abs(result.error - error) <= 1e-7 * result.norm
            assert max(tails) <= error * (1 + 1e-9) and error <= np.linalg.norm(tails) * (1 + 1e-9)
            for q in result.factors:
                np.testing.assert_allclose(q.T @ q, np.eye(q.shape[1]), atol=1e-12)
            if method == "hosvd":
                np.testing.assert_allclose(result.tails, tails, atol=1e-7)
                np.testing.assert_allclose(result.bounds, (max(tails), np.linalg.norm(tails)), atol=1e-7)
            if method == "st-hosvd":  # the squared tails add up to the squared error
                np.testing.assert_allclose(np.linalg.norm(result.tails), error, rtol=1e-6)
        assert errors["hooi"] <= errors["st-hosvd"] * (1 + 1e-12)

    def test_tolerance_and_budget(self):
        T = smooth(SHAPE)
        for tol in (0.2, 1e-3):
            result = svdkit.tucker(T, tol=tol)
            assert np.linalg.norm(T - result.to_dense()) <= tol * np.linalg.norm(T)
        small, large = (svdkit.tucker(T, budget=c) for c in (60, 200))
        assert small.parameters <= 60 and large.parameters <= 200 and large.error < small.error

    def test_core_shape(self):
        assert core_shape([[5.0, 4.0], [5.0, 0.0]], (10, 10), 1000) == (2, 1)
        with pytest.raises(ValueError, match="budget = 5"):
            core_shape([[1.0], [1.0]], (4, 4), 5)

    def test_nonsense(self):
        T = np.ones((3, 4, 5))
        for bad in ({}, {"ranks": 1, "tol": 0.1}, {"ranks": (1, 2)}, {"ranks": 1, "method": "cp"}):
            with pytest.raises(ValueError, match="ranks|method"):
                svdkit.tucker(T, **bad)
        with pytest.raises(ValueError, match="factors"):
            tucker_apply(np.ones((1, 1)), [np.ones((2, 1))])


class TestManyFactors:
    SHAPES = ((2, 3), (3, 2), (4, 2))

    def matrix(self, rng, terms, dtype="float64"):
        total = 0
        for _ in range(terms):
            a, b, c = (random_matrix(rng, *shape, dtype) for shape in self.SHAPES)
            total = total + np.kron(np.kron(a, b), c)
        return total

    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("method", ["hooi", "nested"])
    def test_one_product_is_recovered(self, method, dtype, rng):
        a = self.matrix(rng, 1, dtype)
        K = svdkit.kron_factors(a, self.SHAPES, method=method)
        assert K.shape == (24, 12) and K.rank == 1
        np.testing.assert_allclose(K.to_dense(), a, atol=300 * np.finfo(dtype).eps * np.abs(a).max())
        np.testing.assert_allclose([np.linalg.norm(f[0]) for f in K.factors], 1, rtol=1e-5)

    @pytest.mark.parametrize("method", ["hooi", "nested"])
    def test_the_error_is_known_and_falls(self, method, rng):
        a = self.matrix(rng, 4) + 0.1 * rng.standard_normal((24, 12))
        errors = []
        for k in (1, 2, 3, 6):
            K = svdkit.kron_factors(a, self.SHAPES, k, method=method)
            errors.append(np.linalg.norm(a - K.to_dense()))
            assert abs(K.error - errors[-1]) <= 1e-6 * K.norm
            x = rng.standard_normal((12, 3))
            np.testing.assert_allclose(K @ x, K.to_dense() @ x, atol=1e-12)
            np.testing.assert_allclose(K @ x[:, 0], K.to_dense() @ x[:, 0], atol=1e-12)
        assert np.all(np.diff(errors) < 0)

    def test_alternating_is_stationary_and_beats_random_starts(self, rng):
        a = self.matrix(rng, 3)
        best = svdkit.kron_factors(a, self.SHAPES)
        T = a.reshape(2, 3, 4, 3, 2, 2).transpose(0, 3, 1, 4, 2, 5).reshape(6, 6, 8)
        for _ in range(20):
            u, v, w = (rng.standard_normal(n) for n in T.shape)
            for _ in range(300):
                u = np.einsum("ijk,j,k->i", T, v, w)
                u /= np.linalg.norm(u)
                v = np.einsum("ijk,i,k->j", T, u, w)
                v /= np.linalg.norm(v)
                w = np.einsum("ijk,i,j->k", T, u, v)
                size = np.linalg.norm(w)
                w /= size
            assert size <= best.s[0] * (1 + 1e-9)
        u, v, w = (f[0].ravel() for f in best.factors)
        np.testing.assert_allclose(np.einsum("ijk,j,k->i", T, v, w), best.s[0] * u, atol=1e-6 * best.s[0])

    def test_all_nested_terms_are_exact(self, rng):
        a = rng.standard_normal((24, 12))
        K = svdkit.kron_factors(a, self.SHAPES, 10**6, method="nested")
        assert K.rank <= 36
        np.testing.assert_allclose(K.to_dense(), a, atol=1e-12)
        vectors = np.stack([K.truncate(j + 1).to_dense() - K.truncate(j).to_dense() for j in range(K.rank)])
        inner = np.einsum("aij,bij->ab", vectors, vectors)
        np.testing.assert_allclose(inner, np.diag(K.s**2), atol=1e-12)  # orthogonal terms

    def test_two_factors_are_kron_svd(self, rng):
        a = rng.standard_normal((20, 21))
        K = svdkit.kron_svd(a, (4, 3), (5, 7), 3)
        for method in ("hooi", "nested"):
            many = svdkit.kron_factors(a, [(4, 3), (5, 7)], 3, method=method)
            np.testing.assert_allclose(many.s, K.s, rtol=1e-6)

    def test_nonsense(self, rng):
        a = rng.standard_normal((24, 12))
        for bad in ({"shapes": []}, {"shapes": [(2, 3), (3, 3)]}, {"shapes": [(2, 3, 1)]}):
            with pytest.raises(ValueError, match="shapes"):
                svdkit.kron_factors(a, **bad)
        with pytest.raises(TypeError, match="to_dense"):
            svdkit.kron_factors(svdkit.operators.Dense(a), self.SHAPES)
        assert not svdkit.kron_factors(np.zeros((24, 12)), self.SHAPES, 2, method="nested").to_dense().any()
        assert not svdkit.kron_factors(np.zeros((24, 12)), self.SHAPES, 2).to_dense().any()
