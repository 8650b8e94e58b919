"""Operators: each is the matrix it stands for, alone and composed, and keeps alive what it views."""

import gc

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import DTYPES, accuracy, check_svd, random_matrix, random_sparse
from scipy.sparse.linalg import LinearOperator, svds
from svdkit.operators import Callback, Centered, Dense, LowRank, Operator, Product, Scaled, Sparse, Stacked, Sum

M, N = 40, 25


def near(got, expected):
    limit = 200 * np.finfo(np.asarray(got).dtype).eps * max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(got, expected, rtol=0, atol=limit)


def check_operator(op, a):
    """All products of `op` are those of the dense `a`."""
    rng = np.random.default_rng(1)
    dtype = op.dtype
    assert op.shape == a.shape and op.ndim == 2
    x, y = random_matrix(rng, a.shape[1], 3, dtype), random_matrix(rng, a.shape[0], 3, dtype)
    near(op @ x, a @ x)
    near(op @ x[:, 0], a @ x[:, 0])
    near(op.matmat(x), a @ x)
    near(op.rmatmat(y), a.conj().T @ y)
    near(op.H @ y, a.conj().T @ y)
    near(op.T @ y, a.T @ y)
    near(op.T.T @ x, a @ x)
    near(y.T @ op, y.T @ a)
    near(y[:, 0] @ op, y[:, 0] @ a)
    first, second = op.gram(x)
    near(first, a @ x)
    near(second, a.conj().T @ (a @ x))
    near(op.to_dense(), a)
    assert op.H.shape == op.T.shape == a.shape[::-1] and op.H.dtype == dtype


@pytest.fixture(params=DTYPES)
def dtype(request):
    return request.param


@pytest.fixture
def a(dtype, rng):
    return random_matrix(rng, M, N, dtype)


@pytest.fixture
def b(dtype, rng):
    return random_matrix(rng, M, N, dtype)


class TestLeaves:
    @pytest.mark.parametrize("layout", ["C", "F", "strided"])
    def test_dense(self, layout, a):
        given = {"C": a, "F": np.asfortranarray(a), "strided": np.repeat(a, 2, axis=1)[:, ::2]}[layout]
        check_operator(Dense(given), a)

    @pytest.mark.parametrize("format", ["csr", "csc", "coo"])
    def test_sparse(self, format, dtype, rng):
        plain = random_sparse(rng, M, N, 0.2, dtype, format)
        check_operator(Sparse(plain), plain.toarray())

    def test_low_rank(self, a, b, rng):
        p, q, s = a[:, :4], b[:4], rng.uniform(1, 2, 4).astype(a.real.dtype)
        check_operator(LowRank(p, s, q), (p * s) @ q)
        check_operator(LowRank(p, None, q), p @ q)

    def test_callback(self, a):
        check_operator(Callback(a.shape, lambda x: a @ x, lambda y: a.conj().T @ y, dtype=a.dtype), a)

    def test_dense_sees_changes_of_its_array(self):
        """It is a view, not a copy."""
        a = np.eye(3)
        op = Dense(a)
        a[0, 0] = 5
        np.testing.assert_array_equal(op @ np.ones(3), [5, 1, 1])

    @pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)], ids=str)
    def test_empty(self, shape, dtype):
        a = np.empty(shape, dtype)
        check_operator(Dense(a), a)
        check_operator(Sparse(sp.csr_array(shape, dtype=dtype)), a)
        check_operator(LowRank(np.empty((4, 0), dtype), None, np.empty((0, 3), dtype)), np.zeros((4, 3), dtype))
        if shape[1] == 5:
            check_operator(Stacked([a, np.eye(5, dtype=dtype)]), np.eye(5, dtype=dtype))


