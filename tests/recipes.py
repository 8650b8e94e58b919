"""Low-rank compression of a weight W as its methods were published: explicit roots, inverses and ridges.

Each takes (W, moment, fisher, outgrad, k) and returns (Z, its own goal as a function of Z): moment = X X^T of the
inputs, fisher = mean squared gradients, outgrad = the other Kronecker factor. Written down from the papers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Goal = Callable[[np.ndarray], float]


def leading(T: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    U, s, Vh = np.linalg.svd(T, full_matrices=False)
    return U[:, :k], s[:k], Vh[:k]


def quadratic(W: np.ndarray, R: np.ndarray, C: np.ndarray) -> Goal:
    """tr[(W - Z)^T R (W - Z) C]."""
    return lambda Z: float(np.einsum("ij,ij->", (W - Z), R @ (W - Z) @ C))


def plain(W, moment, fisher, outgrad, k):
    U, s, Vh = leading(W, k)
    return (U * s) @ Vh, quadratic(W, np.eye(len(W)), np.eye(W.shape[1]))


def fwsvd(W, moment, fisher, outgrad, k):
    """Hsu et al. 2022: rows scaled by the root of their summed Fisher information."""
    f = fisher.sum(axis=1)
    U, s, Vh = leading(np.sqrt(f)[:, None] * W, k)
    return (U * s / np.sqrt(f)[:, None]) @ Vh, quadratic(W, np.diag(f), np.eye(W.shape[1]))


def asvd(W, moment, fisher, outgrad, k, alpha=0.5):
    """Yuan et al. 2023: columns scaled by a power of the size of their activation (its root mean square here)."""
    d = np.sqrt(np.diag(moment)) ** alpha + 1e-6
    U, s, Vh = leading(W * d, k)
    return (U * s) @ (Vh / d), quadratic(W, np.eye(len(W)), np.diag(d**2))


def svd_llm(W, moment, fisher, outgrad, k):
    """Wang et al. 2024: Cholesky factor of the moment and its inverse."""
    L = np.linalg.cholesky(moment)
    U, s, Vh = leading(W @ L, k)
    return (U * s) @ Vh @ np.linalg.inv(L), quadratic(W, np.eye(len(W)), moment)


def svd_llm_v2(W, moment, fisher, outgrad, k):
    """The same by the singular vectors of the moment."""
    Q, values, _ = np.linalg.svd(moment)
    S = Q * np.sqrt(values)
    U, s, Vh = leading(W @ S, k)
    return (U * s) @ Vh @ np.linalg.inv(S), quadratic(W, np.eye(len(W)), moment)


def eora(W, moment, fisher, outgrad, k):
    """Liu et al. 2024: eigenvectors, scaled by the roots of the eigenvalues."""
    values, Q = np.linalg.eigh(moment)
    values = np.where(values > 0, values, values[values > 0].min())
    S = Q * np.sqrt(values)
    U, s, Vh = leading(W @ S, k)
    return (U * s) @ Vh / np.sqrt(values) @ Q.T, quadratic(W, np.eye(len(W)), moment)


def corda(W, moment, fisher, outgrad, k):
    """Yang et al. 2024: W times the moment itself; a ridge grows until its inverse is one."""
    ridge = 0.01
    while True:
        C = moment + ridge * np.mean(np.diag(moment)) * np.eye(len(moment))
        inverse = np.linalg.inv(C)
        if np.linalg.norm(C @ inverse - np.eye(len(C))) < 0.05:
            break
        ridge *= 2
    U, s, Vh = leading(W @ C, k)
    return (U * s) @ Vh @ inverse, quadratic(W, np.eye(len(W)), C @ C.T)


def definite(metric: np.ndarray) -> np.ndarray:
    """What GFWSVD does to a factor of the Fisher matrix that is not definite: more and more of the identity."""
    blend, share = metric, 0.2
    while True:
        try:
            np.linalg.cholesky(blend)
            return blend
        except np.linalg.LinAlgError:
            blend = (1 - share) * metric + share * np.mean(np.diag(metric)) * np.eye(len(metric))
            share += 0.1


def gfwsvd(W, moment, fisher, outgrad, k):
    """Chekalina et al. 2025: both Kronecker factors."""
    outgrad, moment = definite(outgrad), definite(moment)
    F, G = np.linalg.cholesky(outgrad), np.linalg.cholesky(moment)
    U, s, Vh = leading(F.T @ W @ G, k)
    return np.linalg.solve(F.T, U * s) @ Vh @ np.linalg.inv(G), quadratic(W, outgrad, moment)


def lq_lora(W, moment, fisher, outgrad, k):
    """Guo et al. 2023: roots of the row and the column means of the Fisher information."""
    r, c = np.sqrt(fisher.mean(axis=1)), np.sqrt(fisher.mean(axis=0))
    U, s, Vh = leading(r[:, None] * W * c, k)
    return (U * s / r[:, None]) @ (Vh / c), quadratic(W, np.diag(r**2), np.diag(c**2))


RECIPES = {
    "plain SVD": plain,
    "FWSVD": fwsvd,
    "ASVD": asvd,
    "SVD-LLM": svd_llm,
    "SVD-LLM v2": svd_llm_v2,
    "EoRA": eora,
    "CorDA": corda,
    "GFWSVD": gfwsvd,
    "LQ-LoRA": lq_lora,
}


def as_metrics(name: str, W, moment, fisher, outgrad) -> dict[str, object]:
    """The keywords of svdkit.weighted_svd that minimise the goal of a recipe."""
    from svdkit import Metric

    if name == "ASVD":
        return {"cols": (np.sqrt(np.diag(moment)) ** 0.5 + 1e-6) ** 2}
    if name == "CorDA":
        return {"cols": Metric(factor=moment + 0.01 * np.mean(np.diag(moment)) * np.eye(len(moment)))}
    return {
        "plain SVD": {},
        "FWSVD": {"rows": fisher.sum(axis=1)},
        "GFWSVD": {"rows": definite(outgrad), "cols": definite(moment)},
        "LQ-LoRA": {"rows": fisher.mean(axis=1), "cols": fisher.mean(axis=0)},
    }.get(name, {"cols": moment})
