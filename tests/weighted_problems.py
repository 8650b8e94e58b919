"""Matrices with weighted entries, and what a fit to them leaves."""

import numpy as np
import svdkit


def problem(seed=0, m=120, n=80, r=4, noise=0.5, share=0.3, dtype="float64"):
    """A of rank r plus noise, uniform weights on a random share of the cells, NaN elsewhere."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, r)) @ rng.standard_normal((r, n)) + noise * rng.standard_normal((m, n))
    W = rng.random((m, n)) * (rng.random((m, n)) < share)
    return np.where(W > 0, A, np.nan).astype(dtype), W.astype(dtype)


def complete(A, k=None, elements="observed", **options):
    return svdkit.weighted_svd(A, k, elements=elements, **options)


def loss_of(A, W, fit):
    return float(np.sum(W * np.where(W > 0, A - fit.reconstruct(), 0) ** 2))


def residual_of(A, W, fit):
    return W * np.where(W > 0, A - fit.reconstruct(), 0)


def never_rises(history, slack=1e-13):
    return np.all(np.diff(history) <= slack * history[0])
