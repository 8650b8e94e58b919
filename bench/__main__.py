"""Command line of the benchmarks; see README.md.

A command is a module of this package, and its options are the arguments of the module's ``run``.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path

from .environment import clean


def main() -> None:
    """Read the command, clean the environment, then load NumPy and run."""
    options = vars(_parser().parse_args())
    command = options.pop("command")
    clean(options.get("threads", 1))
    importlib.import_module(f"{__package__}.{command.replace('-', '_')}").run(**options)


def words(text: str) -> list[str]:
    """What stands between commas."""
    return [word for word in text.split(",") if word]


def numbers(text: str) -> list[int]:
    """Integers between commas."""
    return [int(word) for word in words(text)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of svdkit.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about)
        added.add_argument("--threads", type=int, default=2, help="threads of every pool (default 2)")
        added.add_argument("--out", type=Path, help="write all numbers as JSON")
        return added

    _solvers(command)
    _families(command)
    report = commands.add_parser("report", help="a plot and a table of ratios from results")
    report.add_argument("results", type=Path)
    report.add_argument("--plot", type=Path, help="write the scatter of time against error (PNG)")
    report.add_argument("--error", default="sv_err", choices=("sv_err", "frob_plus", "resid"))
    return parser


def _solvers(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """Kernels, truncated and randomized SVD, ranks."""
    options = command("truncated", "time against error, beside the peers")
    options.add_argument("--cases", default="headline", help="names, patterns or tags, comma-separated")
    options.add_argument("--peers", default="*", help="names or patterns, comma-separated")
    options.add_argument("--timeout", type=float, default=300, help="seconds for one peer on one case, all repeats")

    options = command("roofline", "kernels against peak and bandwidth")
    options.add_argument("--matrices", type=words, default="square-slow,tall,wide,sparse-tfidf")
    options.add_argument("--dtypes", type=words, default="f64,f32")
    options.add_argument("--blocks", type=numbers, default="4,8,16,24,32,48,64", help="widths of the block of vectors")

    command("overhead", "one small matrix, and a stack of them")

    options = command("full", "all triplets of dense matrices")
    options.add_argument("--shapes", type=words, default="256x256,512x512,1000x1000,2000x2000,20000x256,256x20000")
    options.add_argument("--dtypes", type=words, default="float32,float64")

    options = command("curves", "error against time of randomized methods")
    options.add_argument("--cases", default="square-slow-f64-k64,square-fast-f64-k64,square-noise-f64-k64")
    options.add_argument("--plot", type=Path, help="write the curves (PNG)")

    options = command("streaming", "rows read once from disk: memory and error")
    options.add_argument("--rows", type=int, default=1_000_000)

    options = command("rank", "hit rates of rank rules, and a budget's time")
    options.add_argument("--repeats", type=int, default=20, help="matrices of every kind")


def _families(command: Callable[[str, str], argparse.ArgumentParser]) -> None:
    """What is built on the solvers."""
    options = command("kron", "sums of Kronecker products")
    options.add_argument("--data", type=Path, help="folder with minilm_layer1_weights.npz and weather_hourly.npz")
    options.add_argument("--plot", type=Path, help="write the errors of the weights (PNG)")
    options.add_argument("--parts", type=words, default="decompositions,numpy,products,weights,covariance")

    options = command("weighted", "weighted SVD of layers: time and loss")
    options.add_argument("--parts", type=words, default="methods,noise,compression", help="what to measure")
    options.add_argument("--shapes", default="4096x4096,4096x11008", help="of the weight")
    options.add_argument("--ranks", default="16,64,128,0.2,0.6", help="numbers, or shares of min(m, n)")
    options.add_argument("--repeats", type=int, default=1, help="runs of every call and of the recipe")
    options.add_argument("--data", type=Path, help="folder with minilm_layer1_*.npz, for the table of methods")

    options = command("completion", "weighted fits and missing data")
    options.add_argument("--part", default="all", choices=("all", "rank", "penalty", "real"))
    options.add_argument("--dtype", default="float32", choices=("float32", "float64"))
    options.add_argument("--share", type=float, default=1.0, help="of both extents of the large case")
    options.add_argument("--budget", type=float, default=60, help="seconds for one NumPy iteration")
    options.add_argument("--data", type=Path, help="folder with senate109_votes.npz and weather_hourly.npz")

    options = command("incremental", "a matrix that changes: time and accuracy")
    options.add_argument("--parts", default="updates,pca,kept,flat,streams", help="what to measure")
    options.add_argument("--cases", default="graph,ratings")
    options.add_argument("--ks", default="16,64")
    options.add_argument("--batches", default="1000,100,10")
    options.add_argument("--others", default="zha-simon,incsvd", help="peers that are measured")
    options.add_argument("--data", type=Path, help="folder with retail_events.npz and debian_depends.npz")
    options.add_argument("--plot", type=Path, help="write accuracy and cost (PNG)")

    options = command("robust", "robust fits: the R package's rule, the kernel")
    options.add_argument("--sizes", type=words, default="1e6,1e7", help="numbers of cells: 1e6, 1e7, 1e8")
    options.add_argument("--ranks", type=numbers, default="1,5")
    options.add_argument("--dtypes", type=words, default="f64,f32")
    options.add_argument("--parts", type=words, default="kernel,accuracy,rule")

    options = command("robust-methods", "pcp and l1 beside robust_svd and NumPy")
    options.add_argument("--cases", type=words, default="exact,noisy,video")

    options = command("robust-rows", "spherical_pca: wrong rows, wrong cells")
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--cols", type=int, default=200)


if __name__ == "__main__":
    main()
