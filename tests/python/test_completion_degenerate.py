"""Weighted fits: empty rows, too few cells, extremes of scale and shape, and arguments that are wrong."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from weighted_problems import complete, never_rises, problem

METHODS = ("als", "em_acc")


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
        yield


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("share", [0.2, 0.8], ids=["listed", "dense"])
def test_rows_and_columns_with_few_cells(method, share, quiet):
    A, W = problem(share=share)
    A[3], A[:, 5], A[7] = np.nan, np.nan, np.nan
    A[7, 2] = 2.0
    W = np.where(np.isnan(A), 0, 1.0)
    fit = complete(A, 4, W, method=method)
    assert never_rises(fit.history) and (fit.report.converged or method == "em_acc")
    assert not fit.U[3].any() and not fit.Vh[:, 5].any()
    assert "1 rows and 0 columns have fewer than k cells" in " ".join(fit.report.notes)
    row = fit.reconstruct()[7]
    assert row[2] == pytest.approx(2, rel=0.3) and np.linalg.norm(row) < 50


def test_methods_agree_on_the_pull(quiet):
    A, _ = problem(share=0.6)
    A[7] = np.nan
    A[7, 2] = 2.0
    one, two = (complete(A, 4, method=method, tol=1e-9) for method in METHODS)
    assert one.history[-1] == pytest.approx(two.history[-1], rel=1e-5)  # the weak pull is slow without least squares
    polished = complete(A, 4, method="als", tol=1e-9, warm_start=two)
    assert one.history[-1] == pytest.approx(polished.history[-1], rel=1e-10)
    assert one.history[-1] > one.loss / 2


def test_fewer_cells_than_unknowns(quiet):
    A = np.full((6, 5), np.nan)
    A[0, 0], A[3, 2] = 2.0, -1.0
    for method in METHODS:
        fit = complete(A, 3, method=method)
        assert np.isfinite(fit.reconstruct()).all() and fit.relative_error < 0.1


def test_no_cells():
    with pytest.warns(svdkit.ConvergenceWarning, match="no entry counts"):
        fit = complete(np.full((5, 4), np.nan), 2)
    assert not fit.reconstruct().any() and fit.loss == 0
    with pytest.warns(svdkit.ConvergenceWarning, match="no entry counts"):
        complete(np.ones((5, 4)), 2, np.zeros((5, 4)))
    with pytest.warns(svdkit.ConvergenceWarning, match="no entry counts"):
        complete(sp.csr_array((5, 4)), 2)


def test_zero_matrix():
    A = np.zeros((5, 4))
    A[1, 2] = np.nan
    fit = complete(A, 2)
    assert fit.report.converged and fit.s.tolist() == [0, 0] and fit.loss == 0 and fit.relative_error == 0


def test_empty_matrices():
    for shape in ((0, 4), (4, 0), (0, 0)):
        fit = complete(np.empty(shape), 0)
        assert fit.shape == shape and fit.rank == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1), (3, 50), (50, 3)])
def test_thin_shapes(method, shape, quiet):
    rng = np.random.default_rng(0)
    A = rng.standard_normal(shape)
    W = rng.random(shape) + 0.1
    for k in {1, min(shape)}:
        fit = complete(A, k, W, method=method)
        assert fit.rank == k and never_rises(fit.history)
        if k == min(shape):
            np.testing.assert_allclose(fit.reconstruct(), A, atol=1e-4 * np.abs(A).max())


def test_rank_below_k():
    rng = np.random.default_rng(0)
    A = np.outer(rng.standard_normal(30), rng.standard_normal(20))
    W = rng.random(A.shape)
    for method in METHODS:
        fit = complete(A, 3, W, method=method, tol=1e-9)
        assert fit.rank == 3 and fit.s[1] < 1e-6 * fit.s[0] and fit.relative_error < 1e-6


@pytest.mark.parametrize("scale", [1e-300, 1e300])
@pytest.mark.parametrize("weight", [1e-290, 1e290])
def test_extreme_scales(scale, weight):
    A, W = problem(share=0.5)
    plain = complete(A, 3, W)
    with np.errstate(over="ignore", under="ignore"):
        fit = complete(A * scale, 3, W * weight)
        sparse = complete(sp.csr_array(np.nan_to_num(A) * scale), 3, sp.csr_array(W * weight))
    for each in (fit, sparse):
        np.testing.assert_allclose(each.s / scale, plain.s, rtol=1e-5)
        assert each.relative_error == pytest.approx(plain.relative_error, rel=1e-8) and each.report.converged


def test_uneven_weights():
    A, W = problem(share=0.5)
    fit = complete(A, 3, W ** np.linspace(1, 8, A.shape[1]), max_iter=2000)
    assert fit.report.converged and never_rises(fit.history)


def test_whatever_stands_at_weight_zero():
    A, W = problem(share=0.5)
    expected = complete(A, 3, W)
    for junk in (np.inf, -np.inf, 1e308, 0.0):
        assert complete(np.where(W > 0, A, junk), 3, W).loss == pytest.approx(expected.loss, rel=1e-12)


@pytest.mark.parametrize("dtype", ["int32", "bool", "float16", ">f8"])
def test_other_dtypes(dtype):
    A = np.random.default_rng(0).integers(0, 2, (20, 15)).astype(dtype)
    W = np.random.default_rng(1).integers(1, 5, (20, 15))
    fit = complete(A, 2, W)
    assert fit.U.dtype == (np.float32 if dtype == "float16" else np.float64) and fit.report.converged


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"elements": -1}, r"elements\[2, 1\] is -1.0, but weights must be finite and not negative"),
        ({"elements": np.nan}, r"elements\[2, 1\] is nan"),
        ({"elements": np.inf}, r"elements\[2, 1\] is inf"),
        ({"entry": np.nan}, r"A\[2, 1\] is nan, but entries that count must be finite"),
        ({"entry": -np.inf}, r"A\[2, 1\] is -inf"),
    ],
)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_bad_entries(change, message, sparse):
    A, W = np.ones((5, 4)), np.ones((5, 4)) + np.eye(5, 4)
    A[2, 1] = change.get("entry", 1)
    W[2, 1] = change.get("elements", 1)
    given = (sp.csr_array(A), sp.csr_array(W)) if sparse else (A, W)
    with pytest.raises(ValueError, match=message):
        complete(given[0], 2, given[1])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"k": 0}, ValueError, "k = 0"),
        ({"k": 5}, ValueError, "k = 5"),
        ({"k": 2.5}, TypeError, "k = 2.5"),
        ({"k": [1, 9]}, ValueError, "k = 9"),
        ({"k": []}, ValueError, "k = "),
        ({"k": [1, 2], "penalty": 1.0}, ValueError, "give one k"),
        ({"k": 2, "elements": "all"}, ValueError, "elements = 'all'"),
        ({"k": 2, "elements": np.ones((4, 5))}, ValueError, "elements has shape"),
        ({"k": 2, "method": "svd"}, ValueError, "method = 'svd'"),
        ({"k": 2, "penalty": -1}, ValueError, "penalty = -1"),
        ({"k": 2, "penalty": np.nan}, ValueError, "penalty = nan"),
        ({"k": 2, "tol": -1}, ValueError, "tol = -1"),
        ({"k": 2, "held_out": 1.5}, ValueError, "held_out = 1.5"),
        ({"k": 2, "n_init": 0}, ValueError, "n_init = 0"),
        ({"k": 2, "max_iter": 0}, ValueError, "max_iter = 0"),
        ({"k": 2, "on_fail": "no"}, ValueError, "on_fail"),
        ({"k": 2, "warm_start": 3, "method": "als"}, TypeError, "warm_start"),
        (
            {"k": 2, "warm_start": (np.ones((3, 1)), np.ones(1), np.ones((1, 4))), "method": "als"},
            ValueError,
            "warm_st",
        ),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        complete(np.ones((5, 4)) + np.eye(5, 4), **arguments)


def test_complex_is_refused():
    with pytest.raises(TypeError, match="complex"):
        complete(np.ones((5, 4), complex), 2)


def test_too_few_cells_to_hold_out():
    with pytest.raises(ValueError, match="too few to hold some out"):
        complete(np.ones((3, 3)) + np.eye(3))


def test_rows_too_light_for_single_precision():
    """Starts are computed in single precision; the fit still sees what weighs next to nothing."""
    A, W = problem(share=0.2)
    W = np.where(np.isnan(A), 0, 1.0)
    W[::2] *= 1e-60
    fit = complete(A, 3, W, max_iter=2000)
    assert all(np.isfinite(part).all() for part in fit) and never_rises(fit.history)
    assert fit.report.converged
