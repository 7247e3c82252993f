"""Who tells messages in this deployment, and how they reach its broker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fyr.config.messages import MessageSettings
from fyr.core.errors import Invalid, Issue, Unavailable
from fyr.core.events.consumers import Consumer, ConsumerState
from fyr.core.messages.again import publish_again
from fyr.core.messages.chains import Chain
from fyr.core.messages.message import MessageSource, Publisher
from fyr.core.messages.sending import consumer_of, source_named
from fyr.core.messages.topics import is_wanted, unknown

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.events.outbox import Outbox
    from fyr.core.store.port import Database

#: How long a broker may take that is only asked whether it is there.
_ASKED_SECONDS = 5.0


def unreached(settings: Settings) -> Iterator[str]:
    """Tell why the broker that the settings name does not take us; nothing is published.

    It takes some seconds at most. An embedded one is there when the server is.
    """
    chosen = settings.messages
    if urlsplit(chosen.url).scheme not in ("mqtt", "mqtts"):
        return
    from fyr.core.messages.mqtt import MqttPublisher

    seconds = min(chosen.ack_seconds, _ASKED_SECONDS)
    asked = chosen.model_copy(update={"ack_seconds": seconds})
    publisher = MqttPublisher(asked, "reach")
    try:
        publisher.check()
    except Unavailable as away:
        yield f"messages.url: {away}"
    finally:
        publisher.close()


class Publishing:
    """The sources of messages, and a consumer with a publisher for each."""

    def __init__(
        self,
        settings: MessageSettings,
        sources: Iterable[MessageSource],
        database: Database,
    ) -> None:
        """Take the sources; without a broker there are no consumers."""
        self._settings = settings
        self._database = database
        self.sources = list(sources)
        self._publishers: list[Publisher] = []
        self.consumers = [self._consumer(one) for one in self.sources if settings.url]

    def state(self, states: Iterable[ConsumerState]) -> str:
        """Tell ``ok``, ``absent``, or ``degraded`` while the broker is away.

        Told by the consumers' rows, as the connections are another process's.
        """
        if not self.consumers:
            return "absent"
        ours = {consumer.name for consumer in self.consumers}
        away = any(state.pauses for state in states if state.name in ours)
        return "degraded" if away else "ok"

    def again(
        self,
        outbox: Outbox,
        name: str,
        after: int,
        topics: Collection[str],
        problem: Callable[[str], None],
    ) -> int:
        """Publish what a source told after a position, and tell how many messages.

        :param topics: names, or their beginnings with ``*``; none are all.
        :param problem: hears, in a sentence, of what is left out.
        :raises NotFound: no source has this name.
        :raises Invalid: it tells nothing of one of the topics.
        :raises Unavailable: there is no broker, or it is away.
        """
        source = source_named(self.sources, name)
        if not self._settings.url:
            raise Unavailable("messages.url names no broker")
        if wrong := list(unknown(topics, source.kinds)):
            raise Invalid([Issue("invalid", one) for one in wrong])
        from fyr.core.messages.mqtt import MqttPublisher

        publisher = MqttPublisher(self._settings, f"{name}-again")
        try:
            return publish_again(
                outbox,
                source,
                publisher,
                after,
                lambda one: is_wanted(one, topics),
                problem,
            )
        finally:
            publisher.close()

    def close(self) -> None:
        """Give all connections back."""
        for publisher in self._publishers:
            publisher.close()

    def _consumer(self, source: MessageSource) -> Consumer:
        from fyr.core.messages.mqtt import MqttPublisher

        publisher = MqttPublisher(self._settings, source.name)
        self._publishers.append(publisher)
        return consumer_of(
            source,
            publisher,
            Chain(self._database, source.name),
            longest_rest=self._settings.rest_seconds,
        )
