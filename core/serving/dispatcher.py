"""Which thread answers a request: the one that read it, or one of the task threads.

Handing a request to another thread, and the news that it is answered back, costs more
than a read by id does (``docs/decisions/serving.md``). So the loop's own thread answers
what is quick, as long as it is quick; everything else goes to the task threads.
"""

from collections import deque
from collections.abc import Callable
from threading import get_ident
from time import monotonic, perf_counter
from typing import Any

from waitress.task import ThreadedTaskDispatcher

#: Tells by method, path, query and headers whether an answer takes next to no time.
Quick = Callable[[Any], bool]

#: How long the other connections may have to wait for answers of the loop's thread.
_TURN_SECONDS = 0.003
#: How long all go to the task threads once answers turn out to be slow.
_REST_SECONDS = 1.0
#: The part that the last answer has in what is usual.
_WEIGHT = 1 / 16


def never(_request: Any) -> bool:
    """Tell of no request that it is quick."""
    return False


class Dispatcher(ThreadedTaskDispatcher):
    """The task threads of a server, and what its loop's thread answers itself."""

    def __init__(self, threads: int, quick: Quick = never) -> None:
        """Start the task threads.

        :param quick: called with waitress's parsed request.
        """
        super().__init__()
        self._quick = quick
        self._ready: deque[Any] = deque()
        self._loop_thread = 0
        # Cautious at first: two answers a turn.
        self._usual = _TURN_SECONDS / 2
        self._again = 0.0
        self._number = 0
        self.set_thread_count(threads)

    def begin(self) -> None:
        """Make the calling thread the one that may answer itself."""
        self._loop_thread = get_ident()

    @property
    def here(self) -> bool:
        """Whether this is the loop's own thread."""
        return get_ident() == self._loop_thread

    @property
    def answering(self) -> int:
        """The number of the answer that the loop's thread is at; 0 while at none."""
        number = self._number
        return number if number & 1 else 0

    def add_task(self, channel: Any) -> None:
        """Take a connection with a request; called by waitress, which holds its lock."""
        if self.here and self._quick(channel.requests[0]):
            self._ready.append(channel)
        else:
            super().add_task(channel)

    def answer_ready(self) -> None:
        """Answer what is quick; for the loop's thread, between two turns of the loop."""
        ready = self._ready
        if ready:
            # The surplus first: the threads wait for the database meanwhile.
            self.hand_over(keep=self._places())
        while ready:
            try:
                channel = ready.popleft()
            except IndexError:  # handed over, while an answer took long
                return
            if len(channel.requests) == 1:
                self._answer(channel)
            else:
                # Sent in one go with later ones, whose answers might have to wait
                # until this thread has written the first.
                super().add_task(channel)

    def hand_over(self, keep: int = 0) -> None:
        """Give the task threads what waits for the loop's thread, the last first."""
        ready = self._ready
        while len(ready) > keep:
            try:
                super().add_task(ready.pop())
            except IndexError:
                return

    def _places(self) -> int:
        """Tell how many answers the others can wait for."""
        if self._usual > _TURN_SECONDS:
            if monotonic() < self._again:
                return 0
            self._usual = _TURN_SECONDS / 2
        return int(_TURN_SECONDS / self._usual)

    def _answer(self, channel: Any) -> None:
        self._number += 1
        began = perf_counter()
        try:
            channel.service()
        except BaseException:
            # As a task thread does; and the client is told by the end of it.
            self.logger.exception("Exception when servicing %r", channel)
            channel.cancel()
        self._usual += (perf_counter() - began - self._usual) * _WEIGHT
        self._number += 1
        if self._usual > _TURN_SECONDS:
            self._again = monotonic() + _REST_SECONDS
