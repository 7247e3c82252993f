"""Events handed to a consumer, together or one by one, and what became of each.

Nothing is written down here: that is for the turn, in one transaction with the cursor.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from fyr.core.errors import Unavailable
from fyr.core.events.change import Change
from fyr.core.events.consumers import Consumer, Note
from fyr.core.events.deliveries import BEHIND, DEAD, RETRY, Delivery
from fyr.core.events.turn_tools import Tools
from fyr.core.one_line import one_line

log = structlog.get_logger(__name__)

#: Longest time from one note of what became of events to the next: what a crash repeats.
NOTE_SECONDS = 1.0
#: Of what is kept of an error.
ERROR_CHARACTERS = 2000


@dataclass(slots=True)
class Batch:
    """What became of the events up to ``position``, before it is written down."""

    position: int
    held_up: set[str]
    delivered: int = 0
    failures: int = 0
    kept: list[Delivery] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def says_nothing(self) -> bool:
        """Whether there was nothing in it for the consumer."""
        return not (self.delivered or self.failures or self.kept)


class Offering:
    """Offers events to one consumer; ``taken`` counts those that it took."""

    def __init__(
        self, tools: Tools, consumer: Consumer, ends: Callable[[], bool]
    ) -> None:
        """Take the consumer, and what tells whether to stop between two events."""
        self.taken = 0
        self._tools = tools
        self._consumer = consumer
        self._ends = ends

    def offer(self, changes: Sequence[Change], batch: Batch) -> None:
        """Hand over what is new, and add to the batch what becomes of it.

        :raises Unavailable: the consumer says that what it needs is down; the batch tells
            how far it has come.
        """
        if not self._offer_all(changes, batch):
            self._offer_each(changes, batch)

    def hand_over(self, change: Change) -> tuple[str, Note | None]:
        """Call the consumer; tell what went wrong, if anything did, and its note.

        :raises Unavailable: it says that what it needs is down.
        """
        names = {"trace_id": change.trace_id, "consumer": self._consumer.name}
        with structlog.contextvars.bound_contextvars(**names):
            try:
                note = self._consumer.handle(change)
            except Unavailable:
                raise
            except Exception as error:
                log.warning("event failed", position=change.position, exc_info=error)
                return _told(error), None
        self.taken += 1
        return "", note

    def failed(self, delivery: Delivery, attempts: int, error: str) -> Delivery:
        """Tell what a delivery is after another failure: to be repeated, or dead."""
        tools = self._tools
        dead = attempts >= tools.settings.attempts
        return replace(
            delivery,
            state=DEAD if dead else RETRY,
            attempts=attempts,
            due=tools.now() + (0 if dead else tools.backoff.after(attempts)),
            error=error,
        )

    def _offer_each(self, changes: Sequence[Change], batch: Batch) -> None:
        note_at = time.monotonic() + NOTE_SECONDS
        for change in changes:
            if self._ends() or time.monotonic() > note_at:
                break
            self._offer(change, batch)

    def _offer_all(self, changes: Sequence[Change], batch: Batch) -> bool:
        """Hand all over at once; whether the consumer can, and has taken them.

        Not those that wait behind one of their subject.
        """
        handle = self._consumer.handle_many
        all_ = [change for change in changes if self._consumer.wants(change)]
        wanted = [change for change in all_ if change.subject not in batch.held_up]
        if handle is None or not wanted:
            return False
        held_up = set(batch.held_up)
        with structlog.contextvars.bound_contextvars(consumer=self._consumer.name):
            try:
                note = handle(wanted)
            except Unavailable:
                raise
            except Exception as error:
                log.warning("events failed together", exc_info=error)
                if len(wanted) > 1:
                    return False
                self._keep(wanted[0], _told(error), batch)
            else:
                self.taken += len(wanted)
                batch.delivered = len(wanted)
                batch.notes += [note] if note is not None else []
        waiting = (change for change in all_ if change.subject in held_up)
        batch.kept += [_waiting(change, BEHIND) for change in waiting]
        batch.position = changes[-1].position
        return True

    def _offer(self, change: Change, batch: Batch) -> None:
        if self._consumer.wants(change):
            if change.subject in batch.held_up:
                batch.kept.append(_waiting(change, BEHIND))
            else:
                self._offer_one(change, batch)
        batch.position = change.position

    def _offer_one(self, change: Change, batch: Batch) -> None:
        error, note = self.hand_over(change)
        if not error:
            batch.delivered += 1
            batch.notes += [note] if note is not None else []
            return
        self._keep(change, error, batch)

    def _keep(self, change: Change, error: str, batch: Batch) -> None:
        """Keep an event that failed, to be repeated or as a dead letter."""
        failed = self.failed(_waiting(change, RETRY), 1, error)
        batch.failures += 1
        batch.kept.append(failed)
        if failed.state == RETRY:
            batch.held_up.add(change.subject)


def _waiting(change: Change, state: str) -> Delivery:
    return Delivery(change.position, change.subject, state, 0, 0, "")


def _told(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}", ERROR_CHARACTERS)
