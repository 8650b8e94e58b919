"""Weighted problems, the forms of a metric, and the least loss by the book."""

import numpy as np
import scipy.sparse as sp
from reference import singular_values
from scipy.sparse.linalg import aslinearoperator
from svdkit import Metric

M, N, K = 40, 30, 6


def problem(rng, m=M, n=N, tokens=80):
    A = rng.standard_normal((m, n)) * np.arange(1, n + 1) ** -0.7
    X = np.arange(1, n + 1)[:, None] ** -1.0 * rng.standard_normal((n, tokens))
    Y = np.arange(1, m + 1)[:, None] ** -0.5 * rng.standard_normal((m, tokens))
    return A, Y, X


def root(metric, size):
    """The symmetric square root of a metric, dense."""
    if metric is None:
        return np.eye(size)
    if metric.ndim == 1:
        return np.diag(np.sqrt(metric))
    values, Q = np.linalg.eigh(metric)
    return (Q * np.sqrt(np.maximum(values, 0))) @ Q.conj().T


def loss(E, R, C):
    m, n = E.shape
    return np.linalg.norm(root(R, m) @ E @ root(C, n)) ** 2


def tail(A, R, C, k):
    s = singular_values(root(R, len(A)) @ A @ root(C, A.shape[1]))
    return np.sum(s[k:] ** 2), s


FORMS = {
    "matrix": lambda S: S @ S.T,
    "cholesky": lambda S: Metric(factor=np.linalg.cholesky(S @ S.T)),
    "root": lambda S: Metric(factor=root(S @ S.T, len(S))),
    "wide factor": lambda S: Metric(factor=S),
    "samples": lambda S: Metric(samples=S),
    "blocks": lambda S: Metric(samples=iter([S[:, :7], S[:, 7:50], S[:, 50:]])),
    "products": lambda S: sp.csr_array(S @ S.T),
    "linear operator": lambda S: aslinearoperator(S @ S.T),
}
