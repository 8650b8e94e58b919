"""Options of robust_svd: what they do, what is refused, how a call is watched and stopped."""

import numpy as np
import pytest
import robust_cases as cases
import scipy.sparse as sp
import svdkit
from svdkit.rank import DICMR, Energy


@pytest.fixture
def case(rng):
    return cases.contaminated(rng, "10% cells", 80, 60, 2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"alpha": 1.5}, ValueError, "alpha = 1.5"),
        ({"alpha": -0.1}, ValueError, "alpha"),
        ({"alpha": np.nan}, ValueError, "alpha"),
        ({"alpha": "best"}, TypeError, "alpha"),
        ({"missing": "drop"}, ValueError, "missing"),
        ({"method": "svd"}, ValueError, "method"),
        ({"scale": "std"}, ValueError, "scale"),
        ({"scale": 0.0}, ValueError, "scale"),
        ({"scale": np.inf}, ValueError, "scale"),
        ({"loss": "l1"}, ValueError, "loss"),
        ({"loss": "huber", "scale": "mdpde"}, ValueError, "belongs to loss='dpd'"),
        ({"loss": "huber", "alpha": "auto"}, ValueError, "auto"),
        ({"unsupported": "drop"}, ValueError, "unsupported"),
        ({"max_iter": 0}, ValueError, "max_iter"),
        ({"tol": 2.0}, ValueError, "tol"),
        ({"weights": np.ones((3, 3))}, ValueError, "weights has shape"),
        ({"weights": -np.ones((80, 60))}, ValueError, r"weights\[0, 0\]"),
        ({"weights": np.full((80, 60), np.nan)}, ValueError, r"weights\[0, 0\]"),
        ({"weights": np.ones((80, 60), complex)}, TypeError, "weights has dtype"),
        ({"init": np.ones((80, 2))}, ValueError, "warm_start|init"),
        ({"init": np.ones((60, 3))}, ValueError, "init has 3"),
        ({"init": np.ones((60, 2)), "method": "deflation"}, ValueError, "joint"),
        ({"on_fail": "ignore"}, ValueError, "on_fail"),
        ({"time_limit": -1}, ValueError, "time_limit"),
        ({"callback": 3}, TypeError, "callback"),
        ({"rng": "seed"}, TypeError, "rng"),
    ],
)
def test_bad_options(case, options, error, message):
    with pytest.raises(error, match=message):
        svdkit.robust_svd(case[0], 2, **options)


@pytest.mark.parametrize(
    ("A", "k", "error", "message"),
    [
        (np.ones((4, 3)), 4, ValueError, "k = 4"),
        (np.ones((4, 3)), 0, ValueError, "k = 0"),
        (np.ones((4, 3)), 1.5, TypeError, "k = 1.5"),
        (np.ones(4), 1, ValueError, "2 dimensions"),
        (np.ones((4, 3), complex), 1, TypeError, "must be real"),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), 1, ValueError, r"A\[0, 1\]"),
        ("matrix", 1, TypeError, "matrix"),
    ],
)
def test_bad_matrices(A, k, error, message):
    with pytest.raises(error, match=message):
        svdkit.robust_svd(A, k)


def test_operators_have_no_cells():
    with pytest.raises(TypeError, match="every cell"):
        svdkit.robust_svd(svdkit.operators.Dense(np.ones((4, 3))), 1)


def test_infinite_cells(case):
    A = case[0]
    A[5, 7] = -np.inf
    for B, place in ((A, r"A\[5, 7\]"), (np.asfortranarray(A), r"A\[5, 7\]"), (A.T, r"A\[7, 5\]")):
        with pytest.raises(ValueError, match=place):
            svdkit.robust_svd(B, 2, missing="mask")
        with pytest.raises(ValueError, match=place):
            svdkit.robust_svd(B, 2)
    with pytest.raises(ValueError, match=r"A\[5, 7\] is -inf and weights"):
        svdkit.robust_svd(A, 2, weights=np.ones(A.shape))
    weights = np.ones(A.shape)
    weights[5, 7] = 0
    A[5, 7] = np.nan
    svdkit.robust_svd(A, 2, weights=weights)


def test_empty():
    result = svdkit.robust_svd(np.empty((0, 4)), 0)
    assert result.U.shape == (0, 0) and result.Vh.shape == (0, 4)


def test_sparse_is_written_out(rng):
    A = sp.random_array((60, 40), density=0.6, rng=rng) + 2 * np.ones((60, 1)) * sp.csr_array(np.ones((1, 40)))
    result = svdkit.robust_svd(sp.csr_array(A), 1)
    dense = svdkit.robust_svd(sp.csr_array(A).toarray(), 1)
    np.testing.assert_array_equal(result.s, dense.s)
    assert "written out" in result.report.notes[0]


@pytest.mark.parametrize("loss", ["dpd", "huber", "welsch"])
@pytest.mark.parametrize("scale", [None, "mad", 1.0])
def test_losses_and_scales(case, loss, scale):
    A, L, _ = case
    result = svdkit.robust_svd(A, 2, loss=loss, scale=scale, max_iter=500)
    limit = 0.8 if loss == "huber" else 0.3
    assert cases.error(result, L) < limit < cases.error(svdkit.tsvd(A, 2), L)
    assert 0.8 < result.sigma[0] < 1.5
    E = A - result.reconstruct()
    w = result.weights()
    assert np.linalg.norm((w * E) @ result.Vh.T) < 1e-3 * result.s[0]


