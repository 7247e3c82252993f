"""Looks at the index now and then, in the background, for those who cannot wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

#: How old an answer may be, in seconds.
_FRESH_SECONDS = 2.0
#: How long the first to ask waits for an answer that comes at once.
_PATIENCE_SECONDS = 0.2


class Pulse:
    """What was wrong when somebody looked last; a thread looks while others ask."""

    def __init__(self, health: Callable[[], str]) -> None:
        """Take what tells, within seconds, what is wrong."""
        self._health = health
        self._problem = ""
        self._looked = float("-inf")
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def problem(self) -> str:
        """Tell what was wrong two seconds ago, or better; empty: nothing."""
        with self._lock:
            thread = self._thread
            idle = thread is None or not thread.is_alive()
            if idle and time.monotonic() - self._looked > _FRESH_SECONDS:
                thread = threading.Thread(target=self._look, daemon=True)
                self._thread = thread
                thread.start()
        if thread is not None:
            thread.join(_PATIENCE_SECONDS)
        return self._problem

    def close(self) -> None:
        """Wait for a look that has begun."""
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        try:
            self._problem = self._health()
        except Exception as error:
            self._problem = f"it cannot be looked at: {type(error).__name__}"
        self._looked = time.monotonic()