class TestCompositions:
    def test_scaled(self, a, rng):
        rows, cols = rng.uniform(1, 2, M), rng.uniform(1, 2, N)
        check_operator(Scaled(Dense(a), rows, cols), rows.astype(a.real.dtype)[:, None] * a * cols.astype(a.real.dtype))
        check_operator(Scaled(Dense(a), rows=rows), (rows.astype(a.real.dtype) * a.T).T)
        check_operator(Scaled(a, cols=-cols), -a * cols.astype(a.real.dtype))

    def test_centered(self, a, b):
        check_operator(Centered(Dense(a)), a - a.mean(axis=0))
        check_operator(Centered(Dense(a), b[0]), a - b[0])

    def test_centered_sparse(self, dtype, rng):
        plain = random_sparse(rng, M, N, 0.2, dtype)
        check_operator(Centered(Sparse(plain)), plain.toarray() - plain.toarray().mean(axis=0))

    def test_stacked(self, a, b):
        check_operator(Stacked([Dense(a), Dense(b)], axis=0), np.vstack([a, b]))
        check_operator(Stacked([Dense(a), Dense(b), a], axis=1), np.hstack([a, b, a]))
        check_operator(Stacked([Dense(a), Dense(b[:3])]), np.vstack([a, b[:3]]))
        check_operator(Stacked([a]), a)

    def test_product(self, a, b):
        check_operator(Product(Dense(a), Dense(b[:N, :7])), a @ b[:N, :7])
        check_operator(Product(a, b[:N, :7], b[:7, :5]), a @ b[:N, :7] @ b[:7, :5])

    def test_sum(self, a, b):
        check_operator(Sum(Dense(a), Dense(b)), a + b)
        check_operator(Sum(a, b, a, weights=(2, -3, 0.5)), 2 * a - 3 * b + a / 2)

    def test_mixed(self, dtype, rng, a):
        sparse = random_sparse(rng, M, N, 0.2, dtype)
        low = LowRank(a[:, :2], None, a[:2])
        check_operator(Sparse(sparse) + low, sparse.toarray() + a[:, :2] @ a[:2])


class TestAlgebra:
    def test_arithmetic(self, a, b):
        p, q = Dense(a), Dense(b)
        check_operator(p + q, a + b)
        check_operator(p - q, a - b)
        check_operator(-p, -a)
        check_operator(3 * p, 3 * a)
        check_operator(p * 3.0, 3 * a)
        check_operator(p / 4, a / 4)
        check_operator(2 * p - 0.5 * q + p, 3 * a - b / 2)

    def test_complex_factor(self, rng):
        a = random_matrix(rng, M, N, "complex128")
        check_operator((2 - 1j) * Dense(a), (2 - 1j) * a)
        with pytest.raises(TypeError, match="complex"):
            1j * Dense(a.real.copy())

    def test_with_plain_arrays(self, a, b, dtype):
        sparse = sp.csr_array(b)
        check_operator(Dense(a) + b, a + b)
        check_operator(Dense(a) - sparse, a - b)
        check_operator(b - Dense(a), b - a)
        near(Dense(a) @ b.T.copy(), a @ b.T)
        near(a.T.copy() @ Dense(b), a.T @ b)
        check_operator(Dense(a) @ sp.csr_array(b.T), a @ b.T)

    def test_weights_as_in_numpy(self, a):
        cols, rows = np.arange(1.0, N + 1).astype(a.real.dtype), np.arange(1.0, M + 1).astype(a.real.dtype)
        check_operator(Dense(a) * cols, a * cols)
        check_operator(Dense(a) * rows[:, None], a * rows[:, None])

    def test_product_of_operators(self, a, b):
        check_operator(Dense(a) @ Dense(b).T, a @ b.T)
        check_operator(Dense(a).H @ Dense(b), a.conj().T @ b)

    def test_deep(self, a, b):
        cols = np.linspace(1, 2, N).astype(a.real.dtype)
        op = Stacked([(2 * Dense(a) - Dense(b)) * cols, Centered(Dense(b))], axis=0).H
        expected = np.vstack([(2 * a - b) * cols, b - b.mean(axis=0)]).conj().T
        check_operator(op, expected)


