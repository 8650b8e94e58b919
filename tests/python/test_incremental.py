"""Incremental SVD: equal to dense Zha-Simon updates, whatever the batches look like."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DenseModel, sparse_normal


def assert_follows(state, model, tol=1e-12):
    """Same values, and the same matrix, as the dense model; orthonormal vectors."""
    result = state.result()
    unit = max(model.s[0], np.finfo(float).tiny) if model.s.size else 1.0
    assert state.shape == model.shape == (result.U.shape[0], result.Vh.shape[1])
    assert result.rank == model.s.size
    np.testing.assert_allclose(result.s / unit, model.s / unit, rtol=0, atol=tol)
    np.testing.assert_allclose(result.reconstruct() / unit, model.formed() / unit, rtol=0, atol=100 * tol)
    assert_orthonormal(result)


def assert_orthonormal(result, tol=1e-12):
    eye = np.eye(result.rank)
    assert np.abs(result.U.T @ result.U - eye).max(initial=0) <= tol
    assert np.abs(result.Vh @ result.Vh.T - eye).max(initial=0) <= tol


def batch(rng, shape, kind):
    """Sparse rows or columns in one of the formats people have, or dense ones."""
    B = sp.csr_array(sparse_normal(rng, *shape, 0.05))
    return {"csr": B, "csc": B.tocsc(), "coo": B.tocoo(), "dense": B.toarray(), "f32": B.astype(np.float32)}[kind]


@pytest.mark.parametrize("size", [(400, 300), (1500, 900)])
def test_fifty_mixed_operations_follow_the_dense_method(rng, size):
    m, n = size
    k = 12
    A = sparse_normal(rng, m, n, 0.02)
    state, model = svdkit.IncrementalSVD(k), DenseModel(k, A.toarray())
    state.append_rows(A)
    for step in range(50):
        kind = ["csr", "csc", "coo", "dense"][step % 4]
        m, n = state.shape
        t = int(rng.integers(0, 12))
        if step % 5 in (0, 3):
            B = batch(rng, (t, n), kind)
            state.append_rows(B)
            model.append_rows(B)
        elif step % 5 == 1:
            B = batch(rng, (m, t), kind)
            state.append_cols(B)
            model.append_cols(B)
        elif step % 5 == 2:
            D, E = batch(rng, (m, t), kind), batch(rng, (n, t), kind)
            state.add(D, E)
            model.add(D, E)
        else:
            rows, cols, values = rng.integers(0, m, 9), rng.integers(0, n, 9), rng.standard_normal(9)
            state.set_entries(rows, cols, values)
            D, E = np.zeros((m, 9)), np.zeros((n, 9))
            D[rows, range(9)], E[cols, range(9)] = 1, values
            model.add(D, E)
    assert_follows(state, model)


def test_exact_while_the_rank_is_small(rng):
    """rank(A) <= k: nothing is lost, with duplicate rows, empty rows, an empty batch, and t > k, t > n."""
    n, k = 600, 8
    basis = sparse_normal(rng, 5, n, 0.1).toarray()
    blocks = [rng.standard_normal((t, 5)) @ basis for t in (1, 3, 0, 20, 700)]
    blocks += [blocks[1], np.zeros((4, n)), np.repeat(basis[:1], 5, axis=0)]
    state = svdkit.IncrementalSVD(k)
    for sparse in (True, False):
        state = svdkit.IncrementalSVD(k)
        for B in blocks:
            state.append_rows(sp.csr_array(B) if sparse else B)
        A = np.vstack(blocks)
        result = state.result()
        assert result.rank == 5
        assert np.abs(result.reconstruct() - A).max() <= 1e-12 * np.abs(A).max()
        assert_orthonormal(result)
        assert state.error_bound <= 1e-6 * result.s[0]


@pytest.mark.parametrize("noise", [1e-3, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("sparse", [True, False])
def test_rows_nearly_in_the_span(rng, noise, sparse):
    n, k = 2000, 10
    A = sparse_normal(rng, 30, n, 0.02)
    state, model = svdkit.IncrementalSVD(k), DenseModel(k, A.toarray())
    state.append_rows(A)
    for _ in range(3):
        near = (rng.standard_normal((4, model.s.size)) * model.s) @ model.V.T
        B = near + noise * np.linalg.norm(near, axis=1)[:, None] * rng.standard_normal((4, n)) / np.sqrt(n)
        B = sp.csr_array(B) if sparse else B
        state.append_rows(B)
        model.append_rows(B)
    assert_follows(state, model, tol=max(1e-12, 1e-7 * noise))


def test_the_full_swap_that_makes_the_lazy_factor_singular(rng):
    n, k = 3000, 6
    first, second = (sp.lil_array((k, n)) for _ in range(2))
    for i in range(k):
        first[i, 3 * i : 3 * i + 3] = rng.standard_normal(3)
        second[i, 1000 + 3 * i : 1003 + 3 * i] = 1e6 * rng.standard_normal(3)
    state, model = svdkit.IncrementalSVD(k, combine=1), DenseModel(k, first.toarray())
    state.append_rows(first.tocsr())
    state.append_rows(second.tocsr())
    model.append_rows(second)
    assert_follows(state, model)
    assert state.report.materialisations > 0
    np.testing.assert_allclose(state.s, np.linalg.svd(second.toarray(), compute_uv=False)[:k], rtol=1e-14)


def test_condition_of_a_growing_stream(rng):
    n, k = 2000, 8
    state, model = svdkit.IncrementalSVD(k, combine=1), DenseModel(k, np.zeros((0, n)))
    size = 1.0
    for _ in range(60):
        B = size * sparse_normal(rng, 5, n, 0.005)
        state.append_rows(B)
        model.append_rows(B)
        size *= 1.3
    assert_follows(state, model)
    assert 0 < state.report.materialisations
    assert state.report.condition <= 1e3


def test_ten_thousand_updates_stay_orthogonal(rng):
    n, k = 1000, 8
    state = svdkit.IncrementalSVD(k, combine=1)
    rows = sparse_normal(rng, 2000, n, 0.004)
    for i in range(10_000):
        start = i % 1999
        state.append_rows(rows[start : start + 1] * (1.002**i))
    result = state.result()
    assert state.shape == (10_000, n)
    assert_orthonormal(result)
    assert state.report.updates == 10_000


def test_ten_thousand_batches_that_wait_stay_orthogonal(rng):
    n, k = 1000, 8
    state = svdkit.IncrementalSVD(k)
    rows = sparse_normal(rng, 2000, n, 0.004)
    for i in range(10_000):
        start = i % 1999
        state.append_rows(rows[start : start + 1] * (1.002**i))
    assert state.shape == (10_000, n)
    assert state.report.updates == 10_000 / 16
    assert_orthonormal(state.result())


@pytest.mark.parametrize("exponent", [-664, -40, 0, 40, 664])
def test_powers_of_two_change_nothing_else(rng, exponent):
    """1e-200 .. 1e200, to the bit."""
    A = sparse_normal(rng, 300, 800, 0.02)
    results = []
    for e in (0, exponent):
        state = svdkit.IncrementalSVD(6)
        for i in range(0, 300, 30):
            state.append_rows(A[i : i + 30] * 2.0**e)
        state.add(np.eye(300, 2) * 2.0 ** (e // 2), np.eye(800, 2) * 2.0 ** (e - e // 2))
        state.delete_rows([3, 8])
        results.append(state.result())
        assert np.isfinite(state.error_bound) and 0 < state.explained_energy < 1
    one, other = results
    np.testing.assert_array_equal(one.s, np.ldexp(other.s, -exponent))
    np.testing.assert_array_equal(one.U, other.U)
    np.testing.assert_array_equal(one.Vh, other.Vh)


def test_growth_across_the_whole_range(rng):
    state = svdkit.IncrementalSVD(3)
    for exponent in (-300, -100, 0, 150, 300):
        state.append_rows(rng.standard_normal((4, 700)) * 10.0**exponent)
    result = state.result()
    assert np.isfinite(result.s).all()
    assert_orthonormal(result)


def test_columns_are_rows_of_the_transpose(rng):
    A = sparse_normal(rng, 900, 700, 0.02)
    rows, cols = svdkit.IncrementalSVD(9), svdkit.IncrementalSVD(9)
    for i in range(0, 900, 45):
        rows.append_rows(A[i : i + 45])
        cols.append_cols(A[i : i + 45].T)
    np.testing.assert_array_equal(rows.s, cols.s)
    np.testing.assert_allclose(rows.result().reconstruct(), cols.result().reconstruct().T, atol=1e-12)


def test_adding_and_taking_away_again(rng):
    A = sparse_normal(rng, 800, 600, 0.02)
    state = svdkit.IncrementalSVD(60)
    state.append_rows(A[:40])
    before = state.result()
    D, E = sparse_normal(rng, 40, 5, 0.5), sparse_normal(rng, 600, 5, 0.05)
    state.add(D, E)
    state.add(-D, E)
    after = state.result()
    scale = before.s[0]
    np.testing.assert_allclose(after.s[:40], before.s[:40], atol=1e-13 * scale)
    np.testing.assert_allclose(after.reconstruct(), before.reconstruct(), atol=1e-12 * scale)


def test_deleting_rows_and_columns(rng):
    A = sparse_normal(rng, 700, 650, 0.02).toarray()
    state, k = svdkit.IncrementalSVD(10, combine=1), 10
    state.append_rows(A)
    which = rng.choice(700, 50, replace=False)
    model = state.result().reconstruct()
    state.delete_rows(which)
    model = np.delete(model, which, axis=0)
    np.testing.assert_allclose(state.s, np.linalg.svd(model, compute_uv=False)[:k], atol=1e-12 * state.s[0])
    state.delete_cols([0, 5, 649])
    model = np.delete(model, [0, 5, 649], axis=1)
    result = state.result()
    np.testing.assert_allclose(result.reconstruct(), model, atol=1e-12 * state.s[0])
    assert_orthonormal(result)


def test_deleting_the_row_that_is_a_direction(rng):
    """The Gram matrix of what stays is singular: the rank falls; nearly so: orthogonality is restored."""
    A = np.zeros((600, 700))
    A[:6] = rng.standard_normal((6, 700))
    A[5] *= 1e4
    state = svdkit.IncrementalSVD(6)
    state.append_rows(A)
    state.delete_rows([5])
    assert state.rank == 5 and state.shape == (599, 700)
    np.testing.assert_allclose(state.result().reconstruct(), A[[*range(5), *range(6, 600)]], atol=1e-8)
    B = np.vstack([A[:5], 1e-5 * A[5] + A[0], A[5]])
    state = svdkit.IncrementalSVD(7).fit(B)
    state.delete_rows([6])
    assert_orthonormal(state.result())


def test_forgetting(rng):
    A, B = rng.standard_normal((30, 40)), rng.standard_normal((7, 40))
    state = svdkit.IncrementalSVD(40, forget=0.5)
    state.append_rows(A)
    state.append_rows(B)
    np.testing.assert_allclose(state.result().reconstruct(), np.vstack([0.5 * A, B]), atol=1e-13 * state.s[0])
    assert state.energy == pytest.approx(np.sum((0.5 * A) ** 2) + np.sum(B**2))


@pytest.mark.parametrize("axis", [0, 1])
def test_merging(rng, axis):
    A = sparse_normal(rng, 800, 640, 0.02)
    parts = [A[:300], A[300:]] if axis == 0 else [A[:, :300], A[:, 300:]]
    states = [svdkit.IncrementalSVD(9).fit(part) for part in parts]
    models = [s.result().reconstruct() for s in states]
    merged = states[0].merge(states[1], axis=axis)
    whole = np.concatenate(models, axis=axis)
    np.testing.assert_allclose(merged.s, np.linalg.svd(whole, compute_uv=False)[:9], atol=1e-12 * merged.s[0])
    assert_orthonormal(merged.result())
    assert merged.energy == pytest.approx(sp.linalg.norm(A) ** 2, rel=1e-13)
    assert np.linalg.norm(A - merged.result().reconstruct()) <= merged.error_bound
    assert states[0].shape == parts[0].shape  # unchanged
    both = [svdkit.IncrementalSVD(9).fit(part * 2.0**e) for part, e in zip(parts, (0, 600), strict=True)]
    np.testing.assert_allclose(both[0].merge(both[1], axis=axis).s, np.ldexp(states[1].s, 600), rtol=1e-12)


def test_duplicate_and_unsorted_entries_add_up(rng):
    A = sparse_normal(rng, 200, 900, 0.02)
    state, twin = (svdkit.IncrementalSVD(5).fit(A) for _ in range(2))
    data, indices = np.array([1.0, 2.0, -1.0, 5.0, 0.5]), np.array([700, 3, 700, 3, 10])
    untidy = sp.csr_array((data, indices, np.array([0, 5])), shape=(1, 900))
    state.append_rows(untidy)
    twin.append_rows(untidy.toarray())
    np.testing.assert_allclose(state.s, twin.s, rtol=1e-13)


def test_row_queries_multiply_nothing_out(rng):
    A = sparse_normal(rng, 3000, 1200, 0.01)
    state = svdkit.IncrementalSVD(7).fit(A[:2900])
    for i in range(2900, 3000, 10):
        state.append_rows(A[i : i + 10])
    assert state.report.condition > 1
    U, V = state._model.core.triplets()[0], state._model.core.right().T
    np.testing.assert_allclose(state.rows([0, 2999, 17]), U[[0, 2999, 17]], atol=1e-14)
    np.testing.assert_allclose(state.row(5), U[5], atol=1e-14)
    np.testing.assert_allclose(state.cols([3, 3]), V[[3, 3]], atol=1e-14)
    np.testing.assert_allclose(state.col(8), V[8], atol=1e-14)


def test_threads_do_not_change_bits(rng):
    A = sparse_normal(rng, 4000, 3000, 0.01)
    results = []
    for threads in (1, 2, 3):
        state = svdkit.IncrementalSVD(10, threads=threads).fit(A[:3000])
        for i in range(3000, 4000, 100):
            state.append_rows(A[i : i + 20])
            state.append_rows(A[i + 20 : i + 100])
        results.append(state.result())
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_single_precision_and_other_types(rng):
    A = sparse_normal(rng, 500, 700, 0.03)
    exact = svdkit.IncrementalSVD(6).fit(A).s
    state = svdkit.IncrementalSVD(6).fit(A.astype(np.float32))
    assert state.result().U.dtype == np.float32 == state.s.dtype
    np.testing.assert_allclose(state.s, exact, rtol=1e-6)
    state.append_rows(np.ones((2, 700), np.float16))
    assert state.result().Vh.dtype == np.float32
    state.append_rows(np.ones((2, 700), np.int8))
    assert state.result().Vh.dtype == np.float64
    wide = A[:20].astype(np.float32)
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    state.append_rows(wide)
    assert state.shape == (524, 700)


@pytest.mark.parametrize("A", [np.zeros((5, 7)), np.zeros((0, 7)), np.ones((1, 4)), np.ones((4, 1)), np.eye(3)])
def test_degenerate_matrices(A):
    state = svdkit.IncrementalSVD(3)
    state.append_rows(A)
    state.append_rows(A)
    result = state.result()
    assert result.rank == np.linalg.matrix_rank(A) if A.size else result.rank == 0
    np.testing.assert_allclose(result.reconstruct(), np.vstack([A, A]), atol=1e-14)
    state.append_cols(np.zeros((state.shape[0], 2)))
    state.add(np.zeros((state.shape[0], 0)), np.zeros((state.shape[1], 0)))
    assert state.shape == (2 * A.shape[0], A.shape[1] + 2)


def test_bad_input(rng):
    state = svdkit.IncrementalSVD(4).fit(sparse_normal(rng, 20, 30, 0.3))
    before = state.s
    bad = sp.csr_array(np.ones((2, 30)))
    bad.data[7] = np.nan
    for action, error, message in [
        (lambda: state.append_rows(np.ones((2, 29))), ValueError, "30 columns"),
        (lambda: state.append_cols(np.ones((2, 29))), ValueError, "20 rows"),
        (lambda: state.append_rows(np.ones(30)), ValueError, "2 dimensions"),
        (lambda: state.append_rows(np.full((1, 30), np.inf)), ValueError, "finite"),
        (lambda: state.append_rows(bad), ValueError, "B: entry 7 of vector 0 is"),
        (lambda: state.append_rows(np.ones((1, 30), complex)), TypeError, "real"),
        (lambda: state.add(np.ones((20, 2)), np.ones((30, 3))), ValueError, "as many"),
        (lambda: state.set_entries([20], [0], [1.0]), ValueError, "0..19"),
        (lambda: state.set_entries([1], [0], [np.nan]), ValueError, "finite"),
        (lambda: state.delete_rows([-1]), ValueError, "0..19"),
        (lambda: state.rows([99]), ValueError, "0..19"),
        (lambda: state.result(tol=1e-8), ValueError, "keep=True"),
        (lambda: state.merge(svdkit.IncrementalSVD(4).fit(np.ones((3, 4)))), ValueError, "axis 0"),
        (lambda: svdkit.IncrementalSVD(0), ValueError, "k = 0"),
        (lambda: svdkit.IncrementalSVD(2, shrink="x"), ValueError, "'fd'"),
        (lambda: svdkit.IncrementalSVD(2, refresh_cond=0.5), ValueError, "at least 1"),
        (lambda: svdkit.IncrementalSVD(2, left=False).fit(np.eye(3)).append_cols(np.eye(3)), ValueError, "left"),
        (lambda: svdkit.IncrementalSVD(2, keep=True, center=True), ValueError, "keep"),
        (lambda: svdkit.update_svd(np.ones((3, 1)), [1.0], np.ones((1, 2))), ValueError, "orthonormal"),
    ]:
        with pytest.raises(error, match=message):
            action()
    np.testing.assert_array_equal(state.s, before)
    assert state.shape == (20, 30)
    state.forget = 1.5
    with pytest.raises(ValueError, match="forget"):
        state.append_rows(np.ones((1, 30)))


def test_update_svd_is_pure(rng):
    A = rng.standard_normal((40, 30))
    U, s, Vh = svdkit.tsvd(A, 10)
    copies = U.copy(), s.copy(), Vh.copy()
    rows, cols, D, E = (rng.standard_normal(shape) for shape in ((5, 30), (45, 4), (45, 2), (34, 2)))
    result = svdkit.update_svd(U, s, Vh, rows=rows, cols=cols, delta=(D, E), k=34, forget=0.5)
    expected = np.hstack([np.vstack([0.5 * (U * s) @ Vh, rows]), cols]) + D @ E.T
    np.testing.assert_allclose(result.reconstruct(), expected, atol=1e-12)
    for part, copy in zip((U, s, Vh), copies, strict=True):
        np.testing.assert_array_equal(part, copy)
    assert svdkit.update_svd(U, s, Vh, k=3).rank == 3
    assert svdkit.update_svd(U, s, Vh).rank == 10
