"""Metric: a positive semidefinite matrix that weighs rows or columns, however it is known."""

from __future__ import annotations

import itertools
import math
from functools import cached_property
from typing import Any

import numpy as np

from .. import _arguments as check
from .._error_estimate import product as block_product
from .._inputs import is_sparse, open_matrix
from .._scalars import OPERATORS, real_dtype
from .metric_factor import factor_of, moment_of, sample_blocks, triangle_of, upper_triangle
from .metric_inputs import in_double, numeric, symmetric


class Metric:
    """A symmetric positive semidefinite matrix M that weighs the rows or columns of a matrix, ``<x, y> = x^H M y``.

    Exactly one of the first five is given. A metric remembers its factor: use one object for all matrices that
    share it, such as the projections of one layer.

    Parameters
    ----------
    matrix : array, shape (n, n), optional
        M itself.
    weights : array, shape (n,), optional
        M is diagonal; entries >= 0.
    factor : array, shape (n, r), optional
        M = L L^H for this L, of any r.
    samples : array of shape (n, t), or an iterable of such blocks, optional
        M = X X^H for the samples X in its columns, read once. Double precision goes through QR steps, so that the
        condition of X is not squared; single precision is summed in double, where its products are exact.
    operator : sparse matrix, LinearOperator or operator of svdkit, shape (n, n), optional
        M known by its products only.
    ridge : float
        Adds this multiple of the mean diagonal entry to the diagonal. 0 by default: it changes the problem, and nothing
        here needs it for stability.
    rtol : float, optional
        Eigenvalues of a singular `matrix`, scaled to unit diagonal, below this multiple of the largest count as zero.
        Default ``10 sqrt(n) eps`` for the precision of its entries, or three times the most negative one, which shows
        how far the sums it was made of are off.

    Raises
    ------
    ValueError, TypeError
        If the metric is not symmetric or not positive semidefinite, or has entries that are not finite.

    Notes
    -----
    Cost: n^3 / 3 flops for a definite matrix (9 n^3 more for a singular one), 2 n^2 t for samples, at first use.
    Factors are kept in double precision.

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> X = np.array([[1.0, 0.0, 1.0], [0.0, 2.0, 1.0]])
    >>> svdkit.Metric(samples=X)
    <Metric: 2 x 2, factor of rank 2>
    >>> bool(np.allclose(svdkit.Metric(samples=X).to_dense(), X @ X.T))
    True
    """

    def __init__(
        self,
        matrix: Any = None,
        *,
        weights: Any = None,
        factor: Any = None,
        samples: Any = None,
        operator: Any = None,
        ridge: float = 0.0,
        rtol: float | None = None,
    ) -> None:
        given = {"matrix": matrix, "weights": weights, "factor": factor, "samples": samples, "operator": operator}
        names = [name for name, value in given.items() if value is not None]
        if len(names) != 1:
            raise TypeError(
                f"a metric is made of one of {', '.join(given)}, but {', '.join(names) or 'none'} was given"
            )
        self.root: np.ndarray | None = None  # of a diagonal metric
        self.exponent = 0  # M = 4^exponent times what is stored
        self.name = names[0]
        self._matrix: np.ndarray | None = None
        self._operator: Any = None
        self._rtol = rtol
        getattr(self, f"_from_{names[0]}")(given[names[0]])
        if ridge:
            self._add_ridge(check.number("ridge", ridge))

    # --- how it is known ----------------------------------------------------------------------------------------

    def _from_weights(self, weights: Any) -> None:
        vector = np.asarray(weights)
        if vector.ndim != 1 or vector.dtype.kind not in "biuf":
            raise ValueError(f"weights has shape {vector.shape} and dtype {vector.dtype}, but must be a real vector")
        good = np.isfinite(vector) & (vector >= 0)
        if not good.all():
            i = int(np.argmin(good))
            raise ValueError(f"weights[{i}] = {vector[i]}, but weights must be finite and >= 0")
        wide = vector.astype(np.float64)
        self.exponent = _exponent(math.sqrt(wide.max(initial=0)))
        self.root = np.ldexp(np.sqrt(wide), -self.exponent)
        self.size = len(wide)

    def _from_factor(self, factor: Any) -> None:
        L = numeric("factor", factor)
        if L.ndim != 2:
            raise ValueError(f"factor has shape {L.shape}, but must be n x r")
        self._keep_factor(L.astype(np.result_type(L.dtype, np.float64)))

    def _from_samples(self, samples: Any) -> None:
        blocks = sample_blocks(samples, "samples")
        first = next(blocks, None)
        if first is None:
            raise ValueError("samples is empty, but at least one block is needed")
        n, rest = first.shape[0], itertools.chain([first], blocks)
        if first.dtype.char in "fF":
            self._matrix, self.size = moment_of(rest, n), n
            self.exponent = _exponent(math.sqrt(self._matrix.diagonal().real.max(initial=0)))
        else:
            self._keep_factor(triangle_of(rest, n))

    def _from_matrix(self, matrix: Any) -> None:
        C = numeric("matrix", matrix)
        if C.ndim != 2 or C.shape[0] != C.shape[1]:
            raise ValueError(f"matrix has shape {C.shape}, but a metric must be square; use factor=, or samples=")
        C = symmetric(C)
        self._matrix, self.size = C, len(C)
        self.exponent = _exponent(math.sqrt(max(float(C.diagonal().real.max(initial=0)), 0.0)))

    def _from_operator(self, operator: Any) -> None:
        opened = open_matrix(operator, "operator")
        if opened.shape[0] != opened.shape[1]:
            raise ValueError(f"operator has shape {opened.shape}, but a metric must be square")
        self._operator, self.size = opened, opened.shape[0]

    def _keep_factor(self, F: np.ndarray) -> None:
        self.exponent = _exponent(float(np.abs(F).max(initial=0)))
        self.factor = F * 2.0**-self.exponent
        self.size = len(F)

    def _add_ridge(self, ridge: float) -> None:
        if not ridge >= 0:
            raise ValueError(f"ridge = {ridge}, but must be >= 0")
        n = max(self.size, 1)
        if self.root is not None:
            self.root = np.sqrt(self.root**2 + ridge * np.mean(self.root**2))
        elif self._matrix is not None:
            mean = float(np.trace(self._matrix).real) / n
            wide = np.result_type(self._matrix.dtype, np.float64)
            self._matrix = self._matrix.astype(wide) + ridge * mean * np.eye(self.size)
        elif self._operator is None:
            level = math.sqrt(ridge / n) * float(np.linalg.norm(self.factor))
            self.factor = upper_triangle(np.vstack([self.factor.conj().T, level * np.eye(n)])).conj().T
        else:
            raise ValueError(
                "ridge needs the diagonal of the metric, and an operator shows none; add it to the operator"
            )

    # --- what it does -------------------------------------------------------------------------------------------

    @property
    def products_only(self) -> bool:
        """Whether it has no factor."""
        return self._operator is not None

    @property
    def factored(self) -> bool:
        """Whether the factor is there already."""
        return "factor" in self.__dict__

    @property
    def dense(self) -> np.ndarray | None:
        """The entries, in units of 1: where it was given or summed as a matrix."""
        return self._matrix

    @cached_property
    def factor(self) -> np.ndarray:
        """F (n x r) in double precision, ``M = 4**exponent F F^H``."""
        if self.root is not None:
            return np.diag(self.root)
        if self._matrix is None:
            raise ValueError("this metric is known by its products only")
        C = self._matrix
        rtol = 10 * math.sqrt(len(C)) * float(np.finfo(C.dtype).eps) if self._rtol is None else self._rtol
        F = factor_of(C, rtol, self.name)
        F *= 2.0**-self.exponent
        return F

    @cached_property
    def support(self) -> np.ndarray | None:
        """Orthonormal basis of the range, or None where that is the whole space."""
        F = self.factor
        left, values, _ = np.linalg.svd(F, full_matrices=False)
        kept = values > max(F.shape) * np.finfo(np.float64).eps * values.max(initial=0)
        return None if kept.sum() == self.size else left[:, kept]

    def seen(self, X: np.ndarray) -> np.ndarray:
        """The part of the columns of X that the metric sees: their projection onto its range."""
        if self.root is not None:
            return np.where((self.root > 0)[:, None], X, 0)
        if self.products_only:
            raise ValueError("unseen='zero' needs a factor of the metric, not products only; use unseen='keep'")
        Q = self.support
        return X if Q is None else (Q @ (Q.conj().T @ X)).astype(X.dtype)

    def spread(self, X: np.ndarray) -> np.ndarray:
        """F X, in the dtype of X: from the space of T back to that of A."""
        if self.root is not None:
            return self.root.astype(real_dtype(X.dtype))[:, None] * X
        return self.factor_for(X.dtype) @ X

    def factor_for(self, dtype: np.dtype[Any]) -> np.ndarray:
        """F in the precision of `dtype`."""
        F = self.factor
        return F.astype(dtype if F.dtype.kind == "c" else real_dtype(dtype), copy=False)

    def weigh(self, E: np.ndarray) -> np.ndarray:
        """E F: the rows of E in the coordinates in which the metric is the identity."""
        return E * self.root if self.root is not None else E @ self.factor

    def core(self, dtype: np.dtype[Any]) -> Any:
        """M over 4^exponent as an operator of the engine, of this dtype: in double precision, or of entries."""
        operator = OPERATORS[dtype]
        if self._matrix is not None and real_dtype(dtype) == np.float32:
            unit = np.full(self.size, 4.0**-self.exponent, np.float32)
            if self._matrix.dtype == dtype and abs(self.exponent) <= 20:  # products stay in range
                return operator.scaled(operator.dense(self._matrix), unit, np.empty(0, np.float32))
            return operator.dense((self._matrix * 4.0**-self.exponent).astype(dtype))
        if self._operator is not None:
            core, _ = in_double(self._operator, dtype)
        elif self._matrix is not None and not self.factored:
            core, _ = in_double(open_matrix(self._matrix), dtype)
        else:
            F = operator.dense(self.factor_for(dtype).astype(dtype, copy=False))
            return operator.product(F, operator.adjoint(F))
        if self.exponent and self._operator is None:
            weights = np.full(self.size, 4.0**-self.exponent)
            core = operator.scaled(core, weights, np.empty(0))
        return core

    def times(self, X: np.ndarray) -> np.ndarray:
        """M X in double precision, over 4^exponent."""
        if self.root is not None:
            return (self.root**2)[:, None] * X
        dtype = np.result_type(X.dtype, np.float64)
        if self._complex:
            dtype = np.dtype(np.complex128)
        return block_product(self.core(dtype), X.astype(dtype), self.size)

    @property
    def _complex(self) -> bool:
        known = self._matrix if self._matrix is not None else self._operator or self.factor
        return bool(known.dtype.kind == "c")

    def to_dense(self) -> np.ndarray:
        """Return the matrix: n^2 numbers."""
        return np.asarray(self.times(np.eye(self.size)) * 4.0**self.exponent)

    def __repr__(self) -> str:
        what = f"factor of rank {self.factor.shape[1]}" if self.factored else self.name
        return f"<Metric: {self.size} x {self.size}, {what}>"


def as_metric(name: str, value: Any, size: int) -> Metric | None:
    """What a user gives for `rows` or `cols`: nothing, a vector, a matrix, products, or a metric."""
    if value is None:
        return None
    if isinstance(value, Metric):
        metric = value
    elif is_sparse(value) or hasattr(value, "_core") or hasattr(value, "matmat"):
        metric = Metric(operator=value)
    else:
        array = numeric(name, value)
        if array.ndim not in (1, 2):
            raise ValueError(f"{name} has shape {array.shape}, but must be a vector, a square matrix or a Metric")
        try:
            metric = Metric(weights=array) if array.ndim == 1 else Metric(array)
        except (ValueError, TypeError) as error:
            raise type(error)(f"{name}: {error}") from None
    if metric.size != size:
        side = "rows" if name == "rows" else "columns"
        raise ValueError(f"{name} is a metric of size {metric.size}, but A has {size} {side}")
    return metric


def _exponent(size: float) -> int:
    exponent = math.frexp(size)[1] if size > 0 and math.isfinite(size) else 0
    return min(max(exponent, -500), 500)  # 4^exponent stays a number
