"""Memory that cannot be had is refused before the work starts; the library is silent whatever happens."""

import numpy as np
import pytest
import scipy.sparse as sp
import svdkit
from reference import path_incidence
from svdkit.operators import Callback


class Touched(Exception):
    """The operator was asked for a product."""


def untouchable(*shape):
    def product(x):
        raise Touched

    return Callback(shape, product, product, check_adjoint=False)


HUGE = 10**14  # one vector of doubles: 800 TB, more than the addresses of a process


@pytest.mark.parametrize("shape", [(HUGE, HUGE), (HUGE, 1000), (1000, HUGE)], ids=["square", "tall", "wide"])
@pytest.mark.parametrize("method", ["auto", "lanczos", "full"])
def test_absurd_sizes(method, shape):
    with pytest.raises(MemoryError, match=r"\d{12,}"):
        svdkit.tsvd(untouchable(*shape), 1, method=method)


def test_sizes_whose_product_overflows():
    with pytest.raises(MemoryError):
        svdkit.tsvd(untouchable(2**62, 2**62), 1)


def test_too_many_triplets():
    """The matrix is small enough, the basis is not."""
    a = sp.csr_array((10_000_000, 10_000_000), dtype=np.float64)
    a = sp.csr_array(([1.0], ([0], [0])), shape=a.shape)
    with pytest.raises(MemoryError, match=r"\d{12,}"):
        svdkit.tsvd(a, 9_000_000, method="lanczos")


def test_full_of_a_large_sparse_matrix():
    a = sp.csr_array(([1.0], ([5], [7])), shape=(20_000_000, 20_000_000))
    with pytest.raises(MemoryError, match=r"\d{12,}"):
        svdkit.tsvd(a, 3, method="full")


def test_works_after_a_refusal():
    with pytest.raises(MemoryError):
        svdkit.tsvd(untouchable(HUGE, HUGE), 1)
    np.testing.assert_allclose(svdkit.svdvals(np.diag([3.0, 2.0]), 2), [3, 2])


def quiet_calls(rng):
    a = rng.standard_normal((120, 90))
    yield lambda: svdkit.tsvd(a, 5)
    yield lambda: svdkit.tsvd(a, 5, method="lanczos", callback=lambda info: None)
    yield lambda: svdkit.tsvd(a, 90, which="smallest")
    yield lambda: svdkit.tsvd(np.zeros((50, 40)), 3)
    yield lambda: svdkit.tsvd(np.full((50, 40), 1e300), 3)
    yield lambda: svdkit.tsvd(path_incidence(500)[0], 5)
    yield lambda: svdkit.tsvd(np.full((5, 5), np.nan), 1)
    yield lambda: svdkit.tsvd(a, 500)
    yield lambda: svdkit.tsvd(a, 20, method="lanczos", max_passes=6, on_fail="raise")
    yield lambda: svdkit.tsvd(untouchable(50, 40), 1)
    yield lambda: svdkit.tsvd(untouchable(HUGE, HUGE), 1)
    yield lambda: svdkit.show_config()
    yield lambda: svdkit.testing.assert_svd(a, svdkit.tsvd(a, 3))


def test_never_prints(rng, capfd):
    for call in quiet_calls(rng):
        try:
            call()
        except (ValueError, MemoryError, Touched, svdkit.ConvergenceError):
            pass
        assert capfd.readouterr() == ("", "")
