"""Fits with a nuclear-norm penalty: optimality conditions, paths, choice by held-out cells."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import same_bits
from weighted_problems import complete, loss_of, never_rises, problem, residual_of


def spectral_norm(matrix):
    return np.linalg.svd(matrix, compute_uv=False)[0]


@pytest.mark.parametrize("method", ["soft", "als", "em_acc", "em"])
@pytest.mark.parametrize("penalty", [1.0, 6.0])
@pytest.mark.parametrize("share", [0.2, 0.7], ids=["listed", "dense"])
def test_optimality(method, penalty, share):
    """W12: U^T S V = penalty I on the fit, and the rest of S is at most the penalty in norm: a global optimum."""
    A, W = problem(share=share)
    fit = complete(A, None, W, penalty=penalty, method=method, max_iter=3000)
    U, s, Vh = fit
    assert fit.report.converged and fit.penalty == pytest.approx(penalty) and np.all(s > 0)
    S = residual_of(A, W, fit)
    slack = 2e-6 * s[0]
    np.testing.assert_allclose(U.T @ S @ Vh.T, penalty * np.eye(fit.rank), atol=slack)
    assert np.linalg.norm(S @ Vh.T - penalty * U) <= slack * np.sqrt(fit.rank)
    assert np.linalg.norm(S.T @ U - penalty * Vh.T) <= slack * np.sqrt(fit.rank)
    rest = S - U @ (U.T @ S)
    assert spectral_norm(rest - (rest @ Vh.T) @ Vh) <= penalty * 1.001
    assert fit.history[-1] == pytest.approx(loss_of(A, W, fit) / 2 + penalty * s.sum(), rel=1e-10)
    assert never_rises(fit.history)


def test_gap_to_the_dual_bounds_the_distance_to_the_optimum():
    A, W = problem(share=0.5)
    penalty = 2.0
    fit = complete(A, None, W, penalty=penalty)
    Y = residual_of(A, W, fit)
    Y *= min(1, penalty / spectral_norm(Y))
    seen = W > 0
    dual = np.sum(Y[seen] * A[seen]) - np.sum(Y[seen] ** 2 / W[seen]) / 2
    assert 0 <= fit.history[-1] - dual <= 1e-2 * fit.history[-1]


def test_complete_matrix_is_soft_thresholded():
    A = np.random.default_rng(0).standard_normal((40, 30))
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    fit = complete(A, None, penalty=5.0)
    np.testing.assert_allclose(fit.s, s[s > 5] - 5, atol=1e-6 * s[0])
    expected = (U * np.maximum(s - 5, 0)) @ Vh
    assert np.linalg.norm(fit.reconstruct() - expected) < 1e-5 * s[0]


def test_penalty_beyond_the_largest_gives_zero():
    A, W = problem(share=0.5)
    largest = spectral_norm(np.where(W > 0, W * A, 0))
    fit = complete(A, None, W, penalty=1.01 * largest)
    assert fit.rank == 0 and fit.report.converged and fit.loss == pytest.approx(np.nansum(W * A**2))
    assert fit.reconstruct().shape == A.shape and not fit.reconstruct().any()
    assert complete(A, None, W, penalty=0.99 * largest).rank == 1


def test_small_penalty_approaches_the_fit_without():
    """W11: the loss of soft-impute as the penalty falls, at the rank of a noiseless matrix."""
    A, _ = problem(share=0.5, noise=0)
    losses = [complete(A, 4, penalty=penalty, max_iter=3000).loss for penalty in (1.0, 0.1, 0.01)]
    assert losses[0] > 50 * losses[1] > 2500 * losses[2]


def test_cap_on_the_rank():
    A, W = problem(share=0.5)
    free, capped = (complete(A, k, W, penalty=1.0, max_iter=3000) for k in (None, 3))
    assert capped.rank == 3 < free.rank and capped.history[-1] > free.history[-1]
    assert "larger k" in " ".join(capped.report.notes) and "larger k" not in " ".join(free.report.notes)


def test_penalty_chosen_by_held_out_cells():
    A, _ = problem(share=0.5, noise=1.0)
    fit = complete(A)
    assert fit.report.method.startswith("soft") and len(fit.candidates) >= 3
    assert fit.penalty in [each.penalty for each in fit.candidates]
    best = min(np.fmin(each.error, each.debiased_error) for each in fit.candidates)
    assert fit.held_out_error == pytest.approx(best)
    assert [each.penalty for each in fit.candidates] == sorted((each.penalty for each in fit.candidates), reverse=True)
    assert same_bits(fit, complete(A))
    sparse = complete(sp.csr_array(np.nan_to_num(A)))
    assert sparse.held_out_error == pytest.approx(fit.held_out_error, rel=0.5)


@pytest.mark.parametrize("seed", [0, 6])
def test_path_passes_penalties_that_teach_nothing(seed):
    """One large value over three small ones: for long the debiased error stands still and only the shrunk one falls."""
    rng = np.random.default_rng(seed)
    U, V = np.linalg.qr(rng.standard_normal((80, 4)))[0], np.linalg.qr(rng.standard_normal((60, 4)))[0]
    A = (U * [3000.0, 50.0, 40.0, 30.0]) @ V.T + 0.05 * rng.standard_normal((80, 60))
    hidden = rng.random(A.shape) < 0.3
    fit = complete(np.where(hidden, np.nan, A))
    assert fit.rank >= 4
    assert np.sqrt(np.mean((fit.reconstruct() - A)[hidden] ** 2)) < 0.15  # of rank one: about 1


def test_held_out_cells_are_not_seen_when_choosing_but_are_in_the_fit():
    A, _ = problem(share=0.5)
    fit = complete(A, penalty=[30.0, 10.0, 3.0], debias=False)
    direct = complete(A, penalty=fit.penalty)
    assert len(fit.candidates) == 3 and fit.penalty in (pytest.approx(30), pytest.approx(10), pytest.approx(3))
    assert fit.history[-1] == pytest.approx(direct.history[-1], rel=1e-8)
    assert np.isnan(fit.candidates[0].debiased_error)


def test_debias_lowers_the_loss_and_keeps_the_rank():
    A, _ = problem(share=0.5)
    shrunk, sharp = (complete(A, penalty=20.0, debias=debias) for debias in (False, True))
    assert sharp.rank == shrunk.rank and sharp.loss < 0.9 * shrunk.loss
    assert sharp.s[0] > shrunk.s[0] and sharp.report.converged


def test_units_do_not_matter():
    A, W = problem(share=0.5)
    plain = complete(A, None, W, penalty=3.0)
    scaled = complete(2.0**40 * A, None, 2.0**-7 * W, penalty=3.0 * 2.0**33)
    np.testing.assert_allclose(scaled.s, 2.0**40 * plain.s, rtol=1e-12)
    assert scaled.loss == pytest.approx(2.0**73 * plain.loss, rel=1e-12)


def test_stops_early_along_a_path():
    A, _ = problem(share=0.5)
    with pytest.warns(svdkit.ConvergenceWarning):
        fit = complete(A, penalty=1e-3, time_limit=1e-9)
    assert not fit.report.converged and np.isfinite(fit.reconstruct()).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_directions_above_the_noise_are_found_and_certified(dtype):
    """Twenty directions of equal size, more than join at a time, behind noise near the penalty."""
    rng = np.random.default_rng(0)
    m, n, r, penalty = 400, 300, 20, 16.0
    cells = np.flatnonzero(rng.random(m * n) < 0.24)
    i, j = np.divmod(cells, n)
    left, right = rng.standard_normal((m, r)), rng.standard_normal((n, r))
    values = np.einsum("ij,ij->i", left[i], right[j]) + rng.standard_normal(cells.size)
    A = sp.csr_array((values.astype(dtype), (i, j)), shape=(m, n))
    U, s, Vh = fit = svdkit.weighted_svd(A, None, elements="observed", penalty=penalty)
    assert fit.report.converged and fit.rank >= r and U.dtype == dtype
    S = np.zeros((m, n))
    S[i, j] = values - ((U * s) @ Vh)[i, j]
    rest = S - U @ (U.T @ S)
    beyond = spectral_norm(rest - (rest @ Vh.T) @ Vh) / penalty
    assert beyond <= 1.001
    shown = float(fit.report.notes[-1].split("beyond the fit is ")[1].split()[0])
    assert shown == pytest.approx(beyond, rel=0.02)
