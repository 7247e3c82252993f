"""The relay: hands events to consumers, each at its own pace.

At least once, and in order for each subject: an event that fails holds up the later
ones of its subject and nothing else.
"""

from collections.abc import Iterable
from threading import Event, Lock

import structlog

from fyr.config.settings import EventSettings
from fyr.core.backoff import Backoff
from fyr.core.clock import Clock, utc_now
from fyr.core.events.checks import Checks
from fyr.core.events.consumers import Consumer, Cursors, Lease, LeaseLost
from fyr.core.events.deliveries import Deliveries
from fyr.core.events.outbox import Outbox
from fyr.core.events.outbox_end import News
from fyr.core.events.turn import Turn
from fyr.core.events.turn_tools import Tools

log = structlog.get_logger(__name__)


class Relay:
    """Delivers the events of an outbox to the consumers of this process."""

    def __init__(
        self,
        outbox: Outbox,
        consumers: Iterable[Consumer],
        settings: EventSettings,
        *,
        clock: Clock = utc_now,
        backoff: Backoff | None = None,
    ) -> None:
        """Take the consumers.

        :raises ValueError: two of them have one name.
        """
        lease = int(settings.lease_seconds * 1000)
        self.outbox = outbox
        self.consumers = _by_name(consumers)
        self.cursors = Cursors(outbox.database, clock, lease)
        self.deliveries = Deliveries(outbox.database)
        self.checks = Checks(self.consumers, self.cursors)
        self._tools = Tools(
            outbox,
            self.cursors,
            self.deliveries,
            settings,
            backoff or Backoff.of(settings),
            clock,
            News(),
        )
        self._held: dict[str, Lease] = {}
        self._lock = Lock()

    def register(self) -> None:
        """Make the cursors of new consumers; they hear of what is committed from now on.

        Call it in each process that starts, before it writes: the events of the time
        before a cursor is there are told to nobody who begins with the next one.
        """
        self.outbox.sequencer.advance()
        self.cursors.register(self.consumers.values(), self.outbox.head())
        self._tell_what_is_gone()

    def _tell_what_is_gone(self) -> None:
        """Warn of a consumer that was away for longer than events are kept."""
        trimmed = self.outbox.trimmed()
        for state in self.cursors.states():
            if state.name in self.consumers and state.position < trimmed:
                log.error(
                    "events were removed before their consumer took them",
                    consumer=state.name,
                    events=trimmed - state.position,
                )

    def look(self) -> bool:
        """Give positions to what is committed, and tell whether there is more than before.

        Those turns of this process that linger hear of it.
        """
        self.outbox.sequencer.advance()
        return self._tools.news.tell(self.outbox.head())

    def ready(self) -> list[str]:
        """Tell which consumers have something to do that nobody is doing."""
        now = self._tools.now()
        head = self.outbox.head()
        waiting = self.deliveries.waiting()
        found = []
        for state in self.cursors.states():
            if state.name not in self.consumers or not state.free(now):
                continue
            held = waiting.get(state.name)
            new = state.position < head and not (held and self._tools.full(held.count))
            due = held is not None and held.due is not None and held.due <= now
            if new or due:
                found.append(state.name)
        return found

    def deliver(self, name: str, stop: Event, *, linger: bool = False) -> int:
        """Hand a consumer all that is there for it, and tell how many it took.

        Does nothing while another worker holds it. Ends early when ``stop`` is set.

        :param linger: go on for a moment, as more may come: for who calls ``look``.
        """
        lease = self.cursors.acquire(name)
        if lease is None:
            return 0
        with self._lock:
            self._held[name] = lease
        turn = Turn(self._tools, self.consumers[name], lease, stop)
        try:
            return turn.run(linger=linger)
        except LeaseLost:
            log.warning("consumer was taken over", consumer=name)
            return turn.taken
        finally:
            with self._lock:
                del self._held[name]
            self.cursors.release(lease)

    def renew(self) -> None:
        """Hold on to the consumers that are being told; do it each third of a lease."""
        with self._lock:
            held = list(self._held.values())
        self.cursors.renew(held)


def _by_name(consumers: Iterable[Consumer]) -> dict[str, Consumer]:
    found: dict[str, Consumer] = {}
    for consumer in consumers:
        if consumer.name in found:
            raise ValueError(f"two consumers are named {consumer.name}")
        found[consumer.name] = consumer
    return found
