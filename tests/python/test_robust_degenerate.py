"""Robust SVD of ugly matrices: nothing to see, nothing to fit, extreme scales, odd layouts; and its symmetries."""

import pickle
import warnings

import numpy as np
import pytest
import robust_cases as cases
import svdkit
from reference import orthonormality, same_bits, sine_of_angle, snapshot


def check(result, shape, k):
    m, n = shape
    assert result.U.shape == (m, k) and result.s.shape == (k,) and result.Vh.shape == (k, n)
    assert result.sigma.shape == (k,) and np.all(result.sigma >= 0)
    for x in result:
        assert np.isfinite(x).all()
    assert np.all(result.s >= 0) and np.all(np.diff(result.s) <= 0)
    assert orthonormality(result.U) < 1e-10 and orthonormality(result.Vh.T) < 1e-10
    w = result.weights()
    assert w.shape == shape and np.all((w >= 0) & (w <= 1))


@pytest.mark.parametrize("method", ["joint", "deflation"])
@pytest.mark.parametrize("scale", ["mdpde", "mad", "iqr", 0.5])
@pytest.mark.parametrize(
    ("make", "k"),
    [
        (lambda rng: np.zeros((7, 5)), 2),
        (lambda rng: np.full((7, 5), 3.0), 1),
        (lambda rng: np.full((7, 5), -3.0), 3),
        (lambda rng: rng.standard_normal((1, 9)), 1),
        (lambda rng: rng.standard_normal((9, 1)), 1),
        (lambda rng: np.array([[2.0]]), 1),
        (lambda rng: rng.standard_normal((6, 6)), 6),
        (lambda rng: np.repeat(rng.standard_normal((2, 12)), 5, axis=0), 3),
        (lambda rng: np.eye(8), 2),
        (lambda rng: np.where(rng.random((20, 15)) < 0.1, 1.0, 0.0), 2),
        (lambda rng: np.arange(40).reshape(8, 5), 2),
    ],
)
def test_degenerate(rng, make, k, method, scale):
    A = make(rng)
    before = snapshot(A)
    with warnings.catch_warnings():  # whether pure noise converges is not the question here
        warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
        result = svdkit.robust_svd(A, k, method=method, scale=scale, tol=1e-4)
    check(result, A.shape, k)
    assert snapshot(A) == before


def test_constant_matrix_is_recovered():
    result = svdkit.robust_svd(np.full((7, 5), 3.0), 1)
    np.testing.assert_allclose(result.reconstruct(), 3.0, rtol=1e-9)
    assert not result.outliers().any()


def test_zero_matrix():
    result = svdkit.robust_svd(np.zeros((4, 3)), 2)
    assert not result.s.any() and not result.sigma.any() and result.report.converged
    assert np.all(result.weights() == 1) and not result.outliers().any()


def test_rows_and_columns_of_nan(rng):
    A, L, _ = cases.contaminated(rng, "10% cells", 60, 50, 2)
    A[7], A[:, 3] = np.nan, np.nan
    result = svdkit.robust_svd(A, 2, missing="mask")
    check(result, A.shape, 2)
    assert 7 in result.unsupported_rows and 3 in result.unsupported_cols
    assert not result.weights()[7].any() and not result.outliers()[:, 3].any()
    keep = np.ix_(np.arange(60) != 7, np.arange(50) != 3)
    clean = svdkit.robust_svd(A[keep], 2)
    np.testing.assert_allclose(result.reconstruct()[keep], clean.reconstruct(), atol=1e-4)
    everything = svdkit.robust_svd(np.full((5, 4), np.nan), 1, missing="mask")
    check(everything, (5, 4), 1)


def test_prior_weights(rng):
    A, L, _ = cases.contaminated(rng, "clean", 60, 50, 2)
    seen = rng.random(A.shape) < 0.7
    holes = np.where(seen, A, np.nan)
    masked = svdkit.robust_svd(holes, 2, missing="mask", tol=1e-9)
    for weights in (seen, seen.astype(float), 5.0 * seen):
        result = svdkit.robust_svd(holes, 2, weights=weights, tol=1e-9)
        np.testing.assert_allclose(result.reconstruct(), masked.reconstruct(), atol=1e-6)
        np.testing.assert_allclose(result.sigma, masked.sigma, rtol=1e-6)
        np.testing.assert_array_equal(result.weights() == 0, ~seen)
    bad = A.copy()
    bad[~seen] += 100
    filled = svdkit.robust_svd(bad, 2, weights=seen, tol=1e-9)
    np.testing.assert_allclose(filled.reconstruct(), masked.reconstruct(), atol=1e-6)
    doubled = svdkit.robust_svd(np.vstack([A, A]), 2, tol=1e-9)  # a row twice, or with weight two
    twice = svdkit.robust_svd(A, 2, weights=np.full(A.shape, 2.0), tol=1e-9)
    np.testing.assert_allclose(doubled.reconstruct()[:60], twice.reconstruct(), atol=1e-6)


@pytest.mark.parametrize("rank", [2, 11])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits_for_any_number_of_threads(rng, dtype, rank):
    A, _, _ = cases.contaminated(rng, "10% rows random", 700, 450, rank)
    A = A.astype(dtype)
    A[rng.random(A.shape) < 0.05] = np.nan
    options = {"missing": "mask", "max_iter": 8, "tol": 1e-14, "on_fail": "raise"}
    results = []
    for threads in (1, 4):
        with pytest.raises(svdkit.ConvergenceError) as failure:
            svdkit.robust_svd(A, rank, threads=threads, **options)
        results.append(failure.value.result)
    assert same_bits(results[0], results[1])
    assert same_bits([results[0].sigma, results[0].objective], [results[1].sigma, results[1].objective])


