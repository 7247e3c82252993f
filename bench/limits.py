#!/usr/bin/env python
"""The limit beside Fyr in one run: the same stack without Fyr in between.

    python bench/limits.py [--store sqlite|postgresql] [--resources N]

Reads: a bare Falcon handler on the same waitress that returns the same bytes from
memory. Creates: bare SQL that writes the same rows in the same transactions, from as
many threads as there are clients.
"""

import argparse
import multiprocessing
import random
import signal
import socket
import threading
import time

import crud
import falcon
import load
import processes
import resources
from http_client import Connection
from pydantic import SecretStr

from fyr.config.settings import ServerSettings, Settings, StoreSettings
from fyr.core.serving.http import HttpWorker, bind
from fyr.core.store.open import open_database
from fyr.core.store.port import NewVersion
from fyr.core.store.resources import ResourceStore


class Bare:
    """Returns the same bytes whatever is asked."""

    def __init__(self, body: bytes) -> None:
        """Take the bytes."""
        self._body = body

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        """Answer with them."""
        resp.data = self._body
        resp.content_type = "application/fhir+json"


def serve_bare(bound: socket.socket, body: bytes) -> None:
    """Run the bare handler until SIGTERM."""
    app = falcon.App()
    app.add_route("/fhir/{type}/{id}", Bare(body))
    worker = HttpWorker(app, bound, ServerSettings())
    worker.stop_on_sigterm()
    worker.run()


def bare_reads(body: bytes, clients: int, seconds: float) -> tuple[float, float]:
    """Measure the bare handler: requests a second, CPU milliseconds each."""
    with bind("127.0.0.1", 0) as reserved:
        port = reserved.getsockname()[1]
        process = multiprocessing.get_context("fork").Process(
            target=serve_bare, args=(bind("127.0.0.1", port), body)
        )
        process.start()
        assert process.pid is not None
        time.sleep(0.5)

        def read(connection: Connection, _chance: random.Random) -> str:
            crud.expect(connection.request("GET", "/Patient/1").status, 200)
            return "read"

        url = f"http://127.0.0.1:{port}/fhir"
        load.run(read, url, clients=clients, seconds=1.0)
        before = processes.cpu_seconds([process.pid])
        sample = load.run(read, url, clients=clients, seconds=seconds)
        spent = processes.cpu_seconds([process.pid]) - before
        processes.os.kill(process.pid, signal.SIGTERM)
        process.join()
    return sample.count / seconds, spent * 1000 / sample.count


def bare_creates(settings: Settings, rows: list[NewVersion], clients: int) -> float:
    """Measure how many transactions a second write these rows and nothing else."""
    database = open_database(settings)
    store = ResourceStore(database)
    shares = [rows[n::clients] for n in range(clients)]

    def write(share: list[NewVersion]) -> None:
        for row in share:
            database.write(lambda session, row=row: store.put(session, [row]))  # type: ignore[misc]

    threads = [threading.Thread(target=write, args=(share,)) for share in shares]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - began
    database.close()
    return len(rows) / taken


def new_rows(number: int) -> list[NewVersion]:
    """Make what a create of bench/crud writes: body, index values, outbox row."""
    from fyr.core.model.json import dump
    from fyr.search.engine import extract_only

    chance = random.Random(3)
    made = []
    for n in range(number):
        body = resources.observation(chance, f"Patient/{chance.randrange(1000)}")
        body["id"] = f"bare-{n}"
        body["meta"] = {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000Z"}
        made.append(
            NewVersion(
                "Observation",
                f"bare-{n}",
                1,
                1767225600000,
                "POST",
                dump(body),
                0,
                extract_only(body),
            )
        )
    return made


def main() -> None:
    """Read the command line and run both pairs."""
    parser = argparse.ArgumentParser(description="Fyr beside the limit of its stack.")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--resources", type=int, default=4000)
    options = parser.parse_args()
    for store in options.store or ["sqlite", "postgresql"]:
        with processes.fyr(store) as server:
            ids = crud.make_patients(server.base_url, 1000, "")
            steps = crud.Crud(ids)
            body = Connection(server.base_url).request("GET", f"/Patient/{ids[0]}").body
            found = {}
            for name, step in (("read", steps.read), ("create", steps.create)):
                load.run(step, server.base_url, clients=options.clients, seconds=1.0)
                before = processes.cpu_seconds(server.pids)
                sample = load.run(
                    step,
                    server.base_url,
                    clients=options.clients,
                    seconds=options.seconds,
                )
                spent = processes.cpu_seconds(server.pids) - before
                found[name] = (
                    sample.count / options.seconds,
                    spent * 1000 / sample.count,
                )
            bare = bare_reads(body, options.clients, options.seconds)
            url = server.database_url
            settings = Settings(
                data_dir=server.folder / "bare",
                store=StoreSettings(url=url, password=SecretStr("")),
            )
            creates = bare_creates(
                settings, new_rows(options.resources), options.clients
            )
        print(
            f"\n{store}: read {found['read'][0]:.0f}/s at {found['read'][1]:.3f} ms CPU;",
            end=" ",
        )
        print(
            f"bare handler {bare[0]:.0f}/s at {bare[1]:.3f} ms; {found['read'][0] / bare[0]:.0%}"
        )
        print(
            f"{store}: create {found['create'][0]:.0f}/s at {found['create'][1]:.3f} ms CPU;",
            end=" ",
        )
        print(f"bare SQL {creates:.0f}/s; {found['create'][0] / creates:.0%}")


if __name__ == "__main__":
    main()
