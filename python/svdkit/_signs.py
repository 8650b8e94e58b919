"""The sign convention of results, for pairs that no solver has seen to."""

from __future__ import annotations

import numpy as np


def with_signs(U: np.ndarray, Vh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sides turned so that in every column of U the entry of largest magnitude is positive."""
    if not U.size:
        return U, Vh
    size = np.abs(U)
    first = np.argmax(size >= (1 - 1e-8) * size.max(axis=0), axis=0)
    entry = U[first, np.arange(U.shape[1])]
    turn = np.where(entry == 0, 1, entry.conj() / np.where(entry == 0, 1, np.abs(entry))).astype(U.dtype)
    return U * turn, turn.conj()[:, None] * Vh
