"""A turn: one worker hands one consumer what is there for it, under a lease.

What the consumer did is written down after each batch, in one transaction with the
cursor, and not at all when the lease was lost meanwhile: then the batch comes again.
Where nothing was for the consumer, that may be written a little later.
"""

import time
from collections.abc import Mapping
from threading import Event

import structlog

from fyr.core.errors import Unavailable
from fyr.core.events.consumers import Consumer, Lease, Note
from fyr.core.events.deliveries import Delivery
from fyr.core.events.offering import ERROR_CHARACTERS, NOTE_SECONDS, Batch, Offering
from fyr.core.events.turn_tools import Tools
from fyr.core.one_line import one_line
from fyr.core.store.port import Session

log = structlog.get_logger(__name__)

#: How long a turn goes on when nothing is left: taking the lease again costs two commits.
LINGER_SECONDS = 1.0
_STOP_SECONDS = 0.1


class Turn:
    """One turn of one consumer."""

    def __init__(
        self, tools: Tools, consumer: Consumer, lease: Lease, stop: Event
    ) -> None:
        """Take the consumer under its lease; the turn ends early on ``stop``."""
        self._tools = tools
        self._consumer = consumer
        self._lease = lease
        self._stop = stop
        self._rests = False
        self._offering = Offering(tools, consumer, self._ends)
        self._is_full = False
        #: whether something may wait to be repeated, and when that was asked last
        self._kept = True
        self._asked_at = 0.0
        #: when the cursor was written, and the position that it has there
        self._noted_at = time.monotonic()
        self._noted = lease.position

    @property
    def taken(self) -> int:
        """Tell how many events the consumer took."""
        return self._offering.taken

    def run(self, *, linger: bool = False) -> int:
        """Repeat what is due and deliver what is new, until nothing is left.

        :param linger: wait a moment for more, where somebody tells the news.
        :raises LeaseLost: another worker goes on from the last note.
        """
        more = True
        while more and not self._ends():
            more = self._step() or (linger and self._more_comes())
        if self._lease.position != self._noted and not self._lease.lost.is_set():
            self._write(Batch(self._lease.position, set()))
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
                error, note = self._offering.hand_over(change) if change else ("", None)
            except Unavailable as down:
                self._rest(down)
            else:
                self._note_repeat(delivery, error, note)
        return bool(due)

    def _note_repeat(self, delivery: Delivery, error: str, note: Note | None) -> None:
        tools, name = self._tools, self._consumer.name
        attempts = delivery.attempts + 1
        failed = self._offering.failed(delivery, attempts, error) if error else None

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
        batch = Batch(self._lease.position, set(waiting))
        down = None
        try:
            self._offering.offer(changes, batch)
        except Unavailable as error:
            down = error
        self._note(batch)
        if down:
            self._rest(down)
        return bool(changes)

    def _note(self, batch: Batch) -> None:
        """Write down what became of a batch, at once where something did."""
        if batch.position == self._lease.position:
            return
        late = time.monotonic() - self._noted_at > NOTE_SECONDS
        if batch.says_nothing and not late:
            self._lease.position = batch.position
        else:
            self._write(batch)

    def _write(self, batch: Batch) -> None:
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

    def _rest(self, down: Unavailable) -> None:
        tools = self._tools
        self._rests = True
        self._lease.pauses += 1
        rest = tools.backoff.after(self._lease.pauses)
        if self._consumer.longest_rest is not None:
            rest = min(rest, int(self._consumer.longest_rest * 1000))
        until = tools.now() + rest
        log.warning("consumer rests", consumer=self._consumer.name, problem=str(down))
        tools.cursors.pause(self._lease, until, one_line(str(down), ERROR_CHARACTERS))
