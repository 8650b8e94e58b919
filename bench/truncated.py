"""``python -m bench truncated``: every case with every peer, one table per case, all numbers as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .cases import select as select_cases
from .environment import child, describe, machine
from .peers import select as select_peers
from .tables import error, ratio, seconds, table

OURS = "svdkit"
HEADER = ("peer", "seconds", "best", "x svdkit", "sv err", "frob+", "resid", "orth", "+MB")
Row = dict[str, Any]


def run(cases: str, peers: str, threads: int, timeout: float, out: Path | None) -> None:
    """Measure, print as it goes, and write ``out`` after every case."""
    chosen = select_peers(peers)
    record: dict[str, Any] = {"machine": machine(), "threads": threads, "results": []}
    print(describe(record["machine"], threads))
    for case in select_cases(cases):
        about = child("bench.matrices", case.matrix, case.dtype, case.k)
        if "skipped" in about:
            print(f"\n{case.name}: skipped, {about['skipped']}")
            continue
        print(f"\n{case.name}: {about['shape'][0]} x {about['shape'][1]}, {about['entries']:,} entries")
        rows = [
            {
                "case": case.name,
                "peer": peer.name,
                **child("bench.measure", case.name, peer.name, timeout=timeout),
            }
            for peer in chosen
        ]
        print(summary(rows), flush=True)
        record["results"] += rows
        if out:
            out.write_text(json.dumps(record, indent=1) + "\n")
    print("\nPools while measuring:")
    for words in sorted({pool for row in record["results"] for pool in row.get("pools", ())}):
        print(f"  {words}")


def summary(rows: list[Row]) -> str:
    """The table of one case, fastest first, and what was skipped and why."""
    ran = sorted((row for row in rows if "seconds" in row), key=lambda row: row["seconds"])
    lines = [table(HEADER, ([row["peer"], *_cells(row, slowdown(row, rows))] for row in ran))]
    reasons = dict.fromkeys(row["skipped"] for row in rows if "skipped" in row)
    for reason in reasons:
        names = [row["peer"] for row in rows if row.get("skipped") == reason]
        lines.append(f"skipped, {reason}: {', '.join(names)}")
    for row in ran:
        if said := row["report"]:
            lines.append(f"{row['peer']}: {said['method']}, {said['passes']:g} passes over A")
            if not said["converged"]:
                lines.append(f"{row['peer']}: DID NOT CONVERGE")
        if row["neighbours"] > 0.1:
            lines.append(f"{row['peer']}: other processes used {row['neighbours']:.0%} of the machine")
    return "\n".join(lines)


def slowdown(row: Row, rows: list[Row]) -> float | None:
    """Seconds of this row over those of svdkit's default in the same run; above one, svdkit is faster."""
    ours = [other["seconds"] for other in rows if other["peer"] == OURS and "seconds" in other]
    return row["seconds"] / ours[0] if ours else None


def _cells(row: Row, slower: float | None) -> list[str]:
    errors = (error(row[key]) for key in ("sv_err", "frob_plus", "resid", "orth"))
    return [seconds(row["seconds"]), seconds(row["best"]), ratio(slower), *errors, f"{row['megabytes']:.0f}"]
