"""Which robust method holds where: what their documentation says against each, and for it."""

import warnings

import numpy as np
import pytest
import svdkit
from reference import orthonormal, sine_of_angle
from robust_cases import error


@pytest.fixture
def noisy(rng):
    """Rank 3, unit noise, 30 % of the cells too large by 20: the matrix and what is behind it."""
    low = rng.standard_normal((150, 3)) @ rng.standard_normal((3, 100))
    return low + 20.0 * (rng.random(low.shape) < 0.3) + rng.standard_normal(low.shape), low


def parked(rng):
    """Ten of 60 rows are 40 lower for 40 % of the time; noise 3."""
    low = np.outer(rng.uniform(60, 180, 60), 1 + 0.05 * np.sin(np.arange(120) / 9))
    A = low + 3 * rng.standard_normal(low.shape)
    A[:10, :48] -= 40
    return A, low


def best(A, k):
    return svdkit.tsvd(A, k).reconstruct()


def test_noise_goes_into_many_components_of_pcp(noisy):
    A, low = noisy
    result = svdkit.pcp(A)
    L, robust = result.reconstruct(), svdkit.robust_svd(A, 3)
    assert result.report.converged and result.rank > 20
    assert error(robust, low) < 0.25
    assert np.linalg.norm(L - low) > 2 * np.linalg.norm(robust.reconstruct() - low)
    assert np.linalg.norm(best(L, 3) - low) > 1.5 * np.linalg.norm(robust.reconstruct() - low)


def test_l1_fails_at_higher_ranks(noisy):
    A, low = noisy
    assert error(svdkit.l1_svd(A, 3), low) > 1 > 0.25 > error(svdkit.robust_svd(A, 3), low)


def test_what_stays_in_one_place(rng):
    """Every pixel has one median; the divergence has a second minimum there, which a start from l1 avoids."""
    A, low = parked(rng)
    l1 = svdkit.l1_svd(A, 1)
    robust = svdkit.robust_svd(A, 1, init=l1)
    assert np.abs(l1.reconstruct() - low)[:10].max() < 20 and robust.outliers()[:10, :48].mean() > 0.99
    assert error(robust, low) < 0.5 * error(l1, low)
    assert np.linalg.norm(svdkit.tsvd(A, 1).reconstruct() - low) > 5 * np.linalg.norm(robust.reconstruct() - low)


@pytest.mark.parametrize(("wrong", "holds"), [("apart", True), ("alike", False), ("cells", False)])
def test_spherical(wrong, holds, rng):
    along = orthonormal(rng, 40, 40)
    A = rng.standard_normal((1000, 40)) * np.r_[10, 7, 5, np.ones(37)] @ along.T
    if wrong == "apart":
        A[:100] = 100 * rng.standard_normal((100, 40))
    elif wrong == "alike":
        A[:300] = 100 * rng.standard_normal(40) + rng.standard_normal((300, 40))
    else:
        A += np.where(rng.random(A.shape) < 0.1, rng.uniform(-100, 100, A.shape), 0)
    sine = sine_of_angle(svdkit.spherical_pca(A, 3).Vh.T, along[:, :3])
    assert sine < 0.1 if holds else sine > 0.5
    assert sine_of_angle(svdkit.robust_svd(A, 3).Vh.T, along[:, :3]) < 0.1


def test_directions_along_columns(rng):
    """spherical_pca turns with the data; cell by cell, such a column looks wrong throughout."""
    A = rng.standard_normal((1000, 40)) * np.r_[10, 7, 5, np.ones(37)]
    A[:100] = 100 * rng.standard_normal((100, 40))
    truth = np.eye(40)[:, :3]
    assert sine_of_angle(svdkit.spherical_pca(A, 3).Vh.T, truth) < 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", svdkit.ConvergenceWarning)  # it does not settle there
        assert sine_of_angle(svdkit.robust_svd(A, 3, max_iter=50).Vh.T, truth) > 0.5
