"""SketchedSVD: data seen once, in any portions."""

import io

import numpy as np
import pytest
import scipy.sparse
import svdkit
from reference import with_spectrum

DECAY = 0.75 ** np.arange(60)


def fed(A, portions, **options):
    state = svdkit.SketchedSVD(A.shape[1], 8, **options)
    first = 0
    for size in portions:
        state.update(A[first : first + size])
        first += size
    assert state.rows == first
    return state


@pytest.fixture
def A(rng):
    return with_spectrum(rng, 5000, 60, DECAY)


def test_nearly_as_good_as_two_passes(A):
    result = fed(A, [5000], rows=5000).result()
    two = svdkit.rsvd(A, 8, passes=2)
    error, other = (np.linalg.norm(A - r.reconstruct()) for r in (result, two))
    assert error <= 2 * other
    assert np.abs(result.U.T @ result.U - np.eye(8)).max() < 1e-13
    np.testing.assert_allclose(result.s, DECAY[:8], rtol=0.02)


def test_portions_do_not_change_bits(A):
    whole = fed(A, [5000]).result()
    for portions in ([1, 2047, 2048, 904], [0, 3000, 7, 1993], [100] * 50):
        result = fed(A, portions).result()
        assert all(np.array_equal(a, b) for a, b in zip(whole, result, strict=True))


def test_without_height_memory_stays(A):
    state = fed(A, [2048])
    before = state.nbytes
    state.update(A[:2048])
    assert state.nbytes == before < 1e6
    result = state.result()
    assert result.U.shape == (0, 8)
    np.testing.assert_allclose(result.s, np.linalg.svd(np.vstack([A[:2048]] * 2), compute_uv=False)[:8], rtol=0.05)


def test_reading_a_result_changes_nothing(A):
    state, silent = fed(A, [700]), fed(A, [700])
    state.result()
    state.update(A[700:])
    silent.update(A[700:])
    np.testing.assert_array_equal(state.result().s, silent.result().s)


def test_blocks_in_any_order_and_merge(A):
    whole = fed(A, [5000], rows=5000).result()
    parts = [svdkit.SketchedSVD(60, 8, rows=5000) for _ in range(2)]
    for i, (row, col) in enumerate([(2500, 0), (0, 30), (0, 0), (2500, 30)]):
        block = A[row : row + 2500, col : col + 30]
        parts[i % 2].add(scipy.sparse.csr_array(block) if i == 1 else block, row, col)
    merged = parts[0].merge(parts[1]).result()
    np.testing.assert_allclose(merged.s, whole.s, rtol=1e-10)
    np.testing.assert_allclose(merged.reconstruct(), whole.reconstruct(), atol=1e-10)


def test_error_is_estimated(A):
    state = fed(A, [5000], rows=5000)
    all_triplets = svdkit.SketchedSVD(60, 18, rows=5000, oversample=0)
    all_triplets.update(A)
    true = np.linalg.norm(A - all_triplets.result().reconstruct())
    assert state.error == pytest.approx(true, rel=0.7)
    assert np.all(state.result().report.residuals == state.error)


@pytest.mark.parametrize("options", [{}, {"rows": 5000}, {"dtype": "float32"}])
def test_saved_states_go_on(A, options):
    state, file = fed(A, [2100], **options), io.BytesIO()
    state.save(file)
    file.seek(0)
    loaded = svdkit.SketchedSVD.load(file)
    for each in (state, loaded):
        each.update(A[2100:])
    assert all(np.array_equal(a, b) for a, b in zip(state.result(), loaded.result(), strict=True))


def test_sparse_rows_and_single_pass_of_rsvd(A):
    S = scipy.sparse.csr_array(A * (np.abs(A) > 1e-3))
    np.testing.assert_array_equal(fed(S, [5000]).result().s, fed(S.toarray(), [5000]).result().s)
    result = svdkit.rsvd(A, 8, passes=1)
    assert result.report.passes == 1
    np.testing.assert_allclose(result.s, DECAY[:8], rtol=0.02)
    assert result.error_estimate() == pytest.approx(np.linalg.norm(A - result.reconstruct()), rel=0.8)


def test_exact_rank_and_zero():
    A = np.outer(np.arange(3000.0), np.ones(20))
    result = fed(A[:, :20], [3000], rows=3000).result()
    np.testing.assert_allclose(result.reconstruct(), A, atol=1e-8)
    assert not fed(np.zeros((50, 20)), [50]).result().s.any()


def test_bad_input(A):
    state = svdkit.SketchedSVD(60, 8)
    state.update(A[:10])
    for rows, message in [
        (np.ones((3, 59)), "60 columns"),
        (np.full((2, 60), np.inf), "finite"),
        (np.ones(60), "shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            state.update(rows)
    assert state.rows == 10
    with pytest.raises(ValueError, match="height"):
        state.add(np.ones((1, 60)))
    with pytest.raises(ValueError, match="merge"):
        state.merge(svdkit.SketchedSVD(60, 8))
    known = svdkit.SketchedSVD(60, 8, rows=5)
    with pytest.raises(ValueError, match="5 in all"):
        known.update(A[:6])
    with pytest.raises(ValueError, match="inside"):
        known.add(np.ones((3, 3)), 3, 0)
    with pytest.raises(ValueError, match="k = 61"):
        svdkit.SketchedSVD(60, 61)
    with pytest.raises(TypeError, match="dtype"):
        svdkit.SketchedSVD(60, 8, dtype="complex128")
