"""Counters of one implementation of a hook: calls, failures, time."""

import threading
from collections.abc import Callable
from datetime import datetime


class Timing:
    """How often a plugin was asked, how long it took, and what went wrong last.

    Not every call is timed: looking at the clock twice costs more than a hook that does
    little (:mod:`fyr.core.hooks.in_turn`).
    """

    __slots__ = (
        "elsewhere",
        "failures",
        "last_error",
        "last_error_at",
        "lock",
        "slow",
        "timed",
        "total_ns",
    )

    def __init__(self) -> None:
        """Start at nothing."""
        self.lock = threading.Lock()
        #: tells of calls that were not timed
        self.elsewhere: Callable[[], int] = int
        self.timed = 0
        self.failures = 0
        #: calls that took too long, of those that were seen while they did
        self.slow = 0
        #: of the calls that were timed
        self.total_ns = 0
        self.last_error = ""
        self.last_error_at: datetime | None = None

    def fail(self, error: Exception, at: datetime) -> None:
        """Count a failure of a call; the call itself is counted where it ends."""
        with self.lock:
            self.failures += 1
            self.last_error = f"{type(error).__name__}: {error}"
            self.last_error_at = at

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return self.timed + self.elsewhere()

    @property
    def mean_seconds(self) -> float:
        """Seconds of an average call, of those that were timed."""
        return self.total_ns / self.timed / 1e9 if self.timed else 0.0

    @property
    def total_seconds(self) -> float:
        """Seconds of all calls, as far as those that were timed tell."""
        return self.mean_seconds * self.calls
