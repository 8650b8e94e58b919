"""Rearrangements and sums of Kronecker products against the dense matrices they stand for (K3, K4)."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DTYPES, random_matrix, random_sparse, same_bits
from svdkit.operators import Dense, GramOfSamples, KroneckerRearranged, KroneckerSum, LowRank, Scaled

# Extents all different, or 1, or prime; tiles thin and thick, R narrow and not: every path of the engine.
SHAPES = [
    ((2, 3), (5, 7)),
    ((3, 2), (7, 5)),
    ((1, 5), (4, 3)),
    ((5, 1), (1, 6)),
    ((1, 6), (5, 1)),
    ((1, 1), (4, 9)),
    ((8, 9), (10, 12)),
    ((9, 16), (17, 8)),
    ((40, 7), (9, 33)),
    ((66, 3), (8, 29)),
    ((31, 13), (11, 41)),
]


def rearranged(a, left, right):
    """By the definition, entry by entry (K4); row-major vec."""
    (m1, n1), (m2, n2) = left, right
    return a.reshape(m1, m2, n1, n2).transpose(0, 2, 1, 3).reshape(m1 * n1, m2 * n2)


def check(op, expected, rng):
    """All four products."""
    limit = 2000 * np.finfo(expected.dtype).eps * np.sqrt(max(expected.shape)) * max(np.abs(expected).max(initial=0), 1)
    assert op.shape == expected.shape and op.dtype == expected.dtype
    for width in (1, 3, 16, 37):
        x = random_matrix(rng, expected.shape[1], width, expected.dtype)
        y = random_matrix(rng, expected.shape[0], width, expected.dtype)
        forward, back = expected @ x, expected.conj().T @ y
        assert np.abs(op @ x - forward).max() <= limit
        assert np.abs(op.rmatmat(y) - back).max() <= limit
        first, second = op.gram(x)
        scale = np.linalg.norm(expected, 2)
        assert np.abs(first - forward).max() <= limit
        assert np.abs(second - expected.conj().T @ forward).max() <= limit * scale
        z, w = op.H.gram(y)
        assert np.abs(z - back).max() <= limit and np.abs(w - expected @ back).max() <= limit * scale


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


@pytest.mark.parametrize(("left", "right"), SHAPES)
class TestRearranged:
    def test_dense_of_any_strides(self, left, right, dtype, rng):
        a = random_matrix(rng, left[0] * right[0], left[1] * right[1], dtype)
        expected = rearranged(a, left, right)
        layouts = [a, np.asfortranarray(a), a[::-1].copy()[::-1], np.repeat(np.repeat(a, 2, 0), 3, 1)[::2, ::3]]
        for layout in layouts:
            check(KroneckerRearranged(layout, left, right), expected, rng)

    def test_sparse(self, left, right, dtype, rng):
        a = random_sparse(rng, left[0] * right[0], left[1] * right[1], 0.2, dtype)
        expected = rearranged(a.toarray(), left, right)
        wide = sp.csr_array((a.data, a.indices.astype(np.int64), a.indptr.astype(np.int64)), a.shape)
        for layout in (a, a.tocsc(), a.tocoo(), wide):
            check(KroneckerRearranged(layout, left, right), expected, rng)

    def test_products_sums_and_differences(self, left, right, dtype, rng):
        m, n = left[0] * right[0], left[1] * right[1]
        p, q = random_matrix(rng, m, 3, dtype), random_matrix(rng, 3, n, dtype)
        b, c = (np.stack([random_matrix(rng, *shape, dtype) for _ in range(2)]) for shape in (left, right))
        weights = np.array([2.0, -0.5])
        kron = sum(w * np.kron(x, y) for w, x, y in zip(weights, b, c, strict=True)).astype(dtype)
        total = KroneckerSum(b, weights, c)
        s = np.array([1.0, 2.0, 3.0])
        cases = [
            (Dense(p) @ Dense(q), p @ q),
            (LowRank(p, s, q), (p * s.astype(p.real.dtype)) @ q),
            (total, kron),
            (Dense(p @ q) - total, p @ q - kron),
            (2 * LowRank(p, None, q) + total, 2 * (p @ q) + kron),
        ]
        for op, dense in cases:
            check(KroneckerRearranged(op, left, right), rearranged(dense.astype(dtype), left, right), rng)

    def test_sum_of_products(self, left, right, dtype, rng):
        b, c = (np.stack([random_matrix(rng, *shape, dtype) for _ in range(3)]) for shape in (left, right))
        expected = sum(np.kron(x, y) for x, y in zip(b, c, strict=True))
        check(KroneckerSum(b, None, c), expected, rng)
        layouts = [np.asfortranarray(stack) for stack in (b, c)]
        check(KroneckerSum(layouts[0], None, layouts[1]), expected, rng)
        norm = KroneckerSum(b, None, c)._core.norm_fro()
        assert abs(norm - np.linalg.norm(expected)) <= 1e4 * np.finfo(dtype).eps * norm


def test_duplicates_and_unsorted_entries():
    a = sp.csr_array((np.arange(1.0, 6), np.array([3, 0, 3, 1, 1]), np.array([0, 3, 3, 3, 5])), shape=(4, 4))
    check(KroneckerRearranged(a, (2, 2), (2, 2)), rearranged(a.toarray(), (2, 2), (2, 2)), np.random.default_rng(0))


@pytest.mark.parametrize("dtype", DTYPES)
def test_gram_of_samples(dtype, rng):
    g = np.stack([random_matrix(rng, 4, 6, dtype) for _ in range(9)])
    vectors = g.reshape(9, -1)
    dense = np.einsum("ti,tj->ij", vectors, vectors.conj()) / 9
    op = GramOfSamples(g)
    assert op.sample_shape == (4, 6)
    check(op, dense.astype(dtype), rng)
    check(KroneckerRearranged(op, (4, 4), (6, 6)), rearranged(dense.astype(dtype), (4, 4), (6, 6)), rng)
    strided = np.asfortranarray(g)
    check(GramOfSamples(strided), dense.astype(dtype), rng)


def test_half_precision_is_widened(rng):
    a = rng.standard_normal((70, 90)).astype(np.float16)
    check(KroneckerRearranged(a, (7, 10), (10, 9)), rearranged(a.astype(np.float32), (7, 10), (10, 9)), rng)


def test_notes_say_what_was_copied(rng):
    a = rng.standard_normal((96, 96))
    assert KroneckerRearranged(a, (12, 12), (8, 8)).notes == ["A was copied into the order of its rearrangement (0 MB)"]
    assert KroneckerRearranged(a, (96, 1), (1, 96)).notes == []
    big = rng.standard_normal((144, 156))
    assert KroneckerRearranged(big, (12, 13), (12, 12)).notes == []
    assert "copied" in KroneckerRearranged(sp.csr_array(big), (12, 13), (12, 12)).notes[0]


@pytest.mark.parametrize(("left", "right"), [((12, 13), (11, 17)), ((13, 66), (29, 9)), ((2, 2), (70, 50))])
def test_the_same_bits_for_any_number_of_threads(left, right, rng):
    a = rng.standard_normal((left[0] * right[0], left[1] * right[1])).astype(np.float32)
    x, y = (rng.standard_normal((p * q, 24)).astype(np.float32) for p, q in (right, left))
    terms = (rng.standard_normal((3, *left)), None, rng.standard_normal((3, *right)))
    wide = rng.standard_normal((left[1] * right[1], 80))
    seen = []
    for threads in (1, 2, 3):
        svdkit.set_num_threads(threads)
        try:
            R, K = KroneckerRearranged(a, left, right), KroneckerSum(*terms)
            seen.append([R @ x, R.rmatmat(y), *R.gram(x), *R.H.gram(y), K @ wide])
        finally:
            svdkit.set_num_threads(None)
    assert all(same_bits(seen[0], other) for other in seen[1:])


class TestInvalid:
    def test_operators_without_entries(self, rng):
        a = rng.standard_normal((6, 6))
        for op in (Scaled(a, rows=np.ones(6)), sp.linalg.aslinearoperator(a)):
            with pytest.raises(TypeError, match="entries cannot be rearranged"):
                KroneckerRearranged(op, (2, 2), (3, 3))

    def test_a_sum_has_terms_of_its_shapes_only(self, rng):
        K = KroneckerSum(rng.standard_normal((2, 2, 3)), None, rng.standard_normal((2, 3, 2)))
        with pytest.raises(TypeError, match="to_dense"):
            KroneckerRearranged(K, (3, 2), (2, 3))

    def test_shapes(self, rng):
        a = rng.standard_normal((6, 8))
        with pytest.raises(ValueError, match=r"make a 6 x 6 .* A is 6 x 8.*left_shape="):
            KroneckerRearranged(a, (2, 3), (3, 2))
        for bad in ((2, 3, 4), 5, (0, 4), (2.5, 4)):
            with pytest.raises((ValueError, TypeError), match="left_shape"):
                KroneckerRearranged(a, bad, (3, 2))

    def test_stacks(self, rng):
        good = rng.standard_normal((2, 3, 4))
        with pytest.raises(ValueError, match="stack of matrices"):
            GramOfSamples(good[0])
        with pytest.raises(ValueError, match="at least one sample"):
            GramOfSamples(good[:0])
        with pytest.raises(ValueError, match="number of terms"):
            KroneckerSum(good, None, good[:1])
        bad = good.copy()
        bad[1, 2, 3] = np.nan
        with pytest.raises(ValueError, match=r"left\[1\]\[2, 3\] is nan"):
            KroneckerSum(bad, None, good)
