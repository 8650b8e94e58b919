"""``python -m bench report RESULTS``: time against error as a plot, and the ratios as a table."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from .tables import ratio, table
from .truncated import OURS, Row, slowdown

FLOOR = 1e-16  # errors below are drawn here


def run(results: Path, plot: Path | None, error: str) -> None:
    """Print the table; draw the plot when asked to."""
    rows = [row for row in json.loads(results.read_text())["results"] if "seconds" in row]
    by_case: dict[str, list[Row]] = {}
    for row in rows:
        by_case.setdefault(row["case"], []).append(row)
    print(f"Seconds over those of {OURS} in the same run, and {error}; above one, {OURS} is faster.\n")
    print(ratios(by_case, error))
    if plot:
        draw(by_case, error, plot)


def ratios(by_case: dict[str, list[Row]], error: str) -> str:
    """One row per case, one column per peer."""
    names = list(dict.fromkeys(row["peer"] for rows in by_case.values() for row in rows))

    def cell(rows: list[Row], name: str) -> str:
        for row in rows:
            if row["peer"] == name:
                return f"{ratio(slowdown(row, rows))} ({row[error]:.0e})"
        return ""

    body = ([case, *(cell(rows, name) for name in names)] for case, rows in by_case.items())
    return table(("case", *names), body)


def draw(by_case: dict[str, list[Row]], error: str, path: Path) -> None:
    """One panel per case, logarithmic both ways; down and to the left is better."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = min(3, len(by_case))
    lines = math.ceil(len(by_case) / columns)
    figure, grid = plt.subplots(
        lines, columns, figsize=(5.4 * columns, 4.2 * lines), squeeze=False, layout="constrained"
    )
    for panel in grid.flat[len(by_case) :]:
        panel.axis("off")
    for panel, (case, rows) in zip(grid.flat, by_case.items(), strict=False):
        _panel(panel, case, rows, error)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _panel(panel: Any, case: str, rows: list[Row], error: str) -> None:
    for row in rows:
        at = row["seconds"], max(row[error], FLOOR)
        if row["peer"].startswith(OURS):
            panel.scatter(*at, marker="*", s=170, color="crimson", zorder=3)
            _label(panel, row["peer"], at, color="crimson", rotation=-50, xytext=(2, -6), va="top")
        else:
            panel.scatter(*at, s=26, color="slategray")
            _label(panel, row["peer"], at, color="slategray", rotation=50, xytext=(2, 5))
    panel.set(title=case, xlabel="seconds", ylabel=error, xscale="log", yscale="log")
    times = [math.log10(row["seconds"]) for row in rows]
    panel.set_xlim(10 ** math.floor(min(times) - 0.1), 10 ** math.ceil(max(times) + 0.1))
    panel.margins(y=0.25)
    panel.grid(True, alpha=0.3)


def _label(panel: Any, name: str, at: tuple[float, float], **style: Any) -> None:
    panel.annotate(name, at, textcoords="offset points", fontsize=7, **style)
