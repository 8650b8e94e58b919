"""Many leading triplets of a dense single-precision matrix, from its Gram matrix in double precision.

  G = T T^H,   G = U diag(s^2) U^H,   V = T^H U / s

Products of single-precision numbers are exact in double, so that squaring costs nothing that T holds: values down to
1e-7 of the largest keep their single-precision digits. Cost, m <= n: m^2 n flops in double for G, 4/3 m^3 + 4 m^2 k for
its eigenvectors, 2 m n k each for V (in double where s is small) and for the measured residuals; against 20 m^2 n for
a full decomposition.
"""

from __future__ import annotations

import time

import numpy as np

from .._report import Report
from .._scalars import OPERATORS

SLAB = 4096  # columns of T widened together


def gram_double(
    T: np.ndarray, k: int, tol: float, threads: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Report]:
    """U, s, Vh and the report for the k largest values."""

    begin = time.perf_counter()
    wide_side = T.shape[0] > T.shape[1]
    A = T.conj().T if wide_side else T
    m = A.shape[0]
    double = np.result_type(A.dtype, np.float64)
    parts = [slice(j, j + SLAB) for j in range(0, A.shape[1], SLAB)]
    G = np.zeros((m, m), double)
    for part in parts:
        slab = A[:, part].astype(double)
        G += slab @ slab.conj().T
    values, wide = _leading(G, k, threads)
    middle = time.perf_counter()
    s = np.sqrt(np.maximum(values, 0)).astype(T.real.dtype)
    U = np.ascontiguousarray(wide.astype(T.dtype))
    V = np.empty((A.shape[1], k), T.dtype)
    near = int(np.count_nonzero(2 * tol * s >= np.finfo(s.dtype).eps * s[0]))  # beyond, rounding of U shows in V
    V[:, :near] = A.conj().T @ U[:, :near]
    for part in parts if near < k else []:
        V[part, near:] = A[:, part].astype(double).conj().T @ wide[:, near:]
    V /= np.where(s > 0, s, 1)
    residuals = np.linalg.norm((A @ V - U * s).astype(np.result_type(T.dtype, np.float64)), axis=0)
    converged = bool(np.all(residuals <= tol * float(s[0])))
    seconds = {"eigenvectors": middle - begin, "total": time.perf_counter() - begin}
    why = f"k = {k} of {min(T.shape)} in single precision: eigenvectors of the Gram matrix in double"
    bytes_used = 3 * G.nbytes + U.nbytes + V.nbytes
    report = Report("gram", why, converged, residuals, tol, 3, 1, seconds, bytes_used, 0, 0)
    U, V = (V, U) if wide_side else (U, V)
    return U, s, V.conj().T, report


def _leading(G: np.ndarray, k: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest eigenvalues and their vectors; the engine's reduction is threaded for real matrices."""
    if G.dtype == np.float64:
        values, vectors = OPERATORS[G.dtype].eigh(G, k, threads)
        return values[:k], vectors
    values, vectors = np.linalg.eigh(G)  # all of them: picking some costs more
    return values[::-1][:k], vectors[:, ::-1][:, :k]
