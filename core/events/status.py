"""The operations view: how far everybody is who is told, and what waits to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fyr.core.clock import instant, to_millis
from fyr.core.events.metrics import ConsumerMetrics, consumer_metrics, unsequenced
from fyr.core.events.rates import Rates

if TYPE_CHECKING:
    from fyr.core.app import Application


class Status:
    """What ``/admin/events`` and ``fyr events status`` tell; asked often, it knows rates."""

    def __init__(self, application: Application) -> None:
        """Take what is looked at."""
        self._outbox = application.outbox
        self._outgoing = application.outgoing
        self._own = {consumer.name for consumer in application.consumers}
        self._clock = application.clock
        self._rates = Rates()

    def report(self) -> dict[str, Any]:
        """Tell of everything, as plain JSON values.

        :raises fyr.core.errors.Unavailable: the store is down.
        """
        found = consumer_metrics(self._outbox, clock=self._clock)
        return {
            "head": self._outbox.head(),
            "removedUpTo": self._outbox.trimmed(),
            "unsequenced": unsequenced(self._outbox),
            "consumers": [self._consumer(name, one) for name, one in found.items()],
            "outgoing": self._senders(),
        }

    def _consumer(self, name: str, one: ConsumerMetrics) -> dict[str, Any]:
        rate = self._rates.look(name, one.delivered)
        return {
            "name": name,
            # Its plugin is not enabled here any more, and nobody tells it anything.
            "state": one.state if name in self._own else "absent",
            "position": one.position,
            # Of one that is absent they grow for ever, and tell nothing.
            "lag": one.lag if name in self._own else None,
            "lagSeconds": one.lag_seconds if name in self._own else None,
            "perSecond": None if rate is None else round(rate, 1),
            "delivered": one.delivered,
            "failures": one.failures,
            "waiting": one.waiting,
            "dead": one.dead,
            "error": one.error,
            "restsUntil": instant(one.rests_until) if one.rests_until else None,
            "seen": instant(one.seen),
        }

    def _senders(self) -> list[dict[str, Any]]:
        now = to_millis(self._clock())
        return [
            {
                "sender": name,
                "waiting": one.waiting,
                "oldestSeconds": max(0, now - one.oldest) / 1000 if one.oldest else 0.0,
                "dead": one.dead,
                "failing": one.failing,
                "away": one.away,
            }
            for name, one in self._outgoing.counts().items()
        ]
