"""``fyr serve`` and ``fyr worker``: which processes there are, and what each runs."""

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import structlog

from fyr.config.section import Section
from fyr.config.settings import Settings
from fyr.core.app import build
from fyr.core.observability.metrics import share_between_processes
from fyr.core.rest.app import create_wsgi
from fyr.core.rest.body_limits import large_bodies
from fyr.core.rest.quick_requests import QuickReads
from fyr.core.serving.http import HttpWorker, bind, reserve
from fyr.core.serving.memory import settle
from fyr.core.serving.prepare import prepare, refuse_unsafe
from fyr.core.serving.processors import stay_on_one_processor
from fyr.core.serving.supervisor import Child, Supervisor, run_once

log = structlog.get_logger("fyr.serving")

#: Port of the embedded broker, where none is given.
MQTT_PORT = 1883


def serve(settings: Settings, announce: Callable[[str, Settings], None]) -> int:
    """Run HTTP workers, and one event worker unless the settings say otherwise.

    :param announce: called with the base URL once every worker serves, and with the
        settings as they have become: ports that were to be free ones are known.
    :returns: exit status, after a stop signal.
    :raises OSError: the address cannot be taken.
    """
    refuse_unsafe(settings)
    with (
        reserve(settings.server.host, settings.server.port) as reserved,
        embedded_broker(settings) as broker,
        _streams_port(settings) as streams,
        TemporaryDirectory(prefix="fyr-metrics-") as counters,
    ):
        share_between_processes(Path(counters))
        port = reserved.getsockname()[1]
        settings = _with_ports(settings, port, broker, streams)
        if run_once("prepare", lambda: prepare(settings)):
            return 1
        host = (
            f"[{settings.server.host}]"
            if ":" in settings.server.host
            else settings.server.host
        )
        supervisor = Supervisor(
            settings.server.drain_seconds,
            on_ready=lambda: announce(f"http://{host}:{port}", settings),
        )
        if broker is not None:
            supervisor.add("broker", partial(_broker, broker))
        for number in range(settings.server.workers):
            supervisor.add(f"http-{number + 1}", partial(_http, settings, port, number))
        for number in range(settings.streams.processes if streams else 0):
            supervisor.add(f"streams-{number + 1}", partial(_streams, settings))
        if settings.server.worker:
            supervisor.add("worker", lambda child: _worker(settings, child))
        return supervisor.run()


def work(settings: Settings, announce: Callable[[str], None]) -> int:
    """Run one event and job worker; any number of machines may do so."""
    if run_once("prepare", lambda: prepare(settings)):
        return 1
    supervisor = Supervisor(
        settings.server.drain_seconds, on_ready=lambda: announce("")
    )
    supervisor.add("worker", lambda child: _worker(settings, child))
    return supervisor.run()


@contextmanager
def embedded_broker(settings: Settings) -> Iterator[socket.socket | None]:
    """Take the address of the embedded broker, where the settings ask for one.

    A free port when another broker has it: what is announced tells which.

    :raises OSError: the address is not this machine's.
    """
    where = urlsplit(settings.messages.url)
    if where.scheme != "embedded":
        yield None
        return
    host, port = where.hostname or "", where.port or MQTT_PORT
    try:
        bound = reserve(host, port)
    except OSError as error:
        if getattr(error.__cause__, "errno", 0) != errno.EADDRINUSE:
            raise
        # A broker that somebody installed must not keep Fyr from its first start.
        log.warning("the embedded broker takes a free port", problem=str(error))
        bound = reserve(host, 0)
    with bound:
        yield bound


@contextmanager
def _streams_port(settings: Settings) -> Iterator[socket.socket | None]:
    """Take the address for streams, where the settings ask for one.

    In open mode a free port when another has it; what is announced tells which.

    :raises OSError: the address cannot be taken.
    """
    host, port = settings.streams.host or settings.server.host, settings.streams.port
    if port is None:
        yield None
        return
    try:
        bound = reserve(host, port)
    except OSError as error:
        taken = getattr(error.__cause__, "errno", 0) == errno.EADDRINUSE
        if not taken or settings.security.mode != "open":
            raise
        log.warning("streams take a free port", problem=str(error))
        bound = reserve(host, 0)
    with bound:
        yield bound


def _with_ports(
    settings: Settings,
    port: int,
    broker: socket.socket | None,
    streams: socket.socket | None,
) -> Settings:
    """Fill in ports that were to be free ones."""
    found: dict[str, Section] = {
        "server": settings.server.model_copy(update={"port": port})
    }
    if streams is not None:
        found["streams"] = settings.streams.model_copy(
            update={"port": streams.getsockname()[1]}
        )
    if broker is not None:
        host, port = broker.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        found["messages"] = settings.messages.model_copy(
            update={"url": f"embedded://{shown}:{port}"}
        )
    return settings.model_copy(update=found)


def _broker(bound: socket.socket, child: Child) -> None:
    from fyr.core.messages.broker import run_broker

    run_broker(bound, child.ready)


def _http(settings: Settings, port: int, number: int, child: Child) -> None:
    if settings.server.pin_workers:
        stay_on_one_processor(number)
    application = build(settings)
    worker = HttpWorker(
        create_wsgi(application),
        bind(settings.server.host, port),
        settings.server,
        QuickReads(application),
        large_bodies(application),
    )
    worker.stop_on_sigterm()
    with application.plugins.watch.running():
        child.ready()
        worker.run()
    application.close()


def _streams(settings: Settings, child: Child) -> None:
    from fyr.core.streams.listener import run_listener

    application = build(settings)
    host = settings.streams.host or settings.server.host
    bound = bind(host, settings.streams.port or 0)
    with application.plugins.watch.running():
        run_listener(application, bound, child.ready, _on_sigterm)
    application.close()


def _on_sigterm(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    loop.add_signal_handler(signal.SIGTERM, stop)


def _worker(settings: Settings, child: Child) -> None:
    application = build(settings)
    settle()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with application.plugins.watch.running():
        child.ready()
        application.worker().run(stop)
    application.close()