def test_deflation_has_the_same_bits_for_any_number_of_threads(rng):
    A, _, _ = cases.contaminated(rng, "10% cells", 700, 450, 2)
    for scale in ("mdpde", "iqr"):
        one, four = (svdkit.robust_svd(A, 2, method="deflation", scale=scale, threads=t, tol=1e-3) for t in (1, 4))
        assert same_bits(one, four) and same_bits([one.sigma], [four.sigma])


@pytest.mark.parametrize("method", ["joint", "deflation"])
def test_permutation_sign_and_transpose(rng, method):
    A, _, _ = cases.contaminated(rng, "30% both signs", 70, 50, 2)
    one = svdkit.robust_svd(A, 2, method=method, tol=1e-10, max_iter=500)
    rows, cols = rng.permutation(70), rng.permutation(50)
    for B, restore in (
        (A[rows][:, cols], lambda R: R[np.argsort(rows)][:, np.argsort(cols)]),
        (-A, lambda R: -R),
        (np.asfortranarray(A), lambda R: R),
        (np.ascontiguousarray(A.T), lambda R: R.T),
        (A.T, lambda R: R.T),
    )[: 5 if method == "joint" else 3]:  # deflation orthogonalises the right vectors last
        other = svdkit.robust_svd(B, 2, method=method, tol=1e-10, max_iter=500)
        np.testing.assert_allclose(restore(other.reconstruct()), one.reconstruct(), atol=1e-6)
        np.testing.assert_allclose(np.sort(other.s), np.sort(one.s), rtol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("power", [-1, 1])
@pytest.mark.parametrize("init", [False, True])
def test_extreme_scales(rng, dtype, power, init):
    A, _, _ = cases.contaminated(rng, "10% cells", 60, 40, 2)
    A = A.astype(dtype)
    factor = 2.0 ** (power * (100 if dtype == "float32" else 500))  # 1e30, 1e150
    start = svdkit.robust_svd(A, 2, max_iter=4, tol=0.5)
    big = start.U, start.s * start.s.dtype.type(factor), start.Vh
    one = svdkit.robust_svd(A, 2, init=tuple(start) if init else None)
    other = svdkit.robust_svd(A * A.dtype.type(factor), 2, init=big if init else None)
    np.testing.assert_allclose(other.s.astype(float) / factor, one.s, rtol=2e-4 if dtype == "float32" else 1e-6)
    np.testing.assert_allclose(other.sigma / factor, one.sigma, rtol=2e-4 if dtype == "float32" else 1e-6)
    np.testing.assert_array_equal(other.outliers(), one.outliers())


def test_monstrous_cells(rng):
    A, L, _ = cases.contaminated(rng, "clean", 60, 40, 2)
    clean = svdkit.robust_svd(A, 2)
    A[3, 4], A[10, 20], A[30, 1] = 1e300, -1e200, np.finfo(float).max
    result = svdkit.robust_svd(A, 2)
    assert sine_of_angle(result.U, clean.U) < 0.05
    np.testing.assert_array_equal(np.argwhere(result.outliers(50)), [[3, 4], [10, 20], [30, 1]])


def test_single_precision_agrees(rng):
    A, _, _ = cases.contaminated(rng, "10% cells", 200, 150, 3)
    A = A.astype(np.float32)
    single, double = svdkit.robust_svd(A, 3, tol=1e-6), svdkit.robust_svd(A.astype(float), 3)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.s, double.s, rtol=1e-4)
    np.testing.assert_allclose(single.sigma, double.sigma, rtol=1e-4)
    assert np.linalg.norm(single.reconstruct() - double.reconstruct()) < 1e-4 * np.linalg.norm(double.s)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::2, ::3],
        lambda a: a[::-1, :],
        lambda a: a[:, ::-1],
        lambda a: np.asfortranarray(a)[:, ::2],
        lambda a: np.broadcast_to(a[0], a.shape),
        lambda a: a.astype(np.float16),
        lambda a: np.round(a).astype(np.int32),
        lambda a: a.astype(">f8"),
    ],
)
def test_layouts(rng, view):
    A, _, _ = cases.contaminated(rng, "10% cells", 60, 48, 2)
    B = view(A)
    B.flags.writeable = False
    result = svdkit.robust_svd(B, 2, tol=1e-5, max_iter=1000)
    plain = svdkit.robust_svd(np.array(B, dtype=result.dtype, order="C"), 2, tol=1e-5, max_iter=1000)
    scale = max(float(plain.s[0]), 1)
    np.testing.assert_allclose(result.reconstruct(), plain.reconstruct(), atol=1e-2 * scale)
    np.testing.assert_allclose(result.s[0], plain.s[0], rtol=1e-3)


def test_pickle_and_save(rng, tmp_path):
    A, _, _ = cases.contaminated(rng, "10% cells", 40, 30, 2)
    result = svdkit.robust_svd(A, 2)
    again = pickle.loads(pickle.dumps(result))
    assert same_bits(again, result) and again.alpha == 0.3
    with pytest.raises(ValueError, match="pass A"):
        again.weights()
    np.testing.assert_array_equal(again.weights(A), result.weights())
    result.save(tmp_path / "fit.npz")
    assert same_bits(svdkit.load(tmp_path / "fit.npz"), result)
