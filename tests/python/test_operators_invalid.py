"""Bad operators: wrong adjoints, wrong shapes, NaN and exceptions in the middle end in a clean error."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import check_svd, random_matrix
from scipy.sparse.linalg import LinearOperator
from svdkit.operators import Callback, Centered, Dense, LowRank, Product, Scaled, Sparse, Stacked, Sum

M, N = 400, 300


@pytest.fixture
def a(rng):
    return rng.standard_normal((M, N))


def both_kinds(matmat, rmatmat, dtype="float64"):
    """The same two functions as an operator of ours (when called) and as SciPy's."""
    yield lambda: Callback((M, N), matmat, rmatmat, dtype=dtype)
    linear = LinearOperator((M, N), matvec=None, matmat=matmat, rmatmat=rmatmat, rmatvec=None, dtype=dtype)
    yield lambda: linear


WRONG_ADJOINTS = {
    "another matrix": lambda a, rng: lambda y: rng.standard_normal((N, M)) @ y,
    "factor": lambda a, rng: lambda y: 1.001 * (a.T @ y),
    "sign": lambda a, rng: lambda y: -(a.T @ y),
    "one entry": lambda a, rng: lambda y: np.vstack([a.T[:1] @ y + 0.5 * y[:1], a.T[1:] @ y]),
    "zero": lambda a, rng: lambda y: np.zeros((N, y.shape[1])),
}


@pytest.mark.parametrize("kind", [0, 1])
@pytest.mark.parametrize("name", WRONG_ADJOINTS)
def test_wrong_adjoint_is_detected(name, kind, a, rng):
    wrong = WRONG_ADJOINTS[name](a, rng)
    with pytest.raises(ValueError, match="adjoint"):
        svdkit.tsvd(list(both_kinds(lambda x: a @ x, wrong))[kind](), 3)


@pytest.mark.parametrize("kind", [0, 1])
def test_transpose_instead_of_adjoint(kind, rng):
    a = random_matrix(rng, M, N, "complex128")
    with pytest.raises(ValueError, match="adjoint"):
        svdkit.tsvd(list(both_kinds(lambda x: a @ x, lambda y: a.T @ y, "complex128"))[kind](), 3)


def test_check_can_be_left_out(a):
    calls = []
    Callback((M, N), lambda x: calls.append(0) or a @ x, lambda y: a.T @ y, check_adjoint=False)
    assert not calls


@pytest.mark.parametrize("scale", [1e-200, 1e-20, 1.0, 1e20, 1e200])
def test_right_adjoint_passes_at_any_scale(scale, a):
    op = Callback((M, N), lambda x: (a @ x) * scale, lambda y: (a.T @ y) * scale)
    check_svd(a, (lambda r: (r.U, r.s / scale, r.Vh))(svdkit.tsvd(op, 3)), 3)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("calls", [1, 2, 3, 7])
def test_not_finite_after_some_calls(calls, value, which, a):
    count = [0, 0]

    def spoiled(side, product):
        def call(x):
            count[side] += 1
            y = product(x)
            if side == which and count[side] >= calls:
                y[5, -1] = value
            return y

        return call

    with pytest.raises(ValueError, match=f"(?i){value}|finite"):
        svdkit.tsvd(Callback((M, N), spoiled(0, lambda x: a @ x), spoiled(1, lambda y: a.T @ y)), 5, method="lanczos")
    assert count[which] == calls  # it stopped there


class Own(Exception):
    pass


@pytest.mark.parametrize("error", [Own, ValueError, MemoryError, KeyboardInterrupt, StopIteration])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("calls", [1, 2, 6])
def test_exceptions_come_through(calls, which, error, a):
    count = [0, 0]

    def failing(side, product):
        def call(x):
            count[side] += 1
            if side == which and count[side] >= calls:
                raise error("from the operator")
            return product(x)

        return call

    with pytest.raises(error, match="from the operator"):
        svdkit.tsvd(Callback((M, N), failing(0, lambda x: a @ x), failing(1, lambda y: a.T @ y)), 5, method="lanczos")
    assert count[which] == calls
    assert svdkit.tsvd(a, 2).report.converged  # and the next call is fine


@pytest.mark.parametrize(
    "wrong",
    [
        lambda y: y[:-1],
        lambda y: y.T,
        lambda y: y[:, 0],
        lambda y: y[:, :0],
        lambda y: np.hstack([y, y]),
        lambda y: y[None],
        lambda y: 3.0,
    ],
    ids=["short", "transposed", "vector", "no columns", "twice", "3-D", "number"],
)
def test_wrong_shape_is_named(wrong, a):
    for functions in [(lambda x: wrong(a @ x), lambda y: a.T @ y), (lambda x: a @ x, lambda y: wrong(a.T @ y))]:
        with pytest.raises(ValueError, match="returned shape"):
            svdkit.tsvd(Callback((M, N), *functions), 3)


