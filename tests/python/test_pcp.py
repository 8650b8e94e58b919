"""Principal component pursuit: exact recovery, a certificate that holds, and the popular iteration repeated."""

import pickle

import numpy as np
import pytest
import svdkit
from reference import orthonormality, same_bits, snapshot


def split(rng, m, n, rank, share=0.1, size=10.0, noise=0.0):
    low = rng.standard_normal((m, rank)) @ rng.standard_normal((rank, n))
    sparse = np.where(rng.random((m, n)) < share, rng.uniform(-size, size, (m, n)), 0.0)
    return low, sparse, low + sparse + noise * rng.standard_normal((m, n))


def inexact_alm(A, lam, tol=1e-7):
    """Lin, Chen and Ma (2010), algorithm 5, with full SVDs."""
    top = np.linalg.norm(A, 2)
    Y, S, mu, step = A / max(top, np.abs(A).max() / lam), np.zeros_like(A), 1.25 / top, 0
    while True:
        U, s, Vh = np.linalg.svd(A - S + Y / mu, full_matrices=False)
        L = (U * np.maximum(s - 1 / mu, 0)) @ Vh
        X = A - L + Y / mu
        S = np.sign(X) * np.maximum(np.abs(X) - lam / mu, 0)
        Y, mu, step = Y + mu * (A - L - S), mu * 1.5, step + 1
        if np.linalg.norm(A - L - S) <= tol * np.linalg.norm(A):
            return L, S, step


@pytest.mark.parametrize("shape", [(200, 200), (300, 90), (90, 300)], ids=str)
def test_exact_recovery(shape, rng):
    low, sparse, A = split(rng, *shape, rank=4)
    result = svdkit.pcp(A, tol=1e-7)
    assert result.report.converged and result.rank == 4
    assert np.linalg.norm(result.reconstruct() - low) <= 1e-6 * np.linalg.norm(low)
    assert np.linalg.norm(result.S - sparse) <= 1e-6 * np.linalg.norm(sparse)
    wrong = np.abs(sparse) > 1e-4
    np.testing.assert_array_equal(np.abs(result.S) > 1e-5, wrong)
    assert result.nonzeros == np.count_nonzero(result.S)


def test_certificate_is_true(rng):
    """Objective and residual as NumPy computes them, and the bound below every feasible value."""
    low, sparse, A = split(rng, 120, 80, 3, noise=0.5)
    result = svdkit.pcp(A, tol=1e-6)
    L = result.reconstruct()
    assert result.report.converged and result.gap <= 1e-6
    value = np.linalg.norm(L, "nuc") + result.lam * np.abs(A - L).sum()
    assert value == pytest.approx(result.objective, rel=1e-12)
    residual = np.linalg.norm(A - L - result.S) / np.linalg.norm(A)
    assert residual == pytest.approx(result.primal_residual, rel=1e-6, abs=1e-15)
    for other in (low, A, np.zeros_like(A), L + 1e-3 * rng.standard_normal(A.shape)):
        assert np.linalg.norm(other, "nuc") + result.lam * np.abs(A - other).sum() >= result.bound


def test_optimality_conditions(rng):
    """The sign of S times lam, and U V^T on the tangent space of L: a multiplier that proves the optimum exists."""
    _, _, A = split(rng, 100, 100, 3, noise=0.3)
    result = svdkit.pcp(A, tol=1e-8)
    U, _, Vh = result
    lam = result.lam
    # the residuals are max(|Y v - u|, |Y^T u - v|) of a Y with |Y_ij| <= lam
    assert result.report.residuals.max() <= 1e-4
    # moving along any triplet or any entry of S does not help
    L, base = result.reconstruct(), result.objective
    for i in range(0, result.rank, 5):
        for size in (-1e-3, 1e-3):
            moved = L + size * np.outer(U[:, i], Vh[i])
            assert np.linalg.norm(moved, "nuc") + lam * np.abs(A - moved).sum() >= base * (1 - 1e-7)


