"""A turn: one worker hands one consumer what is there for it, under a lease.

What the consumer did is written down after each batch, in one transaction with the
cursor, and not at all when the lease was lost meanwhile: then the batch comes again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Event

import structlog

from fyr.config.settings import EventSettings
from fyr.core.backoff import Backoff
from fyr.core.clock import Clock, to_millis
from fyr.core.errors import Unavailable
from fyr.core.events.change import Change
from fyr.core.events.consumers import Consumer, Cursors, Lease
from fyr.core.events.deliveries import BEHIND, DEAD, RETRY, Deliveries, Delivery
from fyr.core.events.outbox import Outbox
from fyr.core.store.port import Session

log = structlog.get_logger(__name__)

#: A consumer with this many batches waiting takes no new events until some are done.
BATCHES_WAITING = 5
#: Longest time between two notes of how far a consumer is: what a crash repeats.
NOTE_SECONDS = 1.0
_ERROR_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Tools:
    """What every turn works with."""

    outbox: Outbox
    cursors: Cursors
    deliveries: Deliveries
    settings: EventSettings
    backoff: Backoff
    clock: Clock

    def now(self) -> int:
        """Tell the time in milliseconds since 1970, UTC."""
        return to_millis(self.clock())

    def full(self, waiting: int) -> bool:
        """Whether so many deliveries wait that new events must wait as well."""
        return waiting >= BATCHES_WAITING * self.settings.batch


@dataclass(slots=True)
class _Batch:
    """What became of the events up to ``position``, before it is written down."""

    position: int
    held_up: set[str]
    delivered: int = 0
    failures: int = 0
    kept: list[Delivery] = field(default_factory=list)


class Turn:
    """One turn of one consumer; ``taken`` counts the events that it took."""

    def __init__(
        self, tools: Tools, consumer: Consumer, lease: Lease, stop: Event
    ) -> None:
        """Take the consumer under its lease; the turn ends early on ``stop``."""
        self.taken = 0
        self._tools = tools
        self._consumer = consumer
        self._lease = lease
        self._stop = stop
        self._rests = False

    def run(self) -> int:
        """Repeat what is due and deliver what is new, until nothing is left.

        :raises LeaseLost: another worker goes on from the last note.
        """
        more = True
        while more and not self._ends():
            repeated = self._repeat_due()
            more = self._deliver_new() or repeated
        return self.taken

    def _ends(self) -> bool:
        return self._rests or self._stop.is_set() or self._lease.lost.is_set()

    def _repeat_due(self) -> bool:
        tools, name = self._tools, self._consumer.name
        due = tools.deliveries.due(name, tools.now(), tools.settings.batch)
        changes = tools.outbox.at(delivery.position for delivery in due)
        for delivery in due:
            if self._ends():
                break
            change = changes.get(delivery.position)
            try:
                error = self._hand_over(change) if change else None
            except Unavailable as down:
                self._rest(down)
            else:
                self._note_repeat(delivery, error)
        return bool(due)

    def _note_repeat(self, delivery: Delivery, error: str | None) -> None:
        tools, name = self._tools, self._consumer.name
        attempts = delivery.attempts + 1
        failed = self._failed(delivery, attempts, error) if error else None

        def work(session: Session) -> None:
            tools.cursors.acknowledge(
                session,
                self._lease,
                self._lease.position,
                delivered=int(failed is None),
                failures=int(failed is not None),
            )
            if failed is None:
                tools.deliveries.done(session, name, delivery)
            else:
                tools.deliveries.failed(session, name, failed)

        tools.outbox.database.write(work)

    def _deliver_new(self) -> bool:
        tools = self._tools
        waiting = tools.deliveries.subjects(self._consumer.name)
        if self._ends() or tools.full(sum(waiting.values())):
            return False
        changes = tools.outbox.read(self._lease.position, tools.settings.batch)
        batch = _Batch(self._lease.position, set(waiting))
        down = None
        try:
            if not self._offer_all(changes, batch):
                self._offer_each(changes, batch)
        except Unavailable as error:
            down = error
        self._note(batch)
        if down:
            self._rest(down)
        return bool(changes)

    def _offer_each(self, changes: Sequence[Change], batch: _Batch) -> None:
        note_at = time.monotonic() + NOTE_SECONDS
        for change in changes:
            if self._ends() or time.monotonic() > note_at:
                break
            self._offer(change, batch)

    def _offer_all(self, changes: Sequence[Change], batch: _Batch) -> bool:
        """Hand all over at once; whether the consumer can, and has taken them.

        Not those that wait behind one of their subject.
        """
        handle = self._consumer.handle_many
        mine = [change for change in changes if self._consumer.wants(change)]
        wanted = [change for change in mine if change.subject not in batch.held_up]
        if handle is None or len(wanted) < 2:
            return False
        with structlog.contextvars.bound_contextvars(consumer=self._consumer.name):
            try:
                handle(wanted)
            except Unavailable:
                raise
            except Exception as error:
                log.warning("events failed together", exc_info=error)
                return False
        behind = [change for change in mine if change.subject in batch.held_up]
        batch.kept.extend(_waiting(change, BEHIND) for change in behind)
        self.taken += len(wanted)
        batch.delivered = len(wanted)
        batch.position = changes[-1].position
        return True

    def _offer(self, change: Change, batch: _Batch) -> None:
        if self._consumer.wants(change):
            if change.subject in batch.held_up:
                batch.kept.append(_waiting(change, BEHIND))
            elif error := self._hand_over(change):
                failed = self._failed(_waiting(change, RETRY), 1, error)
                batch.failures += 1
                batch.kept.append(failed)
                if failed.state == RETRY:
                    batch.held_up.add(change.subject)
            else:
                batch.delivered += 1
        batch.position = change.position

    def _note(self, batch: _Batch) -> None:
        if batch.position == self._lease.position:
            return
        tools = self._tools

        def work(session: Session) -> None:
            tools.cursors.acknowledge(
                session,
                self._lease,
                batch.position,
                delivered=batch.delivered,
                failures=batch.failures,
            )
            tools.deliveries.add(session, self._consumer.name, batch.kept)

        tools.outbox.database.write(work)
        self._lease.position = batch.position

    def _hand_over(self, change: Change) -> str | None:
        """Call the consumer, and tell what went wrong, if anything did.

        :raises Unavailable: it says that what it needs is down.
        """
        names = {"trace_id": change.trace_id, "consumer": self._consumer.name}
        with structlog.contextvars.bound_contextvars(**names):
            try:
                self._consumer.handle(change)
            except Unavailable:
                raise
            except Exception as error:
                log.warning("event failed", position=change.position, exc_info=error)
                return f"{type(error).__name__}: {error}"[:_ERROR_CHARACTERS]
        self.taken += 1
        return None

    def _failed(self, delivery: Delivery, attempts: int, error: str) -> Delivery:
        tools = self._tools
        dead = attempts >= tools.settings.attempts
        return replace(
            delivery,
            state=DEAD if dead else RETRY,
            attempts=attempts,
            due=tools.now() + (0 if dead else tools.backoff.after(attempts)),
            error=error,
        )

    def _rest(self, down: Unavailable) -> None:
        tools = self._tools
        self._rests = True
        self._lease.pauses += 1
        rest = tools.backoff.after(self._lease.pauses)
        if self._consumer.longest_rest is not None:
            rest = min(rest, int(self._consumer.longest_rest * 1000))
        until = tools.now() + rest
        log.warning("consumer rests", consumer=self._consumer.name, problem=str(down))
        tools.cursors.pause(self._lease, until, str(down)[:_ERROR_CHARACTERS])


def _waiting(change: Change, state: str) -> Delivery:
    return Delivery(change.position, change.subject, state, 0, 0, "")
