"""rsvd: accuracy for the reads of A, hard spectra, fixed precision, sketches, estimates of the error."""

import itertools
import pickle

import numpy as np
import pytest
import scipy.sparse
import svdkit
from reference import DTYPES, orthonormal, random_sparse, with_spectrum
from svdkit import _core, operators, rank

SLOW = np.arange(1, 201) ** -0.5
FAST = np.arange(1, 201) ** -2.0


def excess(A, result):
    """Frobenius error beyond the optimum, relative."""
    tail = np.linalg.norm(np.linalg.svd(A, compute_uv=False)[result.rank :])
    return np.linalg.norm(A - result.reconstruct()) / tail - 1


def orthogonality(X):
    return np.abs(X.conj().T @ X - np.eye(X.shape[1])).max()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(400, 250), (250, 400)])
def test_residuals_are_measured_and_vectors_orthonormal(rng, dtype, shape):
    A = with_spectrum(rng, *shape, SLOW, dtype)
    result = svdkit.rsvd(A, 20)
    eps = np.finfo(dtype).eps
    assert orthogonality(result.U) < 100 * eps and orthogonality(result.Vh.conj().T) < 100 * eps
    left = np.linalg.norm(A @ result.Vh.conj().T - result.U * result.s, axis=0)
    right = np.linalg.norm(A.conj().T @ result.U - result.Vh.conj().T * result.s, axis=0)
    np.testing.assert_allclose(result.report.residuals, np.maximum(left, right), atol=200 * eps)
    assert excess(A, result) < 2e-3
    assert np.all(result.s <= np.linalg.svd(A, compute_uv=False)[:20] * (1 + 100 * eps))


def test_more_reads_are_more_accurate(rng):
    A = with_spectrum(rng, 500, 300, SLOW)
    found = [svdkit.rsvd(A, 15, passes=passes) for passes in (2, 3, 4, 6)]
    assert [r.report.passes for r in found] == [2, 3, 4, 6]
    errors = [excess(A, r) for r in found]
    assert all(a > b for a, b in itertools.pairwise(errors)) and errors[-1] < 1e-4
    by_power = svdkit.rsvd(A, 15, power_iterations=2)
    np.testing.assert_array_equal(by_power.s, found[1].s)


def test_narrow_blocks_need_fewer_vectors(rng):
    A = with_spectrum(rng, 500, 300, SLOW)
    wide = svdkit.rsvd(A, 30, passes=2, oversample=10)
    narrow = svdkit.rsvd(A, 30, passes=8, block_size=8)  # 64 vectors in all, not 80
    assert narrow.report.passes == 8 and excess(A, narrow) < excess(A, wide)
    few = svdkit.rsvd(A, 30, passes=4, block_size=1)  # raised to 8, which make 30
    assert few.rank == 30 and few.report.passes == 4 and orthogonality(few.U) < 1e-13
    for result in (narrow, few):
        left = np.linalg.norm(A @ result.Vh.T - result.U * result.s, axis=0)
        right = np.linalg.norm(A.T @ result.U - result.Vh.T * result.s, axis=0)
        assert np.all(result.report.residuals >= np.maximum(left, right) * 0.99 - 1e-14)


@pytest.mark.parametrize(("n", "dtype"), [(2_000, "float64"), (60_000, "float64"), (60_000, "complex64")])
def test_blocks_are_kept_only_where_memory_allows(n, dtype):
    # 60 000 x 72 numbers are 35 MB a block, against a matrix of 1 MB: power iterations; 2 000 x 72: block Krylov
    values = np.sort(np.exp(-np.arange(n) / 20))[::-1].astype(dtype)
    A = scipy.sparse.diags_array(values).tocsr()
    result = svdkit.rsvd(A, 60, passes=6)
    eps = np.finfo(dtype).eps
    assert orthogonality(result.U) < 100 * eps and orthogonality(result.Vh.conj().T) < 100 * eps
    assert result.report.passes == 6
    # sigma_(k+l)/sigma_k = 1/2 for the iterates of the power method, 4 of them
    np.testing.assert_allclose(result.s, values[:60].real, rtol=1e-3)
    assert np.all(result.s <= values[:60].real * (1 + 100 * eps))


