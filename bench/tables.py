"""Plain tables, which are Markdown too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """First column to the left, the others to the right, widths as needed."""
    body = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in body) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(body[0]), rule, *map(line, body[1:])])


def seconds(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}"


def error(value: float) -> str:
    """One significant digit, as an error deserves."""
    return f"{value:.0e}"


def ratio(value: float | None) -> str:
    """Whole above ten, two decimals below."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 10 else f"{value:.2f}"
