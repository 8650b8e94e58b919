"""What holds for every matrix: hypothesis looks for one where it does not."""

import warnings

import numpy as np
import scipy.sparse as sp
import svdkit
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import (
    DTYPES,
    accuracy,
    check_svd,
    dense,
    orthonormal,
    orthonormality,
    random_matrix,
    residuals,
    same_bits,
    signs_are_fixed,
    singular_values,
)

METHODS = st.sampled_from(["lanczos", "full", "auto"])
SPECTRA = {
    "gaussian": None,
    "fast": lambda r: 0.6 ** np.arange(r),
    "slow": lambda r: 1 / np.sqrt(1 + np.arange(r)),
    "steps": lambda r: 1.0 + np.arange(r)[::-1] // 4,
    "deficient": lambda r: np.where(np.arange(r) < (r + 1) // 3, 1.0, 0.0),
    "graded": lambda r: 10.0 ** -np.linspace(0, 15, r),
    "one": lambda r: np.ones(r),
}


@st.composite
def matrices(draw, dtypes=DTYPES, largest=70):
    """Dense or sparse, any shape, several kinds of spectra."""
    m, n = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    dtype, kind = draw(st.sampled_from(dtypes)), draw(st.sampled_from(sorted(SPECTRA)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    if draw(st.booleans()):  # sparse, with empty rows and columns where it is thin
        a = random_matrix(rng, m, n, dtype) * (rng.random((m, n)) < draw(st.sampled_from([0.03, 0.2, 0.7])))
        return sp.csr_array(a) if draw(st.booleans()) else sp.csc_array(a)
    if SPECTRA[kind] is None:
        return random_matrix(rng, m, n, dtype)
    r = min(m, n)
    u, v = orthonormal(rng, m, r, dtype), orthonormal(rng, n, r, dtype)
    return np.asarray(((u * SPECTRA[kind](r)) @ v.conj().T).astype(dtype), order=draw(st.sampled_from("CF")))


@st.composite
def problems(draw, **options):
    a = draw(matrices(**options))
    return a, draw(st.integers(1, min(a.shape))), draw(METHODS)


doubles = {"dtypes": ("float64", "complex128")}


@given(problems())
def test_contract(problem):
    a, k, method = problem
    result = svdkit.tsvd(a, k, method=method)
    assert result.report.converged
    check_svd(a, result, k)
    assert signs_are_fixed(result.U) or result.dtype.itemsize < 16
    top, noise = float(result.s[0]), accuracy(result.dtype).noise
    np.testing.assert_allclose(result.report.residuals, residuals(a, *result), rtol=1e-3, atol=noise * top)


@given(problems(**doubles))
def test_orthonormal_to_1e_12(problem):
    a, k, method = problem
    u, _, vh = svdkit.tsvd(a, k, method=method)
    assert orthonormality(u) <= 1e-12 and orthonormality(vh.conj().T) <= 1e-12


@given(problems(**doubles))
def test_values_are_lower_bounds(problem):
    """Ritz values never exceed the singular values, whatever the tolerance; together no more than the norm."""
    a, k, method = problem
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
        for options in ({"tol": 1e-2}, {"max_passes": 6}, {}):
            s = svdkit.svdvals(a, k, method=method, **options)
            exact = singular_values(a)
            assert np.all(s <= exact[:k] + 1e-13 * exact[0])
            assert np.sum(s**2) <= np.linalg.norm(dense(a)) ** 2 * (1 + 1e-13)


@given(problems(**doubles))
def test_adjoint_has_the_same_values(problem):
    a, k, method = problem
    s, t = svdkit.svdvals(a, k, method=method), svdkit.svdvals(a.conj().T, k, method=method)
    np.testing.assert_allclose(s, t, rtol=0, atol=1e-12 * s[0])


@given(problems(**doubles), st.integers(0, 2**32))
def test_rotations_and_permutations_change_no_value(problem, seed):
    a, k, method = problem
    rng = np.random.default_rng(seed)
    s = svdkit.svdvals(a, k, method=method)
    q = orthonormal(rng, a.shape[0], a.shape[0], a.dtype)
    rows, cols = rng.permutation(a.shape[0]), rng.permutation(a.shape[1])
    np.testing.assert_allclose(svdkit.svdvals(q @ dense(a), k, method=method), s, rtol=0, atol=1e-12 * s[0])
    np.testing.assert_allclose(svdkit.svdvals(a[rows][:, cols], k, method=method), s, rtol=0, atol=1e-12 * s[0])


@given(problems(), st.integers(-90, 90), st.sampled_from([1, -1]))
def test_powers_of_two_scale_exactly(problem, exponent, sign):
    """Values scale to the bit, vectors stay; a sign goes into V. (Entries far from underflow.)"""
    a, k, method = problem
    entries = np.abs(a.data if sp.issparse(a) else a)
    assume(np.all((entries == 0) | (entries > 2.0 ** (-126 + 90 + 24))))
    factor = np.dtype(a.dtype).type(sign * 2.0**exponent)
    one, other = svdkit.tsvd(a, k, method=method), svdkit.tsvd(a * factor, k, method=method)
    if sign > 0:
        assert same_bits((other.U, other.Vh), (one.U, one.Vh))
        assert same_bits((other.s,), (np.ldexp(one.s, exponent),))
    limit = 4 * accuracy(a.dtype).value
    np.testing.assert_allclose(np.ldexp(other.s, -exponent), one.s, rtol=0, atol=limit * one.s[0])


@given(problems(**doubles), st.data())
def test_interlacing_under_row_deletion(problem, data):
    """sigma_{i+1}(A) <= sigma_i(A without a row) <= sigma_i(A)."""
    a, k, method = problem
    assume(a.shape[0] > 1)
    row = data.draw(st.integers(0, a.shape[0] - 1))
    smaller = a[np.arange(a.shape[0]) != row]
    k = min(k, *smaller.shape)
    whole, part = svdkit.svdvals(a, k, method=method), svdkit.svdvals(smaller, k, method=method)
    slack = 1e-12 * whole[0]
    assert np.all(part <= whole + slack)
    assert np.all(whole[1:] <= part[:-1] + slack)


@given(problems(), st.integers(1, 4), st.integers(1, 4))
def test_threads_change_no_bit(problem, one, other):
    a, k, method = problem
    assert same_bits(svdkit.tsvd(a, k, method=method, threads=one), svdkit.tsvd(a, k, method=method, threads=other))


@given(problems(**doubles), st.integers(0, 2**63), st.sampled_from([None, 1, 2, 3, 4, 8, 16]))
def test_start_and_block_size_do_not_matter(problem, seed, block_size):
    a, k, _ = problem
    plain = svdkit.tsvd(a, k, method="lanczos")
    other = svdkit.tsvd(a, k, method="lanczos", rng=seed, block_size=block_size)
    check_svd(a, other, k)
    np.testing.assert_allclose(other.s, plain.s, rtol=0, atol=1e-12 * plain.s[0])


@given(problems(**doubles))
def test_forms_of_one_matrix_agree(problem):
    a, k, method = problem
    full = dense(a)
    forms = [full, np.asfortranarray(full), sp.csr_array(full), sp.csc_array(full), sp.linalg.aslinearoperator(full)]
    values = [svdkit.svdvals(form, k, method=method) for form in forms]
    for s in values[1:]:
        np.testing.assert_allclose(s, values[0], rtol=0, atol=1e-13 * values[0][0])


@given(problems(**doubles))
def test_residual_matrix_norm(problem):
    """|A - U S V^H|_F^2 = |A|_F^2 - sum s^2, and its largest value is the next one."""
    a, k, method = problem
    result, exact = svdkit.tsvd(a, k, method=method), singular_values(a)
    rest = dense(a) - result.reconstruct()
    top = exact[0] or 1.0
    assert abs(np.linalg.norm(rest) ** 2 - np.sum(exact[k:] ** 2)) <= 1e-11 * np.sum((exact / top) ** 2) * top**2
    following = exact[k] if k < len(exact) else 0.0
    assert abs(np.linalg.norm(rest, 2) - following) <= 1e-10 * top


@given(problems(**doubles))
def test_smallest_and_largest_meet(problem):
    a, k, _ = problem
    a = dense(a)
    exact = singular_values(a)
    s = svdkit.svdvals(a, k, which="smallest")
    np.testing.assert_allclose(s, exact[len(exact) - k :], rtol=0, atol=1e-13 * max(exact[0], 1e-300))


@given(problems(**doubles))
def test_warm_start_changes_no_answer(problem):
    a, k, _ = problem
    cold = svdkit.tsvd(a, k, method="lanczos")
    warm = svdkit.tsvd(a, k, method="lanczos", warm_start=cold)
    check_svd(a, warm, k)
    np.testing.assert_allclose(warm.s, cold.s, rtol=0, atol=1e-12 * max(cold.s[0], 1e-300))
