"""SVDResult: k singular triplets, and the report."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arrays import product_entries
from ._report import Report

if TYPE_CHECKING:
    from .operators import LowRank


class SVDResult:
    """k singular triplets of a matrix, ``A ~ (U * s) @ Vh``; of a stack of matrices, k of each.

    Unpacks as exactly three: ``U, s, Vh = result``.

    Attributes
    ----------
    U : ndarray, shape (m, k)
        Left singular vectors. In every column the entry of largest magnitude is positive.
    s : ndarray, shape (k,)
        Singular values, descending.
    Vh : ndarray, shape (k, n)
        Right singular vectors, conjugated, as rows.
    report : Report
        What was done, and the residual of every triplet.

    Examples
    --------
    >>> import numpy as np, svdkit
    >>> result = svdkit.tsvd(np.diag([3.0, 2.0, 1.0]), 2)
    >>> result.rank, result.shape
    (2, (3, 3))
    >>> np.round(result.reconstruct(), 12).diagonal()
    array([3., 2., 0.])
    """

    __slots__ = ("U", "Vh", "report", "s")

    def __init__(self, U: np.ndarray, s: np.ndarray, Vh: np.ndarray, report: Report) -> None:
        self.U = U
        self.s = s
        self.Vh = Vh
        self.report = report

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.U, self.s, self.Vh))

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> np.ndarray:
        return (self.U, self.s, self.Vh)[index]

    @property
    def rank(self) -> int:
        """Number of triplets, k."""
        return int(self.s.shape[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the matrix that was decomposed: (m, n), or (B, m, n) for a stack."""
        return (*self.U.shape[:-1], self.Vh.shape[-1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of U and Vh; `s` is real and of the same precision."""
        return self.U.dtype

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        state = "converged" if self.report.converged else "NOT converged"
        return f"<SVDResult: {self.rank} triplets of a {shape} matrix, {self.dtype}, {self.report.method}, {state}>"

    def truncate(self, k: int) -> SVDResult:
        """Return the first `k` triplets, as views.

        Raises
        ------
        ValueError
            If `k` is not in 0..rank.
        """
        if not 0 <= k <= self.rank:
            raise ValueError(f"k = {k}, but must be in 0..{self.rank}, the rank of the result; compute more triplets")
        residuals = self.report.residuals[..., :k]
        report = Report.from_dict(self.report.to_dict() | {"residuals": residuals})
        return SVDResult(self.U[..., :k], self.s[..., :k], self.Vh[..., :k, :], report)

    def reconstruct(self) -> np.ndarray:
        """Return the rank-k matrix ``(U * s) @ Vh``: m n numbers, 2 m n k flops."""
        return (self.U * self.s[..., None, :]) @ self.Vh

    def __matmul__(self, X: Any) -> np.ndarray:
        """``reconstruct() @ X`` without forming it."""
        product = self.Vh @ X
        return self.U @ (self.s * product if product.ndim == 1 else self.s[..., :, None] * product)

    def project(self, X: Any) -> np.ndarray:
        """Return the coordinates of the rows of `X` (p x n, dense or sparse) in the right vectors: ``X @ Vh.conj().T``.

        Rows of a matrix that was centred or scaled should be centred and scaled in the same way.
        """
        V = self.Vh.conj().swapaxes(-1, -2)
        return np.asarray(X @ V)

    def predict(self, rows: Any, cols: Any) -> np.ndarray:
        """Return single cells of the rank-k matrix, without forming it.

        Parameters
        ----------
        rows, cols : int or integer arrays that broadcast with each other
            Cell t is ``reconstruct()[rows[t], cols[t]]``; negative indices count from the end.

        Returns
        -------
        ndarray of the broadcast shape

        Raises
        ------
        IndexError
            If an index is outside of the matrix.
        ValueError
            If the result is a stack.

        Notes
        -----
        Costs 2 k flops a cell, in pieces of a few megabytes.

        Examples
        --------
        >>> import numpy as np, svdkit
        >>> svdkit.tsvd(np.diag([3.0, 2.0, 1.0]), 2).predict([0, 1], [0, 1])
        array([3., 2.])
        """
        if self.U.ndim != 2:
            raise ValueError(
                "the result is a stack of decompositions; predict cells of one: SVDResult(U[i], s[i], ...)"
            )
        i, j = np.broadcast_arrays(np.asarray(rows), np.asarray(cols))
        if i.size and (i.dtype.kind not in "iu" or j.dtype.kind not in "iu"):
            raise TypeError(f"rows and cols have dtypes {i.dtype} and {j.dtype}, but must be integers")
        return product_entries(self.U * self.s, self.Vh.T, i.reshape(-1), j.reshape(-1)).reshape(i.shape)

    def to_operator(self) -> LowRank:
        """Return the rank-k matrix as an operator, to compose: for example ``Dense(A) - result.to_operator()``."""
        from .operators import LowRank

        return LowRank(self.U, self.s, self.Vh)

    def save(self, path: str | os.PathLike[str] | Any) -> None:
        """Write the result to a ``.npz`` file, from which :func:`svdkit.load` reads it."""
        np.savez(path, U=self.U, s=self.s, Vh=self.Vh, report=json.dumps(self.report.to_dict()))


def load(path: str | os.PathLike[str] | Any) -> SVDResult:
    """Read a result that :meth:`SVDResult.save` wrote.

    Parameters
    ----------
    path : str, path or binary file
        The name given to ``save``, with or without ``.npz``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not a saved result.

    Examples
    --------
    >>> import io, numpy as np, svdkit
    >>> file = io.BytesIO()
    >>> svdkit.tsvd(np.diag([3.0, 2.0, 1.0]), 2).save(file)
    >>> _ = file.seek(0)
    >>> svdkit.load(file).s
    array([3., 2.])
    """
    if isinstance(path, str | os.PathLike) and not os.path.exists(path):
        path = f"{os.fspath(path)}.npz"
    file = np.load(path)
    missing = {"U", "s", "Vh", "report"}.difference(getattr(file, "files", ()))
    if missing:
        raise ValueError(f"{path} is not a saved result: it has no {', '.join(sorted(missing))}")
    with file:
        return SVDResult(file["U"], file["s"], file["Vh"], Report.from_dict(json.loads(str(file["report"]))))
