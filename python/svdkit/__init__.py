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
from .incremental import IncrementalSVD
from .nystrom import nystrom, rectangular_nystrom
from .randomized import rsvd
from .rank import allocate_ranks, rank_table, select_rank
from .sketched import SketchedSVD
from .truncated import svdvals, tsvd
from .updating import update_svd

if TYPE_CHECKING:
    from . import operators, plot, rank, testing

__all__ = [
    "ConvergenceError",
    "ConvergenceWarning",
    "IncrementalSVD",
    "LinAlgError",
    "Progress",
    "Report",
    "SVDResult",
    "SketchedSVD",
    "__version__",
    "allocate_ranks",
    "get_num_threads",
    "load",
    "nystrom",
    "operators",
    "plot",
    "rank",
    "rank_table",
    "rectangular_nystrom",
    "rsvd",
    "select_rank",
    "set_num_threads",
    "show_config",
    "svdvals",
    "testing",
    "tsvd",
    "update_svd",
]

_ON_DEMAND = ("operators", "plot", "testing")


def __getattr__(name: str) -> Any:
    if name in _ON_DEMAND:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