class TestScipy:
    def test_to_scipy(self, a):
        op = Dense(a).to_scipy()
        assert isinstance(op, LinearOperator) and op.shape == a.shape and op.dtype == a.dtype
        x, y = np.ones(N, a.dtype), np.ones((M, 2), a.dtype)
        near(op @ x, a @ x)
        near(op.H @ y, a.conj().T @ y)

    def test_scipy_svds_accepts_it(self, rng):
        a = rng.standard_normal((M, N))
        s = svds(Centered(Dense(a)).to_scipy(), k=3, return_singular_vectors=False, rng=rng)
        np.testing.assert_allclose(np.sort(s)[::-1], svdkit.svdvals(a, 3, center=True), rtol=1e-10)

    def test_from_scipy(self, a):
        result = svdkit.tsvd(sp.linalg.aslinearoperator(a), 3)
        check_svd(a, result, 3)


class TestKeepAlive:
    def test_parts_may_be_deleted(self, rng):
        a, b, c = (rng.standard_normal((300, 200)) for _ in range(3))
        expected = np.vstack([(a + 2 * b) * 3, c - c.mean(axis=0)])
        parts = [Dense(a.copy()), Dense(b.copy()), Sparse(sp.csr_array(c))]
        op = Stacked([3 * (parts[0] + 2 * parts[1]), Centered(parts[2])])
        adjoint = op.H
        del parts, op
        gc.collect()
        noise = [rng.standard_normal((300, 200)) for _ in range(5)]
        np.testing.assert_allclose(adjoint.H @ np.eye(200), expected, atol=1e-10)
        assert len(noise) == 5

    def test_temporary_arrays(self, rng):
        op = Dense(rng.standard_normal((200, 100)) * 0 + 1)
        weighted = Scaled(op, rows=np.arange(200.0) * 0 + 2, cols=[3.0] * 100)
        del op
        gc.collect()
        rng.standard_normal((400, 100))
        np.testing.assert_array_equal(weighted @ np.ones(100), np.full(200, 600.0))

    def test_nothing_is_kept_for_ever(self, rng):
        import weakref

        class Array(np.ndarray):
            pass

        a = rng.standard_normal((30, 20)).view(Array)
        gone = weakref.ref(a)
        op = Callback((30, 20), lambda x, a=a: np.asarray(a) @ x, lambda y, a=a: np.asarray(a).T @ y)
        op = op.H + op.H
        svdkit.tsvd(op, 2)
        del a, op
        gc.collect()
        assert gone() is None


class TestSolves:
    def test_every_operator_can_be_decomposed(self, a, b):
        rows = np.linspace(1, 2, M).astype(a.real.dtype)
        cases = {
            "Scaled": (Scaled(a, rows=rows), rows[:, None] * a),
            "Centered": (Centered(a), a - a.mean(axis=0)),
            "Stacked": (Stacked([a, b], axis=1), np.hstack([a, b])),
            "Product": (Dense(a) @ Dense(b).H, a @ b.conj().T),
            "Sum": (Dense(a) - Dense(b), a - b),
            "LowRank": (LowRank(a[:, :6], None, b[:6]), a[:, :6] @ b[:6]),
            "adjoint": (Dense(a).H, a.conj().T),
            "transpose": (Dense(a).T, a.T),
        }
        for name, (op, dense) in cases.items():
            for method in ("lanczos", "auto"):
                result = svdkit.tsvd(op, 4, method=method)
                assert result.dtype == a.dtype, name
                check_svd(dense, result, 4, value_tol=3 * accuracy(a.dtype).value)

    def test_notes_reach_the_report(self, rng):
        op = Dense(rng.integers(0, 9, (30, 20))) + Dense(rng.standard_normal((30, 20)))
        assert any("int64" in note for note in svdkit.tsvd(op, 2).report.notes)

    def test_repr(self, a):
        op = Dense(a)
        assert isinstance(op, Operator)
        assert all(word in repr(op) for word in ("Dense", "40", "25", str(a.dtype)))
