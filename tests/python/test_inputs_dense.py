"""The gate for dense arrays: every layout and every dtype in, nothing written to, no copy unsaid."""

import numpy as np
import pytest
import svdkit
from reference import DTYPES, accuracy, check_svd, random_matrix, snapshot

M, N, K = 37, 23, 4


def unaligned(a):
    raw = np.zeros(a.nbytes + 1, dtype=np.uint8)
    view = raw[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    assert not view.flags.aligned
    return view


def embedded(a, rows, cols):
    """A view with the entries of `a`, the given steps between them."""
    big = np.full((a.shape[0] * abs(rows), a.shape[1] * abs(cols)), 1e30, dtype=a.dtype)
    view = big[::rows, ::cols][: a.shape[0], : a.shape[1]]
    view[...] = a
    return view


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


STRIDED = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "row slices": lambda a: embedded(a, 3, 1),
    "column slices": lambda a: embedded(a, 1, 2),
    "both sliced": lambda a: embedded(a, 2, 3),
    "rows backwards": lambda a: embedded(a, -1, 1),
    "all backwards": lambda a: embedded(a, -2, -1),
    "sliced columns first": lambda a: embedded(a.T.copy(), 2, 2).T,
    "read-only": read_only,
}


@pytest.mark.parametrize("method", ["full", "lanczos"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", STRIDED)
def test_layouts(layout, dtype, method, rng):
    plain = random_matrix(rng, M, N, dtype)
    a = STRIDED[layout](plain)
    before = snapshot(a)
    result = svdkit.tsvd(a, K, method=method)
    assert result.dtype == np.dtype(dtype)
    check_svd(plain, result, K)
    assert snapshot(a) == before
    assert not any("cop" in note for note in result.report.notes)


@pytest.mark.parametrize("dtype", DTYPES)
def test_unaligned_data(dtype, rng):
    a = random_matrix(rng, M, N, dtype)
    check_svd(a, svdkit.tsvd(unaligned(a), K), K)


@pytest.mark.parametrize("dtype", DTYPES)
def test_other_byte_order_is_converted_and_reported(dtype, rng):
    a = random_matrix(rng, M, N, dtype)
    swapped = a.astype(a.dtype.newbyteorder("S"))
    result = svdkit.tsvd(swapped, K)
    assert result.dtype == np.dtype(dtype)
    check_svd(a, result, K)
    assert any("byte order" in note for note in result.report.notes)


@pytest.mark.parametrize("mode", ["r", "c", "r+"])
def test_memmap(mode, rng, tmp_path):
    a = random_matrix(rng, M, N)
    a.tofile(tmp_path / "a.bin")
    mapped = np.memmap(tmp_path / "a.bin", dtype=a.dtype, mode=mode, shape=a.shape)
    result = svdkit.tsvd(mapped, K)
    check_svd(a, result, K)
    assert not any("cop" in note for note in result.report.notes)
    assert type(result.U) is np.ndarray


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "uint64", "bool"])
def test_integers_and_bool_compute_in_double(dtype, rng):
    a = rng.integers(0, 2 if dtype == "bool" else 100, size=(M, N)).astype(dtype)
    before = snapshot(a)
    result = svdkit.tsvd(a, K)
    assert result.dtype == np.float64
    check_svd(a, result, K)
    assert snapshot(a) == before
    assert any(dtype in note for note in result.report.notes)


def test_half_precision_computes_in_single(rng):
    a = rng.standard_normal((M, N)).astype(np.float16)
    result = svdkit.tsvd(a, K)
    assert result.dtype == np.float32
    check_svd(a.astype(np.float32), result, K)


def test_bfloat16_computes_in_single(rng):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    a = rng.standard_normal((M, N)).astype(ml_dtypes.bfloat16)
    result = svdkit.tsvd(a, K)
    assert result.dtype == np.float32
    check_svd(a.astype(np.float32), result, K)


def test_nested_lists():
    result = svdkit.tsvd([[3, 0], [0, 4], [0, 0]], 2)
    np.testing.assert_allclose(result.s, [4, 3], rtol=1e-15)


def test_stride_zero(rng):
    row = rng.standard_normal(N)
    a = np.broadcast_to(row, (M, N))
    u, s, vh = svdkit.tsvd(a, 2)
    np.testing.assert_allclose(s, [np.sqrt(M) * np.linalg.norm(row), 0], atol=1e-13 * s[0])
    np.testing.assert_allclose(np.abs(u[:, 0]), 1 / np.sqrt(M), rtol=1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_layouts_have_the_same_values(dtype, rng):
    plain = random_matrix(rng, M, N, dtype)
    expected = svdkit.svdvals(plain, K)
    for layout, make in STRIDED.items():
        got = svdkit.svdvals(make(plain), K)
        np.testing.assert_allclose(got, expected, rtol=accuracy(dtype).value, err_msg=layout)


def test_torch_tensor(rng):
    torch = pytest.importorskip("torch")
    a = rng.standard_normal((M, N)).astype(np.float32)
    result = svdkit.tsvd(torch.from_numpy(a), K)
    assert result.dtype == np.float32 and isinstance(result.U, np.ndarray)
    check_svd(a, result, K)


class Exporter:
    """An array that offers nothing but DLPack."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **keywords):
        return self._array.__dlpack__(**keywords)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack(dtype, rng):
    a = random_matrix(rng, M, N, dtype)
    result = svdkit.tsvd(Exporter(a), K)
    assert result.dtype == np.dtype(dtype)
    check_svd(a, result, K)
