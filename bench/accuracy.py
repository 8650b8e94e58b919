"""The errors of a truncated SVD, in double precision, from the matrix and the true values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Errors:
    """How far (U, s, Vh) is from the k leading triplets of A."""

    sv_err: float  # max |s_i - sigma_i| / sigma_i
    frob_plus: float  # (||A - U S Vh||_F - optimum) / optimum
    resid: float  # max over i of ||A v_i - s_i u_i||, ||A^T u_i - s_i v_i||, over sigma_1
    orth: float  # max of ||U^T U - I||_F, ||V^T V - I||_F


def errors(A: Any, U: ArrayLike, s: ArrayLike, Vh: ArrayLike, sigma: Matrix) -> Errors:
    """All four, whatever the precision of A; the triplets may come in any order."""
    order = np.argsort(-np.asarray(s, np.float64))
    values = np.asarray(s, np.float64)[order]
    left = np.asarray(U, np.float64)[:, order]
    right = np.asarray(Vh, np.float64)[order].T
    AV, AtU, square = products(A, left, right)
    residuals = np.linalg.norm(AV - left * values, axis=0), np.linalg.norm(AtU - right * values, axis=0)
    gram_left, gram_right = left.T @ left, right.T @ right
    eye = np.eye(len(values))
    # ||A - B||^2 = ||A||^2 - 2 <A, B> + ||B||^2 with B = U S Vh, which need not have orthonormal factors.
    inner = np.einsum("ij,ij,j", left, AV, values)
    norm = np.einsum("ij,ij,i,j", gram_left, gram_right, values, values)
    excess = square - 2 * inner + norm
    optimum = max(square - float(np.sum(sigma**2)), 1e-15 * square)
    return Errors(
        sv_err=float(np.max(np.abs(values - sigma) / sigma)),
        frob_plus=max(0.0, float(np.sqrt(max(excess, 0.0) / optimum)) - 1),
        resid=float(max(map(np.max, residuals)) / sigma[0]),
        orth=float(max(np.linalg.norm(gram_left - eye), np.linalg.norm(gram_right - eye))),
    )


def products(A: Any, left: Matrix, right: Matrix) -> tuple[Matrix, Matrix, float]:
    """A V, A^T U and ||A||_F^2 in double precision, widening A a strip of rows at a time."""
    if scipy.sparse.issparse(A):
        wide = A.astype(np.float64)
        return wide @ right, wide.T @ left, float(np.sum(wide.data**2))
    AV = np.empty((A.shape[0], right.shape[1]))
    AtU = np.zeros((A.shape[1], left.shape[1]))
    square = 0.0
    rows = max(1, 2**22 // A.shape[1])
    for top in range(0, A.shape[0], rows):
        strip = np.asarray(A[top : top + rows], np.float64)
        AV[top : top + rows] = strip @ right
        AtU += strip.T @ left[top : top + rows]
        square += float(np.vdot(strip, strip))
    return AV, AtU, square
