"""Weighted fits of real tables with missing entries, a tenth of the known ones hidden."""

import warnings

import numpy as np
import pytest
import svdkit
from weighted_problems import complete, never_rises


@pytest.fixture(scope="module")
def weather():
    """Hourly weather, columns standardised; the hidden entries; what is left."""
    from conftest import TESTS

    X = np.load(TESTS / "data" / "weather_hours.npz")["X"][:, [0, 1, 2, 3, 4, 5, 7, 8]]  # without rain, mostly zero
    X = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    hidden = ~np.isnan(X) & (np.random.default_rng(1).random(X.shape) < 0.1)
    return X, hidden, np.where(hidden, np.nan, X)


def error(X, hidden, Z):
    return float(np.sqrt(np.mean((Z[hidden] - X[hidden]) ** 2)))


def iterative_svd(A, k, steps):
    """Imputation as it is usually done: column means, then the rank-k SVD of the filled matrix."""
    seen = ~np.isnan(A)
    filled = np.where(seen, A, np.nanmean(A, axis=0))
    for _ in range(steps):
        U, s, Vh = np.linalg.svd(filled, full_matrices=False)
        filled = np.where(seen, A, (U[:, :k] * s[:k]) @ Vh[:k])
    return filled


@pytest.mark.filterwarnings("ignore::svdkit.ConvergenceWarning")
def test_penalty_by_held_out_cells_beats_column_means_and_iterative_svd(weather):
    X, hidden, shown = weather
    fit = complete(shown)
    found = error(X, hidden, fit.reconstruct())
    means = np.broadcast_to(np.nanmean(shown, axis=0), X.shape)
    assert found < 0.8 * error(X, hidden, means)
    for k in (1, 2, 3):
        assert found < error(X, hidden, iterative_svd(shown, k, 60))


def test_same_fixed_point_as_iterative_svd(weather):
    """EM from column means for long, and alternating least squares: one loss."""
    _, _, shown = weather
    fit = complete(shown, 1, tol=1e-8, max_iter=2000)
    Z = iterative_svd(shown, 1, 400)
    U, s, Vh = np.linalg.svd(Z, full_matrices=False)
    slow = float(np.nansum((shown - s[0] * np.outer(U[:, 0], Vh[0])) ** 2))
    assert fit.loss <= slow * (1 + 1e-9) and never_rises(fit.history)


def test_predictions_are_entries_of_the_fit(weather):
    X, hidden, shown = weather
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
        fit = complete(shown, range(1, 4))
    rows, cols = np.nonzero(hidden)
    np.testing.assert_allclose(fit.predict(rows, cols), fit.reconstruct()[hidden], atol=1e-10)
    assert fit.held_out_error == pytest.approx(error(X, hidden, fit.reconstruct()), rel=0.3)
