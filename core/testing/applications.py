"""Applications for tests: in this process, on a store that is thrown away."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import structlog

from fyr.config.settings import Settings
from fyr.core.clock import Clock
from fyr.core.hooks.plugin import Plugin
from fyr.core.testing.client import Client
from fyr.core.testing.principals import TestPrincipals

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.events import Change
    from fyr.core.messages import Message

Plugins = Mapping[str, ModuleType | type[Plugin]]

#: What differs from a deployment's defaults.
OPTIONS: Mapping[str, Any] = {
    "store": {"url": "sqlite://"},
    "security": {"mode": "open"},
    "plugins": {"enabled": ["search"]},
    "log": {"level": "error"},
}


def settings_with(options: Mapping[str, Any], data_dir: Path) -> Settings:
    """Make the settings of a test.

    :param options: tables as in the TOML file, over those of :data:`OPTIONS`.
    :raises pydantic.ValidationError: one of them is unknown or wrong.
    """
    return Settings(**_over({**OPTIONS, "data_dir": data_dir}, options))


@contextmanager
def application(
    settings: Settings, clock: Clock, plugins: Plugins | None = None
) -> Iterator[Application]:
    """Build an application, and close it at the end.

    :param plugins: plugins by name that no distribution offers (yet).
    """
    from fyr.core.app import build

    log_plainly()
    more = {"test-principals": TestPrincipals, **(plugins or {})}
    built = build(settings, clock=clock, plugins=more)
    try:
        yield built
    finally:
        built.close()


def log_plainly() -> None:
    """Let log lines stand with a test that fails, and be cheap where none does.

    Unless somebody has set structlog up: its own default draws every variable of a
    traceback.
    """
    if structlog.is_configured():
        return
    plain = structlog.dev.plain_traceback
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain),
        ],
        cache_logger_on_first_use=False,
    )


@dataclass(frozen=True)
class Server:
    """An application on a real port, for clients that are not ours."""

    application: Application
    #: ``http://127.0.0.1:PORT``
    url: str

    @property
    def base(self) -> str:
        """The base URL of the service that has everything."""
        return f"{self.url}/fhir"


@contextmanager
def serving(built: Application, wsgi: Any = None) -> Iterator[Server]:
    """Answer on a free port of this machine, from a thread, until the end.

    :param wsgi: what answers in place of the application's own callable.
    """
    from fyr.core.rest.app import create_wsgi
    from fyr.core.rest.body_limits import large_bodies
    from fyr.core.rest.quick_requests import QuickReads
    from fyr.core.serving.http import HttpWorker, bind

    bound = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    settings = built.settings.server
    quick, large = QuickReads(built), large_bodies(built)
    worker = HttpWorker(wsgi or create_wsgi(built), bound, settings, quick, large)
    thread = threading.Thread(target=worker.run, name="fyr-test-server")
    thread.start()
    try:
        with built.plugins.watch.running():
            yield Server(built, f"http://127.0.0.1:{port}")
    finally:
        worker.stop()
        thread.join()


def store(built: Application, resource: Mapping[str, Any]) -> str:
    """Store a resource as the server itself would, past who may do what.

    Over whatever is there, also where it was read before that was stored.

    :return: its reference, such as ``Patient/1``.
    """
    given = deepcopy(dict(resource))
    given.get("meta", {}).pop("versionId", None)
    made = built.act(lambda acting: acting.update(given))
    return f"{made['resourceType']}/{made['id']}"


def client_of(built: Application) -> Client:
    """Make a client that calls an application without a network."""
    from fyr.core.rest.app import create_wsgi

    return Client(create_wsgi(built))


class Events:
    """What an application has committed, and its delivery when the test says so."""

    def __init__(self, built: Application) -> None:
        """Begin with the first event of the store."""
        self._application = built
        self._seen = 0
        self._delivered = 0

    def all(self) -> list[Change]:
        """Tell every change so far, in the order in which they were committed."""
        return list(self._application.outbox.tail(0))

    def new(self) -> list[Change]:
        """Tell the changes since this was asked last."""
        changes = list(self._application.outbox.tail(self._seen))
        self._seen = changes[-1].position if changes else self._seen
        return changes

    def deliver(self) -> int:
        """Hand what is new to each plugin's hook ``deliver``, and tell how many it was.

        What a plugin raises goes out: in a deployment a worker would come back with
        the event, and each plugin would have a cursor of its own.
        """
        changes = list(self._application.outbox.tail(self._delivered))
        for change in changes:
            for deliver in self._application.hooks.deliveries().values():
                deliver(change)
            self._delivered = change.position
        return len(changes)


class Messages:
    """What the sources of an application tell of what it has committed."""

    def __init__(self, built: Application) -> None:
        """Begin with the first event of the store."""
        self._sources = built.publishing.sources
        self._events = Events(built)

    def new(self) -> list[Message]:
        """Give the messages of what was committed since this was asked last."""
        from fyr.core.messages import sent_as

        return [
            message
            for change in self._events.new()
            for source in self._sources
            for message in sent_as(source, change)
        ]


def _over(base: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Lay tables over tables, key by key."""
    merged = dict(base)
    for key, value in options.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _over(below, value)
        else:
            merged[key] = value
    return merged
