"""What the contracts of events and jobs share: rows of the outbox, and a consumer."""

from collections.abc import Callable, Iterable
from threading import Condition
from typing import Any

from fyr.config.settings import EventSettings
from fyr.core.clock import Clock, to_millis
from fyr.core.events import Change, Consumer, DeadLetters, Outbox, Relay, Worker
from fyr.core.jobs import Job, Jobs, Runs
from fyr.core.store.port import Database, Session, Stored

#: Waits that are easy to count with; a lease that no slow machine outlives.
SETTINGS = EventSettings(
    batch=10,
    poll_seconds=0.02,
    lease_seconds=60,
    attempts=3,
    backoff_seconds=1,
    backoff_max_seconds=60,
    keep_days=1,
)

_PUT = """
    INSERT INTO outbox (topic, type, id, version, method, trace_id, at)
    VALUES ('resource', ?, ?, ?, ?, ?, ?)
"""


class NoVersions:
    """A store without resources, for events alone."""

    def vread(self, type: str, id: str, version: int, /) -> Stored | None:
        """Know of none."""
        return None

    def vread_many(self, wanted: object, /) -> dict[tuple[str, str, int], Stored]:
        """Know of none."""
        return {}


def tell(session: Session, reference: str, version: int, clock: Clock) -> None:
    """Write the row that the store writes for a version of ``Patient/1``."""
    type_, id_ = reference.split("/")
    method = "POST" if version == 1 else "PUT"
    session.run(_PUT, (type_, id_, version, method, "trace", to_millis(clock())))


class Listener:
    """A consumer that remembers what it took, and fails where a test says so."""

    def __init__(self, name: str = "listener") -> None:
        """Begin with nothing heard."""
        self.name = name
        #: subject and version of each event that it took
        self.told: list[tuple[str, int]] = []
        #: subject and version of each event that it was handed, taken or not
        self.asked: list[tuple[str, int]] = []
        #: gives the exception that an event shall meet, or ``None``
        self.fails: Callable[[Change], Exception | None] = lambda change: None
        self._heard = Condition()

    def handle(self, change: Change) -> None:
        """Take a change, or raise what ``fails`` gives."""
        event = (change.subject, change.version)
        self.asked.append(event)
        error = self.fails(change)
        if error is not None:
            raise error
        with self._heard:
            self.told.append(event)
            self._heard.notify_all()

    def wait_for(self, count: int) -> bool:
        """Wait until it took so many events; whether that came in a minute."""
        with self._heard:
            return self._heard.wait_for(lambda: len(self.told) >= count, timeout=60)

    def consumer(self, **options: Any) -> Consumer:
        """Make the consumer that hears for it."""
        return Consumer(self.name, self.handle, **options)


class Deployment:
    """A database with all that tells of its events, as one process has it."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        consumers: Iterable[Consumer] = (),
        jobs: Iterable[Job] = (),
        settings: EventSettings = SETTINGS,
    ) -> None:
        """Join the parts, and make the cursors of the consumers."""
        self.database = database
        self.clock = clock
        self.outbox = Outbox(database, NoVersions(), clock=clock)
        self.relay = Relay(self.outbox, consumers, settings, clock=clock)
        self.jobs = Jobs(database, jobs, clock=clock)
        self.runs = Runs(self.jobs, settings)
        self.worker = Worker(self.relay, self.runs, settings)
        self.relay.register()
        self.jobs.register()

    def commit(self, *events: tuple[str, int]) -> None:
        """Commit versions such as ``("Patient/1", 2)`` in one transaction."""

        def work(session: Session) -> None:
            for reference, version in events:
                tell(session, reference, version, self.clock)

        self.database.write(work)


def with_attempts(attempts: int) -> EventSettings:
    """Give the settings with another number of tries before a dead letter."""
    return SETTINGS.model_copy(update={"attempts": attempts})


def dead_letters(
    database: Database, clock: Clock, listener: Listener
) -> tuple[Deployment, DeadLetters]:
    """Make dead letters of ``Patient/1`` (twice) and ``Patient/2``, at 1 to 3."""
    fyr = Deployment(database, clock, [listener.consumer()], settings=with_attempts(1))
    listener.fails = lambda change: ValueError("bad")
    fyr.commit(("Patient/1", 1), ("Patient/1", 2), ("Patient/2", 1))
    fyr.worker.drain()
    return fyr, DeadLetters(fyr.outbox)