@pytest.mark.parametrize("passes", [2, 3, 5])
def test_steep_spectra_keep_to_the_budget(rng, passes):
    A = with_spectrum(rng, 300, 200, 10.0 ** -np.arange(0, 20, 0.1))
    result = svdkit.rsvd(A, 150, passes=passes)
    assert result.report.passes == passes
    right = np.linalg.norm(A.T @ result.U - result.Vh.T * result.s, axis=0)
    assert np.all(result.report.residuals >= right * (1 - 1e-6) - 1e-15)  # bounds where A is not read again
    assert orthogonality(result.U) < 1e-13 and orthogonality(result.Vh.T) < 1e-13
    assert np.all(result.report.residuals[:100] < 1e-4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("decay", [0.9, 0.5])
@pytest.mark.parametrize("options", [{}, {"passes": 3}, {"passes": 4}])
def test_residuals_of_small_values_are_no_less_than_true(rng, dtype, decay, options):
    A = with_spectrum(rng, 300, 200, decay ** np.arange(200.0), dtype)
    result = svdkit.rsvd(A, 30, **options)
    wide = A.astype(np.result_type(dtype, np.float64))
    left = np.linalg.norm(wide @ result.Vh.conj().T - result.U * result.s, axis=0)
    right = np.linalg.norm(wide.conj().T @ result.U - result.Vh.conj().T * result.s, axis=0)
    eps = np.finfo(dtype).eps
    assert np.all(result.report.residuals >= np.maximum(left, right) * 0.99 - 20 * eps)
    assert orthogonality(result.U) < 100 * eps and orthogonality(result.Vh.conj().T) < 100 * eps


@pytest.mark.parametrize("passes", [2, 3, 4, 5])
def test_operators_without_fused_products_keep_to_the_budget(rng, passes):
    A = with_spectrum(rng, 200, 150, SLOW[:150])
    calls = []

    def count(product):
        return lambda X: calls.append(1) or product(X)

    linear = operators.Callback(A.shape, count(lambda X: A @ X), count(lambda Y: A.T @ Y), dtype="float64")
    made = len(calls)
    result = svdkit.rsvd(linear, 10, passes=passes)
    assert len(calls) - made == passes and result.report.passes == passes
    assert excess(A, result) < 0.4
    true = np.linalg.norm(A @ result.Vh.T - result.U * result.s, axis=0)
    assert np.all(result.report.residuals >= true * (1 - 1e-9))


def test_the_bound_of_halko_martinsson_and_tropp(rng):
    A, k, p = with_spectrum(rng, 80, 60, 0.8 ** np.arange(60)), 10, 5
    s = np.linalg.svd(A, compute_uv=False)
    tail = np.sqrt(np.sum(s[k:] ** 2))
    fro, spectral = [], []
    for seed in range(200):
        result = svdkit.rsvd(A, k + p, oversample=0, power_iterations=0, rng=seed)
        rest = A - A @ result.Vh.T @ result.Vh
        fro.append(np.linalg.norm(rest))
        spectral.append(np.linalg.norm(rest, 2))
    # V spans the random block itself, that is A A^H to the power 0: compare with a random projection of A's rows.
    assert np.mean(fro) <= np.linalg.norm(A)
    one = []
    for seed in range(200):
        result = svdkit.rsvd(A, k + p, oversample=0, power_iterations=1, rng=seed)
        rest = A - A @ result.Vh.T @ result.Vh
        one.append((np.linalg.norm(rest), np.linalg.norm(rest, 2)))
    mean_fro, mean_spectral = np.mean(one, axis=0)
    assert mean_fro <= np.sqrt(1 + k / (p - 1)) * tail
    assert mean_spectral <= (1 + np.sqrt(k / (p - 1))) * s[k] + np.e * np.sqrt(k + p) / p * tail


@pytest.mark.parametrize("k", [5, 20])
def test_graded_spectrum(rng, k):
    values = 10.0 ** (-np.arange(200) / 5)
    A = with_spectrum(rng, 300, 200, values)
    result = svdkit.rsvd(A, k)
    assert orthogonality(result.U) < 1e-13 and orthogonality(result.Vh.T) < 1e-13
    assert np.abs(result.s - values[:k]).max() < 1e-14
    squares = np.linalg.norm(A.T @ result.U, axis=0) ** 2
    assert np.abs(values[:k] ** 2 - squares).max() <= 2e-2 * values[k] ** 2 + 1e-15


def test_exactly_low_rank(rng):
    A = with_spectrum(rng, 120, 90, [5.0, 4.0, 3.0, 2.0, 1.0])
    result = svdkit.rsvd(A, 10)
    assert np.linalg.norm(A - result.reconstruct()) < 50 * np.finfo(float).eps * 5
    assert orthogonality(result.U) < 1e-13 and result.report.iterations < 8


@pytest.mark.parametrize("sketch", ["gaussian", "sparse", "srht"])
def test_sketches(rng, sketch):
    A = with_spectrum(rng, 300, 200, FAST)
    result = svdkit.rsvd(A, 10, sketch=sketch)
    assert excess(A, result) < 1e-3
    again = svdkit.rsvd(A, 10, sketch=sketch, threads=3)
    assert all(np.array_equal(a, b) for a, b in zip(result, again, strict=True))


@pytest.mark.parametrize(
    "form", [np.ascontiguousarray, np.asfortranarray, scipy.sparse.csr_array, scipy.sparse.csc_array]
)
@pytest.mark.parametrize("options", [{}, {"passes": 2}, {"passes": 5}, {"passes": 1}, {"passes": 5, "block_size": 8}])
def test_the_number_of_threads_changes_no_bit(rng, form, options):
    A = form(with_spectrum(rng, 900, 600, np.arange(1, 601) ** -0.5))
    one = svdkit.rsvd(A, 20, threads=1, **options)
    for threads in (2, 3, 8):
        again = svdkit.rsvd(A, 20, threads=threads, **options)
        assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))


