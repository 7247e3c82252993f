"""How many events a consumer takes in a second, from counts that were looked at twice."""

from __future__ import annotations

import time
from collections import deque
from threading import Lock

#: Looks of this length of time are kept, in seconds.
_SPAN = 60.0
#: Two looks that are closer say nothing.
_LEAST = 0.5


class Rates:
    """Remembers what it was told before; of one process, safe to share by threads."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = Lock()
        self._seen: dict[str, deque[tuple[float, int]]] = {}

    def look(self, name: str, count: int, now: float | None = None) -> float | None:
        """Take a count as it stands, and tell how many a second that were of late.

        :param now: seconds of a clock that never goes back.
        :returns: ``None`` when nothing was known of it a moment ago.
        """
        now = time.monotonic() if now is None else now
        with self._lock:
            seen = self._seen.setdefault(name, deque())
            while seen and (now - seen[0][0] > _SPAN or seen[0][1] > count):
                seen.popleft()
            if not seen or now - seen[-1][0] >= _LEAST:
                seen.append((now, count))
            first, before = seen[0]
        return (count - before) / (now - first) if now - first >= _LEAST else None