@pytest.mark.parametrize("shape", [(700, 450), (3, 70_001), (5, 4), (1, 2)])
@pytest.mark.parametrize("kind", ["normal", "sorted", "rounded", "missing"])
def test_interquartile_range_is_exact(rng, shape, kind):
    """More cells than are sampled for the bracket, and samples that mislead."""
    A = rng.standard_normal(shape)
    if kind == "sorted":
        A = np.sort(A, axis=None).reshape(shape)
    elif kind == "rounded":
        A = np.round(A) + np.arange(shape[1]) % 2
    elif kind == "missing":
        A[rng.random(shape) < 0.3] = np.nan
        A[0, :2] = 1, 2
    result = svdkit.robust_svd(A, 1, scale="iqr", missing="mask", tol=0.5)
    low, high = np.nanquantile(A, [0.25, 0.75], method="hazen")
    if high > low:
        np.testing.assert_allclose(result.sigma, high - low, rtol=1e-14)


@pytest.mark.parametrize("layout", ["C", "F"])
def test_init(case, layout):
    A = np.asarray(case[0], order=layout)
    cold = svdkit.robust_svd(A, 2, tol=1e-9)
    for init in (cold, tuple(cold), cold.Vh.T):
        warm = svdkit.robust_svd(A, 2, init=init)
        np.testing.assert_allclose(warm.reconstruct(), cold.reconstruct(), atol=1e-4)
        if not isinstance(init, np.ndarray):
            assert warm.report.iterations < cold.report.iterations


def test_a_plain_start_is_worse(rng):
    """Why the start is trimmed: from the plain SVD the fit stays with the block."""
    A, L, _ = cases.contaminated(rng, "block", 150, 100, 1)
    plain = svdkit.robust_svd(A, 1, init=svdkit.tsvd(A, 1))
    assert cases.error(plain, L) > 5 * cases.error(svdkit.robust_svd(A, 1), L)


def test_unsupported_rows_kept(rng):
    A, L, good = cases.contaminated(rng, "10% rows equal", 80, 60, 1)
    zero, kept = svdkit.robust_svd(A, 1), svdkit.robust_svd(A, 1, unsupported="keep", max_iter=500)
    assert not zero.U[~good].any() and np.array_equal(zero.unsupported_rows, np.flatnonzero(~good))
    assert kept.U[~good].any()


def test_not_converged(case):
    with pytest.warns(svdkit.ConvergenceWarning, match="still moves after 2 sweeps"):
        result = svdkit.robust_svd(case[0], 2, max_iter=2)
    assert not result.report.converged and result.report.iterations == 2
    with pytest.raises(svdkit.ConvergenceError) as failure:
        svdkit.robust_svd(case[0], 2, max_iter=2, on_fail="raise")
    assert failure.value.result.s.shape == (2,)


@pytest.mark.parametrize("method", ["joint", "deflation"])
def test_callback_and_time_limit(case, method):
    seen = []
    svdkit.robust_svd(case[0], 2, method=method, callback=seen.append)
    assert [info.iteration for info in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].residuals[0] <= 1e-6 and seen[-1].passes == 2 * len(seen)
    with pytest.warns(svdkit.ConvergenceWarning, match="stopped early"):
        stopped = svdkit.robust_svd(case[0], 2, method=method, callback=lambda info: info.iteration == 3)
    assert stopped.report.iterations == 3
    with pytest.warns(svdkit.ConvergenceWarning, match="stopped early"):
        svdkit.robust_svd(case[0], 2, method=method, time_limit=1e-9)

    class Stop(Exception):
        pass

    def fail(info):
        raise Stop

    with pytest.raises(Stop):
        svdkit.robust_svd(case[0], 2, method=method, callback=fail)


def test_progress_bar(case, capsys):
    pytest.importorskip("tqdm")
    svdkit.robust_svd(case[0], 2, progress=True)


def test_random_start_only_in_the_rule_of_the_package(case):
    for options in ({}, {"method": "deflation"}):
        a, b = (svdkit.robust_svd(case[0], 2, rng=seed, **options) for seed in (0, 1))
        np.testing.assert_array_equal(a.s, b.s)
    options = {"method": "deflation", "scale": "iqr", "tol": 1e-10, "max_iter": 2000}
    a, b = (svdkit.robust_svd(case[0], 2, rng=seed, **options) for seed in (0, 1))
    np.testing.assert_allclose(a.s, b.s, rtol=1e-7)
    assert a.report.seed == 0 and b.report.seed == 1


@pytest.mark.parametrize("rule", [DICMR(kmax=5), Energy(0.7)])
def test_rank_by_rule(rng, rule):
    A, _, _ = cases.contaminated(rng, "10% cells", 120, 100, 3)
    result = svdkit.robust_svd(A, rule)
    assert result.rank == (3 if isinstance(rule, DICMR) else result.rank) and 1 <= result.rank <= 5
    assert "chose rank" in result.report.reason
    with pytest.raises(ValueError, match="give an integer"):
        svdkit.robust_svd(A, rule, weights=np.ones(A.shape))


def test_energy_curve(case):
    result = svdkit.robust_svd(case[0], 2)
    curve = result.energy()
    assert curve[0] == 0 and np.all(np.diff(curve) > 0) and curve[-1] < 1
    expected = np.sum(result.s**2) / (np.sum(result.s**2) + case[0].size * result.sigma[0] ** 2)
    np.testing.assert_allclose(curve[-1], expected)


def test_outliers_and_weights(case):
    A, L, _ = case
    result = svdkit.robust_svd(A, 2)
    E = A - result.reconstruct()
    np.testing.assert_array_equal(result.outliers(4), np.abs(E) > 4 * result.sigma[0])
    np.testing.assert_array_equal(result.outliers(), result.outliers(3.5))
    for bad in (0, -1, np.nan):
        with pytest.raises(ValueError, match="threshold"):
            result.outliers(bad)
    with pytest.raises(ValueError, match="A has shape"):
        result.weights(A[:5])
