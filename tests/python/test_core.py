"""The engine's private parts that Python can see: the random generator, instruction-set levels, copies."""

import numpy as np
import pytest
import scipy.stats
import svdkit
from reference import DTYPES, random_matrix, random_sparse
from svdkit import _core

OPERATORS = dict(
    zip(DTYPES, (_core.OperatorF32, _core.OperatorF64, _core.OperatorC64, _core.OperatorC128), strict=True)
)

ONES = 0xFFFFFFFF
KNOWN_ANSWERS = [  # of the Random123 library
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox(counter, key, answer):
    assert tuple(_core.philox(counter, key)) == answer


def gaussian(rows, cols, dtype="float64", **place):
    out = np.zeros((rows, cols), dtype)
    _core.fill_gaussian(out, **{"seed": 0, **place})
    return out


@pytest.mark.parametrize("dtype", DTYPES)
def test_gaussian_entries_depend_on_their_place(dtype):
    whole = gaussian(400, 9, dtype, seed=3)
    for row, col in [(0, 0), (7, 1), (100, 4)]:
        part = gaussian(50, 3, dtype, seed=3, first_row=row, first_col=col)
        np.testing.assert_array_equal(part, whole[row : row + 50, col : col + 3])


def test_gaussian_is_gaussian():
    x = gaussian(50_000, 4, seed=1)
    assert scipy.stats.kstest(x.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(x.T) - np.eye(4)).max() < 0.02
    assert np.abs(np.corrcoef(x[:-1, 0], x[1:, 0])[0, 1]) < 0.02
    z = gaussian(50_000, 1, "complex128", seed=1)[:, 0]
    assert scipy.stats.kstest(z.real, "norm").pvalue > 1e-3
    assert scipy.stats.kstest(z.imag, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(z.real, z.imag)[0, 1]) < 0.02


def test_gaussian_streams_are_unrelated():
    streams = [gaussian(20_000, 1, **w)[:, 0] for w in ({}, {"seed": 1}, {"seed": 2**32}, {"stream": 1}, {"index": 1})]
    assert np.abs(np.corrcoef(streams) - np.eye(5)).max() < 0.05


@pytest.fixture(params=_core.simd_levels())
def level(request):
    before = _core.simd_level()
    _core.set_simd_level(request.param)
    yield request.param
    _core.set_simd_level(before)


def near(got, expected, dtype):
    limit = 20 * np.finfo(dtype).eps * np.sqrt(max(expected.shape)) * np.abs(expected).max(initial=1)
    np.testing.assert_allclose(got, expected, rtol=0, atol=limit)


def check_products(op, a, width, dtype, rng):
    x, w = random_matrix(rng, a.shape[1], width, dtype), random_matrix(rng, a.shape[0], width, dtype)
    y, z = np.full((a.shape[0], width), np.nan, dtype), np.full((a.shape[1], width), np.nan, dtype)
    op.apply(x, y)
    near(y, a @ x, dtype)
    op.apply_adjoint(w, z)
    near(z, a.conj().T @ w, dtype)
    op.apply_gram(x, y, z)
    near(y, a @ x, dtype)
    near(z, a.conj().T @ (a @ x), dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (130, 70), (70, 130)], ids=str)
def test_dense_products(shape, dtype, level, rng):
    a = random_matrix(rng, *shape, dtype)
    for width in (1, 2, 4, 7, 8, 16, 24, 32, 48, 64, 65):
        for given in (a, np.asfortranarray(a), np.repeat(a, 2, axis=1)[:, ::2], a[::-1]):
            check_products(OPERATORS[dtype].dense(given), given, width, dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index", [np.int32, np.int64])
@pytest.mark.parametrize("format", ["csr", "csc"])
def test_sparse_products(format, index, dtype, level, rng):
    for shape in [(200, 150), (1, 60), (60, 1)]:
        a = random_sparse(rng, *shape, 0.2, dtype, format)
        pieces = a.indptr.astype(index), a.indices.astype(index), a.data
        op = OPERATORS[dtype].sparse(*pieces, *a.shape, format == "csc")
        for width in (1, 3, 4, 8, 16, 33):
            check_products(op, a.toarray(), width, dtype, rng)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tsvd_at_every_level(dtype, level, rng):
    a = random_matrix(rng, 300, 200, dtype)
    s = svdkit.svdvals(a, 5, method="lanczos")
    np.testing.assert_allclose(s, np.linalg.svd(a.astype(float), compute_uv=False)[:5], rtol=40 * np.finfo(dtype).eps)


def test_unknown_level_is_refused():
    with pytest.raises(ValueError, match="v99"):
        _core.set_simd_level("v99")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_norm_fro_of_a_dense_matrix(dtype, order):
    a = np.asarray(random_matrix(np.random.default_rng(0), 301, 77, dtype), order=order)
    for part in (a, a[::3, ::-2], a[:1], a[:, :1]):
        norm = OPERATORS[dtype].dense(part).norm_fro()
        assert norm == pytest.approx(np.linalg.norm(part.astype("complex128")), rel=1e-14)
    for scale in (1e-300, 1e300) if a.real.dtype == np.float64 else (1e-37, 1e37):
        norm = OPERATORS[dtype].dense(a * a.dtype.type(scale)).norm_fro()
        assert norm / scale == pytest.approx(np.linalg.norm(a), rel=1e-6)
    assert OPERATORS[dtype].dense(np.zeros((3, 4), dtype)).norm_fro() == 0
    operator = OPERATORS[dtype].dense(a)
    assert len({operator.norm_fro(threads) for threads in (1, 2, 3, 4)}) == 1


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_norm_fro_adds_duplicates_first(index):
    indptr, columns = np.array([0, 3, 3, 5], index), np.array([2, 0, 2, 1, 0], index)
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    operator = _core.OperatorF64.sparse(indptr, columns, values, 3, 4)
    assert operator.norm_fro() == pytest.approx(np.sqrt(4**2 + 2**2 + 4**2 + 5**2), rel=1e-15)
