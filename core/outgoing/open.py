"""Opens the queues of a deployment, and tells Prometheus of them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING

from fyr.core.clock import to_millis
from fyr.core.observability.metrics import Reading
from fyr.core.outgoing.queue import OutgoingQueue
from fyr.core.store.migrating import migrate

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.clock import Clock
    from fyr.core.store.port import Database

#: Namespace of the migrations.
OUTGOING = "outgoing"


def open_queue(settings: Settings, database: Database, clock: Clock) -> OutgoingQueue:
    """Open the queues, with their tables up to date.

    :raises fyr.core.errors.FyrError: the schema does not fit.
    """
    folder = files("fyr.core.outgoing.migrations")
    migrate(database, namespace=OUTGOING, folder=folder, apply=settings.store.migrate)
    return OutgoingQueue(database, clock=clock)


def outgoing_readings(queue: OutgoingQueue) -> Iterable[Reading]:
    """Tell how much waits, how much was given up and which receivers fail."""
    now = to_millis(queue.clock())
    for name, found in queue.counts().items():
        oldest = (now - found.oldest) / 1000 if found.oldest else 0
        labels = (("sender", name),)
        for what, documentation, value in (
            ("waiting", "Messages that are still to be sent.", found.waiting),
            ("dead_letters", "Messages that were given up.", found.dead),
            ("oldest_seconds", "How long the first that waits has waited.", oldest),
            ("failing", "Receivers that did not take the last one.", found.failing),
            ("away", "Receivers that wait for what is Fyr's own.", found.away),
        ):
            yield Reading(f"fyr_outgoing_{what}", documentation, value, labels)
