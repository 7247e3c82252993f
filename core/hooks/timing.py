"""Counters of one implementation of a hook: calls, failures, time."""

import threading
from datetime import datetime


class Timing:
    """How often a plugin was asked, how long it took, and what went wrong last."""

    __slots__ = (
        "calls",
        "failures",
        "last_error",
        "last_error_at",
        "lock",
        "total_ns",
    )

    def __init__(self) -> None:
        """Start at nothing."""
        self.lock = threading.Lock()
        self.calls = 0
        self.failures = 0
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
    def mean_seconds(self) -> float:
        """Seconds of an average call."""
        return self.total_ns / self.calls / 1e9 if self.calls else 0.0
