"""svdkit.testing: assert_svd accepts what is right and rejects every way of being wrong; strategies keep their word."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from hypothesis import given, settings
from reference import DTYPES, random_matrix, random_sparse, singular_values, with_spectrum
from svdkit.testing import assert_svd, matrices_with_spectrum, shapes


@pytest.fixture
def a(rng):
    return with_spectrum(rng, 40, 30, np.linspace(2, 1, 30))


class TestAccepts:
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("shape", [(40, 30), (30, 40), (1, 5), (5, 1)], ids=str)
    def test_dense(self, shape, dtype, rng):
        a = random_matrix(rng, *shape, dtype)
        for k in {1, min(shape)}:
            assert_svd(a, svdkit.tsvd(a, k))

    @pytest.mark.parametrize("format", ["csr", "csc"])
    def test_sparse(self, format, rng):
        a = random_sparse(rng, 60, 50, 0.2, format=format)
        assert_svd(a, svdkit.tsvd(a, 5))

    def test_operators(self, a):
        assert_svd(svdkit.operators.Dense(a), svdkit.tsvd(a, 3))
        assert_svd(sp.linalg.aslinearoperator(a), svdkit.tsvd(a, 3))

    def test_tuple_and_other_libraries(self, a):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        signs = np.sign(u[np.abs(u).argmax(axis=0), range(30)])
        assert_svd(a, (u * signs, s, vh * signs[:, None]))

    def test_zero_matrix(self):
        assert_svd(np.zeros((6, 4)), svdkit.tsvd(np.zeros((6, 4)), 2))

    def test_tolerance(self, a):
        u, s, vh = svdkit.tsvd(a, 5)
        loose = u, s * (1 - 1e-4), vh
        assert_svd(a, loose, tol=1e-3)
        with pytest.raises(AssertionError, match="residual"):
            assert_svd(a, loose)


def spoiled(name, a, u, s, vh):
    """One wrong result for every way of being wrong."""
    n = len(s)
    return {
        "value too large": (u, s * np.r_[1 + 1e-8, np.ones(n - 1)], vh),
        "value too small": (u, s * np.r_[np.ones(n - 1), 1 - 1e-8], vh),
        "not descending": (u[:, ::-1], s[::-1], vh[::-1]),
        "negative": (u, s * np.r_[np.ones(n - 1), -1], vh * np.r_[np.ones(n - 1), -1][:, None]),
        "sign of u": (-u, s, -vh),
        "sign of one side": (u, s, -vh),
        "not normalised": (u * 1.001, s, vh / 1.001),
        "not orthogonal": (u, s, np.vstack([vh[:-1], vh[:1]])),
        "rotated pair": (u, s, np.vstack([(vh[0] + vh[1]) / 2**0.5, (vh[1] - vh[0]) / 2**0.5, vh[2:]])),
        "nan": (u * np.nan, s, vh),
        "shape of u": (u[:-1], s, vh),
        "shape of s": (u, s[:-1], vh),
        "shape of vh": (u, s, vh.T),
        "another matrix": tuple(svdkit.tsvd(a + 1e-6, n)),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "value too large", "value too small", "not descending", "negative", "sign of u", "sign of one side",
        "not normalised", "not orthogonal", "rotated pair", "nan", "shape of u", "shape of s", "shape of vh",
        "another matrix",
    ],
)  # fmt: skip
def test_rejects(name, a):
    with pytest.raises(AssertionError):
        assert_svd(a, spoiled(name, a, *svdkit.tsvd(a, 4)))


@pytest.mark.parametrize("left_out", [0, 1, 2])
def test_rejects_a_missed_triplet(left_out, a):
    """Residuals cannot see it; the values of a small matrix can."""
    u, s, vh = svdkit.tsvd(a, 4)
    kept = [i for i in range(4) if i != left_out]
    with pytest.raises(AssertionError):
        assert_svd(a, (u[:, kept], s[kept], vh[kept]))


def test_rejects_a_missed_copy():
    a = np.diag([1.0, 1.0, 1.0, 0.5, 0.25])
    u, s, vh = np.eye(5)[:, [0, 1, 3]], np.array([1, 1, 0.5]), np.eye(5)[[0, 1, 3]]
    with pytest.raises(AssertionError):
        assert_svd(a, (u, s, vh))


def test_message_says_how_much(a):
    u, s, vh = svdkit.tsvd(a, 4)
    with pytest.raises(AssertionError, match=r"residual is \d"):
        assert_svd(a, (u, s * (1 - 1e-3), vh))


class TestStrategies:
    @given(shapes(7))
    def test_shapes(self, shape):
        assert all(1 <= extent <= 7 for extent in shape)

    @given(matrices_with_spectrum(dtypes=DTYPES, largest=25))
    def test_spectrum_is_the_one_stated(self, matrix):
        a, s = matrix
        assert str(a.dtype) in DTYPES and len(s) == min(a.shape)
        assert np.all(np.diff(s) <= 0)
        np.testing.assert_allclose(singular_values(a), s, rtol=0, atol=50 * np.finfo(a.dtype).eps * s[0])

    @pytest.mark.parametrize("kind", ["fast", "slow", "repeated", "deficient", "graded"])
    def test_kinds(self, kind):
        seen = []

        @settings(max_examples=10)
        @given(matrices_with_spectrum([kind], largest=20))
        def collect(matrix):
            seen.append(matrix[1])

        collect()
        assert len({len(s) for s in seen}) > 1

    def test_unknown_kind(self):
        with pytest.raises(ValueError, match="kinds.*odd"):
            matrices_with_spectrum(["odd"])
