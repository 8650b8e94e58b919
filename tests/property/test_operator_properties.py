"""Random trees of operators: products and decompositions are those of the dense matrix they stand for."""

import numpy as np
import scipy.sparse as sp
import svdkit
from hypothesis import assume, given
from hypothesis import strategies as st
from reference import DTYPES, accuracy, check_svd, random_matrix
from svdkit.operators import Callback, Centered, Dense, LowRank, Scaled, Sparse, Stacked


def leaf(draw, rng, m, n, dtype):
    a = random_matrix(rng, m, n, dtype)
    kind = draw(st.sampled_from(["dense", "columns", "csr", "csc", "low rank", "callback"]))
    if kind == "low rank":
        r = draw(st.integers(1, 3))
        p, q = random_matrix(rng, m, r, dtype), random_matrix(rng, r, n, dtype)
        return LowRank(p, None, q), p @ q
    if kind in ("csr", "csc"):
        a = a * (rng.random((m, n)) < 0.5)
    return {
        "dense": lambda: Dense(a),
        "columns": lambda: Dense(np.asfortranarray(a)),
        "csr": lambda: Sparse(sp.csr_array(a)),
        "csc": lambda: Sparse(sp.csc_array(a)),
        "callback": lambda: Callback((m, n), lambda x: a @ x, lambda y: a.conj().T @ y, dtype=dtype),
    }[kind](), a


def tree(draw, rng, m, n, dtype, depth):
    """An m x n operator and its dense matrix."""
    kinds = [
        "leaf",
        "scaled",
        "centered",
        "sum",
        "multiple",
        "product",
        "adjoint",
        "transpose",
        "vertical",
        "horizontal",
    ]
    kind = draw(st.sampled_from(kinds)) if depth else "leaf"
    if kind == "leaf":
        return leaf(draw, rng, m, n, dtype)
    if kind == "product":
        inner = draw(st.integers(1, 12))
        (p, a), (q, b) = tree(draw, rng, m, inner, dtype, depth - 1), tree(draw, rng, inner, n, dtype, depth - 1)
        return p @ q, a @ b
    if kind in ("adjoint", "transpose"):
        p, a = tree(draw, rng, n, m, dtype, depth - 1)
        return (p.H, a.conj().T) if kind == "adjoint" else (p.T, a.T)
    if kind == "vertical" and m > 1:
        cut = draw(st.integers(1, m - 1))
        (p, a), (q, b) = tree(draw, rng, cut, n, dtype, depth - 1), tree(draw, rng, m - cut, n, dtype, depth - 1)
        return Stacked([p, q], axis=0), np.vstack([a, b])
    if kind == "horizontal" and n > 1:
        cut = draw(st.integers(1, n - 1))
        (p, a), (q, b) = tree(draw, rng, m, cut, dtype, depth - 1), tree(draw, rng, m, n - cut, dtype, depth - 1)
        return Stacked([p, q], axis=1), np.hstack([a, b])
    p, a = tree(draw, rng, m, n, dtype, depth - 1)
    if kind == "sum":
        q, b = tree(draw, rng, m, n, dtype, depth - 1)
        return p - q, a - b
    if kind == "multiple":
        return -2.5 * p, -2.5 * a
    if kind == "centered":
        return Centered(p), a - a.mean(axis=0)
    real = np.finfo(dtype).dtype
    rows, cols = rng.uniform(0.5, 2, m).astype(real), rng.uniform(0.5, 2, n).astype(real)
    return Scaled(p, rows, cols), rows[:, None] * a * cols


@st.composite
def operators(draw, depth=3):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    m, n = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    dtype = draw(st.sampled_from(DTYPES))
    op, a = tree(draw, rng, m, n, dtype, depth)
    return op, a.astype(dtype), rng


@given(operators(), st.integers(1, 9))
def test_products(built, width):
    op, a, rng = built
    assert op.shape == a.shape and op.dtype == a.dtype
    x, y = random_matrix(rng, a.shape[1], width, a.dtype), random_matrix(rng, a.shape[0], width, a.dtype)
    size = max(1.0, np.abs(a).max()) * 30
    limit = 2000 * np.finfo(a.dtype).eps * size
    np.testing.assert_allclose(op @ x, a @ x, rtol=0, atol=limit)
    np.testing.assert_allclose(op.H @ y, a.conj().T @ y, rtol=0, atol=limit)
    first, second = op.gram(x)
    np.testing.assert_allclose(first, a @ x, rtol=0, atol=limit)
    np.testing.assert_allclose(second, a.conj().T @ (a @ x), rtol=0, atol=limit * size)


@given(operators())
def test_the_two_products_are_adjoint(built):
    op, a, rng = built
    x, y = random_matrix(rng, a.shape[1], 1, a.dtype), random_matrix(rng, a.shape[0], 1, a.dtype)
    left, right = np.vdot(y, op @ x), np.vdot(op.H @ y, x)
    size = np.linalg.norm(y) * np.linalg.norm(x) * max(1.0, np.linalg.norm(a))
    assert abs(left - right) <= 500 * np.finfo(a.dtype).eps * size * 30


@given(operators(), st.sampled_from(["lanczos", "auto"]))
def test_decompositions(built, method):
    op, a, _ = built
    assume(np.abs(a).max() > 0.1)  # else it is nothing but the rounding of its parts
    k = min(3, *a.shape)
    dense = op.to_dense()
    result = svdkit.tsvd(op, k, method=method)
    promised = accuracy(a.dtype)
    # cancellation inside the tree: its rounding is relative to its parts, not to the matrix that is left
    parts = 30 * max(1.0, np.abs(a).max())
    slack = parts / max(float(result.s[0]), 1e-30) * 100 * np.finfo(a.dtype).eps
    check_svd(dense, result, k, tol=promised.residual + slack, value_tol=promised.value + slack)
