"""Spherical principal components: directions that far rows cannot rule, and the spatial median."""

import pickle

import numpy as np
import pytest
import svdkit
from reference import orthonormality, same_bits, signs_are_fixed, sine_of_angle, snapshot


def cloud(rng, m=400, n=12, rank=2):
    """Elliptical data around (3, 3, ...), their two leading directions e_0 and e_1."""
    scales = np.full(n, 0.5)
    scales[:rank] = [10, 5][:rank]
    return 3 + scales * rng.standard_normal((m, n))


def median_slope(A, c):
    """|sum (x_i - c) / |x_i - c|| / m: zero at the spatial median."""
    away = A - c
    lengths = np.linalg.norm(away, axis=1)
    return np.linalg.norm((away[lengths > 0] / lengths[lengths > 0, None]).sum(axis=0)) / len(A)


def test_directions_survive_far_rows(rng):
    A = cloud(rng)
    A[:60] = 1e6 * rng.standard_normal((60, 12))
    truth = np.eye(12)[:, :2]
    robust, plain = svdkit.spherical_pca(A, 2), svdkit.tsvd(A, 2, center=True)
    assert sine_of_angle(robust.Vh.T, truth) < 0.2 < 0.7 < sine_of_angle(plain.Vh.T, truth)
    np.testing.assert_allclose(robust.scales, [10, 5], rtol=0.35)


def test_is_the_svd_of_unit_rows(rng):
    A = cloud(rng)
    result = svdkit.spherical_pca(A, 3)
    away = A - result.center
    np.testing.assert_allclose(result.lengths, np.linalg.norm(away, axis=1), rtol=1e-12)
    unit = away / result.lengths[:, None]
    svdkit.testing.assert_svd(unit, result, 1e-10)
    assert orthonormality(result.U) < 1e-12 and signs_are_fixed(result.U)
    np.testing.assert_allclose(result.scores, away @ result.Vh.T, atol=1e-10)
    np.testing.assert_allclose(result.project(A), result.scores, atol=1e-10)
    assert result.report.residuals.max() <= 1e-10 * result.s[0]


@pytest.mark.parametrize("shape", [(50, 3), (400, 12), (20, 300), (5, 4)], ids=str)
def test_spatial_median(shape, rng):
    A = rng.standard_normal(shape) ** 3 + 5
    center = svdkit.spherical_pca(A, 1).center
    on_rows = np.count_nonzero(np.linalg.norm(A - center, axis=1) < 1e-4)  # at a row the slope may be up to 1 / m
    assert median_slope(A, center) < 1e-4 + on_rows / len(A)
    sums = [np.linalg.norm(A - c, axis=1).sum() for c in (center, A.mean(axis=0), np.median(A, axis=0))]
    assert sums[0] <= min(sums)


def test_median_on_a_row(rng):
    """The iteration starts on a row (the mean), which is not the median, and must leave it; or is, and must stay."""
    A = np.vstack([np.zeros((1, 2)), rng.standard_normal((30, 2)) + 2, -(rng.standard_normal((20, 2)) + 2)])
    A[0] = A[1:].mean(axis=0)
    assert median_slope(A, svdkit.spherical_pca(A, 1).center) <= 1 / len(A) + 1e-4
    heavy = np.vstack([np.ones((30, 4)), rng.standard_normal((20, 4))])
    np.testing.assert_allclose(svdkit.spherical_pca(heavy, 1).center, 1, atol=1e-5)


def test_centers(rng):
    A = cloud(rng)
    np.testing.assert_allclose(svdkit.spherical_pca(A, 1, center="mean").center, A.mean(axis=0), rtol=1e-12)
    assert np.all(svdkit.spherical_pca(A, 1, center=None).center == 0)
    given = rng.standard_normal(12)
    np.testing.assert_array_equal(svdkit.spherical_pca(A, 1, center=given).center, given)


def test_equivariance(rng):
    """Rotations, shifts, scale: the spatial median and the directions follow."""
    A = cloud(rng)
    Q = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    plain, turned = svdkit.spherical_pca(A, 2), svdkit.spherical_pca(7 * A @ Q + 100, 2)
    assert sine_of_angle(turned.Vh.T, Q.T @ plain.Vh.T) < 1e-4
    np.testing.assert_allclose(turned.center, 7 * plain.center @ Q + 100, atol=1e-3)
    np.testing.assert_allclose(turned.scales, 7 * plain.scales, rtol=1e-3)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_scales(scale, rng):
    A = cloud(rng)
    plain, scaled = svdkit.spherical_pca(A, 2), svdkit.spherical_pca(A * scale, 2)
    np.testing.assert_allclose(scaled.s, plain.s, rtol=1e-9)
    np.testing.assert_allclose(scaled.scales / scale, plain.scales, rtol=1e-9)


def test_float32_and_layouts(rng):
    A = cloud(rng)
    plain = svdkit.spherical_pca(A, 2)
    single = svdkit.spherical_pca(A.astype(np.float32), 2)
    assert single.dtype == np.float32 and sine_of_angle(single.Vh.T, plain.Vh.T) < 1e-4
    for form in (np.asfortranarray(A), np.repeat(A, 2, axis=1)[:, ::2]):
        before = snapshot(form)
        assert sine_of_angle(svdkit.spherical_pca(form, 2).Vh.T, plain.Vh.T) < 1e-8 and snapshot(form) == before


def test_large_matrix_is_not_copied(rng):
    A = rng.standard_normal((90_000, 50)) * np.linspace(5, 1, 50)
    result = svdkit.spherical_pca(A, 3)
    assert result.report.method == "lanczos" and not any("dense" in note for note in result.report.notes)
    svdkit.testing.assert_svd((A - result.center) / result.lengths[:, None], result, 1e-10)


def test_same_bits_for_any_threads(rng):
    A = rng.standard_normal((3000, 200))
    one, many = (svdkit.spherical_pca(A, 2, threads=threads) for threads in (1, 4))
    assert same_bits([*one, one.center, one.scores], [*many, many.center, many.scores])


def test_degenerate():
    same = svdkit.spherical_pca(np.full((6, 4), 2.0), 2)
    assert np.all(same.s == 0) and np.all(same.lengths == 0) and np.all(same.scales == 0)
    one = svdkit.spherical_pca(np.array([[1.0, 2.0]]), 1)
    assert np.all(one.s == 0) and np.array_equal(one.center, [1, 2])
    column = svdkit.spherical_pca(np.arange(5.0)[:, None], 1)
    np.testing.assert_allclose(column.center, 2, atol=1e-5)


def test_pickle(rng):
    result = svdkit.spherical_pca(cloud(rng), 2)
    again = pickle.loads(pickle.dumps(result))
    assert same_bits([*again, again.scores, again.center], [*result, result.scores, result.center])


def test_bad_input(rng):
    A = cloud(rng)
    with pytest.raises(ValueError, match="center = 'mode'"):
        svdkit.spherical_pca(A, 1, center="mode")
    with pytest.raises(ValueError, match="center has shape"):
        svdkit.spherical_pca(A, 1, center=np.ones(3))
    with pytest.raises(ValueError, match="k = 13"):
        svdkit.spherical_pca(A, 13)
    A[3, 1] = np.nan
    with pytest.raises(ValueError, match=r"A\[3, 1\] is nan"):
        svdkit.spherical_pca(A, 1)
