"""The options of tsvd: block size, passes, rng, centring, scaling, warm start."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import (
    DTYPES,
    accuracy,
    check_svd,
    orthonormal,
    random_matrix,
    random_sparse,
    same_bits,
    sine_of_angle,
    with_spectrum,
)


@pytest.fixture
def slow(rng):
    """A matrix that takes several restarts."""
    return with_spectrum(rng, 320, 260, np.linspace(1, 0.2, 260) ** 2)


class TestBlockSize:
    @pytest.mark.parametrize("block_size", [1, 2, 3, 4, 5, 8, 12, 16, 32, 64])
    def test_any_block_size_gives_the_answer(self, block_size, slow):
        check_svd(slow, svdkit.tsvd(slow, 6, method="lanczos", block_size=block_size), 6)

    def test_larger_than_the_matrix(self, rng):
        a = rng.standard_normal((20, 12))
        check_svd(a, svdkit.tsvd(a, 3, method="lanczos", block_size=50), 3)

    def test_is_the_width_of_the_products(self, slow):
        widths = set()

        def matmat(x):
            widths.add(x.shape[1])
            return slow @ x

        op = svdkit.operators.Callback(slow.shape, matmat, lambda y: slow.T @ y, dtype="float64")
        svdkit.tsvd(op, 6, method="lanczos", block_size=4)
        assert 4 in widths


class TestMaxPasses:
    @pytest.mark.parametrize("max_passes", [4, 10, 25])
    def test_is_never_exceeded(self, max_passes, slow):
        with pytest.warns(svdkit.ConvergenceWarning):
            result = svdkit.tsvd(slow, 20, method="lanczos", max_passes=max_passes)
        assert 0 < result.report.passes <= max_passes
        assert not result.report.converged

    def test_generous_limit_changes_nothing(self, slow):
        plain = svdkit.tsvd(slow, 6, method="lanczos")
        assert same_bits(plain, svdkit.tsvd(slow, 6, method="lanczos", max_passes=100_000))


class TestRng:
    def test_another_start_gives_the_same_answer(self, slow):
        results = [svdkit.tsvd(slow, 6, method="lanczos", rng=seed) for seed in (0, 1, 2**40)]
        assert [r.report.seed for r in results] == [0, 1, 2**40]
        for result in results[1:]:
            assert not same_bits(results[0], result)
            np.testing.assert_allclose(result.s, results[0].s, rtol=1e-12)
            assert sine_of_angle(result.U, results[0].U) <= 1e-7

    def test_default_is_zero(self, slow):
        assert same_bits(svdkit.tsvd(slow, 3, method="lanczos"), svdkit.tsvd(slow, 3, method="lanczos", rng=0))

    @pytest.mark.parametrize("make", [np.random.default_rng, np.random.SeedSequence])
    def test_equal_generators_give_equal_bits(self, make, slow):
        one, other = (svdkit.tsvd(slow, 3, method="lanczos", rng=make(7)) for _ in range(2))
        assert same_bits(one, other) and one.report.seed == other.report.seed

    def test_generator_moves_on(self, slow):
        generator = np.random.default_rng(7)
        seeds = {svdkit.tsvd(slow, 3, method="lanczos", rng=generator).report.seed for _ in range(3)}
        assert len(seeds) == 3

    def test_none_is_fresh(self, slow):
        seeds = {svdkit.tsvd(slow, 3, method="lanczos", rng=None).report.seed for _ in range(3)}
        assert len(seeds) == 3

    def test_numpy_global_state_is_untouched(self, slow):
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        svdkit.tsvd(slow, 3, rng=None)
        np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


class TestCenter:
    @pytest.mark.parametrize("form", ["dense", "columns", "csr", "csc", "operator"])
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_equals_explicit_centring(self, dtype, form, rng):
        a = random_sparse(rng, 220, 90, 0.1, dtype)
        shifted = a.toarray() + (3 if form in ("dense", "columns") else 0)
        explicit = shifted - shifted.mean(axis=0, dtype=np.result_type(dtype, np.float64))
        given = {
            "dense": lambda: shifted.astype(dtype),
            "columns": lambda: np.asfortranarray(shifted.astype(dtype)),
            "csr": lambda: a,
            "csc": lambda: a.tocsc(),
            "operator": lambda: sp.linalg.aslinearoperator(a),
        }[form]()
        for method in ("lanczos", "auto"):
            result = svdkit.tsvd(given, 5, center=True, method=method)
            assert result.dtype == np.dtype(dtype)
            slack = 10 if form in ("dense", "columns") else 1  # the mean is larger than the rest
            promised = accuracy(dtype)
            check_svd(explicit, result, 5, tol=slack * promised.residual, value_tol=slack * promised.value)

    def test_large_sparse_stays_sparse(self, rng):
        a = random_sparse(rng, 40_000, 8_000, 1e-4)
        result = svdkit.tsvd(a, 3, center=True)
        assert result.report.peak_bytes < 0.1 * 40_000 * 8_000 * 8
        rows = np.full(40_000, 1 / 200)
        assert np.abs(rows @ result.U).max() <= 1e-8  # left vectors of a centred matrix sum to zero

    def test_constant_columns_vanish(self):
        a = np.tile(np.arange(1.0, 8.0), (30, 1))
        result = svdkit.tsvd(a, 2, center=True)
        assert np.all(result.s <= 1e-12) and result.report.converged

    def test_given_offsets(self, rng):
        a, offsets = rng.standard_normal((60, 30)), rng.standard_normal(30)
        check_svd(a - offsets, svdkit.tsvd(a, 4, center=offsets), 4)


class TestScale:
    @pytest.mark.parametrize("form", ["dense", "csr", "csc"])
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_divides_columns(self, dtype, form, rng):
        a, scale = random_sparse(rng, 120, 60, 0.2, dtype), rng.uniform(0.5, 3, 60)
        given = a.toarray() if form == "dense" else a.asformat(form)
        result = svdkit.tsvd(given, 5, scale=scale)
        check_svd(a.toarray() / scale, result, 5, value_tol=10 * accuracy(dtype).value)

    def test_after_centring(self, rng):
        a, scale = rng.standard_normal((120, 60)) + 1, rng.uniform(0.5, 3, 60)
        check_svd((a - a.mean(axis=0)) / scale, svdkit.tsvd(a, 5, center=True, scale=scale), 5)


class TestWarmStart:
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_saves_passes(self, dtype, rng):
        a = with_spectrum(rng, 500, 400, np.arange(1, 401) ** -0.5, dtype)
        cold = svdkit.tsvd(a, 8, method="lanczos")
        noise = random_matrix(rng, 500, 400, dtype) * np.asarray(1e-6, np.finfo(dtype).dtype)
        nearby = (a + noise).astype(dtype)
        warm = svdkit.tsvd(nearby, 8, method="lanczos", warm_start=cold)
        check_svd(nearby, warm, 8)
        assert warm.report.passes < cold.report.passes

    def test_forms(self, rng):
        """A result, its three arrays, or right vectors as columns: all of them or a few."""
        a = with_spectrum(rng, 300, 200, np.arange(1, 201) ** -0.5)
        cold = svdkit.tsvd(a, 8, method="lanczos")
        for start in (cold, tuple(cold), cold.Vh.T, np.asfortranarray(cold.Vh.T)):
            warm = svdkit.tsvd(a, 8, method="lanczos", warm_start=start)
            check_svd(a, warm, 8)
            assert warm.report.passes < cold.report.passes
        part = svdkit.tsvd(a, 8, method="lanczos", warm_start=cold.Vh[:3].T)
        check_svd(a, part, 8)

    def test_far_from_the_answer_multiplies_no_more_vectors_than_none(self, rng):
        a = with_spectrum(rng, 400, 300, np.arange(1, 301) ** -0.5)
        near = a + 0.003 * rng.standard_normal(a.shape)
        multiplied = []

        def counted(product):
            return lambda X: multiplied.append(X.shape[1]) or product(X)

        def vectors(start):
            linear = svdkit.operators.Callback(a.shape, counted(a.__matmul__), counted(a.T.__matmul__), dtype="float64")
            multiplied.clear()
            check_svd(a, svdkit.tsvd(linear, 32, method="lanczos", warm_start=start), 32)
            return sum(multiplied)

        assert vectors(svdkit.tsvd(near, 32)) <= 1.1 * vectors(None)

    @pytest.mark.parametrize("start", ["random", "dependent", "zero", "orthogonal", "many"])
    def test_poor_start_still_gives_the_answer(self, start, rng):
        a = with_spectrum(rng, 300, 200, np.arange(1, 201) ** -0.5)
        v = np.linalg.svd(a)[2].T
        given = {
            "random": orthonormal(rng, 200, 5),
            "dependent": np.ones((200, 4)),
            "zero": np.zeros((200, 3)),
            "orthogonal": v[:, 100:108],  # to every wanted vector
            "many": orthonormal(rng, 200, 60),
        }[start]
        check_svd(a, svdkit.tsvd(a, 8, method="lanczos", warm_start=given), 8)

    def test_is_not_written_to(self, rng):
        a = rng.standard_normal((80, 60))
        start = rng.standard_normal((60, 3))
        before = start.tobytes()
        svdkit.tsvd(a, 3, method="lanczos", warm_start=start)
        assert start.tobytes() == before
