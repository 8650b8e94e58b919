"""Full SVDs on all threads: the same properties for every shape, kind and scale, and the same bits for any threads."""

import numpy as np
import pytest
import svdkit
from svdkit._scalars import OPERATORS

RNG = np.random.default_rng(11)


def _graded(m, n):
    return RNG.standard_normal((m, n)) * 0.9 ** np.arange(n)


def _clustered(m, n):
    return np.eye(m, n) + 1e-10 * RNG.standard_normal((m, n))


def _low_rank(m, n):
    return RNG.standard_normal((m, 9)) @ RNG.standard_normal((9, n))


KINDS = {
    "gaussian": lambda m, n: RNG.standard_normal((m, n)),
    "graded": _graded,
    "clustered": _clustered,
    "repeated": lambda m, n: np.eye(m, n) * 3,
    "low_rank": _low_rank,
    "ones": lambda m, n: np.ones((m, n)),
    "zero": lambda m, n: np.zeros((m, n)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "shape, k", [((230, 230), 230), ((300, 240), 80), ((240, 330), 240), ((900, 230), 230), ((210, 1500), 60)]
)
@pytest.mark.parametrize("kind", KINDS)
def test_triplets(kind, shape, k, dtype):
    a = KINDS[kind](*shape).astype(dtype)
    # Measured: graded 3 to 5 epsilon in single precision; clustered, low-rank and ones 32 to 50, long ones up to 190.
    tol = 64 * max(shape) / min(shape) * float(np.finfo(dtype).eps)
    r = svdkit.tsvd(a, k, method="full", tol=tol)
    u, s, v = np.asarray(r.U, float), np.asarray(r.s, float), np.asarray(r.Vh, float).T
    bound = 100 * min(shape) * np.finfo(dtype).eps
    assert np.linalg.norm(u.T @ u - np.eye(k)) <= bound
    assert np.linalg.norm(v.T @ v - np.eye(k)) <= bound
    assert np.linalg.norm(a @ v - u * s) <= bound * s[0]
    assert np.linalg.norm(a.T @ u - v * s) <= bound * s[0]
    assert np.all(np.diff(s) <= 0)
    exact = np.linalg.svd(a.astype(float), compute_uv=False)[:k]
    assert np.abs(s - exact).max() <= bound * exact[0]
    assert not any("LAPACK" in note for note in r.report.notes)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_scales(scale):
    a = KINDS["gaussian"](210, 210)
    near, far = (svdkit.tsvd(b, 50, method="full") for b in (a, a * scale))
    np.testing.assert_allclose(far.s / scale, near.s, rtol=1e-12)
    np.testing.assert_allclose(far.U.T @ far.U, np.eye(50), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(520, 420), (4000, 210), (220, 3000)])
def test_same_bits_for_any_threads(shape, dtype):
    a = KINDS["gaussian"](*shape).astype(dtype)
    one, *more = (svdkit.tsvd(a, 200, method="full", threads=t) for t in (1, 2, 3, 4))
    for other in more:
        assert one.s.tobytes() == other.s.tobytes()
        assert one.U.tobytes() == other.U.tobytes()
        assert one.Vh.tobytes() == other.Vh.tobytes()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_refuses(bad):
    a = KINDS["gaussian"](220, 220)
    a[7, 200] = bad
    with pytest.raises(ValueError, match="A"):
        svdkit.tsvd(a, 10, method="full")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("n, k", [(0, 0), (5, 0), (5, 5), (90, 30), (300, 77)])
def test_eigenvectors(n, k, dtype):
    b = RNG.standard_normal((n, n)) + (1j * RNG.standard_normal((n, n)) if np.dtype(dtype).kind == "c" else 0)
    g = np.ascontiguousarray((b + b.conj().T).astype(dtype))
    values, y = OPERATORS[g.dtype].eigh(g.copy(), k)
    bound = 100 * max(n, 1) * np.finfo(dtype).eps
    assert y.shape == (n, k) and np.all(np.diff(values) <= 0)
    assert np.linalg.norm(y.conj().T @ y - np.eye(k)) <= bound
    assert np.linalg.norm(g @ y - y * values[:k]) <= bound * np.abs(values).max(initial=0)
    np.testing.assert_allclose(values[::-1], np.linalg.eigvalsh(g), atol=bound * np.abs(values).max(initial=1))


@pytest.mark.parametrize("shape, k", [((3, 4), 1), ((3, 3), 4), ((3, 3), -1)])
def test_eigenvectors_refuse(shape, k):
    with pytest.raises(ValueError, match="square"):
        OPERATORS[np.dtype(float)].eigh(np.zeros(shape), k)