@pytest.mark.parametrize("answer", [None, "text", [["a"]]], ids=["None", "str", "strings"])
def test_not_an_array(answer):
    with pytest.raises((TypeError, ValueError)):
        svdkit.tsvd(Callback((M, N), lambda x: answer, lambda y: answer), 3)


def test_complex_answers_of_a_real_operator(a):
    with pytest.raises(TypeError, match="complex"):
        svdkit.tsvd(Callback((M, N), lambda x: (a @ x) * 1j, lambda y: -1j * (a.T @ y)), 3)


@pytest.mark.parametrize("convert", [np.asfortranarray, lambda y: y.astype(np.float32), lambda y: y[::-1][::-1]])
def test_other_layouts_and_dtypes_of_answers_are_converted(convert, a):
    op = Callback((M, N), lambda x: convert(a @ x), lambda y: convert(a.T @ y), dtype="float32")
    check_svd(a.astype(np.float32), svdkit.tsvd(op, 3), 3, tol=5e-5)


def test_operator_may_write_to_its_block(a):
    """The block it gets is its own."""

    def product(matrix):
        def call(x):
            y = matrix @ x
            x[...] = np.nan
            return y

        return call

    check_svd(a, svdkit.tsvd(Callback((M, N), product(a), product(a.T)), 3), 3)


def test_operator_without_adjoint(a):
    op = LinearOperator((M, N), matvec=lambda x: a @ x, dtype="float64")
    with pytest.raises(TypeError, match="adjoint"):
        svdkit.tsvd(op, 3)


def test_vector_only_operator(a):
    op = LinearOperator((M, N), matvec=lambda x: a @ x, rmatvec=lambda y: a.T @ y, dtype="float64")
    check_svd(a, svdkit.tsvd(op, 3), 3)


CONSTRUCTIONS = [
    (lambda: Stacked([np.ones((2, 3)), np.ones((2, 4))]), ValueError, "3.*4"),
    (lambda: Stacked([np.ones((2, 3)), np.ones((3, 3))], axis=1), ValueError, "2.*3"),
    (lambda: Stacked([]), ValueError, "empty"),
    (lambda: Stacked([np.ones((2, 3))], axis=2), ValueError, "axis = 2"),
    (lambda: Product(np.ones((2, 3)), np.ones((4, 2))), ValueError, "3.*4"),
    (lambda: Dense(np.ones((2, 3))) @ Dense(np.ones((4, 2))), ValueError, "3.*4"),
    (lambda: Sum(np.ones((2, 3)), np.ones((3, 2))), ValueError, "shape"),
    (lambda: Sum(np.ones((2, 3)), np.ones((2, 3), np.float32)), TypeError, "float32"),
    (lambda: Sum(np.ones((2, 3)), weights=(1, 2)), ValueError, "weights"),
    (lambda: Scaled(np.ones((2, 3)), rows=np.ones(3)), ValueError, "rows.*3.*2"),
    (lambda: Scaled(np.ones((2, 3)), cols=np.ones(2)), ValueError, "cols.*2.*3"),
    (lambda: Scaled(np.ones((2, 3)), cols=[1, np.nan, 1]), ValueError, "cols.*finite"),
    (lambda: Scaled(np.ones((2, 3)), cols=[1, 1j, 1]), TypeError, "cols.*complex"),
    (lambda: Centered(np.ones((2, 3)), np.ones(2)), ValueError, "offsets.*2.*3"),
    (lambda: LowRank(np.ones((4, 2)), None, np.ones((3, 5))), ValueError, r"\(4, 2\).*\(3, 5\)"),
    (lambda: LowRank(np.ones((4, 2)), np.ones(3), np.ones((2, 5))), ValueError, "s"),
    (lambda: Dense(np.full((2, 2), np.nan)), ValueError, r"A\[0, 0\].*nan"),
    (lambda: Dense(sp.eye_array(3)), TypeError, "Sparse"),
    (lambda: Sparse(np.eye(3)), TypeError, "Dense"),
    (lambda: Callback((2, -3), abs, abs), ValueError, "shape"),
    (lambda: Callback((2, 3, 4), abs, abs), ValueError, "shape"),
    (lambda: Callback((2, 3), abs, abs, dtype="int64x"), TypeError, "int64x"),
    (lambda: Dense(np.ones((2, 3))) @ np.ones(4), ValueError, "4.*3"),
    (lambda: Dense(np.ones((2, 3))) @ np.ones((3, 2), complex), TypeError, "complex"),
]


@pytest.mark.parametrize(("make", "error", "words"), CONSTRUCTIONS)
def test_construction(make, error, words):
    with pytest.raises(error, match=words):
        make()