@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("shape", [(150, 100), (100, 150), (400, 40)], ids=str)
def test_growing_penalty_is_the_inexact_alm(shape, noise, rng):
    _, _, A = split(rng, *shape, rank=3, noise=noise)
    lam = 1 / np.sqrt(max(shape))
    L, S, steps = inexact_alm(A, lam)
    result = svdkit.pcp(A, lam, penalty="growing", tol=1e-7)
    assert result.report.iterations == steps
    assert np.linalg.norm(result.reconstruct() - L) <= 1e-8 * np.linalg.norm(L)
    assert np.linalg.norm(result.S - S) <= 1e-8 * np.linalg.norm(S)


def test_growing_penalty_says_that_it_is_not_optimal(rng):
    _, _, A = split(rng, 150, 100, 3, noise=1.0)
    growing, balanced = svdkit.pcp(A, penalty="growing"), svdkit.pcp(A)
    assert growing.gap > 1e-2 > balanced.gap
    assert balanced.objective < growing.objective


def test_missing_cells(rng):
    low, _, A = split(rng, 200, 150, 3, share=0.05)
    seen = rng.random(A.shape) < 0.8
    result = svdkit.pcp(np.where(seen, A, np.nan), missing="mask", tol=1e-6)
    assert np.linalg.norm(result.reconstruct() - low) <= 1e-4 * np.linalg.norm(low)
    assert np.all(result.S[~seen] == 0)
    L = result.reconstruct()
    assert np.linalg.norm(L, "nuc") + result.lam * np.abs(A - L)[seen].sum() == pytest.approx(result.objective)


def test_missing_rows_and_columns(rng):
    low, _, A = split(rng, 80, 60, 2, share=0.02)
    A[5], A[:, 7] = np.nan, np.nan
    result = svdkit.pcp(A, missing="mask")
    assert np.abs(result.reconstruct()[5]).max() < 1e-6 * np.abs(low).max()
    assert np.isfinite(result.S).all() and result.report.converged


def test_float32(rng):
    low, _, A = split(rng, 200, 120, 3)
    result = svdkit.pcp(A.astype(np.float32))
    assert result.dtype == np.float32 and result.S.dtype == np.float32 and result.report.converged
    assert np.linalg.norm(result.reconstruct() - low) <= 1e-3 * np.linalg.norm(low)


@pytest.mark.parametrize("scale", [1e-300, 1e300, 1e-5])
def test_scale(scale, rng):
    _, _, A = split(rng, 60, 50, 2)
    plain, scaled = svdkit.pcp(A), svdkit.pcp(A * scale)
    assert scaled.rank == plain.rank and scaled.report.iterations == plain.report.iterations
    np.testing.assert_allclose(scaled.s / scale, plain.s, rtol=1e-8)
    np.testing.assert_allclose(scaled.S / scale, plain.S, atol=1e-8 * np.abs(plain.S).max())
    assert np.isfinite(scaled.objective)


def test_equivariance(rng):
    _, _, A = split(rng, 90, 60, 3, noise=0.1)
    L = svdkit.pcp(A, tol=1e-7).reconstruct()
    rows, cols = rng.permutation(90), rng.permutation(60)
    size = np.linalg.norm(L)
    assert np.linalg.norm(svdkit.pcp(A[rows][:, cols], tol=1e-7).reconstruct() - L[rows][:, cols]) <= 1e-4 * size
    assert np.linalg.norm(svdkit.pcp(-3 * A, tol=1e-7).reconstruct() + 3 * L) <= 1e-4 * size
    assert np.linalg.norm(svdkit.pcp(A.T, tol=1e-7).reconstruct() - L.T) <= 1e-4 * size


def test_layouts_and_inputs(rng):
    _, _, A = split(rng, 70, 50, 2)
    plain = svdkit.pcp(A)
    wide = np.zeros((140, 100))
    wide[::2, ::2] = A
    fixed = A.copy()
    fixed.flags.writeable = False
    for form in (np.asfortranarray(A), wide[::2, ::2], A[::-1][::-1], fixed):
        before = snapshot(form)
        result = svdkit.pcp(form)
        assert snapshot(form) == before
        np.testing.assert_allclose(result.s, plain.s, rtol=1e-6)
        np.testing.assert_allclose(result.S, plain.S, atol=1e-4)
    whole = svdkit.pcp((10 * A).astype(np.int16))
    assert whole.dtype == np.float64 and "copied" in whole.report.notes[0]


