"""How many threads, and what the library is built of."""

from __future__ import annotations

import platform

import numpy as np

from . import _core
from ._arguments import positive_int


def get_num_threads() -> int:
    """Return the number of threads that a call uses unless it says otherwise.

    It is what :func:`set_num_threads` asked for; else what ``threadpoolctl`` or ``OMP_NUM_THREADS`` ask for; else the
    number of processors that this process may use.

    Examples
    --------
    >>> import svdkit
    >>> svdkit.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def set_num_threads(threads: int | None) -> None:
    """Set the number of threads of the calls to come.

    Parameters
    ----------
    threads : int or None
        At least 1. None goes back to ``OMP_NUM_THREADS`` or the number of processors.

    Raises
    ------
    ValueError, TypeError
        If `threads` is not a positive integer.

    Notes
    -----
    Results do not depend on it, to the last bit. A single call takes ``threads=``.

    Examples
    --------
    >>> import svdkit
    >>> svdkit.set_num_threads(1)
    >>> svdkit.get_num_threads()
    1
    >>> svdkit.set_num_threads(None)
    """
    _core.set_num_threads(0 if threads is None else positive_int("threads", threads))


class Config(dict[str, str]):
    """A dictionary that shows itself as a table."""

    def __repr__(self) -> str:
        width = max(map(len, self))
        return "\n".join(f"{key:<{width}}  {value}" for key, value in self.items())


def show_config() -> Config:
    """Return versions, BLAS, SIMD level and threads: what a bug report should contain.

    Examples
    --------
    >>> import svdkit
    >>> svdkit.show_config()["svdkit"] == svdkit.__version__
    True
    """
    import scipy

    return Config(
        svdkit=_core.version,
        python=platform.python_version(),
        numpy=np.__version__,
        scipy=scipy.__version__,
        blas=_core.blas_config(),
        simd=f"{_core.simd_level()} (of {', '.join(_core.simd_levels())})",
        threads=str(get_num_threads()),
        cuda="not built",
        platform=f"{platform.system()} {platform.machine()}",
    )
