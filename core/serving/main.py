"""``fyr serve`` and ``fyr worker``: which processes there are, and what each runs."""

import signal
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from fyr.config.settings import Settings
from fyr.core.app import build
from fyr.core.metrics import share_between_processes
from fyr.core.rest.large import large_bodies
from fyr.core.rest.quick import QuickReads
from fyr.core.serving.http import HttpWorker, bind, reserve
from fyr.core.serving.prepare import prepare, refuse_unsafe
from fyr.core.serving.processors import stay_on_one_processor
from fyr.core.serving.supervisor import Child, Supervisor, run_once

log = structlog.get_logger("fyr.serving")


def serve(settings: Settings, announce: Callable[[str], None]) -> int:
    """Run HTTP workers, and one event worker unless the settings say otherwise.

    :param announce: called with the base URL once every worker serves.
    :returns: exit status, after a stop signal.
    :raises OSError: the address cannot be taken.
    """
    refuse_unsafe(settings)
    with (
        reserve(settings.server.host, settings.server.port) as reserved,
        TemporaryDirectory(prefix="fyr-metrics-") as counters,
    ):
        share_between_processes(Path(counters))
        port = reserved.getsockname()[1]
        if run_once("prepare", lambda: prepare(settings)):
            return 1
        host = (
            f"[{settings.server.host}]"
            if ":" in settings.server.host
            else settings.server.host
        )
        supervisor = Supervisor(
            settings.server.drain_seconds,
            on_ready=lambda: announce(f"http://{host}:{port}"),
        )
        for number in range(settings.server.workers):
            supervisor.add(f"http-{number + 1}", partial(_http, settings, port, number))
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


def _http(settings: Settings, port: int, number: int, child: Child) -> None:
    if settings.server.pin_workers:
        stay_on_one_processor(number)
    application = build(settings)
    worker = HttpWorker(
        application.wsgi(),
        bind(settings.server.host, port),
        settings.server,
        QuickReads(application),
        large_bodies(application),
    )
    worker.stop_on_sigterm()
    child.ready()
    worker.run()
    application.close()


def _worker(settings: Settings, child: Child) -> None:
    application = build(settings)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    child.ready()
    application.worker().run(stop)
    application.close()
