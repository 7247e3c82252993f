#!/usr/bin/env python
"""Durable timers: how many fire in a second, while many more wait.

    python bench/timers.py                          SQLite
    python bench/timers.py --store postgresql       PostgreSQL, one worker
    python bench/timers.py --workers 2              two worker processes

``--pending`` timers wait, all of them due. Two kinds are measured: ``planned`` brings a
CarePlan from one state to the next through its state machine, with history, index and
event (the resources are made first); ``bare`` writes nothing but its own row's end. Told
are those of the first ``--seconds``, counted by the database.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fyr.config.settings import Settings
from fyr.core import History, Machine, Plugin, Schedule, Step, Timer, hookimpl
from fyr.core.app import Application, build
from fyr.core.clock import from_millis, utc_now
from fyr.core.testing.postgres import running_postgres

_PLANNED = "urn:bench:planned"
_AT = "2026-01-01T00:00:00Z"


class Bench(Plugin):
    """A machine of plans, and a timer that does nothing."""

    @hookimpl
    def register_machines(self) -> Iterator[Machine]:
        """Offer the plans."""
        steps = (Step(None, "draft"), Step("draft", "active"))
        yield Machine(
            "bench",
            "CarePlan",
            steps,
            history=History("urn:bench:states", "urn:bench"),
            schedule=Schedule(_PLANNED),
        )

    @hookimpl
    def register_timers(self) -> Iterator[Timer]:
        """Offer the timer."""
        yield Timer("bare", lambda acting, fired: None)


def main() -> None:
    """Measure and print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--pending", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--kind", choices=["planned", "bare"], action="append")
    parser.add_argument("--as-worker", metavar="SETTINGS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_worker:
        work(Settings.model_validate_json(options.as_worker))
        return
    for kind in options.kind or ["planned", "bare"]:
        with tempfile.TemporaryDirectory() as name, database(options.store) as url:
            print(json.dumps(measured(kind, options, Path(name), url)), flush=True)


@contextmanager
def database(store: str) -> Iterator[str]:
    """Give the URL of an empty store."""
    if store == "sqlite":
        yield "sqlite:///fyr.db"
        return
    with running_postgres() as server:
        yield server.new_database()


def measured(
    kind: str, options: argparse.Namespace, folder: Path, url: str
) -> dict[str, object]:
    """Fill a store, start workers, and tell how fast the timers go."""
    settings = Settings(
        data_dir=folder,
        store={"url": url},
        security={"mode": "open"},
        plugins={"enabled": ["search"]},
        log={"level": "error"},
    )
    app = opened(settings)
    filled = time.monotonic()
    fill(app, kind, options.pending)
    filled = time.monotonic() - filled
    name = "bare" if kind == "bare" else "workflow-schedule"
    command = [sys.executable, __file__, "--as-worker", settings.model_dump_json()]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(options.workers)
    ]
    try:
        while pending(app, name) == options.pending:
            time.sleep(0.01)
        first, at = pending(app, name), time.monotonic()
        while (left := pending(app, name)) and time.monotonic() - at < options.seconds:
            time.sleep(0.05)
        took = time.monotonic() - at
    finally:
        for worker in workers:
            worker.communicate()
        app.close()
    return {
        "kind": kind,
        "store": options.store,
        "workers": options.workers,
        "pending": options.pending,
        "filled_seconds": round(filled, 1),
        "fired": first - left,
        "left": left,
        "seconds": round(took, 2),
        "per_second": round((first - left) / took),
    }


def opened(settings: Settings) -> Application:
    """Build the application of the bench."""
    return build(settings, plugins={"bench": Bench})


def work(settings: Settings) -> None:
    """Be a worker until standard input ends."""
    import threading

    stop = threading.Event()
    app = opened(settings)
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    app.worker().run(stop)
    app.close()


def fill(app: Application, kind: str, count: int) -> None:
    """Have timers wait, and what they are about be there."""
    if kind == "bare":
        rows = [(f"CarePlan/{number}", from_millis(0), None) for number in range(count)]
        app.database.write(lambda s: app.timers.arm_many(s, "bare", rows))
        return
    plan = {
        "resourceType": "CarePlan",
        "status": "draft",
        "intent": "plan",
        "subject": {"reference": "Patient/1"},
        "extension": [
            {
                "url": _PLANNED,
                "extension": [
                    {"url": "status", "valueCode": "active"},
                    {"url": "scheduledTime", "valueDateTime": _AT},
                ],
            }
        ],
    }
    for _ in range(0, count, 500):
        app.act(lambda acting: acting.store([dict(plan) for _ in range(500)]))


def pending(app: Application, name: str) -> int:
    """Tell how many timers are left."""
    sql = "SELECT COUNT(*) FROM timer WHERE name = ? AND due <= ?"
    now = int(utc_now().timestamp() * 1000)
    return int(app.database.rows(sql, (name, now))[0][0])


if __name__ == "__main__":
    main()
