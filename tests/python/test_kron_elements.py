"""kron_svd(elements=): weighted and missing cells of a sum of Kronecker products."""

import numpy as np
import pytest
import scipy.sparse
import svdkit
from svdkit.kron.elements import rearranged

LEFT, RIGHT = (6, 5), (7, 8)


@pytest.fixture
def planted(rng):
    terms = [np.kron(rng.standard_normal(LEFT), rng.standard_normal(RIGHT)) for _ in range(2)]
    return 3 * terms[0] + terms[1]


def test_missing_cells_are_recovered(rng, planted):
    known = rng.random(planted.shape) < 0.4
    K = svdkit.kron_svd(np.where(known, planted, np.nan), LEFT, RIGHT, 2, elements="observed", tol=1e-12)
    np.testing.assert_allclose(K.to_dense(), planted, atol=1e-6 * np.abs(planted).max())
    rows, cols = np.nonzero(known)
    listed = scipy.sparse.csr_array((planted[known], (rows, cols)), shape=planted.shape)
    L = svdkit.kron_svd(listed, LEFT, RIGHT, 2, elements="observed", tol=1e-12)
    np.testing.assert_allclose(L.to_dense(), planted, atol=1e-6 * np.abs(planted).max())


def test_weights_are_those_of_the_cells(rng, planted):
    A = planted + rng.standard_normal(planted.shape)
    weights = rng.uniform(0.1, 2, A.shape)
    K = svdkit.kron_svd(A, LEFT, RIGHT, 1, elements=weights, tol=1e-10)

    def loss(fit):
        return np.sum(weights * (A - fit) ** 2)

    best = loss(K.to_dense())
    assert best < loss(svdkit.kron_svd(A, LEFT, RIGHT, 1).to_dense())
    B, C = K.factors("sqrt")
    for _ in range(20):  # a local optimum: no small change of the factors is better
        changed = np.kron(B[0] + 1e-4 * rng.standard_normal(LEFT), C[0] + 1e-4 * rng.standard_normal(RIGHT))
        assert loss(changed) >= best
    even = svdkit.kron_svd(A, LEFT, RIGHT, 2, elements=np.ones(A.shape))
    np.testing.assert_allclose(even.s, svdkit.kron_svd(A, LEFT, RIGHT, 2).s, rtol=1e-9)


def test_rearranged_cells(rng):
    A = rng.standard_normal((42, 40))
    B, C = rng.standard_normal(LEFT), rng.standard_normal(RIGHT)
    np.testing.assert_array_equal(rearranged(np.kron(B, C), LEFT, RIGHT), np.outer(B, C))
    np.testing.assert_array_equal(
        rearranged(scipy.sparse.csc_array(A), LEFT, RIGHT).toarray(), rearranged(A, LEFT, RIGHT)
    )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"elements": np.ones((3, 3))}, ValueError, "elements has shape"),
        ({"elements": "known"}, ValueError, "elements"),
        ({"elements": "observed", "structure": "psd"}, ValueError, "structure does not go with elements"),
        ({"elements": "observed", "max_passes": 3}, ValueError, "max_passes = 3"),
        ({"elements": -np.ones((42, 40))}, ValueError, "elements"),
    ],
)
def test_bad_input(rng, options, error, message):
    with pytest.raises(error, match=message):
        svdkit.kron_svd(rng.standard_normal((42, 40)), LEFT, RIGHT, 1, **options)
    with pytest.raises(ValueError, match="must multiply to those of A"):
        svdkit.kron_svd(rng.standard_normal((41, 40)), LEFT, RIGHT, 1, elements="observed")
