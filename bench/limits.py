#!/usr/bin/env python
"""The limit beside Fyr in one run: the same stack without Fyr in between.

    python bench/limits.py [--store sqlite|postgresql] [--resources N]

Reads: a bare Falcon handler that returns the same bytes from memory, once on waitress as
it comes, once in Fyr's HTTP worker (``docs/decisions/serving.md``). Creates: bare SQL that writes the same rows in the same transactions, from as
many threads as there are clients.
"""

import argparse
import logging
import multiprocessing
import os
import random
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import crud
import falcon
import load
import processes
import psycopg
import resources
from http_client import Connection
from waitress.server import create_server

from fyr.config.server import ServerSettings
from fyr.core.model.json import dump
from fyr.core.serving.dispatcher import Nothing
from fyr.core.serving.http import HttpWorker, bind
from fyr.core.serving.processors import stay_on_one_processor
from fyr.core.store.port import NewVersion
from fyr.core.store.schema import INDEX_TABLES
from fyr.search.extraction.extract import Extractor
from fyr.search.extraction.places import Places
from fyr.search.parameters import Parameters


class Bare:
    """Returns the same bytes whatever is asked."""

    def __init__(self, body: bytes) -> None:
        """Take the bytes."""
        self._body = body

    def on_get(self, _req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        """Answer with them."""
        resp.data = self._body
        resp.content_type = "application/fhir+json"


class Always(Nothing):
    """Has all requests answered in the loop."""

    def takes(self, _request: Any) -> bool:
        """Take any."""
        return True


def serve_bare(bound: socket.socket, body: bytes, ours: bool) -> None:
    """Run the bare handler until SIGTERM, on Fyr's HTTP worker or on plain waitress."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    settings = ServerSettings()
    app = falcon.App()
    app.add_route("/fhir/{type}/{id}", Bare(body))
    if not ours:
        create_server(app, sockets=[bound], threads=settings.threads).run()
        return
    stay_on_one_processor(0)
    worker = HttpWorker(app, bound, settings, Always())
    worker.stop_on_sigterm()
    worker.run()


def bare_reads(
    body: bytes, clients: int, seconds: float, ours: bool
) -> tuple[float, float]:
    """Measure the bare handler: requests a second, CPU milliseconds each."""
    with bind("127.0.0.1", 0) as reserved:
        port = reserved.getsockname()[1]
        process = multiprocessing.get_context("fork").Process(
            target=serve_bare, args=(bind("127.0.0.1", port), body, ours)
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
        os.kill(process.pid, signal.SIGTERM)
        process.join()
    return sample.count / seconds, spent * 1000 / sample.count


def bare_creates(url: str, folder: Path, versions: list[NewVersion]) -> float:
    """Measure how many transactions a second write these rows and nothing else.

    With the driver alone, into the tables that Fyr has made: one connection on SQLite,
    which has one writer; eight threads with pipelines on PostgreSQL.
    """
    statements = [
        list(statements_of(n + 10**12, one)) for n, one in enumerate(versions)
    ]
    if url.startswith("sqlite"):
        return bare_sqlite(folder / "data" / "fyr.db", statements)
    return bare_postgresql(url, statements)


def statements_of(
    pid: int, one: NewVersion
) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Tell the statements of one create, with ``?`` for parameters, and their rows."""
    yield (
        "INSERT INTO resource"
        " (pid, type, id, version, updated, indexed, deleted, method, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(pid, one.type, one.id, 1, one.updated, 0, 0, "POST", one.body)],
    )
    for table, rows in one.index.items():
        names = ", ".join(INDEX_TABLES[table])
        marks = ", ".join("?" * (len(INDEX_TABLES[table]) + 1))
        yield (
            f"INSERT INTO {table} (pid, {names}) VALUES ({marks})",
            [(pid, *row) for row in rows],
        )
    yield (
        "INSERT INTO outbox (topic, type, id, version, method, at) VALUES (?, ?, ?, ?, ?, ?)",
        [("resource", one.type, one.id, 1, "POST", one.updated)],
    )


def bare_sqlite(file: Path, creates: list[Any]) -> float:
    """Write each create in a transaction of its own, durably."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    began = time.perf_counter()
    for statements in creates:
        connection.execute("BEGIN IMMEDIATE")
        for sql, rows in statements:
            connection.executemany(sql, rows)
        connection.execute("COMMIT")
    taken = time.perf_counter() - began
    connection.close()
    return len(creates) / taken


def bare_postgresql(url: str, creates: list[Any], clients: int = 8) -> float:
    """Write each create in a transaction of its own, from several connections."""

    def write(share: list[Any]) -> None:
        with psycopg.connect(url) as connection:
            for statements in share:
                with connection.pipeline(), connection.transaction():
                    for sql, rows in statements:
                        sql = sql.replace("?", "%s")
                        connection.cursor().executemany(sql, rows)

    threads = [
        threading.Thread(target=write, args=(creates[n::clients],))
        for n in range(clients)
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(creates) / (time.perf_counter() - began)


def new_versions(number: int) -> list[NewVersion]:
    """Make what a create of bench/crud writes: body and index values."""
    chance, extractor = random.Random(3), Extractor(Places(Parameters()))
    made = []
    for n in range(number):
        body = resources.observation(chance, f"Patient/{chance.randrange(1000)}")
        body["id"] = f"bare-{n}"
        body["meta"] = {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000Z"}
        values = extractor.rows(body)
        made.append(
            NewVersion(
                "Observation",
                f"bare-{n}",
                1,
                1767225600000,
                "POST",
                dump(body),
                0,
                values,
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
            bare = [
                bare_reads(body, options.clients, options.seconds, ours)
                for ours in (False, True)
            ]
            creates = bare_creates(
                server.database_url, server.folder, new_versions(options.resources)
            )
        print(
            f"\n{store}: read {found['read'][0]:.0f}/s at {found['read'][1]:.3f} ms CPU"
        )
        for (rate, cpu), where in zip(
            bare, ("plain waitress", "Fyr's worker"), strict=True
        ):
            share = found["read"][0] / rate
            print(f"bare handler, {where}: {rate:.0f}/s at {cpu:.3f} ms; {share:.0%}")
        print(
            f"{store}: create {found['create'][0]:.0f}/s at {found['create'][1]:.3f} ms CPU;",
            end=" ",
        )
        print(f"bare SQL {creates:.0f}/s; {found['create'][0] / creates:.0%}")


if __name__ == "__main__":
    main()
