"""Calls of plugins that take long, told of while they do.

A thread of Python cannot be stopped, so all that can be done about a hook that sleeps is to
say whose it is. Nothing is done for that on the way of a request: a thread looks now and
then at where the others stand.
https://docs.python.org/3/library/sys.html#sys._current_frames
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from types import FrameType

import structlog

from fyr.core.hooks.in_turn import implementation_of
from fyr.core.hooks.isolation import Implementation

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Call:
    """A call that was seen: its frame, which nothing else can be as long as it is kept."""

    frame: FrameType
    implementation: Implementation
    since: float
    told: bool = False


class Watch:
    """Knows the calls of plugins that have taken too long and are not at an end."""

    def __init__(
        self, seconds: float = 5.0, clock: Callable[[], float] = monotonic
    ) -> None:
        """Take what too long is; none are looked for before :meth:`running`."""
        self._seconds = seconds
        self._clock = clock
        self._seen: dict[int, _Call] = {}
        self._lock = threading.Lock()
        self._runs = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        #: told the plugin and the hook of each call, once
        self.on_slow: Callable[[str, str], None] | None = None

    def standing(self) -> dict[str, str]:
        """Tell, by plugin, of one call that takes too long at the moment."""
        now = self._clock()
        return {
            one.implementation.plugin: (
                f"{one.implementation.hook} takes long: {now - one.since:.0f} s by now"
            )
            for one in list(self._seen.values())
            if one.told
        }

    def look(self) -> None:
        """Look where all threads stand; tell of calls that have become too long."""
        now, seen = self._clock(), {}
        frames = sys._current_frames()
        frames.pop(threading.get_ident(), None)
        for thread, frame in frames.items():
            call = _innermost(frame, now)
            before = self._seen.get(thread)
            if call is None:
                continue
            if (
                before is not None
                and before.frame is call.frame
                and before.implementation is call.implementation
            ):
                call = before
            if not call.told and now - call.since >= self._seconds:
                call.told = True
                self._tell(call.implementation, now - call.since)
            seen[thread] = call
        self._seen = seen

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look from time to time, by one thread however often this is asked for."""
        with self._lock:
            self._runs += 1
            if self._runs == 1:
                self._stop = stop = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(stop,), name="fyr-plugin-watch", daemon=True
                )
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._runs -= 1
                if not self._runs:
                    self._stop.set()
                    if self._thread is not None:
                        self._thread.join()

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(self._seconds / 2):
            self.look()
        self._seen = {}

    def _tell(self, one: Implementation, seconds: float) -> None:
        one.timing.slow += 1
        log.warning(
            "plugin takes long",
            plugin=one.plugin,
            hook=one.hook,
            seconds=round(seconds, 1),
        )
        if self.on_slow is not None:
            self.on_slow(one.plugin, one.hook)


def _innermost(frame: FrameType | None, now: float) -> _Call | None:
    """Find the call of a plugin that a thread stands in: the last one that began."""
    while frame is not None:
        implementation = implementation_of(frame)
        if implementation is not None:
            return _Call(frame, implementation, now)
        frame = frame.f_back
    return None
