"""Weighted fits of a given rank: optimality, agreement of methods, exact recovery, monotone objectives."""

import pickle
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import orthonormality, same_bits, signs_are_fixed
from weighted_problems import complete, loss_of, never_rises, problem, residual_of

METHODS = ("als", "em_acc", "em")


@pytest.mark.parametrize("share", [0.3, 0.8], ids=["listed", "dense"])
def test_methods_agree(share):
    """W11: the same loss to 1e-8, the objective never rising."""
    A, W = problem(share=share)
    fits = [complete(A, 4, W, method=method, tol=1e-7) for method in METHODS]
    for fit, method in zip(fits, METHODS, strict=True):
        assert fit.report.method == method and fit.report.converged
        assert fit.loss == pytest.approx(fits[0].loss, rel=1e-8)
        assert fit.loss == pytest.approx(loss_of(A, W, fit), rel=1e-12)
        assert fit.history[-1] == pytest.approx(fit.loss / 2, rel=1e-13)
        assert never_rises(fit.history)
    assert fits[0].report.iterations < fits[1].report.iterations < fits[2].report.iterations


@pytest.mark.parametrize("method", METHODS)
def test_stationary(method):
    """The gradient vanishes on both sides, and no perturbation of rank k is better to first order."""
    A, W = problem(share=0.5)
    U, s, Vh = fit = complete(A, 4, W, method=method)
    S = residual_of(A, W, fit)
    allowed = 1e-6 * s[0] * np.mean(W) / W.max()
    assert np.linalg.norm(S @ Vh.T, axis=0).max() <= allowed * W.max()
    assert np.linalg.norm(S.T @ U, axis=0).max() <= allowed * W.max()
    rng = np.random.default_rng(1)
    left, right = U * np.sqrt(s), Vh.T * np.sqrt(s)
    for size in (1e-1, 1e-2, 1e-3):
        for _ in range(20):
            Z = (left + size * rng.standard_normal(left.shape)) @ (right + size * rng.standard_normal(right.shape)).T
            assert np.sum(W * np.where(W > 0, A - Z, 0) ** 2) > fit.loss


@pytest.mark.parametrize("method", METHODS[:2])
def test_result_is_a_plain_svd(method):
    A, W = problem(share=0.6)
    U, s, Vh = fit = complete(A, 4, W, method=method)
    assert (U.shape, s.shape, Vh.shape) == ((120, 4), (4,), (4, 80))
    assert orthonormality(U) < 1e-13 and orthonormality(Vh.T) < 1e-13
    assert np.all(np.diff(s) <= 0) and signs_are_fixed(U)
    assert fit.relative_error == pytest.approx(np.sqrt(fit.loss / np.nansum(W * A**2)))
    assert "svdkit" in repr(type(fit)) and fit.rank == 4


