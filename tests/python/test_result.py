"""SVDResult: what one can do with a decomposition once it is there."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse.linalg
import svdkit
from reference import DTYPES, accuracy, orthonormal, random_matrix, same_bits


@pytest.fixture(params=DTYPES)
def case(request, rng):
    a = random_matrix(rng, 50, 30, request.param)
    return a, svdkit.tsvd(a, 6)


@pytest.fixture
def result(rng):
    return svdkit.tsvd(rng.standard_normal((50, 30)), 6)


def near(x, y, dtype):
    np.testing.assert_allclose(x, y, rtol=0, atol=100 * np.finfo(dtype).eps * max(1, np.abs(y).max()))


def test_unpacks_as_exactly_three(result):
    u, s, vh = result
    assert u is result.U and s is result.s and vh is result.Vh
    assert len(list(result)) == 3
    with pytest.raises(ValueError, match="unpack"):
        u, s = result
    with pytest.raises(ValueError, match="unpack"):
        u, s, vh, report = result


def test_arrays(case):
    a, result = case
    assert type(result.U) is type(result.s) is type(result.Vh) is np.ndarray
    assert result.shape == a.shape and result.rank == 6 and result.dtype == a.dtype
    for array in result:
        assert array.flags.owndata or array.base is not None
        assert array.flags.writeable and array.flags.aligned
    assert not np.shares_memory(result.U, result.Vh)


def test_outlives_its_input(rng):
    result = svdkit.tsvd(rng.standard_normal((300, 200)), 3)
    u, s, vh = result
    kept = [x.copy() for x in result]
    del result
    rng.standard_normal((500, 500))
    assert same_bits(kept, (u, s, vh))


def test_reconstruct(case):
    a, result = case
    near(result.reconstruct(), (result.U * result.s) @ result.Vh, a.dtype)
    assert result.reconstruct().dtype == a.dtype
    full = svdkit.tsvd(a, 30)
    np.testing.assert_allclose(full.reconstruct(), a, atol=accuracy(a.dtype).value * np.linalg.norm(a))


@pytest.mark.parametrize("columns", [None, 1, 7])
def test_matmul(columns, case, rng):
    a, result = case
    x = random_matrix(rng, 30, columns or 1, a.dtype)
    x = x if columns else x[:, 0]
    product = result @ x
    assert product.shape == (50,) if columns is None else (50, columns)
    near(product, result.reconstruct() @ x, a.dtype)


def test_matmul_checks_the_shape(result):
    with pytest.raises(ValueError, match="30"):
        result @ np.ones(50)


def test_project(case, rng):
    """Coordinates of rows in the right vectors; the rows of A itself give U * s."""
    a, result = case
    rows = random_matrix(rng, 4, 30, a.dtype)
    near(result.project(rows), rows @ result.Vh.conj().T, a.dtype)
    near(result.project(rows[0]), rows[0] @ result.Vh.conj().T, a.dtype)
    np.testing.assert_allclose(
        result.project(a), result.U * result.s, atol=10 * accuracy(a.dtype).residual * result.s[0]
    )


def test_project_sparse_rows(result):
    rows = scipy.sparse.random_array((5, 30), density=0.3, rng=np.random.default_rng(1), format="csr")
    np.testing.assert_allclose(result.project(rows), rows.toarray() @ result.Vh.T, atol=1e-14)


def test_project_checks_the_shape(result):
    with pytest.raises(ValueError, match="30"):
        result.project(np.ones((4, 29)))


@pytest.mark.parametrize("k", [1, 3, 6])
def test_truncate(k, case):
    _, result = case
    shorter = result.truncate(k)
    assert isinstance(shorter, svdkit.SVDResult)
    assert same_bits(shorter, (result.U[:, :k], result.s[:k], result.Vh[:k]))
    assert shorter.rank == k and shorter.shape == result.shape
    np.testing.assert_array_equal(shorter.report.residuals, result.report.residuals[:k])
    assert result.rank == 6 and len(result.report.residuals) == 6


@pytest.mark.parametrize("k", [-1, 7])
def test_truncate_checks_k(k, result):
    with pytest.raises(ValueError, match=f"k.*{k}"):
        result.truncate(k)


def test_to_operator(case, rng):
    a, result = case
    op = result.to_operator()
    assert isinstance(op, svdkit.operators.Operator)
    x, y = random_matrix(rng, 30, 3, a.dtype), random_matrix(rng, 50, 3, a.dtype)
    near(op @ x, result.reconstruct() @ x, a.dtype)
    near(op.H @ y, result.reconstruct().conj().T @ y, a.dtype)
    again = svdkit.tsvd(op, 6, method="lanczos")
    np.testing.assert_allclose(again.s, result.s, rtol=accuracy(a.dtype).value)


def test_operator_keeps_the_arrays_alive(rng):
    a = rng.standard_normal((40, 30))
    op = svdkit.tsvd(a, 30).to_operator()
    rng.standard_normal((1000, 100))
    x = rng.standard_normal(30)
    np.testing.assert_allclose(op @ x, a @ x, atol=1e-12)


def test_deflation_finds_the_next_triplets(rng):
    """A minus its leading part, never formed."""
    a = (orthonormal(rng, 60, 40) * 0.8 ** np.arange(40)) @ orthonormal(rng, 40, 40).T
    first = svdkit.tsvd(a, 3)
    rest = svdkit.operators.Dense(a) + -1.0 * first.to_operator()
    np.testing.assert_allclose(svdkit.svdvals(rest, 2), 0.8 ** np.array([3, 4]), rtol=1e-12)


@pytest.mark.parametrize("suffix", [".npz", ""])
@pytest.mark.parametrize("as_text", [True, False])
def test_save_and_load(suffix, as_text, case, tmp_path):
    _, result = case
    path = tmp_path / f"factors{suffix}"
    result.save(str(path) if as_text else path)
    again = svdkit.load(tmp_path / "factors.npz")
    assert same_bits(again, result)
    assert again.shape == result.shape and again.dtype == result.dtype
    for name in ("method", "reason", "converged", "passes", "iterations", "peak_bytes", "threads", "seed", "notes"):
        assert getattr(again.report, name) == getattr(result.report, name), name
    np.testing.assert_array_equal(again.report.residuals, result.report.residuals)
    assert dict(again.report.seconds) == dict(result.report.seconds)


def test_saved_file_is_plain_numpy(result, tmp_path):
    result.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as stored:
        assert same_bits((stored["U"], stored["s"], stored["Vh"]), result)


def test_load_refuses_other_files(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.ones(3))
    with pytest.raises(ValueError, match=r"other\.npz"):
        svdkit.load(tmp_path / "other.npz")
    with pytest.raises(FileNotFoundError):
        svdkit.load(tmp_path / "missing.npz")


def test_pickle_and_copy(result):
    for again in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result), copy.copy(result)):
        assert same_bits(again, result)
        assert again.report.passes == result.report.passes


def test_text(result):
    for text in (repr(result), str(result)):
        assert "50" in text and "30" in text and "6" in text
        assert len(text) < 2000
