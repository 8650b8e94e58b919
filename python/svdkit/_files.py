"""Matrices from files, by their suffix."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

SUFFIXES = ".npy, .npz, .mtx, .mtx.gz or .csv"


def read_matrix(path: Path) -> Any:
    """A dense array or a sparse matrix.

    ``.npy`` is mapped, not read. A ``.npz`` holds a sparse matrix of ``scipy.sparse.save_npz``, or arrays of which
    exactly one is a matrix.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        return _read(path, path.name.lower())
    except (EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def _read(path: Path, name: str) -> Any:
    if name.endswith(".npy"):
        return np.load(path, mmap_mode="r")
    if name.endswith(".npz"):
        return _from_npz(path)
    if name.endswith((".mtx", ".mtx.gz")):
        import scipy.io
        import scipy.sparse

        A = scipy.io.mmread(path, spmatrix=False)
        return A.tocsr() if scipy.sparse.issparse(A) else A
    if name.endswith(".csv"):
        return _from_csv(path)
    raise ValueError(f"its suffix is not known; use {SUFFIXES}")


def _from_npz(path: Path) -> Any:
    with np.load(path) as file:
        if "format" in file.files and "shape" in file.files:
            import scipy.sparse

            return scipy.sparse.load_npz(path)
        matrices = [name for name in file.files if file[name].ndim == 2]
        if len(matrices) != 1:
            found = ", ".join(f"{name} {file[name].shape}" for name in file.files)
            raise ValueError(f"it must hold exactly one matrix, but holds {found or 'nothing'}")
        return file[matrices[0]]


def _from_csv(path: Path) -> np.ndarray:
    """Numbers separated by commas; a first line that is not numbers is a header."""
    with path.open(encoding="utf-8-sig") as file:
        first = file.readline()
    try:
        [float(word) for word in first.split(",")]
        header = 0
    except ValueError:
        header = 1
    return np.loadtxt(path, delimiter=",", skiprows=header, ndmin=2, encoding="utf-8-sig")
