"""How far consumers are, as plain numbers.

Told by the rows and not by a worker, so that every process knows the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fyr.core.clock import Clock, to_millis, utc_now
from fyr.core.events.consumers import ConsumerState, Cursors
from fyr.core.events.deliveries import DEAD
from fyr.core.events.outbox import Outbox

_KEPT = "SELECT consumer, state, COUNT(*) FROM delivery GROUP BY consumer, state"


@dataclass(frozen=True, slots=True)
class ConsumerMetrics:
    """One consumer; times in seconds."""

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
    #: whether it rests, because what it needs is down
    resting: bool


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
        lag=lag,
        lag_seconds=max(0.0, (now - following[0].at) / 1000) if following else 0.0,
        delivered=state.delivered,
        failures=state.failures,
        waiting=kept.get((state.name, False), 0),
        dead=kept.get((state.name, True), 0),
        resting=state.paused_until > now,
    )
