"""Truncated singular value decompositions with a residual for every triplet.

>>> import numpy as np, svdkit
>>> U, s, Vh = svdkit.tsvd(np.diag([3.0, 2.0, 1.0]), 2)
>>> s
array([3., 2.])

``tsvd`` takes NumPy arrays, ``scipy.sparse`` matrices, ``LinearOperator`` and ``svdkit.operators``; see its help.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._core import version as __version__
from ._progress import Progress
from ._report import Report
from ._result import SVDResult, load
from ._threads import get_num_threads, set_num_threads, show_config
from .errors import ConvergenceError, ConvergenceWarning, LinAlgError
from .heteroscedastic import biwhiten, hetero_pca
from .incremental import IncrementalSVD
from .kron import KroneckerProducts, KroneckerResult, kron_factors, kron_svd
from .kronecker_metric import kron_metric
from .l1 import l1_svd
from .nystrom import nystrom, rectangular_nystrom
from .pcp import pcp
from .randomized import rsvd
from .rank import allocate_ranks, rank_table, select_rank
from .robust import RobustResult, robust_svd, robust_update
from .sketched import SketchedSVD
from .spherical import spherical_pca
from .tensor import TensorTrain, TuckerResult, tt_svd, tucker
from .truncated import svdvals, tsvd
from .updating import update_svd
from .weighted import Metric, weighted_svd

if TYPE_CHECKING:
    from . import kron, operators, plot, rank, tensor, testing

__all__ = [
    "ConvergenceError",
    "ConvergenceWarning",
    "IncrementalSVD",
    "KroneckerProducts",
    "KroneckerResult",
    "LinAlgError",
    "Metric",
    "Progress",
    "Report",
    "RobustResult",
    "SVDResult",
    "SketchedSVD",
    "TensorTrain",
    "TuckerResult",
    "__version__",
    "allocate_ranks",
    "biwhiten",
    "get_num_threads",
    "hetero_pca",
    "kron",
    "kron_factors",
    "kron_metric",
    "kron_svd",
    "l1_svd",
    "load",
    "nystrom",
    "operators",
    "pcp",
    "plot",
    "rank",
    "rank_table",
    "rectangular_nystrom",
    "robust_svd",
    "robust_update",
    "rsvd",
    "select_rank",
    "set_num_threads",
    "show_config",
    "spherical_pca",
    "svdvals",
    "tensor",
    "testing",
    "tsvd",
    "tt_svd",
    "tucker",
    "update_svd",
    "weighted_svd",
]

_ON_DEMAND = ("operators", "plot", "testing")


def __getattr__(name: str) -> Any:
    if name in _ON_DEMAND:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
