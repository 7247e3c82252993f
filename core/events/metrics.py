"""How far consumers are, as plain numbers: for ``/admin/events`` and for Prometheus.

Told by the rows and not by a worker, so that every process knows the same.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fyr.core.clock import Clock, to_millis, utc_now
from fyr.core.events.consumers import ConsumerState, Cursors
from fyr.core.events.deliveries import DEAD
from fyr.core.events.outbox import Outbox
from fyr.core.observability.metrics import Reading

_KEPT = "SELECT consumer, state, COUNT(*) FROM delivery GROUP BY consumer, state"


@dataclass(frozen=True, slots=True)
class ConsumerMetrics:
    """One consumer; durations in seconds, moments in milliseconds since 1970, UTC."""

    #: its last event
    position: int
    #: events that it has still before it
    lag: int
    #: how long ago the next of them happened; 0 when there is none
    lag_seconds: float
    #: events that it took, since its cursor was made
    delivered: int
    #: times that it failed, since then
    failures: int
    #: events that are to be repeated, or wait behind one that is
    waiting: int
    #: dead letters
    dead: int
    #: whether what it needs is down: it rests, or tries the next event
    resting: bool
    #: until when it rests
    rests_until: int
    #: whether a worker is telling it something now
    held: bool
    #: what it said when it rested last; empty once it took something
    error: str
    #: when a process last started that has it, or a worker told it something
    seen: int

    @property
    def state(self) -> str:
        """Tell in a word: ``resting``, ``busy``, ``behind`` or ``idle``."""
        if self.resting:
            return "resting"
        if not (self.lag or self.waiting):
            return "idle"
        return "busy" if self.held else "behind"


def consumer_metrics(
    outbox: Outbox, *, clock: Clock = utc_now
) -> Mapping[str, ConsumerMetrics]:
    """Tell, by name, of all consumers that have a cursor."""
    now, head = to_millis(clock()), outbox.head()
    kept: dict[tuple[str, bool], int] = {}
    for consumer, state, count in outbox.database.rows(_KEPT):
        key = (consumer, state == DEAD)
        kept[key] = kept.get(key, 0) + count
    return {
        state.name: _metrics(outbox, state, head, now, kept)
        for state in Cursors(outbox.database, clock, 0).states()
    }


def unsequenced(outbox: Outbox) -> int:
    """Tell how many committed events have no position yet; much means: no worker."""
    if outbox.database.dialect == "sqlite":
        return 0
    sql = "SELECT COUNT(*) FROM outbox WHERE position IS NULL"
    return int(outbox.database.rows(sql)[0][0])


def _metrics(
    outbox: Outbox,
    state: ConsumerState,
    head: int,
    now: int,
    kept: Mapping[tuple[str, bool], int],
) -> ConsumerMetrics:
    lag = max(0, head - state.position)
    following = outbox.read(state.position, 1) if lag else []
    return ConsumerMetrics(
        position=state.position,
        lag=lag,
        lag_seconds=max(0.0, (now - following[0].at) / 1000) if following else 0.0,
        delivered=state.delivered,
        failures=state.failures,
        waiting=kept.get((state.name, False), 0),
        dead=kept.get((state.name, True), 0),
        resting=state.paused_until > now or state.pauses > 0,
        rests_until=state.paused_until if state.paused_until > now else 0,
        held=state.lease_until >= now,
        error=state.error,
        seen=state.seen,
    )


#: name, what it tells, whether it only grows, and the number
_READINGS: Sequence[tuple[str, str, bool, Callable[[ConsumerMetrics], float]]] = (
    (
        "lag_events",
        "Events that a consumer has yet to be told of.",
        False,
        lambda one: one.lag,
    ),
    (
        "lag_seconds",
        "How long ago the next of them happened.",
        False,
        lambda one: one.lag_seconds,
    ),
    (
        "retries",
        "Events that failed and will come again.",
        False,
        lambda one: one.waiting,
    ),
    (
        "dead_letters",
        "Events that a consumer never took.",
        False,
        lambda one: one.dead,
    ),
    (
        "resting",
        "Whether a consumer rests, because what it needs is down.",
        False,
        lambda one: one.resting,
    ),
    (
        "delivered",
        "Events that a consumer has taken.",
        True,
        lambda one: one.delivered,
    ),
    (
        "failures",
        "Times that a consumer failed.",
        True,
        lambda one: one.failures,
    ),
)


def event_readings(
    outbox: Outbox, own: Collection[str] | None = None, *, clock: Clock = utc_now
) -> Iterable[Reading]:
    """Tell Prometheus of the outbox and how far each consumer is.

    :param own: names of those that there are; of others only that they are absent, as
        what they have before them grows for ever. ``None``: all.
    """
    yield Reading(
        "fyr_outbox_unsequenced",
        "Committed events that no worker has looked at yet.",
        unsequenced(outbox),
    )
    yield Reading("fyr_outbox_head", "Number of the last event.", outbox.head())
    for name, found in consumer_metrics(outbox, clock=clock).items():
        is_absent = own is not None and name not in own
        yield Reading(
            "fyr_consumer_absent",
            "Whether the plugin of a consumer is not enabled here.",
            is_absent,
            (("consumer", name),),
        )
        if is_absent:
            continue
        for what, documentation, grows, number in _READINGS:
            yield Reading(
                f"fyr_consumer_{what}",
                documentation,
                number(found),
                (("consumer", name),),
                grows,
            )
