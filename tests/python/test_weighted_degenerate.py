"""weighted_svd: extreme scales, shapes and ranks, callbacks, and bad input."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from scipy.sparse.linalg import aslinearoperator
from svdkit import Metric, weighted_svd
from weighted_cases import K, M, N, problem


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize(
    "scale_a, scale_c", [(1e-300, 1.0), (1e300, 1.0), (1.0, 1e-300), (1.0, 1e300), (1e200, 1e-250)]
)
@pytest.mark.parametrize("form", ["matrix", "samples", "weights"])
def test_scales(rng, scale_a, scale_c, form):
    A, _, X = problem(rng)
    C = np.diag(np.sum(X**2, axis=1)) if form == "weights" else X @ X.T
    make = {
        "matrix": lambda c: c * C,
        "samples": lambda c: Metric(samples=np.sqrt(c) * X),
        "weights": lambda c: c * np.diag(C),
    }[form]
    plain, scaled = weighted_svd(A, K, cols=make(1.0)), weighted_svd(scale_a * A, K, cols=make(scale_c))
    np.testing.assert_allclose(scaled.s / scale_a / np.sqrt(scale_c), plain.s, rtol=1e-11)
    np.testing.assert_allclose(scaled.reconstruct() / scale_a, plain.reconstruct(), atol=1e-10)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (6, 6)])
def test_extreme_shapes_and_ranks(rng, shape):
    m, n = shape
    A, c = rng.standard_normal(shape), rng.random(n) + 0.5
    k = min(shape)
    result = weighted_svd(A, k, cols=c, rows=np.diag(rng.random(m) + 0.5))
    np.testing.assert_allclose(result.reconstruct(), A, atol=1e-12)
    assert result.relative_error < 1e-12


def test_zero_matrix_zero_metric_empty(rng):
    A = rng.standard_normal((5, 4))
    with pytest.warns(UserWarning, match="zero"):
        none = weighted_svd(A, 2, cols=np.zeros((4, 4)))
    assert none.rank == 0 and none.loss == 0 and not none.reconstruct().any()
    with pytest.warns(UserWarning, match="zero"):
        assert weighted_svd(A, 2, cols=np.zeros(4)).rank == 0
    assert weighted_svd(np.zeros((5, 4)), 2, cols=np.ones(4)).loss == 0
    assert weighted_svd(np.zeros((0, 4)), 0, cols=np.ones(4)).shape == (0, 4)


def test_inputs_are_left_alone_in_any_layout(rng):
    A, _, X = problem(rng)
    C = X @ X.T
    expected = weighted_svd(A, K, cols=C)
    wide = np.zeros((2 * M, 3 * N))
    wide[::2, ::3] = A
    frozen = np.asfortranarray(A)
    frozen.flags.writeable = False
    C.flags.writeable = False
    for given in (wide[::2, ::3], frozen, svdkit.operators.Dense(A), A.tolist(), aslinearoperator(A)):
        np.testing.assert_allclose(weighted_svd(given, K, cols=C).reconstruct(), expected.reconstruct(), atol=1e-11)
    half = A.astype(np.float16)
    assert weighted_svd(half, K, cols=C).U.dtype == np.float32


def test_callback_stops_and_time_limit(rng):
    A, _, X = problem(rng, 300, 300, 600)
    seen = []
    with pytest.warns(svdkit.ConvergenceWarning):
        weighted_svd(A, 20, cols=X @ X.T, method="products", callback=lambda p: seen.append(p) or True)
    assert len(seen) == 1 and seen[0].wanted == 20
    with pytest.raises(svdkit.ConvergenceError):
        weighted_svd(A, 20, cols=sp.csr_array(X @ X.T), time_limit=1e-9, on_fail="raise")


BAD = [
    ({"cols": np.ones(3)}, ValueError, "size 3"),
    ({"rows": np.ones(N)}, ValueError, "rows"),
    ({"cols": -np.ones(N)}, ValueError, r"weights\[0\]"),
    ({"cols": np.full(N, np.nan)}, ValueError, "finite"),
    ({"cols": np.ones((N, N - 1))}, ValueError, "square"),
    ({"cols": np.triu(np.ones((N, N)))}, ValueError, "symmetric"),
    ({"cols": np.diag(np.r_[-1.0, np.ones(N - 1)])}, ValueError, "semidefinite"),
    ({"cols": np.eye(N) - 2 * np.ones((N, N)) / N}, ValueError, "semidefinite"),
    ({"cols": np.zeros((N, N, 1))}, ValueError, "shape"),
    ({"cols": "fisher"}, TypeError, "numeric"),
    ({"unseen": "drop"}, ValueError, "unseen"),
    ({"method": "magic"}, ValueError, "method"),
    ({"which": "middle"}, ValueError, "which"),
    ({"patience": 3}, TypeError, "patience"),
    ({"penalty": 1.0}, TypeError, "no option penalty without elements"),
    ({"elements": np.ones((M, N)), "cols": np.ones(N)}, ValueError, "elements and rows or cols"),
    ({"elements": np.ones((M, N)), "which": "smallest"}, ValueError, "which and unseen"),
    ({"elements": np.ones((M, N)), "unseen": "zero"}, ValueError, "which and unseen are"),
    ({"elements": np.ones((M, N)), "method": "factor"}, ValueError, "method = 'factor'"),
    ({"elements": np.ones((M, N)), "patience": 3}, TypeError, "unexpected keyword argument 'patience'"),
]


@pytest.mark.parametrize("options, error, words", BAD, ids=[words for _, _, words in BAD])
def test_bad_arguments(rng, options, error, words):
    with pytest.raises(error, match=words):
        weighted_svd(problem(rng)[0], K, **options)


def test_bad_ranks_and_entries(rng):
    A = problem(rng)[0]
    for k in (0, N + 1, 2.5):
        with pytest.raises((ValueError, TypeError), match="k = "):
            weighted_svd(A, k, cols=np.ones(N))
    A[3, 4] = np.nan
    with pytest.raises(ValueError, match=r"A\[3, 4\].*elements="):
        weighted_svd(A, K, cols=np.ones(N))


def test_metric_arguments(rng):
    X = rng.standard_normal((5, 9))
    with pytest.raises(TypeError, match="one of"):
        Metric()
    with pytest.raises(TypeError, match="one of"):
        Metric(np.eye(5), factor=X)
    with pytest.raises(ValueError, match=r"samples\[1\]"):
        Metric(samples=[X, X.T])
    with pytest.raises(ValueError, match="empty"):
        Metric(samples=[])
    with pytest.raises(ValueError, match="ridge"):
        Metric(np.eye(5), ridge=-1.0)
    with pytest.raises(ValueError, match="finite"):
        Metric(samples=np.full((5, 9), np.inf))
    for metric in (Metric(X @ X.T), Metric(factor=X), Metric(samples=X), Metric(samples=X.astype(np.float32))):
        np.testing.assert_allclose(metric.to_dense(), X @ X.T, rtol=1e-5)
        _ = metric.factor
        assert "5 x 5" in repr(metric)
    ridge = X @ X.T + 0.1 * np.trace(X @ X.T) / 5 * np.eye(5)
    for metric in (Metric(X @ X.T, ridge=0.1), Metric(factor=X, ridge=0.1), Metric(samples=X, ridge=0.1)):
        np.testing.assert_allclose(metric.to_dense(), ridge, rtol=1e-12)
    np.testing.assert_allclose(Metric(weights=[1.0, 3.0], ridge=0.5).to_dense(), np.diag([2.0, 4.0]))
