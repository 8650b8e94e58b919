"""Least absolute deviations: weighted medians, exact fit, an error that never rises."""

import pickle

import numpy as np
import pytest
import svdkit
from reference import orthonormality, same_bits, signs_are_fixed, snapshot
from robust_cases import error


def planted(rng, m, n, rank, share=0.2, noise=0.0, size=20.0):
    low = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
    wrong = np.where(rng.random((m, n)) < share, size * rng.standard_normal((m, n)), 0.0)
    return low, low + wrong + noise * rng.standard_normal((m, n))


def weighted_median(values, weights):
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) >= weights.sum() / 2
    return values[order][np.argmax(reached)]


@pytest.mark.parametrize("shape", [(60, 40), (40, 60), (300, 25), (45, 900)], ids=str)
def test_exact_fit(shape, rng):
    """Rank one with a minority of wrong cells in every row and column is recovered to rounding."""
    low, A = planted(rng, *shape, rank=1, share=0.2)
    result = svdkit.l1_svd(A, 1)
    assert error(result, low) < 1e-13 and result.report.converged


def test_no_entry_can_be_improved(rng):
    """The definition of the answer: given one factor, every entry of the other minimises its own sum."""
    _, A = planted(rng, 50, 41, rank=2, noise=0.5)
    result = svdkit.l1_svd(A, 1, tol=1e-12)
    a, b = result.U[:, 0] * result.s[0], result.Vh[0]
    for cells, fixed, entries in ((A.T, a, b), (A, b, a)):
        for line, entry in zip(cells, entries, strict=True):
            best = weighted_median(line / fixed, np.abs(fixed))
            reached, least = np.abs(line - entry * fixed).sum(), np.abs(line - best * fixed).sum()
            assert reached <= least * (1 + 1e-7)


@pytest.mark.parametrize("rank", [1, 2, 4])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_error_never_rises(rank, noise, rng):
    _, A = planted(rng, 80, 70, rank, noise=noise)
    result = svdkit.l1_svd(A, rank)
    assert np.all(np.diff(result.history) <= 1e-12 * result.history[0])
    assert result.objective == pytest.approx(np.abs(A - result.reconstruct()).sum(), rel=1e-10)
    assert result.objective == result.history[-1]


@pytest.mark.parametrize("rank", [2, 3])
def test_several_components(rank, rng):
    """Refined rounds find what deflation alone misses."""
    low, A = planted(rng, 150, 100, rank, share=0.2)
    assert error(svdkit.l1_svd(A, rank), low) < 1e-4
    deflated = svdkit.l1_svd(A, rank, refine=1)
    assert deflated.objective > np.abs(A - low).sum()


def test_noise(rng):
    """30 % wrong cells cost little beside the noise, where least squares is lost."""
    low, A = planted(rng, 150, 100, 1, share=0.3, noise=0.5)
    assert error(svdkit.l1_svd(A, 1), low) < 0.15 < 1 < error(svdkit.tsvd(A, 1), low)


def test_result_is_an_svd(rng):
    _, A = planted(rng, 60, 50, 4, noise=0.2)
    result = svdkit.l1_svd(A, 4)
    U, s, Vh = result
    assert U.shape == (60, 4) and s.shape == (4,) and Vh.shape == (4, 50)
    assert orthonormality(U) < 1e-12 and orthonormality(Vh.T) < 1e-12
    assert np.all(np.diff(s) <= 0) and signs_are_fixed(U)


def test_missing_cells(rng):
    low, A = planted(rng, 120, 90, 1, share=0.15)
    seen = rng.random(A.shape) < 0.6
    result = svdkit.l1_svd(np.where(seen, A, np.nan), 1, missing="mask")
    assert error(result, low) < 1e-12
    A[4], A[:, 6] = np.nan, np.nan
    result = svdkit.l1_svd(A, 1, missing="mask")
    assert np.all(result.U[4] == 0) and np.all(result.Vh[:, 6] == 0)


@pytest.mark.parametrize("scale", [1e-300, 1e300, -7e5])
def test_scale(scale, rng):
    low, A = planted(rng, 60, 40, 1, noise=0.1)
    plain, scaled = svdkit.l1_svd(A, 1), svdkit.l1_svd(A * scale, 1)
    np.testing.assert_allclose(scaled.s / abs(scale), plain.s, rtol=1e-5)
    assert np.abs(np.abs(scaled.U) - np.abs(plain.U)).max() < 1e-4


