"""Sums of Kronecker products: the best approximation of a matrix by few of them, and what can be done with it."""

from .compare import Candidate, Candidates
from .result import KroneckerResult
from .svd import kron_svd

__all__ = ["Candidate", "Candidates", "KroneckerResult", "kron_svd"]
