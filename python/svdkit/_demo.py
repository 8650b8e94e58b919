"""The demonstration: the King James Bible, its chapters as rows and its words as columns, in 50 singular triplets."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from ._result import SVDResult
from ._tables import describe, spectrum_table, summary
from .truncated import tsvd

PICTURE = Path("svdkit_demo_scree.png")
TOPICS, WORDS = 8, 7


def main(k: int = 50) -> int:
    A, terms = king_james()
    print(f"The King James Bible, chapters x words, tf-idf weights: {describe(A)}\n")
    result = tsvd(A, k, progress=_has_tqdm())
    print(f"\n{spectrum_table(result)}\n\n{summary(result)}\n")
    print("What the leading right singular vectors are about, by their largest entries:")
    for i in range(TOPICS):
        print(f"{i + 1:4d}  {topic(result, i, terms)}")
    print()
    draw(result)
    return 0 if result.report.converged else 1


def king_james() -> tuple[Any, list[str]]:
    """The matrix in CSR form, and the word of each column."""
    import scipy.sparse

    folder = files(__package__) / "data"
    with as_file(folder / "kjv_chapter_tfidf.npz") as path:
        A = scipy.sparse.csr_array(scipy.sparse.load_npz(path))
    return A, (folder / "kjv_terms.txt").read_text(encoding="ascii").split()


def topic(result: SVDResult, i: int, terms: list[str]) -> str:
    """Words with the largest entries of one sign, against those of the other sign."""
    v = result.Vh[i].real
    order = np.argsort(v)
    ends = [[terms[j] for j in order[::-1][:WORDS] if v[j] > 0], [terms[j] for j in order[:WORDS] if v[j] < 0]]
    if np.abs(v).max() > 20 * -min(v.min(), 0):  # one sign only, as in the first vector
        ends.pop()
    return "  <->  ".join(" ".join(words) for words in ends)


def draw(result: SVDResult) -> None:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("Install matplotlib to see the singular values as a picture.")
        return
    from .plot import cumulative_energy, scree

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    scree(result, left).set_title("singular values")
    chapters = result.shape[0]  # rows have length 1, so this is the squared norm
    cumulative_energy(result, total=chapters, ax=right).set_title("share of the squared norm")
    figure.suptitle(f"King James Bible, {result.rank} of {min(result.shape)} triplets")
    figure.savefig(PICTURE, dpi=130)
    print(f"The singular values are drawn in {PICTURE.resolve()}")


def _has_tqdm() -> bool:
    from importlib.util import find_spec

    return find_spec("tqdm") is not None
