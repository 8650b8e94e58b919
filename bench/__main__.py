"""Command line of the benchmarks; see README.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from .environment import clean


def main() -> None:
    """Read the command, clean the environment, then load NumPy and run."""
    arguments = _parser().parse_args()
    clean(arguments.threads)
    if arguments.command == "truncated":
        from . import truncated

        truncated.run(arguments.cases, arguments.peers, arguments.threads, arguments.timeout, arguments.out)
    elif arguments.command == "roofline":
        from . import roofline

        blocks = tuple(map(int, arguments.blocks.split(",")))
        roofline.run(
            arguments.matrices.split(","),
            arguments.dtypes.split(","),
            blocks,
            arguments.threads,
            arguments.out,
        )
    elif arguments.command == "curves":
        from . import curves

        curves.run(arguments.cases, arguments.threads, arguments.plot, arguments.out)
    elif arguments.command == "streaming":
        from . import streaming

        streaming.run(arguments.rows, arguments.threads, arguments.out)
    elif arguments.command == "rank":
        from . import rank

        rank.run(arguments.repeats, arguments.out)
    elif arguments.command == "kron":
        from . import kron

        kron.run(arguments.data, arguments.plot, arguments.parts.split(","), arguments.threads, arguments.out)
    elif arguments.command == "completion":
        from . import completion

        completion.run(
            arguments.part, arguments.dtype, arguments.share, arguments.budget, arguments.data, arguments.out
        )
    elif arguments.command == "weighted":
        from . import weighted

        parts = arguments.parts.split(",")
        weighted.run(parts, arguments.shapes, arguments.ranks, arguments.repeats, arguments.data, arguments.out)
    elif arguments.command == "robust-methods":
        from . import robust_methods

        robust_methods.run(arguments.cases, arguments.threads, arguments.out)
    elif arguments.command == "robust-rows":
        from . import robust_rows

        robust_rows.run(arguments.rows, arguments.cols, arguments.threads, arguments.out)
    elif arguments.command == "robust":
        from . import robust

        ranks = tuple(map(int, arguments.ranks.split(",")))
        words = (arguments.sizes.split(","), ranks, arguments.dtypes.split(","), arguments.parts.split(","))
        robust.run(*words, arguments.threads, arguments.out)
    elif arguments.command == "incremental":
        from . import incremental

        chosen = (arguments.parts, arguments.cases, arguments.ks, arguments.batches)
        incremental.run(*chosen, arguments.data, arguments.plot, arguments.out)
    elif arguments.command == "overhead":
        from . import overhead

        overhead.run(arguments.threads, arguments.out)
    else:
        from . import report

        report.run(arguments.results, arguments.plot, arguments.error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Benchmarks of svdkit.")
    commands = parser.add_subparsers(dest="command", required=True)

    measured = argparse.ArgumentParser(add_help=False)
    measured.add_argument("--threads", type=int, default=2, help="threads of every pool (default 2)")
    measured.add_argument("--out", type=Path, help="write all numbers as JSON")

    command = commands.add_parser("truncated", parents=[measured], help="time against error, beside the peers")
    command.add_argument("--cases", default="headline", help="names, patterns or tags, comma-separated")
    command.add_argument("--peers", default="*", help="names or patterns, comma-separated")
    command.add_argument("--timeout", type=float, default=300, help="seconds for one peer on one case, all repeats")

    command = commands.add_parser("roofline", parents=[measured], help="kernels against peak and bandwidth")
    command.add_argument("--matrices", default="square-slow,tall,wide,sparse-tfidf", help="names of matrices")
    command.add_argument("--dtypes", default="f64,f32")
    command.add_argument("--blocks", default="4,8,16,24,32,48,64", help="widths of the block of vectors")

    commands.add_parser("overhead", parents=[measured], help="one small matrix, and a stack of them")

    command = commands.add_parser("curves", parents=[measured], help="error against time of randomized methods")
    command.add_argument("--cases", default="square-slow-f64-k64,square-fast-f64-k64,square-noise-f64-k64")
    command.add_argument("--plot", type=Path, help="write the curves (PNG)")

    command = commands.add_parser("streaming", parents=[measured], help="rows read once from disk: memory and error")
    command.add_argument("--rows", type=int, default=1_000_000)

    command = commands.add_parser("rank", parents=[measured], help="hit rates of rank rules, and a budget's time")
    command.add_argument("--repeats", type=int, default=20, help="matrices of every kind")

    command = commands.add_parser("kron", parents=[measured], help="sums of Kronecker products")
    command.add_argument("--data", type=Path, help="folder with minilm_layer1_weights.npz and weather_hourly.npz")
    command.add_argument("--plot", type=Path, help="write the errors of the weights (PNG)")
    command.add_argument("--parts", default="decompositions,numpy,products,weights,covariance")
    command = commands.add_parser("completion", parents=[measured], help="weighted fits and missing data")
    command.add_argument("--part", default="all", choices=("all", "rank", "penalty", "real"))
    command.add_argument("--dtype", default="float32", choices=("float32", "float64"))
    command.add_argument("--share", type=float, default=1.0, help="of both extents of the large case")
    command.add_argument("--budget", type=float, default=60, help="seconds for one NumPy iteration")
    command.add_argument("--data", type=Path, help="folder with senate109_votes.npz and weather_hourly.npz")

    command = commands.add_parser("weighted", parents=[measured], help="weighted SVD of layers: time and loss")
    command.add_argument("--parts", default="methods,noise,compression", help="what to measure")
    command.add_argument("--shapes", default="4096x4096,4096x11008", help="of the weight")
    command.add_argument("--ranks", default="16,64,128,0.2,0.6", help="numbers, or shares of min(m, n)")
    command.add_argument(
        "--repeats", type=int, default=1, help="runs of every call and of the recipe; the median counts"
    )
    command.add_argument("--data", type=Path, help="folder with minilm_layer1_*.npz, for the table of methods")
    command = commands.add_parser("robust-methods", parents=[measured], help="pcp and l1 beside robust_svd and NumPy")
    command.add_argument("--cases", default="exact,noisy,video")

    command = commands.add_parser("robust-rows", parents=[measured], help="spherical_pca: wrong rows, wrong cells")
    command.add_argument("--rows", type=int, default=20_000)
    command.add_argument("--cols", type=int, default=200)

    command = commands.add_parser("robust", parents=[measured], help="robust fits: the R package's rule, the kernel")
    command.add_argument("--sizes", default="1e6,1e7", help="numbers of cells: 1e6, 1e7, 1e8")
    command.add_argument("--ranks", default="1,5")
    command.add_argument("--dtypes", default="f64,f32")
    command.add_argument("--parts", default="kernel,accuracy,rule")
    command = commands.add_parser("incremental", parents=[measured], help="a matrix that changes: time and accuracy")
    command.add_argument("--parts", default="updates,pca,kept,flat,streams", help="what to measure")
    command.add_argument("--cases", default="graph,ratings")
    command.add_argument("--ks", default="16,64")
    command.add_argument("--batches", default="1000,100,10")
    command.add_argument("--data", type=Path, help="folder with retail_events.npz and debian_depends.npz")
    command.add_argument("--plot", type=Path, help="write accuracy and cost (PNG)")

    command = commands.add_parser("report", help="a plot and a table of ratios from results")
    command.add_argument("results", type=Path)
    command.add_argument("--plot", type=Path, help="write the scatter of time against error (PNG)")
    command.add_argument("--error", default="sv_err", choices=("sv_err", "frob_plus", "resid"))
    command.set_defaults(threads=1)
    return parser


if __name__ == "__main__":
    main()
