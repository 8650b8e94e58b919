"""The report tells the truth: residuals, passes, time, memory and reasons are what an outsider measures."""

import time
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DTYPES, accuracy, path_incidence, random_matrix, random_sparse, residuals, with_spectrum
from scipy.sparse.linalg import LinearOperator


class Counting(LinearOperator):
    """A LinearOperator that counts how often its matrix is read."""

    def __init__(self, a):
        self.a, self.passes = a, 0
        super().__init__(a.dtype, a.shape)

    def _matmat(self, x):
        self.passes += 1
        return self.a @ x

    def _rmatmat(self, y):
        self.passes += 1
        return self.a.conj().T @ y

    def _matvec(self, x):
        return self._matmat(x.reshape(-1, 1)).ravel()

    def _rmatvec(self, y):
        return self._rmatmat(y.reshape(-1, 1)).ravel()


@pytest.mark.parametrize("form", ["dense", "csr", "csc"])
@pytest.mark.parametrize("method", ["lanczos", "full", "auto"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_residuals_are_those_of_the_answer(dtype, method, form, rng):
    a = random_sparse(rng, 150, 120, 0.2, dtype)
    given = a.toarray() if form == "dense" else a.asformat(form)
    tol = 1e-2 if method == "lanczos" else None  # large enough to be more than rounding
    result = svdkit.tsvd(given, 8, tol=tol, method=method)
    top, noise = float(result.s[0]), accuracy(dtype).noise
    measured = residuals(a, *result)
    np.testing.assert_allclose(result.report.residuals, measured, rtol=1e-4, atol=noise * top)
    assert result.report.residuals.dtype == np.float64 and result.report.residuals.shape == (8,)


def test_residuals_take_the_larger_side(rng):
    """After a loose solve the two sides of a triplet differ; the report has the larger one."""
    a = with_spectrum(rng, 300, 200, np.linspace(1, 0.3, 200))
    result = svdkit.tsvd(a, 6, tol=1e-2, method="lanczos")
    u, s, vh = result
    left = np.linalg.norm(a @ vh.T - u * s, axis=0)
    right = np.linalg.norm(a.T @ u - vh.T * s, axis=0)
    np.testing.assert_allclose(result.report.residuals, np.maximum(left, right), rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("k", [1, 8, 30])
def test_passes_are_the_products_made(k, dtype, rng):
    a = Counting(random_matrix(rng, 400, 300, dtype))
    report = svdkit.tsvd(a, k, method="lanczos").report
    assert report.passes == a.passes


def test_passes_with_options(rng):
    plain = rng.standard_normal((300, 200))
    cold = svdkit.tsvd(plain, 5, method="lanczos")
    for options in ({"center": True}, {"warm_start": cold}, {"block_size": 3}, {"tol": 1e-3}, {"which": "smallest"}):
        a = Counting(plain)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
            report = svdkit.tsvd(a, 5, method="lanczos", max_passes=300, **options).report
        assert report.passes == a.passes, options


def test_passes_of_an_interrupted_run(rng):
    a = Counting(with_spectrum(rng, 300, 200, np.linspace(1, 0.5, 200)))
    with pytest.warns(svdkit.ConvergenceWarning):
        report = svdkit.tsvd(a, 20, method="lanczos", max_passes=12).report
    assert report.passes == a.passes <= 12


@pytest.mark.parametrize("method", ["full", "lanczos"])
def test_method_is_the_one_asked_for(method, rng):
    report = svdkit.tsvd(rng.standard_normal((50, 40)), 3, method=method).report
    assert report.method == method and report.reason


@pytest.mark.parametrize("shape", [(50, 40), (1500, 1400), (4000, 30)], ids=str)
def test_auto_says_why(shape, rng):
    report = svdkit.tsvd(rng.standard_normal(shape), 3).report
    assert report.method != "auto" and len(report.reason) > 10


def test_seconds(rng):
    a = rng.standard_normal((600, 500))
    start = time.perf_counter()
    report = svdkit.tsvd(a, 10, method="lanczos").report
    wall = time.perf_counter() - start
    assert len(report.seconds) >= 2
    assert all(isinstance(phase, str) and seconds >= 0 for phase, seconds in report.seconds.items())
    total = report.seconds.get("total", sum(report.seconds.values()))
    assert 0 < total <= wall


def test_counts(rng):
    report = svdkit.tsvd(rng.standard_normal((600, 500)), 10, method="lanczos", threads=2, rng=17).report
    assert report.converged is True
    assert (report.threads, report.seed) == (2, 17)
    assert 0 < report.iterations <= report.passes
    assert isinstance(report.passes, int) and isinstance(report.iterations, int)
    assert all(isinstance(note, str) for note in report.notes)


def test_converged_means_every_residual(rng):
    a = with_spectrum(rng, 300, 200, np.linspace(1, 0.5, 200))
    for passes in (8, 20, 60, 1000):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", svdkit.ConvergenceWarning)
            result = svdkit.tsvd(a, 10, method="lanczos", max_passes=passes)
        within = result.report.residuals.max() <= 1e-10 * result.s[0]
        assert result.report.converged <= within


class TestPeakBytes:
    def test_lanczos_keeps_a_basis(self):
        """At least the result, at most a few times the basis of the method (here 2k + 16 vectors on both sides)."""
        m, n, k = 20_000, 15_000, 10
        a = sp.random_array((m, n), density=1e-4, rng=np.random.default_rng(0), format="csr")
        peak = svdkit.tsvd(a, k).report.peak_bytes
        assert (m + n) * k * 8 <= peak <= 4 * (m + n) * (2 * k + 40) * 8 + 2**22

    def test_full_holds_a_copy(self, rng):
        a = rng.standard_normal((300, 200))
        peak = svdkit.tsvd(a, 5, method="full").report.peak_bytes
        assert a.nbytes <= peak <= 20 * a.nbytes

    def test_dense_is_not_copied(self, rng):
        """k small, A large: the workspace is a small part of A."""
        a = rng.standard_normal((3000, 2000))
        peak = svdkit.tsvd(a, 2, tol=1e-3).report.peak_bytes
        assert peak < 0.5 * a.nbytes

    def test_grows_with_k(self, rng):
        a = rng.standard_normal((900, 800))
        few, many = (svdkit.tsvd(a, k, method="lanczos").report.peak_bytes for k in (2, 60))
        assert few < many and many >= (900 + 800) * 60 * 8


def test_text_names_the_essentials(rng):
    report = svdkit.tsvd(path_incidence(300)[0], 4, method="lanczos").report
    text = str(report)
    assert "lanczos" in text and "converged" in text and str(report.passes) in text
