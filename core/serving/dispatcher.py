"""Which thread answers a request: the one that read it, or one of the task threads.

Handing a request to another thread, and the news that it is answered back, costs more
than a read by id does (``docs/decisions/serving.md``). So the loop's own thread answers
what is quick, as long as it is quick; everything else goes to the task threads.
"""

from collections import deque
from collections.abc import Sequence
from threading import get_ident
from time import monotonic, perf_counter
from typing import Any, Protocol

from waitress.task import ThreadedTaskDispatcher

#: How long the other connections may have to wait for answers of the loop's thread.
_TURN_SECONDS = 0.003
#: How long all go to the task threads once answers turn out to be slow.
_REST_SECONDS = 1.0
#: What is prepared together: as many bodies are in memory at once.
_TOGETHER = 16
#: The part that the last answer has in what is usual.
_WEIGHT = 1 / 16


class Quick(Protocol):
    """Knows which of waitress's requests take next to no time."""

    def takes(self, request: Any) -> bool:
        """Whether a request is quick."""

    def prepare(self, requests: Sequence[Any]) -> None:
        """Do together what these need, soon to be answered here; none: forget it."""


class Nothing:
    """Knows no quick request."""

    def takes(self, _request: Any) -> bool:
        """Take none."""
        return False

    def prepare(self, _requests: Sequence[Any]) -> None:
        """Do nothing."""


class Dispatcher(ThreadedTaskDispatcher):
    """The task threads of a server, and what its loop's thread answers itself."""

    def __init__(self, threads: int, quick: Quick) -> None:
        """Start the task threads."""
        super().__init__()
        self._quick = quick
        self._ready: deque[Any] = deque()
        self._loop_thread = 0
        # Cautious at first: two answers a turn.
        self._usual = _TURN_SECONDS / 2
        self._again = 0.0
        self._number = 0
        #: requests that other threads were given; more of them while an answer is made
        #: mean that it took long
        self._handed = 0
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
        """The number of the answers that the loop's thread is at; 0 while at none."""
        number = self._number
        return number if number & 1 else 0

    def add_task(self, channel: Any) -> None:
        """Take a connection with a request; called by waitress, which holds its lock."""
        if self.here and self._quick.takes(channel.requests[0]):
            self._ready.append(channel)
        else:
            super().add_task(channel)

    def answer_ready(self) -> None:
        """Answer what is quick; for the loop's thread, between two turns of the loop."""
        if self._ready:
            # The surplus first: the threads wait for the database meanwhile.
            self.hand_over(keep=self._places())
        if not self._ready:
            return
        self._number += 1
        began = perf_counter()
        answered = 0
        while self._ready:
            answered += self._answer_together()
        seconds = (perf_counter() - began) / max(answered, 1)
        self._number += 1
        self._usual += (seconds - self._usual) * _WEIGHT
        if self._usual > _TURN_SECONDS:
            self._again = monotonic() + _REST_SECONDS

    def hand_over(self, keep: int = 0) -> None:
        """Give the task threads what waits for the loop's thread, the last first."""
        ready = self._ready
        while len(ready) > keep:
            try:
                super().add_task(ready.pop())
            except IndexError:
                return
            self._handed += 1

    def _places(self) -> int:
        """Tell how many answers the others can wait for."""
        if self._usual > _TURN_SECONDS:
            if monotonic() < self._again:
                return 0
            self._usual = _TURN_SECONDS / 2
        return int(_TURN_SECONDS / self._usual)

    def _answer_together(self) -> int:
        """Answer some of what is ready; tell how many that were."""
        some = list(self._ready)[:_TOGETHER]
        self._prepare([request for one in some for request in one.requests[:1]])
        answered, handed = 0, self._handed
        # Once others were given some of these, what stands here has been received later,
        # and is not to be answered by what was fetched for these.
        while self._ready and answered < len(some) and handed == self._handed:
            try:
                channel = self._ready.popleft()
            except IndexError:  # handed over, as it took long
                break
            self._answer(channel)
            answered += 1
        self._prepare(())
        return answered

    def _prepare(self, requests: Sequence[Any]) -> None:
        try:
            self._quick.prepare(requests)
        except BaseException:
            self.logger.exception("Exception when preparing answers")

    def _answer(self, channel: Any) -> None:
        if len(channel.requests) > 1:
            # Sent in one go with later ones, whose answers might have to wait until
            # this thread has written the first.
            super().add_task(channel)
            return
        try:
            channel.service()
        except BaseException:
            # As a task thread does; and the client is told by the end of it.
            self.logger.exception("Exception when servicing %r", channel)
            channel.cancel()
