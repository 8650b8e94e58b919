"""The rule of the R package rsvddpd in NumPy: full temporaries, a loop inside every half-step, sigma = 1 throughout.

Written from the description in arXiv 2109.10680 and the behaviour of the package, version 1.0.1 (MIT licence):
divide by the interquartile range; for every component alternate two fixed-point loops, Gram-Schmidt after each, then
deflate.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def rule(
    X: Any, k: int, alpha: float = 0.3, eps: float = 1e-4, max_iter: int = 100, rng: Any = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """U, s, Vh, and how many times X was swept."""
    X = np.asarray(X)
    low, high = np.quantile(X, [0.25, 0.75], method="hazen")
    unit = X.dtype.type(high - low)
    rest = X / unit
    rng = np.random.default_rng(rng)
    m, n = X.shape
    A, B = rng.random((m, k)).astype(X.dtype), rng.random((n, k)).astype(X.dtype)
    s = np.zeros(k, X.dtype)
    passes = 0
    for r in range(k):
        a, b = A[:, r] / np.linalg.norm(A[:, r]), B[:, r] / np.linalg.norm(B[:, r])
        for _ in range(max_iter):
            c, used = _fixed_point(rest, b, alpha, eps, max_iter)
            passes += used
            new_a = _unit(c - A[:, :r] @ (A[:, :r].T @ c))[0]
            d, used = _fixed_point(rest.T, new_a, alpha, eps, max_iter)
            passes += used
            new_b, size = _unit(d - B[:, :r] @ (B[:, :r].T @ d))
            still = abs(size - s[r]) < eps and np.linalg.norm(new_a - a) < eps and np.linalg.norm(new_b - b) < eps
            a, b, s[r] = new_a, new_b, size
            if still:
                break
        A[:, r], B[:, r] = a, b
        rest = rest - s[r] * np.outer(a, b)
    return A, s * unit, B.T, passes


def _fixed_point(X: np.ndarray, b: np.ndarray, alpha: float, eps: float, max_iter: int) -> tuple[np.ndarray, int]:
    c = np.ones(X.shape[0], X.dtype)
    used = 0
    while used <= max_iter:
        weights = np.exp(X.dtype.type(-0.5 * alpha) * np.square(X - np.outer(c, b)))
        new = (weights * X * b).sum(axis=1) / (weights * np.square(b)).sum(axis=1)
        step = np.linalg.norm(new - c)
        c = new
        used += 1
        if step < eps:
            break
    return c, used


def _unit(c: np.ndarray) -> tuple[np.ndarray, Any]:
    size = np.linalg.norm(c)
    return c / size, size
