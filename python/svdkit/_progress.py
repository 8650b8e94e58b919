"""Progress: what a callback is told after every block step, and the progress bar."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Progress:
    """What a solver knows after a block step.

    Attributes
    ----------
    iteration : int
        Block steps so far.
    converged, wanted : int
        Triplets below the tolerance, and triplets asked for.
    residuals : ndarray
        Latest estimates, largest singular value first; may be empty.
    passes : int
        How many times the matrix was read so far.
    seconds : float
        Since the call began.
    """

    iteration: int
    converged: int
    wanted: int
    residuals: np.ndarray
    passes: int
    seconds: float


Hook = Callable[..., bool]  # called by the engine with the fields of Progress


def progress_bar(shown: bool, wanted: int) -> AbstractContextManager[Any]:
    """A tqdm bar that counts converged triplets; None where it is not shown."""
    if not shown:
        return nullcontext()
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError("progress=True needs the package tqdm; install it, or use callback=") from error
    return tqdm(total=wanted, unit="triplet", desc="svdkit")


def hook(callback: Callable[[Progress], Any] | None, bar: Any) -> Hook | None:
    """The function that the engine calls, or None where nobody listens."""
    if callback is None and bar is None:
        return None
    if callback is not None and not callable(callback):
        raise TypeError(f"callback = {callback!r} is a {type(callback).__name__}, but must be callable")

    def report(*fields: Any) -> bool:
        progress = Progress(*fields)
        if bar is not None:
            bar.update(progress.converged - bar.n)
            bar.set_postfix(passes=progress.passes, refresh=False)
        answer = None if callback is None else callback(progress)
        return isinstance(answer, bool | np.bool_) and bool(answer)

    return report