def test_test_matrices():
    sparse = np.empty((500, 40))
    _core.OperatorF64.fill_sparse_sign(sparse, 3)
    assert np.all(np.count_nonzero(sparse, axis=1) == 8) and set(np.unique(sparse)) == {-1.0, 0.0, 1.0}
    assert np.abs(sparse.sum()) < 5 * np.sqrt(4000)
    assert np.abs(np.count_nonzero(sparse, axis=0) - 100).max() < 50
    part = np.empty((100, 40))
    _core.OperatorF64.fill_sparse_sign(part, 3, 250)
    np.testing.assert_array_equal(part, sparse[250:350])
    hadamard = np.empty((256, 30))
    _core.OperatorF64.fill_hadamard(hadamard, 3)
    np.testing.assert_allclose(hadamard.T @ hadamard, 256 * np.eye(30), atol=1e-9)


@pytest.mark.parametrize("tol", [0.5, 0.1, 1e-2, 1e-4])
def test_fixed_precision(rng, tol):
    A = with_spectrum(rng, 200, 150, 0.9 ** np.arange(150))
    s = np.linalg.svd(A, compute_uv=False)
    result = svdkit.rsvd(A, tol=tol)
    tails = np.sqrt(np.append(np.cumsum(s[::-1] ** 2)[::-1], 0))
    assert result.rank == np.flatnonzero(tails <= tol * tails[0])[0]
    assert np.linalg.norm(A - result.reconstruct()) <= tol * np.linalg.norm(A) * (1 + 1e-6)
    spectral = svdkit.rsvd(A, tol=tol, norm="spectral")
    assert spectral.rank == np.count_nonzero(s > tol * s[0])
    assert np.linalg.norm(A - spectral.reconstruct(), 2) <= tol * s[0] * (1 + 1e-3)


def test_fixed_precision_below_the_cancellation_of_the_energy(rng):
    A = with_spectrum(rng, 90, 60, 10.0 ** -np.arange(12.0))
    result = svdkit.rsvd(A, tol=3e-9)
    assert result.rank == 9
    assert np.linalg.norm(A - result.reconstruct()) <= 3e-9 * np.linalg.norm(A)


def test_error_estimates(rng):
    A = with_spectrum(rng, 250, 180, SLOW[:180])
    result = svdkit.rsvd(A, 12)
    rest = A - result.reconstruct()
    assert result.error_estimate("fro", 100) == pytest.approx(np.linalg.norm(rest), rel=0.15)
    lower, upper = result.error_estimate("spectral")
    assert 0.8 * np.linalg.norm(rest, 2) <= lower <= np.linalg.norm(rest, 2) * (1 + 1e-10) <= upper
    assert result.error_estimate() == result.error_estimate()
    copy = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(copy.s, result.s)


def test_the_upper_estimate_fails_as_rarely_as_stated(rng):
    A = with_spectrum(rng, 30, 20, FAST[:20])
    result = svdkit.rsvd(A, 2, oversample=2)
    true = np.linalg.norm(A - result.reconstruct(), 2)
    failures = sum(result.error_estimate("spectral", 1, rng=seed)[1] < true for seed in range(400))
    assert failures <= 0.1 * 400 * 1.5


def test_center_sparse_rules_and_extremes(rng):
    A = with_spectrum(rng, 150, 100, FAST[:100]) + np.arange(100.0)
    centred = A - A.mean(axis=0)
    np.testing.assert_allclose(
        svdkit.rsvd(A, 3, center=True).s, np.linalg.svd(centred, compute_uv=False)[:3], rtol=1e-6
    )
    S = random_sparse(rng, 300, 200, 0.05)
    assert excess(S.toarray(), svdkit.rsvd(S, 10)) < 1e-2
    assert excess(S.toarray(), svdkit.rsvd(scipy.sparse.csc_array(S), 10)) < 1e-2
    assert svdkit.rsvd(with_spectrum(rng, 90, 80, 0.5 ** np.arange(80)), rank.Tolerance(1e-3)).rank == 10
    B = with_spectrum(rng, 60, 50, FAST[:50])
    for scale in (1e-300, 1e300):
        np.testing.assert_allclose(svdkit.rsvd(B * scale, 4).s, svdkit.rsvd(B, 4).s * scale, rtol=1e-9)
    assert not svdkit.rsvd(np.zeros((20, 10)), 3).s.any()
    np.testing.assert_allclose(svdkit.rsvd(np.full((1, 7), 2.0), 1).s, [np.sqrt(28)])
    np.testing.assert_allclose(svdkit.rsvd(B, 50).s, np.linalg.svd(B, compute_uv=False), atol=1e-14)
    assert svdkit.rsvd(np.empty((0, 4)), 0).rank == 0