def test_permuted_and_transposed(rng):
    """Rank one without noise has one answer; rows and columns may come in any order."""
    low, A = planted(rng, 60, 45, 1)
    rows, cols = rng.permutation(60), rng.permutation(45)
    assert error(svdkit.l1_svd(A[rows][:, cols], 1), low[rows][:, cols]) < 1e-12
    assert error(svdkit.l1_svd(A.T, 1), low.T) < 1e-12


def test_layouts(rng):
    _, A = planted(rng, 50, 40, 2, noise=0.3)
    plain = svdkit.l1_svd(A, 2)
    wide = np.zeros((100, 80))
    wide[::2, ::2] = A
    before = snapshot(wide)
    assert same_bits(svdkit.l1_svd(wide[::2, ::2], 2), plain) and snapshot(wide) == before
    turned = svdkit.l1_svd(np.asfortranarray(A), 2)  # columns first: another path
    assert turned.objective <= plain.objective * 1.05


def test_float32(rng):
    low, A = planted(rng, 90, 70, 1)
    result = svdkit.l1_svd(A.astype(np.float32), 1)
    assert result.dtype == np.float32 and error(result, low) < 1e-5


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_same_bits_for_any_threads(missing, rng):
    _, A = planted(rng, 500, 400, 2, noise=0.3)
    A[rng.random(A.shape) < missing] = np.nan
    with pytest.warns(svdkit.ConvergenceWarning):
        one, many = (svdkit.l1_svd(A, 2, missing="mask", threads=threads, refine=2) for threads in (1, 4))
    assert same_bits([*one, one.history], [*many, many.history])


@pytest.mark.parametrize("A", [np.zeros((5, 4)), np.full((6, 5), np.nan)], ids=["zero", "nothing seen"])
def test_nothing(A):
    result = svdkit.l1_svd(A, 2, missing="mask")
    assert np.all(result.s == 0) and result.objective == 0
    assert orthonormality(result.U) < 1e-12 and orthonormality(result.Vh.T) < 1e-12


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 2)], ids=str)
def test_tiny_and_full_rank(shape, rng):
    A = rng.standard_normal(shape)
    result = svdkit.l1_svd(A, min(shape))
    assert np.isfinite(result.reconstruct()).all()
    if min(shape) == 1:
        np.testing.assert_allclose(result.reconstruct(), A, rtol=1e-12)


def test_constant_and_duplicated(rng):
    np.testing.assert_allclose(svdkit.l1_svd(np.full((8, 6), 3.0), 2).reconstruct(), 3.0, rtol=1e-12)
    line = rng.standard_normal(20)
    np.testing.assert_allclose(svdkit.l1_svd(np.tile(line, (9, 1)), 1).reconstruct()[0], line, rtol=1e-12)


def test_callback_and_limits(rng):
    _, A = planted(rng, 80, 60, 2, noise=1.0)
    seen = []
    with pytest.warns(svdkit.ConvergenceWarning, match="the callback asked to stop"):
        result = svdkit.l1_svd(A, 2, callback=lambda info: seen.append(info) or len(seen) == 15)
    assert len(seen) == 15 and result.rank == 2
    with pytest.warns(svdkit.ConvergenceWarning, match="time limit"):
        svdkit.l1_svd(A, 2, time_limit=1e-9)
    with pytest.raises(svdkit.ConvergenceError):
        svdkit.l1_svd(A, 2, max_iter=1, refine=1, on_fail="raise")


def test_pickle(rng):
    result = svdkit.l1_svd(planted(rng, 30, 20, 1)[1], 1)
    again = pickle.loads(pickle.dumps(result))
    assert same_bits([*again, again.history], [*result, result.history])


@pytest.mark.parametrize(
    ("options", "words"),
    [({"k": 5}, "k = 5"), ({"k": 0}, "k = 0"), ({"refine": 0}, "refine = 0"), ({"missing": None}, "missing = None")],
)
def test_bad_arguments(options, words, rng):
    with pytest.raises(ValueError, match=words):
        svdkit.l1_svd(rng.standard_normal((5, 4)), **{"k": 1, **options})
