"""Sums of Kronecker products: the best approximation of a matrix by few of them, and what can be done with it."""

from .compare import Candidate, Candidates
from .many import KroneckerProducts, kron_factors
from .result import KroneckerResult
from .svd import kron_svd

__all__ = ["Candidate", "Candidates", "KroneckerProducts", "KroneckerResult", "kron_factors", "kron_svd"]
