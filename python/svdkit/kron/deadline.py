"""One time limit over several calls."""

from __future__ import annotations

import time
from typing import Any

SHORTEST = 1e-9


class Deadline:
    """Starts when it is made; `options` are those of :func:`svdkit.tsvd`."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.limit = options["time_limit"]
        self.began = time.perf_counter()

    @property
    def left(self) -> float | None:
        """Seconds; None without a limit."""
        return None if self.limit is None else max(self.limit - (time.perf_counter() - self.began), SHORTEST)

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.left == SHORTEST

    def within(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options for a call in what is left of the time."""
        return options | {"time_limit": self.left}
