"""What subscribers hear: the broker of the story, and somebody who listens to all of it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from fyr.core.messages.broker import Broker
from fyr.core.serving.main import MQTT_PORT, embedded_broker

if TYPE_CHECKING:
    from fyr.config.settings import Settings

#: Beginning of the names that notifications have at the broker.
NAS = "nas."
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """One message."""

    #: name of the topic: ``ehealth-careplan.status``, ``nas.careplan.created``
    name: str
    #: told again, a message has the id it had
    id: str
    body: Any

    @property
    def about(self) -> str:
        """Type and id of the resource: ``CarePlan/1``."""
        return "/".join(str(self.body["resourceReference"]).split("/")[-2:])


class Listener:
    """A client of the broker that hears all that Fyr publishes."""

    def __init__(self, deployment: Settings) -> None:
        """Connect and subscribe.

        :raises OSError: the broker cannot be reached, or does not let it.
        """
        settings = deployment.messages
        self._broker, self._refused = f"{settings.url} (messages.url)", ""
        self._all = settings.topic.partition("{")[0] + "#"
        #: What it says to itself, to know that it has heard all before.
        self._mark = f"fyr-demo/{uuid4().hex}"
        self._heard: list[Heard] = []
        self._ids: set[str] = set()
        self._subscribed, self._caught_up = threading.Event(), threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5, client_id=self._mark[9:]
        )
        if settings.username:
            secret = settings.password
            password = secret.get_secret_value() if secret is not None else None
            self._client.username_pw_set(settings.username, password)
        where = urlsplit(settings.url)
        if where.scheme == "mqtts":
            self._client.tls_set(str(settings.tls_ca) if settings.tls_ca else None)
        self._client.on_socket_open = _without_delay
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = self._have_subscribed
        self._client.on_publish = self._have_published
        self._client.on_message = self._hear
        try:
            self._client.connect(where.hostname or "", where.port or MQTT_PORT)
        except OSError as error:
            told = error.strerror or str(error)
            raise OSError(f"the broker {self._broker}: {told}") from error
        self._client.loop_start()
        try:
            self._wait(self._subscribed)
            self.news()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Go away."""
        self._client.disconnect()
        self._client.loop_stop()

    def news(self) -> list[Heard]:
        """Give what was published since it was asked last, the first first.

        :raises OSError: the broker does not answer.
        """
        self._caught_up.clear()
        self._client.publish(self._mark, b"", 1)
        self._wait(self._caught_up)
        heard, self._heard = self._heard, []
        return heard

    def _wait(self, event: threading.Event) -> None:
        if not event.wait(_PATIENCE_SECONDS):
            self._refused = "no answer"
        if self._refused:
            raise OSError(
                f"the broker {self._broker}: {self._refused}; the story reads"
                f" {self._all} and fyr-demo/#, and writes to fyr-demo/"
            )

    def _judge(self, reasons: Iterable[ReasonCode]) -> bool:
        """Have whoever waits hear of a refusal, and tell whether there is one."""
        refusals = [str(one) for one in reasons if one.is_failure]
        if refusals:
            self._refused = refusals[0]
            self._subscribed.set()
            self._caught_up.set()
        return bool(refusals)

    def _subscribe(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, *_: object
    ) -> None:
        if not self._judge([reason]):
            self._client.subscribe([(self._all, 1), (self._mark, 1)])

    def _have_subscribed(
        self, _client: Any, _data: Any, _mid: int, reasons: list[ReasonCode], *_: object
    ) -> None:
        if not self._judge(reasons):
            self._subscribed.set()

    def _have_published(
        self, _client: Any, _data: Any, _mid: int, reason: ReasonCode, *_: object
    ) -> None:
        self._judge([reason])

    def _hear(self, _client: paho.Client, _data: object, message: Any) -> None:
        if message.topic == self._mark:
            self._caught_up.set()
            return
        properties = dict(getattr(message.properties, "UserProperty", ()))
        if properties["id"] in self._ids:
            return
        self._ids.add(properties["id"])
        name = properties["destination"].removeprefix("topic://")
        body = json.loads(message.payload)
        self._heard.append(Heard(name, properties["id"], body))


def _without_delay(_client: paho.Client, _data: object, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextmanager
def listening(settings: Settings) -> Iterator[Listener | None]:
    """Listen until the end; nobody listens where there is no broker."""
    if not settings.messages.url:
        yield None
        return
    listener = Listener(settings)
    try:
        yield listener
    finally:
        listener.close()


@contextmanager
def broker(settings: Settings) -> Iterator[Settings]:
    """Run the embedded broker, where the settings ask for it; give where it is."""
    with embedded_broker(settings) as bound:
        if bound is None:
            yield settings
            return
        host, port = bound.getsockname()[:2]
        messages = settings.messages.model_copy(update={"url": f"mqtt://{host}:{port}"})
        ready = threading.Event()
        loop = asyncio.new_event_loop()
        serving = loop.create_task(Broker().serve(bound, ready.set))
        thread = threading.Thread(target=_run, args=(loop, serving), name="fyr-broker")
        thread.start()
        ready.wait(_PATIENCE_SECONDS)
        try:
            yield settings.model_copy(update={"messages": messages})
        finally:
            loop.call_soon_threadsafe(serving.cancel)
            thread.join()


def _run(loop: asyncio.AbstractEventLoop, serving: asyncio.Task[None]) -> None:
    try:
        loop.run_until_complete(asyncio.wait([serving]))
    finally:
        loop.close()


def counted(names: Iterable[str]) -> str:
    """Tell names and how often each was heard: ``ehealth-task x6``."""
    counts = Counter(names)
    return ", ".join(
        name if count == 1 else f"{name} x{count}" for name, count in counts.items()
    )
