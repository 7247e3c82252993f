"""Opens the timers of a deployment, and tells Prometheus of them."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING

from fyr.core.observability.metrics import Reading
from fyr.core.store.migrating import migrate
from fyr.core.workflow.timers import Timer, Timers

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.clock import Clock
    from fyr.core.store.port import Database

#: Namespace of the migrations.
WORKFLOW = "workflow"


def open_timers(
    settings: Settings, database: Database, kinds: Iterable[Timer], clock: Clock
) -> Timers:
    """Open the timers, with their table up to date.

    :raises fyr.core.errors.FyrError: the schema does not fit.
    """
    folder = files("fyr.core.workflow.migrations")
    migrate(database, namespace=WORKFLOW, folder=folder, apply=settings.store.migrate)
    return Timers(database, kinds, clock=clock)


def timer_readings(timers: Timers) -> Iterable[Reading]:
    """Tell how many timers wait, how late they are and what was given up."""
    for name, found in timers.counts().items():
        labels = (("timer", name),)
        for what, documentation, value in (
            ("pending", "Timers that are to fire.", found.pending),
            ("late", "Pending timers whose time has come.", found.late),
            ("late_seconds", "How long the first is late.", found.late_seconds),
            ("failed", "Timers that were given up.", found.failed),
        ):
            yield Reading(f"fyr_timers_{what}", documentation, value, labels)
