"""robust_update: new rows and columns folded into a robust fit."""

import numpy as np
import pytest
import robust_cases as cases
import svdkit
from reference import orthonormality, signs_are_fixed


@pytest.fixture
def data(rng):
    L = cases.low_rank(rng, 90, 70, 2)
    return L, L + 0.1 * rng.standard_normal(L.shape)


@pytest.mark.parametrize("axis", ["column", "row"])
def test_frames_with_wrong_cells(rng, data, axis):
    L, A = data
    result = svdkit.robust_svd(A[:, :50] if axis == "column" else A[:, :50].T, 2)
    for j in range(50, 70):
        new = A[:, j].copy()
        bad = rng.permutation(90)[:30]
        new[bad] += rng.uniform(3, 8, 30)
        new[rng.permutation(90)[:5]] = np.nan
        result = svdkit.robust_update(result, new, axis=axis)
    assert result.shape == ((90, 70) if axis == "column" else (70, 90))
    assert orthonormality(result.U) < 1e-12 and orthonormality(result.Vh.T) < 1e-12
    assert signs_are_fixed(result.U) and np.all(np.diff(result.s) <= 0)
    R = result.reconstruct() if axis == "column" else result.reconstruct().T
    batch = svdkit.robust_svd(A, 2).reconstruct()
    assert np.linalg.norm(R - L) < 2 * np.linalg.norm(batch - L) + 0.01 * np.linalg.norm(L)
    assert "approximately" in " ".join(result.report.notes)


def test_without_noise_it_is_exact(rng):
    L = cases.low_rank(rng, 60, 40, 3)
    result = svdkit.robust_svd(L[:, :30], 3)
    for j in range(30, 40):
        new = L[:, j].copy()
        new[rng.permutation(60)[:12]] += 5
        result = svdkit.robust_update(result, new)
    np.testing.assert_allclose(result.reconstruct(), L, atol=1e-6)


def test_a_tampered_frame_changes_nothing(rng, data):
    L, A = data
    result = svdkit.robust_svd(A, 2)
    updated = svdkit.robust_update(result, 40 * rng.standard_normal(90))
    np.testing.assert_array_equal(updated.unsupported_cols, [70])
    np.testing.assert_allclose(updated.reconstruct()[:, :70], result.reconstruct(), atol=1e-9)
    assert np.abs(updated.reconstruct()[:, 70]).max() < 1e-12
    blind = svdkit.robust_update(result, np.full(90, np.nan))
    np.testing.assert_array_equal(blind.unsupported_cols, [70])


def test_forgetting(data):
    L, A = data
    result = svdkit.robust_svd(A[:, :60], 2)
    updated = svdkit.robust_update(result, A[:, 60], forget=0.5)
    np.testing.assert_allclose(updated.reconstruct()[:, :60], 0.5 * result.reconstruct(), atol=0.2)


@pytest.mark.parametrize(
    ("new", "options", "error", "message"),
    [
        (np.ones(91), {}, ValueError, "new has shape"),
        (np.ones(90), {"axis": "row"}, ValueError, "new has shape"),
        (np.ones(90), {"axis": 0}, ValueError, "axis"),
        (np.ones(90), {"forget": 0}, ValueError, "forget"),
        (np.full(90, np.inf), {}, ValueError, r"new\[0\] is infinite"),
        (np.ones(90, complex), {}, TypeError, "dtype"),
    ],
)
def test_bad_arguments(data, new, options, error, message):
    result = svdkit.robust_svd(data[1], 2)
    with pytest.raises(error, match=message):
        svdkit.robust_update(result, new, **options)
    with pytest.raises(TypeError, match="RobustResult"):
        svdkit.robust_update(svdkit.tsvd(data[1], 2), np.ones(90))