def test_same_bits_for_any_threads(rng):
    _, _, A = split(rng, 700, 300, 5, noise=0.01)
    with pytest.warns(svdkit.ConvergenceWarning):
        one, many = (svdkit.pcp(A, threads=threads, max_iter=15) for threads in (1, 4))
    assert same_bits([*one, one.S], [*many, many.S])
    assert one.gap == many.gap


@pytest.mark.parametrize("A", [np.zeros((5, 4)), np.full((6, 5), np.nan)], ids=["zero", "nothing seen"])
def test_nothing(A):
    result = svdkit.pcp(A, missing="mask")
    assert result.rank == 0 and result.report.converged and np.all(result.S == 0) and result.gap == 0
    assert result.reconstruct().shape == A.shape


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3)], ids=str)
def test_tiny(shape, rng):
    A = rng.standard_normal(shape)
    result = svdkit.pcp(A)
    assert result.report.converged
    assert np.linalg.norm(A - result.reconstruct() - result.S) <= 1e-4 * np.linalg.norm(A)
    assert orthonormality(result.U) < 1e-12 and orthonormality(result.Vh.T) < 1e-12


def test_callback_and_limits(rng):
    _, _, A = split(rng, 100, 80, 3, noise=1.0)
    seen = []
    with pytest.warns(svdkit.ConvergenceWarning, match="the callback asked to stop"):
        result = svdkit.pcp(A, callback=lambda info: seen.append(info) or info.iteration == 4)
    assert [info.iteration for info in seen] == [1, 2, 3, 4] and result.report.iterations == 4
    assert seen[0].residuals.size == 2 and result.S.shape == A.shape
    with pytest.warns(svdkit.ConvergenceWarning, match="time limit"):
        svdkit.pcp(A, time_limit=1e-9)
    with pytest.raises(svdkit.ConvergenceError) as raised:
        svdkit.pcp(A, max_iter=2, on_fail="raise")
    assert raised.value.result.report.iterations == 2


def test_pickle(rng):
    result = svdkit.pcp(split(rng, 40, 30, 2)[2])
    again = pickle.loads(pickle.dumps(result))
    assert same_bits([*again, again.S], [*result, result.S]) and again.gap == result.gap


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"lam": 0}, ValueError, "lam = 0"),
        ({"lam": float("nan")}, ValueError, "lam = nan"),
        ({"penalty": "fast"}, ValueError, "penalty = 'fast'"),
        ({"missing": "drop"}, ValueError, "missing = 'drop'"),
        ({"tol": 2}, ValueError, "tol = 2"),
        ({"max_iter": 0}, ValueError, "max_iter = 0"),
        ({"on_fail": "ignore"}, ValueError, "on_fail"),
    ],
)
def test_bad_arguments(options, error, words, rng):
    with pytest.raises(error, match=words):
        svdkit.pcp(rng.standard_normal((5, 4)), **options)


def test_bad_matrices(rng):
    import scipy.sparse as sp

    A = rng.standard_normal((5, 4))
    assert "written out" in svdkit.pcp(sp.csr_array(A)).report.notes[0]
    with pytest.raises(TypeError, match="pass an array"):
        svdkit.pcp(svdkit.operators.Dense(A))
    with pytest.raises(TypeError, match="must be real"):
        svdkit.pcp(A + 1j)
    with pytest.raises(ValueError, match="2 dimensions"):
        svdkit.pcp(A[0])
    with pytest.raises(ValueError, match="rows and columns"):
        svdkit.pcp(np.empty((0, 4)))
    A[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"A\[2, 1\] is nan"):
        svdkit.pcp(A)
    A[3, 0] = np.inf
    for form in (A, np.asfortranarray(A)):
        with pytest.raises(ValueError, match=r"A\[3, 0\] is infinite"):
            svdkit.pcp(form, missing="mask")
