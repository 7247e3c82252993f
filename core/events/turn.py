"""A turn: one worker hands one consumer what is there for it, under a lease.

What the consumer did is written down after each batch, in one transaction with the
cursor, and not at all when the lease was lost meanwhile: then the batch comes again.
Where nothing was for the consumer, that may be written a little later.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event

import structlog

from fyr.config.settings import EventSettings
from fyr.core.backoff import Backoff
from fyr.core.clock import Clock, to_millis
from fyr.core.errors import Unavailable
from fyr.core.events.change import Change
from fyr.core.events.consumers import Consumer, Cursors, Lease, Note
from fyr.core.events.deliveries import BEHIND, DEAD, RETRY, Deliveries, Delivery
from fyr.core.events.news import News
from fyr.core.events.outbox import Outbox
from fyr.core.store.port import Session

log = structlog.get_logger(__name__)

#: A consumer with this many batches waiting takes no new events until some are done.
BATCHES_WAITING = 5
#: Longest time between two notes of how far a consumer is: what a crash repeats.
NOTE_SECONDS = 1.0
#: How long a turn goes on when nothing is left: taking the lease again costs two commits.
LINGER_SECONDS = 1.0
_STOP_SECONDS = 0.1
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
    news: News

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
    notes: list[Note] = field(default_factory=list)

    @property
    def says_nothing(self) -> bool:
        """Whether there was nothing in it for the consumer."""
        return not (self.delivered or self.failures or self.kept)


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
        self._is_full = False
        #: whether something may wait to be repeated, and when that was asked last
        self._kept = True
        self._asked_at = 0.0
        #: when the cursor was written, and the position that it has there
        self._noted_at = time.monotonic()
        self._noted = lease.position

    def run(self, *, linger: bool = False) -> int:
        """Repeat what is due and deliver what is new, until nothing is left.

        :param linger: wait a moment for more, where somebody tells the news.
        :raises LeaseLost: another worker goes on from the last note.
        """
        more = True
        while more and not self._ends():
            more = self._step() or (linger and self._more_comes())
        if self._lease.position != self._noted and not self._lease.lost.is_set():
            self._write(_Batch(self._lease.position, set()))
        return self.taken

    def _step(self) -> bool:
        """Do what there is; tell whether there was something."""
        waiting = self._what_waits()
        repeated = bool(waiting) and self._repeat_due()
        if repeated:
            waiting = self._what_waits()
        return self._deliver_new(waiting) or repeated

    def _what_waits(self) -> Mapping[str, int]:
        """Tell which subjects are held up; asked now and then where none was.

        Somebody may have dead letters tried again, while nobody else adds any.
        """
        now = time.monotonic()
        if self._kept or now - self._asked_at > NOTE_SECONDS:
            waiting = self._tools.deliveries.subjects(self._consumer.name)
            self._kept, self._asked_at = bool(waiting), now
            return waiting
        return {}

    def _more_comes(self) -> bool:
        until = time.monotonic() + LINGER_SECONDS
        while not (self._is_full or self._ends()) and time.monotonic() < until:
            if self._tools.news.wait(self._lease.position, _STOP_SECONDS):
                return True
        return False

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
                error, note = self._hand_over(change) if change else ("", None)
            except Unavailable as down:
                self._rest(down)
            else:
                self._note_repeat(delivery, error, note)
        return bool(due)

    def _note_repeat(self, delivery: Delivery, error: str, note: Note | None) -> None:
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
                if note is not None:
                    note(session)
            else:
                tools.deliveries.failed(session, name, failed)

        tools.outbox.database.write(work)

    def _deliver_new(self, waiting: Mapping[str, int]) -> bool:
        tools = self._tools
        self._is_full = tools.full(sum(waiting.values()))
        if self._ends() or self._is_full:
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

    def _offer(self, change: Change, batch: _Batch) -> None:
        if self._consumer.wants(change):
            if change.subject in batch.held_up:
                batch.kept.append(_waiting(change, BEHIND))
            else:
                self._offer_one(change, batch)
        batch.position = change.position

    def _offer_one(self, change: Change, batch: _Batch) -> None:
        error, note = self._hand_over(change)
        if not error:
            batch.delivered += 1
            batch.notes += [note] if note is not None else []
            return
        self._keep(change, error, batch)

    def _keep(self, change: Change, error: str, batch: _Batch) -> None:
        """Keep an event that failed, to be repeated or as a dead letter."""
        failed = self._failed(_waiting(change, RETRY), 1, error)
        batch.failures += 1
        batch.kept.append(failed)
        if failed.state == RETRY:
            batch.held_up.add(change.subject)

    def _note(self, batch: _Batch) -> None:
        """Write down what became of a batch, at once where something did."""
        if batch.position == self._lease.position:
            return
        late = time.monotonic() - self._noted_at > NOTE_SECONDS
        if batch.says_nothing and not late:
            self._lease.position = batch.position
        else:
            self._write(batch)

    def _write(self, batch: _Batch) -> None:
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
            for note in batch.notes:
                note(session)

        tools.outbox.database.write(work)
        self._kept = self._kept or bool(batch.kept)
        self._lease.position = self._noted = batch.position
        self._noted_at = time.monotonic()

    def _hand_over(self, change: Change) -> tuple[str, Note | None]:
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


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_ERROR_CHARACTERS]
