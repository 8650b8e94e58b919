"""Structured, weighted and padded Kronecker approximations, and the choice of shapes (K5, K9)."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit


def values(a, left, right):
    (m1, n1), (m2, n2) = left, right
    R = a.reshape(m1, m2, n1, n2).transpose(0, 2, 1, 3).reshape(m1 * n1, m2 * n2)
    return np.linalg.svd(R, compute_uv=False)


def spd(rng, n, dtype="float64"):
    x = rng.standard_normal((n, 2 * n))
    if np.dtype(dtype).kind == "c":
        x = x + 1j * rng.standard_normal((n, 2 * n))
    return (x @ x.conj().T / n).astype(dtype)


class TestSymmetric:
    def test_the_spectrum_is_that_of_symmetric_and_skew_pairs(self, rng):
        a = rng.standard_normal((30, 30))
        a = a + a.T
        s = values(a, (5, 5), (6, 6))
        K = svdkit.kron_svd(a, (5, 5), (6, 6), 15, structure="symmetric")
        for stack in (K.left, K.right):
            np.testing.assert_array_equal(stack, stack.swapaxes(1, 2))
        rest = s[:, None] - K.s
        assert np.abs(rest).min(axis=0).max() <= 1e-12 * s[0]  # each is one of them
        skew = np.sqrt(np.sum(s**2) - np.sum(K.s**2))
        R = a.reshape(5, 6, 5, 6).transpose(0, 2, 1, 3)
        np.testing.assert_allclose(skew, np.linalg.norm(R - R.swapaxes(0, 1)) / 2, rtol=1e-10)

    def test_skew_times_skew_is_symmetric_and_the_restriction_finds_nothing(self):
        k = np.array([[0.0, 1.0], [-1.0, 0.0]])
        a = np.kron(k, k)
        np.testing.assert_allclose(svdkit.kron_svd(a, (2, 2), (2, 2)).to_dense(), a, atol=1e-15)
        assert svdkit.kron_svd(a, (2, 2), (2, 2), structure="symmetric").s[0] <= 1e-15

    def test_the_best_with_symmetric_factors_of_any_matrix(self, rng):
        a = rng.standard_normal((30, 30))
        K = svdkit.kron_svd(a, (5, 5), (6, 6), structure="symmetric")
        best = np.linalg.norm(a - K.to_dense())
        for _ in range(50):
            b, c = K.left[0] + 1e-3 * rng.standard_normal((5, 5)), K.right[0] + 1e-3 * rng.standard_normal((6, 6))
            assert np.linalg.norm(a - K.s[0] * np.kron(b + b.T, c + c.T) / 4) > best


class TestCones:
    @pytest.mark.parametrize("dtype", ["float64", "complex128"])
    def test_semidefinite_one_term_is_the_optimum(self, dtype, rng):
        a = spd(rng, 30, dtype)
        K = svdkit.kron_svd(a, (5, 5), (6, 6), structure="psd")
        np.testing.assert_allclose(K.s[0], values(a, (5, 5), (6, 6))[0], rtol=1e-12)
        assert min(np.linalg.eigvalsh(f).min() for f in (K.left[0], K.right[0])) >= -1e-15
        assert K.left[0].trace().real > 0 and not any("need not be" in note for note in K.report.notes)

    def test_the_plain_leading_pair_of_a_semidefinite_matrix_is_semidefinite(self, rng):
        K = svdkit.kron_svd(spd(rng, 30), (5, 5), (6, 6), 2)
        assert min(np.linalg.eigvalsh(f[0]).min() for f in (K.left, K.right)) > 0
        assert np.linalg.eigvalsh(K.left[1]).min() < 0  # and later ones are not

    @pytest.mark.parametrize("cone", ["psd", "nonneg"])
    def test_more_terms_and_other_matrices_say_so(self, cone, rng):
        a = rng.standard_normal((30, 30))
        a = a + a.T
        K = svdkit.kron_svd(a, (5, 5), (6, 6), 3, structure=cone)
        inside = K.left.min() >= 0 if cone == "nonneg" else np.linalg.eigvalsh(K.left).min() >= -1e-14
        assert inside and any("need not be the best" in note for note in K.report.notes)
        errors = [np.linalg.norm(a)]
        errors += [
            np.linalg.norm(a - svdkit.kron_svd(a, (5, 5), (6, 6), k, structure=cone).to_dense()) for k in (1, 2, 3)
        ]
        assert np.all(np.diff(errors) < 0)
        assert abs(K.error - errors[-1]) <= 1e-10 * errors[0]
        b = K.truncate(1)  # stationary: no step inside the cone along the gradient helps
        R = (a - b.to_dense()).reshape(5, 6, 5, 6)
        gradient = np.einsum("ikjl,kl->ij", R, b.right[0])
        if cone == "nonneg":
            assert gradient.max() <= 1e-6 * K.s[0]

    def test_nonnegative_one_term_is_the_optimum(self, rng):
        a = rng.random((20, 21))
        K = svdkit.kron_svd(a, (4, 3), (5, 7), structure="nonneg")
        np.testing.assert_allclose(K.s[0], values(a, (4, 3), (5, 7))[0], rtol=1e-12)
        assert K.left.min() >= 0 and K.right.min() >= 0

    def test_negative_matrices_have_no_nonnegative_part(self):
        K = svdkit.kron_svd(-np.ones((6, 6)), (2, 2), (3, 3), structure="nonneg")
        assert K.s[0] == 0 and not K.to_dense().any()
        with pytest.raises(TypeError, match="integer"):
            svdkit.kron_svd(np.ones((6, 6)), (2, 2), (3, 3), svdkit.rank.Energy(0.9), structure="psd")


class TestMetrics:
    @pytest.mark.parametrize("dtype", ["float64", "complex128", "float32"])
    def test_the_value_is_the_tail(self, dtype, rng):
        left, right = (4, 3), (5, 6)
        a = rng.standard_normal((20, 18)).astype(dtype)
        if np.dtype(dtype).kind == "c":
            a = a + 1j * rng.standard_normal(a.shape)
        M1, M2, N1, N2 = (spd(rng, n, dtype) for n in (4, 5, 3, 6))
        K = svdkit.kron_svd(a, left, right, 2, row_metric=(M1, M2), col_metric=(N1, N2))
        L, C = np.linalg.cholesky(np.kron(M1, M2)), np.linalg.cholesky(np.kron(N1, N2))
        s = values(L.conj().T @ a @ C, left, right)
        tight = 1e-4 if dtype == "float32" else 1e-11
        np.testing.assert_allclose(K.s, s[:2], rtol=tight)
        value = np.linalg.norm(L.conj().T @ (a - K.to_dense()) @ C)
        np.testing.assert_allclose(value, np.sqrt(np.sum(s[2:] ** 2)), rtol=tight)
        weighted = M1 @ K.left @ N1
        inner = np.einsum("kij,lij->kl", K.left.conj(), weighted)
        np.testing.assert_allclose(inner, np.eye(2), atol=10 * tight)

    def test_weights_and_sparse_matrices(self, rng):
        a = sp.random_array((20, 18), density=0.3, rng=rng, format="csr")
        r1, c2 = rng.random(4) + 0.5, rng.random(6) + 0.5
        K = svdkit.kron_svd(a, (4, 3), (5, 6), 2, row_metric=(r1, None), col_metric=(None, c2))
        scaled = np.sqrt(np.kron(r1, np.ones(5)))[:, None] * a.toarray() * np.sqrt(np.kron(np.ones(3), c2))
        np.testing.assert_allclose(K.s, values(scaled, (4, 3), (5, 6))[:2], rtol=1e-10)

    def test_nonsense(self, rng):
        a = rng.standard_normal((20, 18))
        for bad, match in (
            ((np.ones(3), None), r"row_metric\[0\] has shape"),
            ((np.zeros(4), None), "must be positive"),
            ((-np.eye(4), None), "positive definite"),
            ((np.triu(np.ones((4, 4))), None), "symmetric"),
        ):
            with pytest.raises(ValueError, match=match):
                svdkit.kron_svd(a, (4, 3), (5, 6), row_metric=bad)
        with pytest.raises(TypeError, match="pair"):
            svdkit.kron_svd(a, (4, 3), (5, 6), row_metric=np.ones(4))


class TestPadding:
    def test_steps_never_raise_the_error_and_zeros_are_worse(self, rng):
        """K9, on a smooth matrix of 31 x 29."""
        x, y = np.linspace(0, 3, 31), np.linspace(0, 2, 29)
        a = np.sin(np.add.outer(x, y)) + np.cos(np.multiply.outer(x, y)) + 0.05 * rng.standard_normal((31, 29))
        zeros = np.pad(a, ((0, 1), (0, 1)))
        for k in (1, 2, 4):
            errors = []
            for steps in (0, 1, 2, 5, 10, 40):
                K = svdkit.kron_svd(a, (4, 5), (8, 6), k, em_steps=steps)
                assert K.shape == (31, 29) and K.to_dense().shape == (31, 29)
                errors.append(np.linalg.norm(a - K.to_dense()))
            assert np.all(np.diff(errors) <= 1e-10)
            naive = svdkit.kron_svd(zeros, (4, 5), (8, 6), k).to_dense()[:31, :29]
            assert errors[4] < np.linalg.norm(a - naive)
            assert "weight zero" in K.report.notes[-1]

    def test_an_exact_sum_is_completed(self, rng):
        whole = sum(np.kron(rng.random((4, 5)), rng.random((8, 6))) for _ in range(1))
        K = svdkit.kron_svd(whole[:31, :29], (4, 5), (8, 6), em_steps=200)
        np.testing.assert_allclose(K.to_dense(), whole[:31, :29], rtol=1e-6)

    def test_sparse(self, rng):
        a = sp.random_array((31, 29), density=0.2, rng=rng, format="csr")
        K, dense = (svdkit.kron_svd(given, (4, 5), (8, 6), 2) for given in (a, a.toarray()))
        np.testing.assert_allclose(K.to_dense(), dense.to_dense(), atol=1e-10)
        only_rows = svdkit.kron_svd(a[:, :24], (4, 4), (8, 6), 2)
        assert only_rows.shape == (31, 24)

    def test_products_leave_out_what_was_added(self, rng):
        a = rng.standard_normal((31, 29))
        K = svdkit.kron_svd(a, (4, 5), (8, 6), 3)
        dense, x, y = K.to_dense(), rng.standard_normal((29, 3)), rng.standard_normal((2, 31))
        np.testing.assert_allclose(K @ x, dense @ x, atol=1e-12)
        np.testing.assert_allclose(y @ K, y @ dense, atol=1e-12)
        np.testing.assert_allclose(K.T @ y.T, dense.T @ y.T, atol=1e-12)
        np.testing.assert_allclose(K.norm_fro(), np.linalg.norm(dense))
        assert K.T.shape == (29, 31)
        with pytest.raises(ValueError, match="padding"):
            K.truncate(1).svd()


def test_one_time_limit_for_all_steps(rng):
    a = rng.standard_normal((60, 60))
    for arguments in (((7, 9), (9, 7), 3), ((10, 10), (6, 6), 5)):
        structure = "psd" if arguments[0][0] == 10 else None
        with pytest.warns(svdkit.ConvergenceWarning):
            K = svdkit.kron_svd(a, *arguments, structure=structure, time_limit=1e-9, method="lanczos", em_steps=10**9)
        assert K.shape == (60, 60) and any("time limit" in note for note in K.report.notes)


class TestAuto:
    def budget(self, a):
        return svdkit.kron_svd(a, "auto", budget=0.1)

    def test_products_are_found(self, rng):
        b, c = rng.standard_normal((8, 8)), rng.standard_normal((8, 8))
        a = np.kron(b, c) + 0.01 * rng.standard_normal((64, 64))
        K = self.budget(a)
        assert (K.left_shape, K.right_shape) == ((8, 8), (8, 8)) and K.candidates.verdict == "kronecker"
        assert "Kronecker structure" in K.report.notes[-1]
        assert K.parameters <= 409 and np.linalg.norm(a - K.to_dense()) <= 0.02 * np.linalg.norm(a)

    def test_low_rank_is_not_kronecker(self, rng):
        a = rng.standard_normal((64, 3)) @ rng.standard_normal((3, 64)) + 0.01 * rng.standard_normal((64, 64))
        K = self.budget(a)
        assert K.is_low_rank and K.candidates.verdict == "low rank" and K.rank == 3
        assert "not Kronecker" in K.report.notes[-1]

    def test_noise_is_neither(self, rng):
        assert self.budget(rng.standard_normal((64, 64))).candidates.verdict == "noise"

    def test_covariance(self):
        t = np.linspace(0, 1, 8)
        e = np.exp(-np.abs(np.subtract.outer(t, t)))
        K = self.budget(np.kron(e, e))
        assert K.candidates.verdict == "kronecker" and K.candidates.best.error <= 1e-6

    def test_the_table(self, rng):
        a = rng.standard_normal((24, 36))
        table = svdkit.kron_svd(a, "auto", k=2).candidates
        errors = [row.error for row in table]
        assert errors == sorted(errors) and len(table) == len(errors)
        assert any(row.is_low_rank for row in table) and "(SVD)" in repr(table)
        assert all(row.parameters <= table.budget for row in table)
        for row in table:
            s = values(a, row.left, row.right)
            true = np.sqrt(np.sum(s[row.terms :] ** 2) / np.sum(s**2))
            assert row.error >= true - 1e-9 and (not row.exact or row.error <= true + 1e-9)

    def test_nonsense(self, rng):
        a = rng.standard_normal((8, 8))
        for bad in ({"budget": 0}, {"budget": 3}, {"right_shape": (2, 2)}, {"budget": -1.0}):
            with pytest.raises(ValueError, match="budget|right_shape"):
                svdkit.kron_svd(a, "auto", **bad)
        with pytest.raises(TypeError, match="equal parameters"):
            svdkit.kron_svd(a, "auto", k=svdkit.rank.Energy(0.9))