def test_callback_and_time_limit_stop(rng):
    A = with_spectrum(rng, 300, 200, SLOW)
    seen = []
    with pytest.warns(svdkit.ConvergenceWarning, match="stopped"):
        result = svdkit.rsvd(A, 5, power_iterations=20, callback=lambda info: seen.append(info) or len(seen) == 3)
    assert result.report.iterations == 3 and orthogonality(result.U) < 1e-13


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"k": None}, ValueError, "tol"),
        ({"k": 3, "tol": 0.1}, ValueError, "only one"),
        ({"k": None, "tol": 2.0}, ValueError, "tol"),
        ({"k": None, "tol": 0.1, "norm": "nuc"}, ValueError, "norm"),
        ({"k": 0}, ValueError, "k = 0"),
        ({"k": 99}, ValueError, "k = 99"),
        ({"k": 3, "oversample": -1}, ValueError, "oversample"),
        ({"k": 3, "power_iterations": -2}, ValueError, "power_iterations"),
        ({"k": 3, "power_iterations": 1.5}, TypeError, "power_iterations"),
        ({"k": 3, "passes": 0}, ValueError, "passes"),
        ({"k": 3, "block_size": 0}, ValueError, "block_size"),
        ({"k": 3, "sketch": "fft"}, ValueError, "sketch"),
        ({"k": 3, "passes": 1, "center": True}, ValueError, "passes"),
    ],
)
def test_bad_input(options, error, message):
    with pytest.raises(error, match=message):
        svdkit.rsvd(np.eye(8), **options)


def test_nan_is_found():
    A = np.eye(8)
    A[2, 3] = np.nan
    with pytest.raises(ValueError, match=r"A\[2, 3\]"):
        svdkit.rsvd(A, 2)


def test_nystrom(rng):
    Q = orthonormal(rng, 100, 100)
    values = 0.7 ** np.arange(100)
    A = (Q * values) @ Q.T
    for form in (A, scipy.sparse.csr_array(A), operators.Dense(A), A.astype("float32")):
        result = svdkit.nystrom(form, 8)
        eps = np.finfo(result.s.dtype).eps
        rest = np.linalg.eigvalsh(A - result.reconstruct())
        assert rest[0] >= -100 * eps and np.linalg.norm(rest, 1) <= 3 * values[8:].sum()
        assert np.all(result.s <= values[:8] + 100 * eps) and orthogonality(result.U) < 100 * eps
    assert np.all(svdkit.nystrom(A, 8).report.residuals >= rest[-1])
    exact = (Q[:, :4] * values[:4]) @ Q[:, :4].T
    np.testing.assert_allclose(svdkit.nystrom(exact, 6).reconstruct(), exact, atol=1e-13)
    assert not svdkit.nystrom(np.zeros((5, 5)), 2).s.any()
    np.testing.assert_allclose(svdkit.nystrom(A * 1e200, 3).s, svdkit.nystrom(A, 3).s * 1e200, rtol=1e-9)
    with pytest.raises(ValueError, match="semidefinite"):
        svdkit.nystrom(-A, 3)
    with pytest.raises(ValueError, match="square"):
        svdkit.nystrom(np.ones((3, 4)), 1)


@pytest.mark.parametrize("index", ["lu", "leverage", "random", "leading"])
def test_rectangular_nystrom(rng, index):
    A = with_spectrum(rng, 80, 60, np.ones(6))
    for form in (A, scipy.sparse.csr_array(A)):
        C, M, R = svdkit.rectangular_nystrom(form, 8, index=index)
        assert C.shape == (80, 8) and M.shape == (8, 12) and R.shape == (12, 60)
        np.testing.assert_allclose(C @ M @ R, A, atol=1e-9)
    with pytest.raises(TypeError, match="operator"):
        svdkit.rectangular_nystrom(operators.Dense(A), 3)


def test_pivots_beat_the_leading_block(rng):
    A = with_spectrum(rng, 100, 80, 0.6 ** np.arange(80))
    A[:30] = A[:1]  # the first rows are all alike
    errors = {}
    for index in ("lu", "leading"):
        C, M, R = svdkit.rectangular_nystrom(A, 10, index=index)
        errors[index] = np.linalg.norm(A - C @ M @ R)
    assert errors["lu"] < 0.1 * errors["leading"]