def test_residuals_are_those_of_the_completed_matrix():
    A, W = problem(share=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        U, s, Vh = fit = complete(A, 4, W, max_iter=2)
    M = fit.reconstruct() + residual_of(A, W, fit)  # unit step
    left = np.linalg.norm(M @ Vh.T - U * s, axis=0)
    right = np.linalg.norm(M.T @ U - Vh.T * s, axis=0)
    np.testing.assert_allclose(fit.report.residuals, np.maximum(left, right) / np.mean(W), rtol=1e-9)
    assert fit.stationarity == pytest.approx(fit.report.residuals.max() / s[0])


@pytest.mark.parametrize("method", ["als", "em_acc"])
@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_recovers_what_has_low_rank(method, form):
    """W11: 40 % of a noiseless matrix give all of it to 1e-8."""
    rng = np.random.default_rng(2)
    truth = rng.standard_normal((100, 3)) @ rng.standard_normal((3, 90))
    seen = rng.random(truth.shape) < 0.4
    A = np.where(seen, truth, np.nan) if form == "dense" else sp.csr_array(np.where(seen, truth, 0))
    fit = complete(A, 3, method=method, tol=1e-11)
    assert np.linalg.norm(fit.reconstruct() - truth) <= 1e-8 * np.linalg.norm(truth)


@pytest.mark.parametrize("kind", ["constant", "rows", "cols", "rank one", "rank one with zeros"])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_closed_forms(kind, sparse):
    """W11: weights of rank one are found and solved by the decomposition of the scaled matrix."""
    rng = np.random.default_rng(3)
    m, n, k = 40, 30, 3
    A = rng.standard_normal((m, n))
    p, q = rng.random(m) + 0.1, rng.random(n) + 0.1
    p = {"constant": np.full(m, 3.0), "cols": np.ones(m), "rank one with zeros": p * (rng.random(m) < 0.7)}.get(kind, p)
    q = {"constant": np.ones(n), "rows": np.ones(n), "rank one with zeros": q * (rng.random(n) < 0.7)}.get(kind, q)
    W = np.outer(p, q)
    given = (sp.csr_array(np.where(W > 0, A, 0)), sp.csr_array(W)) if sparse else (np.where(W > 0, A, np.nan), W)
    fit = complete(given[0], k, given[1])
    s = np.linalg.svd(np.sqrt(p)[:, None] * A * np.sqrt(q), compute_uv=False)
    assert fit.report.method == "tsvd" and fit.report.converged and fit.stationarity < 1e-10
    assert fit.loss == pytest.approx(np.sum(s[k:] ** 2), rel=1e-10)
    assert complete(*given[:1], k, given[1], method="als", tol=1e-8).loss == pytest.approx(fit.loss, rel=1e-10)


def test_nearly_constant_weights_are_not_constant():
    W = np.ones((30, 20))
    W[17, 3] = 1 + 1e-6
    assert complete(np.random.default_rng(0).standard_normal((30, 20)), 2, W).report.method == "als"


def test_forms_of_the_same_problem_agree():
    """Dense, strided, listed, and sparse weights on any matrix."""
    A, W = problem(share=0.5)
    zeros = np.where(W > 0, A, 0)
    fits = [
        complete(A, 3, W),
        complete(np.asfortranarray(A), 3, np.asfortranarray(W)),
        complete(np.repeat(A, 2, axis=1)[:, ::2], 3, W[::-1][::-1]),
        complete(sp.csr_array(zeros), 3, sp.csr_array(W)),
        complete(sp.coo_matrix(zeros), 3, sp.csc_array(W)),
        complete(A, 3, sp.csr_array(W)),
        complete(sp.csr_array(zeros), 3, W),
    ]
    for fit in fits[1:]:
        assert fit.loss == pytest.approx(fits[0].loss, rel=1e-9)
        assert np.linalg.norm(fit.reconstruct() - fits[0].reconstruct()) < 1e-4 * fits[0].s[0]


def test_observed_and_weights_of_ones_agree():
    A, _ = problem(share=0.5)
    seen = ~np.isnan(A)
    stored = sp.csr_array(np.where(seen, A, 0))
    fits = [complete(A, 3), complete(A, 3, seen), complete(stored, 3), complete(stored, 3, seen.astype(int))]
    for fit in fits[1:]:
        assert fit.loss == pytest.approx(fits[0].loss, rel=1e-9)


def test_explicit_zeros_of_a_sparse_matrix_are_observed():
    A = sp.csr_array((np.array([1.0, 0.0, 2.0, 4.0]), np.array([0, 1, 0, 1]), np.array([0, 2, 4])), shape=(2, 2))
    assert complete(A, 2).reconstruct() == pytest.approx(np.array([[1, 0], [2, 4]]), abs=1e-12)


def test_stored_weights_reach_zeros_that_a_does_not_store():
    A = sp.csr_array(np.array([[1.0, 0.0], [0.0, 4.0]]))
    fit = complete(A, 1, sp.csr_array(np.array([[1.0, 1.0], [1.0, 1.0]])))
    assert fit.loss == pytest.approx(1)


def test_duplicate_entries_add_up():
    A, W = problem(share=0.4)
    zeros = sp.coo_array(np.where(W > 0, A, 0))
    index = (np.tile(zeros.coords[0], 2), np.tile(zeros.coords[1], 2))
    twice = sp.coo_array((np.tile(zeros.data / 2, 2), index), shape=zeros.shape)
    unsorted = sp.csr_array(zeros)
    unsorted.indices, unsorted.data = unsorted.indices.copy(), unsorted.data.copy()
    first = slice(unsorted.indptr[0], unsorted.indptr[1])
    unsorted.indices[first], unsorted.data[first] = unsorted.indices[first][::-1], unsorted.data[first][::-1]
    unsorted.has_sorted_indices = unsorted.has_canonical_format = False
    kept = unsorted.indices.copy()
    expected = complete(sp.csr_array(zeros), 3)
    assert same_bits(complete(twice, 3), expected)
    assert same_bits(complete(unsorted, 3), expected) and np.array_equal(unsorted.indices, kept)


@pytest.mark.parametrize("method", METHODS[:2])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_bits_do_not_depend_on_threads(method, sparse):
    A, W = problem(m=400, n=300, share=0.5)
    given = (sp.csr_array(np.where(W > 0, A, 0)), sp.csr_array(W)) if sparse else (A, W)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, three = (complete(given[0], 5, given[1], method=method, max_iter=8, threads=t) for t in (1, 3))
    assert same_bits(one, three) and same_bits([one.history], [three.history])


def test_inputs_are_left_alone():
    A, W = problem(share=0.5)
    before = A.copy(), W.copy()
    A.flags.writeable = W.flags.writeable = False
    complete(A, 3, W)
    assert same_bits((A, W), before)


def test_single_precision():
    A, W = problem(share=0.5)
    fit = complete(A.astype("float32"), 4, W.astype("float32"))
    assert fit.U.dtype == fit.s.dtype == np.float32 and fit.report.converged
    assert fit.loss == pytest.approx(complete(A, 4, W).loss, rel=1e-5)
    assert never_rises(fit.history, 1e-6)


def test_starts():
    A, W = problem(m=30, n=20, share=0.35, noise=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one, many, again = complete(A, 3, W), complete(A, 3, W, n_init=4), complete(A, 3, W, n_init=4)
    assert many.loss <= one.loss and same_bits(many, again)
    assert "4 starts" in " ".join(many.report.notes)


def test_warm_start():
    A, W = problem(share=0.5)
    cold = complete(A, 4, W)
    warm = complete(A, 4, W, warm_start=cold)
    assert warm.report.iterations <= 3 and warm.loss == pytest.approx(cold.loss, rel=1e-9)
    wider = complete(A, 5, W, warm_start=tuple(cold), tol=1e-4)
    assert wider.loss < cold.loss


def test_many_triplets_take_accelerated_steps():
    A, W = problem(m=60, n=50, share=0.9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = complete(A, 40, W, tol=1e-3)
    assert fit.report.method == "em_acc" and never_rises(fit.history)


def test_predict():
    A, W = problem(share=0.5)
    fit = complete(A, 4, W)
    Z = fit.reconstruct()
    i, j = np.array([0, 5, 119]), np.array([3, 3, 79])
    np.testing.assert_allclose(fit.predict(i, j), Z[i, j], atol=1e-12)
    np.testing.assert_allclose(fit.predict(np.arange(120)[:, None], np.arange(80)), Z, atol=1e-12)
    assert fit.predict(3, 4) == pytest.approx(Z[3, 4])
    assert fit.predict([], []).shape == (0,)


def test_pickles_and_saves(tmp_path):
    A, W = problem(share=0.5)
    fit = complete(A, 4, W)
    copy = pickle.loads(pickle.dumps(fit))
    assert same_bits(copy, fit) and copy.loss == fit.loss and same_bits([copy.history], [fit.history])
    fit.save(tmp_path / "fit.npz")
    assert same_bits(svdkit.load(tmp_path / "fit.npz"), fit)


def test_callback_and_time_limit_stop_with_what_was_reached():
    A, W = problem()
    seen = []
    with pytest.warns(svdkit.ConvergenceWarning, match="callback"):
        fit = complete(A, 4, W, callback=lambda info: seen.append(info.iteration) or info.iteration >= 3)
    assert seen == [1, 2, 3] and fit.report.iterations == 3 and np.isfinite(fit.U).all()
    with pytest.warns(svdkit.ConvergenceWarning, match="time limit"):
        fit = complete(A, 4, W, method="em", time_limit=1e-9)
    assert not fit.report.converged
    with pytest.raises(svdkit.ConvergenceError) as caught:
        complete(A, 4, W, max_iter=1, on_fail="raise")
    assert caught.value.result.report.iterations == 1


def test_error_in_the_callback_is_raised():
    A, W = problem()
    with pytest.raises(ZeroDivisionError):
        complete(A, 4, W, callback=lambda info: 1 / 0)


def test_rank_chosen_by_held_out_cells():
    A, _ = problem(share=0.5, noise=0.3)
    fit = complete(A, range(1, 8))
    assert fit.rank == 4 and [each.rank for each in fit.candidates] == list(range(1, 8))
    assert fit.held_out_error == min(each.error for each in fit.candidates) > 0
    assert same_bits(fit, complete(A, range(1, 8)))
