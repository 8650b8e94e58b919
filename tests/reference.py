"""What svdkit's answers are checked against: slow, obvious, and independent of svdkit.

Singular vectors are never compared entry by entry: a cluster determines only its subspace, so subspaces are compared by
the sine of their largest principal angle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

DTYPES = ("float32", "float64", "complex64", "complex128")


@dataclass(frozen=True)
class Accuracy:
    """What the documentation promises for a precision, relative to the largest singular value."""

    residual: float
    orthonormality: float
    value: float
    noise: float  # rounding of one product: how well two measurements of a residual can agree


def accuracy(dtype) -> Accuracy:
    if np.finfo(dtype).eps > 1e-10:
        return Accuracy(residual=1e-5, orthonormality=1e-5, value=5e-6, noise=2e-5)
    return Accuracy(residual=1e-10, orthonormality=1e-12, value=1e-12, noise=2e-13)


def dense(a) -> np.ndarray:
    """`a` as a dense array in double precision."""
    a = a.toarray() if sp.issparse(a) else np.asarray(a)
    return a.astype(np.complex128 if np.iscomplexobj(a) else np.float64)


def singular_values(a) -> np.ndarray:
    return np.linalg.svd(dense(a), compute_uv=False)


def accurate_singular_values(a, sweeps: int = 30) -> np.ndarray:
    """One-sided Jacobi in extended precision: accurate to the last digit of double where long double is wider."""
    a = np.array(a, dtype=np.longdouble)
    if a.shape[0] < a.shape[1]:
        a = a.T.copy()
    n = a.shape[1]
    for _ in range(sweeps):
        rotated = False
        for p in range(n - 1):
            for q in range(p + 1, n):
                x, y = a[:, p].copy(), a[:, q].copy()
                alpha, beta, gamma = x @ x, y @ y, x @ y
                if abs(gamma) <= np.finfo(np.longdouble).eps * np.sqrt(alpha * beta):
                    continue
                rotated = True
                zeta = (beta - alpha) / (2 * gamma)
                t = np.copysign(1 / (abs(zeta) + np.sqrt(1 + zeta * zeta)), zeta)
                c = 1 / np.sqrt(1 + t * t)
                a[:, p], a[:, q] = c * (x - t * y), c * (t * x + y)
        if not rotated:
            break
    return np.sort(np.sqrt((a * a).sum(axis=0)))[::-1].astype(float)


def residuals(a, u, s, vh) -> np.ndarray:
    """max(|A v_i - s_i u_i|, |A^H u_i - s_i v_i|) of every triplet, in double precision."""
    a, u, s, vh = dense(a), dense(u), dense(s), dense(vh)
    left = np.linalg.norm(a @ vh.conj().T - u * s, axis=0)
    right = np.linalg.norm(a.conj().T @ u - vh.conj().T * s, axis=0)
    return np.maximum(left, right)


def orthonormality(q) -> float:
    """|Q^H Q - I|_2 for columns."""
    q = dense(q)
    return float(np.linalg.norm(q.conj().T @ q - np.eye(q.shape[1]), 2)) if q.shape[1] else 0.0


def sine_of_angle(x, y) -> float:
    """Sine of the largest principal angle between the ranges of two orthonormal matrices of equal shape."""
    x, y = dense(x), dense(y)
    return float(np.linalg.norm(x - y @ (y.conj().T @ x), 2))


def check_svd(a, result, k=None, *, tol=None, values=None, value_tol=None) -> None:
    """Everything the contract says about a result for the k leading triplets of `a`."""
    u, s, vh = result
    a = dense(a)
    m, n = a.shape
    k = min(m, n) if k is None else k
    promised = accuracy(u.dtype)
    assert u.shape == (m, k) and s.shape == (k,) and vh.shape == (k, n)
    assert u.dtype == vh.dtype and s.dtype == np.finfo(u.dtype).dtype
    assert np.all(np.isfinite(s)) and np.all(s >= 0) and np.all(np.diff(s) <= 0)
    assert orthonormality(u) <= promised.orthonormality
    assert orthonormality(vh.conj().T) <= promised.orthonormality
    exact = singular_values(a) if values is None else np.asarray(values)
    top = exact[0]
    allowed = (promised.residual if tol is None else tol) * top + promised.noise * top
    assert residuals(a, u, s, vh).max(initial=0) <= allowed
    np.testing.assert_allclose(s, exact[:k], rtol=0, atol=(value_tol or promised.value) * top)


def signs_are_fixed(u) -> bool:
    """In every column the entry of largest magnitude is real and positive; among (nearly) equal ones, the first."""
    for column in dense(u).T:
        size = np.abs(column)
        entry = column[np.flatnonzero(size >= (1 - 1e-8) * size.max())[0]]
        if not (entry.real > 0 and abs(entry.imag) <= 1e-6 * entry.real):
            return False
    return True


# --- matrices with known singular values ---------------------------------------------------------------------------


def random_matrix(rng, m, n, dtype="float64") -> np.ndarray:
    a = rng.standard_normal((m, n))
    if np.dtype(dtype).kind == "c":
        a = a + 1j * rng.standard_normal((m, n))
    return a.astype(dtype)


def orthonormal(rng, m, k, dtype="float64") -> np.ndarray:
    wide = "complex128" if np.dtype(dtype).kind == "c" else "float64"
    return np.linalg.qr(random_matrix(rng, m, k, wide))[0]


def with_spectrum(rng, m, n, s, dtype="float64") -> np.ndarray:
    """Random m x n matrix with singular values `s` (up to rounding to `dtype`)."""
    s = np.asarray(s, dtype=float)
    u, v = orthonormal(rng, m, len(s), dtype), orthonormal(rng, n, len(s), dtype)
    return ((u * s) @ v.conj().T).astype(dtype)


def random_sparse(rng, m, n, density=0.05, dtype="float64", format="csr"):
    """Random sparse matrix with entries away from zero."""
    a = sp.random_array((m, n), density=density, rng=rng, format="coo", dtype="float64")
    a.data = a.data + 0.5
    if np.dtype(dtype).kind == "c":
        a = a + 1j * a.multiply(sp.random_array((m, n), density=0.5, rng=rng, format="coo"))
    return sp.csr_array(a).astype(dtype).asformat(format)


def path_incidence(n) -> tuple[sp.csr_array, np.ndarray]:
    """(n-1) x n differences of neighbours; sigma_j = 2 sin(j pi / (2n)), j = 1..n-1."""
    a = sp.diags_array([-np.ones(n - 1), np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n), format="csr")
    return a, 2 * np.sin(np.arange(n - 1, 0, -1) * np.pi / (2 * n))


def grid_differences(p, q) -> tuple[sp.csr_array, np.ndarray]:
    """Differences along both axes of a p x q grid; squared singular values are sums of two path values."""
    dp, dq = path_incidence(p)[0], path_incidence(q)[0]
    a = sp.vstack([sp.kron(dp, sp.eye_array(q)), sp.kron(sp.eye_array(p), dq)], format="csr")
    lam = [4 * np.sin(np.arange(r) * np.pi / (2 * r)) ** 2 for r in (p, q)]
    values = np.sqrt(np.add.outer(*lam).ravel())
    return sp.csr_array(a), np.sort(values)[::-1][: min(a.shape)]


def multiplicity_family(mult) -> np.ndarray:
    """`mult` times the value one, then 400 values from 0.9 to 0.01."""
    return np.concatenate([np.ones(mult), np.linspace(0.9, 0.01, 400)])


def same_bits(x, y) -> bool:
    """Whether two results, or two sequences of arrays, agree to the last bit."""
    return all(p.dtype == q.dtype and p.tobytes() == q.tobytes() for p, q in zip(x, y, strict=True))


def snapshot(a) -> list[bytes]:
    """The memory of an input, to see that nobody wrote to it."""
    if not sp.issparse(a):
        return [np.asarray(a).tobytes()]
    names = ("data", "indices", "indptr", "row", "col", "offsets")
    return [np.asarray(getattr(a, name)).tobytes() for name in names if hasattr(a, name)]


def planted(seed, m=300, n=120, strengths=(9.0, 7.0, 5.0, 4.0), noise=1.0):
    """Rank 4, strengths in units of the edge of the noise, plus white noise."""
    rng = np.random.default_rng(seed)
    s = np.array(strengths) * noise * (np.sqrt(m) + np.sqrt(n)) / 2
    k = len(s)
    return (orthonormal(rng, m, k) * s) @ orthonormal(rng, n, k).T + noise * rng.standard_normal((m, n))


def sparse_normal(rng, m, n, density):
    """Normal numbers at random places, CSR."""
    return sp.random_array(
        (m, n), density=density, format="csr", rng=rng, data_sampler=lambda size: rng.standard_normal(size)
    )


class DenseModel:
    """The method of Zha and Simon, every matrix written out, directions orthonormalised by LAPACK."""

    def __init__(self, k, A):
        self.k = k
        self._truncate(*np.linalg.svd(A, full_matrices=False))

    def _truncate(self, U, s, Vh):
        keep = min(self.k, int(np.count_nonzero(s > 1e-15 * s.max(initial=0))))
        self.U, self.s, self.V = U[:, :keep], s[:keep], Vh[:keep].T

    @property
    def shape(self):
        return self.U.shape[0], self.V.shape[0]

    def formed(self):
        return (self.U * self.s) @ self.V.T

    def _extended(self, X, E):
        """Q and C with E = [X Q] C."""
        rest = E.copy()
        C = np.zeros((X.shape[1], E.shape[1]))
        for _ in range(2):
            part = X.T @ rest
            C += part
            rest -= X @ part
        Q, R = np.linalg.qr(rest)
        return Q, np.vstack([C, R])

    def append_rows(self, B):
        B = B if isinstance(B, np.ndarray) else B.toarray()
        t, r = B.shape[0], self.s.size
        Q, C = self._extended(self.V, B.T.astype(float))
        core = np.zeros((r + t, C.shape[0]))
        core[:r, :r] = np.diag(self.s)
        core[r:] = C.T
        F, s, Gh = np.linalg.svd(core, full_matrices=False)
        left = np.zeros((self.U.shape[0] + t, r + t))
        left[: self.U.shape[0], :r] = self.U
        left[self.U.shape[0] :, r:] = np.eye(t)
        self._truncate(left @ F, s, Gh @ np.hstack([self.V, Q]).T)

    def append_cols(self, B):
        self.U, self.V = self.V, self.U
        self.append_rows((B if isinstance(B, np.ndarray) else B.toarray()).T)
        self.U, self.V = self.V, self.U

    def add(self, D, E):
        D, E = (X if isinstance(X, np.ndarray) else X.toarray() for X in (D, E))
        Qd, Cd = self._extended(self.U, D.astype(float))
        Qe, Ce = self._extended(self.V, E.astype(float))
        core = Cd @ Ce.T
        core[: self.s.size, : self.s.size] += np.diag(self.s)
        F, s, Gh = np.linalg.svd(core, full_matrices=False)
        self._truncate(np.hstack([self.U, Qd]) @ F, s, Gh @ np.hstack([self.V, Qe]).T)
