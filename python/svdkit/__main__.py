"""``python -m svdkit``: the demonstration, and the decomposition of a matrix in a file.

Exit status: 0 done, 1 not converged, 2 wrong arguments or a file that cannot be used, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from . import __version__, _demo
from ._files import SUFFIXES, read_matrix
from ._result import SVDResult
from ._tables import describe, spectrum_table, summary
from .errors import ConvergenceWarning
from .truncated import tsvd


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="svdkit", description="Truncated singular value decompositions.")
    top.add_argument("--version", action="version", version=f"svdkit {__version__}")
    commands = top.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="decompose the bundled King James Bible and draw its singular values")
    demo.add_argument("-k", type=int, default=50, help="number of triplets (default 50)")
    command = commands.add_parser("tsvd", help="decompose the matrix in a file")
    command.add_argument("file", type=Path, help=f"matrix: {SUFFIXES}")
    command.add_argument("-k", type=int, required=True, help="number of triplets")
    command.add_argument("-o", "--output", type=Path, help="write U, s, Vh and the report to this .npz file")
    command.add_argument("--plot", type=Path, help="draw the singular values in this file (.png, .pdf, .svg)")
    command.add_argument("--tol", type=float, help="largest residual allowed, relative to the largest value")
    command.add_argument("--which", choices=("largest", "smallest"), default="largest")
    command.add_argument("--method", choices=("auto", "lanczos", "full"), default="auto")
    command.add_argument("--center", action="store_true", help="subtract the column means")
    command.add_argument("--seed", type=int, default=0, help="start of the random numbers (default 0)")
    command.add_argument("--threads", type=int, help="default: OMP_NUM_THREADS or all processors")
    command.add_argument("--time-limit", type=float, help="seconds")
    command.add_argument("--progress", action="store_true", help="show a progress bar")
    return top


def decompose(arguments: argparse.Namespace) -> int:
    """Decompose a file; print the table, write what was asked for."""
    for path in filter(None, (arguments.output, arguments.plot)):
        if not path.absolute().parent.is_dir():
            raise FileNotFoundError(f"the folder of {path} does not exist")
    A = read_matrix(arguments.file)
    print(f"{arguments.file}: {describe(A)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the exit status and the table say it
        result = tsvd(
            A,
            arguments.k,
            tol=arguments.tol,
            which=arguments.which,
            center=arguments.center,
            method=arguments.method,
            rng=arguments.seed,
            threads=arguments.threads,
            time_limit=arguments.time_limit,
            progress=arguments.progress,
        )
    print(f"\n{spectrum_table(result)}\n\n{summary(result)}")
    for note in result.report.notes:
        print(f"note: {note}")
    if arguments.output:
        result.save(arguments.output)
        print(f"result written to {arguments.output}")
    if arguments.plot:
        draw(result, arguments.plot)
    return 0 if result.report.converged else 1


def draw(result: SVDResult, path: Path) -> None:
    """Write the scree plot."""
    from matplotlib.figure import Figure

    from .plot import scree

    figure = Figure(figsize=(6, 4), layout="constrained")
    scree(result, figure.subplots())
    figure.savefig(path, dpi=150)
    print(f"singular values drawn in {path}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = parser().parse_args(argv)
    try:
        return _demo.main(arguments.k) if arguments.command == "demo" else decompose(arguments)
    except (ImportError, MemoryError, OSError, TypeError, ValueError) as error:
        print(f"svdkit: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("svdkit: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
