"""One peer on one case, in a process of its own: ``python -m bench.measure CASE PEER``, JSON out."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .environment import Neighbours, pools

ALONE = 8.0  # seconds: a first run as long as this is kept alone
BUDGET = 4.0  # seconds of repeats otherwise, between 3 and 9 of them


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of one call, and what it returned."""
    start = time.perf_counter()
    out = run()
    return time.perf_counter() - start, out


def repeats(first: float) -> int:
    """How often to time a run whose warm-up took ``first`` seconds: an odd number."""
    return min(9, max(3, int(BUDGET / max(first, 1e-9)))) | 1


class PeakMemory:
    """Megabytes above the memory in use when this object was made."""

    def __init__(self) -> None:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # peak := now (Linux)
        self.start = self._peak()

    def rise(self) -> float:
        return self._peak() - self.start

    @staticmethod
    def _peak() -> float:
        try:
            status = Path("/proc/self/status").read_text()
        except OSError:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return float(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(case_name: str, peer_name: str) -> dict[str, Any]:
    """Time, memory and errors of one peer on one case, or the reason why it was skipped."""
    from .accuracy import errors
    from .cases import find
    from .matrices import load, truth
    from .peers import PEERS

    case, peer = find(case_name), PEERS[peer_name]
    A = load(case.matrix, case.dtype)
    if reason := peer.refuses(A):
        return {"skipped": reason}
    prepared = peer.prepare(A)

    memory, neighbours = PeakMemory(), Neighbours()
    first, out = timed(lambda: peer.solve(prepared, case.k))
    megabytes = memory.rise()
    times = [first]
    if first < ALONE:
        neighbours = Neighbours()
        times = [timed(lambda: peer.solve(prepared, case.k))[0] for _ in range(repeats(first))]
    busy = neighbours.share()

    U, s, Vh = out
    return {
        "seconds": statistics.median(times),
        "best": min(times),
        "repeats": len(times),
        "megabytes": megabytes,
        "neighbours": busy,
        **asdict(errors(A, U, s, Vh, truth(case.matrix, case.dtype, case.k))),
        "pools": pools(),
        "report": _summary(getattr(out, "report", None)),
    }


def _summary(report: Any) -> dict[str, Any] | None:
    """What svdkit says of itself: method, passes over A, its own largest residual."""
    if report is None:
        return None
    return {
        "method": str(report.method),
        "passes": float(report.passes),
        "resid": float(max(report.residuals)),
        "converged": bool(report.converged),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(measure(*sys.argv[1:])))
