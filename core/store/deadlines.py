"""Ends statements whose time is over.

One thread for all of a store's readers, begun with the first of them. It sleeps until
the earliest deadline, so that a statement that is in time costs two entries in a table
and wakes nobody.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from weakref import ref


class Running:
    """Work that has a deadline."""

    __slots__ = ("_done", "_end", "_lock", "due", "ended")

    def __init__(self, due: float, end: Callable[[], None]) -> None:
        """Take the moment, by the monotonic clock, and what ends the work then."""
        self.due = due
        #: whether it has been ended
        self.ended = False
        self._end = end
        self._done = False
        self._lock = threading.Lock()

    def finish(self) -> None:
        """Take note that the work is done; from now on it is not ended."""
        with self._lock:
            self._done = True

    def end(self) -> None:
        """End it, unless it is done."""
        with self._lock:
            if not self._done:
                self.ended = True
                self._end()


class Deadlines:
    """The deadlines of one store."""

    def __init__(self) -> None:
        """Begin with none; the thread is not there yet."""
        self._running: set[Running] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        #: until when the thread sleeps, and the shortest time that was ever given
        self._until = 0.0
        self._shortest = float("inf")

    @contextmanager
    def within(self, seconds: float, end: Callable[[], None]) -> Iterator[Running]:
        """Have ``end`` called by another thread once so much time is over.

        :param end: waits for nobody for long; it is not called after the block.
        """
        one = Running(monotonic() + seconds, end)
        with self._changed:
            self._running.add(one)
            self._shortest = min(self._shortest, seconds)
            if self._thread is None:
                self._begin()
            elif one.due < self._until:
                self._changed.notify()
        try:
            yield one
        finally:
            with self._changed:
                self._running.discard(one)
            one.finish()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify()
        if thread is not None:
            # It may wait for a database that is not there any more.
            thread.join(timeout=1)

    def _begin(self) -> None:
        mine = ref(self)
        self._thread = threading.Thread(
            target=_watch, args=(mine,), name="fyr-deadlines", daemon=True
        )
        self._thread.start()

    def turn(self) -> bool:
        """Wait for a deadline and end what is over; false: there is no more to do."""
        with self._changed:
            if self._thread is None:
                return False
            now = monotonic()
            over = [one for one in self._running if one.due <= now]
            if not over:
                # What begins meanwhile is not over before the shortest time.
                next_due = min((one.due for one in self._running), default=now + 3600)
                self._until = min(next_due, now + self._shortest)
                self._changed.wait(self._until - now)
            else:
                self._running.difference_update(over)
        for one in over:
            one.end()
        return True


def _watch(deadlines: "ref[Deadlines]") -> None:
    while (them := deadlines()) is not None and them.turn():
        del them
