"""A database that answers nobody: the server goes on, and ends when it is told to."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from fyr.core.testing.postgres import Postgres
from fyr.core.testing.process import FyrProcess, await_ends, fyr_process

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@contextmanager
def hanging(url: str) -> Iterator[None]:
    """Keep everybody else from each table, until the end of the block."""
    with psycopg.connect(url) as connection:
        for (name,) in connection.execute(TABLES).fetchall():
            lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
            connection.execute(lock.format(sql.Identifier(name)))
        yield


def wait_until_waiting(url: str, wanted: int) -> None:
    """Wait until so many wait for the database."""
    # Within a transaction the same would be told each time.
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(6000):
            (number,) = connection.execute(WAITING).fetchone() or (0,)
            if number >= wanted:
                return
            threading.Event().wait(0.02)
    pytest.fail(f"only {number} wait for the database")


@pytest.fixture
def url(postgresql: Postgres) -> str:
    return postgresql.new_database()


def a_patient(running: FyrProcess) -> str:
    """Store one, and read it, so that a connection to the database is there."""
    made = httpx.post(
        f"{running.base}/Patient", json={"resourceType": "Patient", "active": True}
    ).json()
    address = f"{running.base}/Patient/{made['id']}"
    assert httpx.get(address).status_code == 200
    return address


def read(address: str) -> Future[httpx.Response]:
    pool = ThreadPoolExecutor(1)
    answer = pool.submit(httpx.get, address, timeout=60)
    pool.shutdown(wait=False)
    return answer


def test_a_read_that_hangs_stops_nobody_else(tmp_path: Path, url: str) -> None:
    settings = {"STORE__URL": url, "SERVER__WORKER": "false"}
    with fyr_process(tmp_path, settings=settings) as running:
        address = a_patient(running)
        with hanging(url):
            first = read(address)
            wait_until_waiting(url, 1)
            second = read(address)
            # What asks no database; /fhir/metadata looks for new parameters in it.
            for path, status in (("/health/live", 200), ("/fhir/Nobody", 404)) * 2:
                answer = httpx.get(f"{running.url}{path}", timeout=60)
                assert answer.status_code == status
            assert not first.done()

        assert first.result(60).status_code == second.result(60).status_code == 200
        assert httpx.get(address).status_code == 200


def test_a_stop_waits_for_a_hanging_read_and_no_longer_than_told(
    tmp_path: Path, url: str
) -> None:
    settings = {
        "STORE__URL": url,
        "SERVER__WORKER": "false",
        "SERVER__DRAIN_SECONDS": "0.2",
    }
    with fyr_process(tmp_path, settings=settings) as running:
        address = a_patient(running)
        with hanging(url):
            answers = [read(address)]
            wait_until_waiting(url, 1)
            answers.append(read(address))
            wait_until_waiting(url, 2)

            # Not by its supervisor, who kills who has not ended in a few seconds.
            told = running.children()
            for pid in told:
                os.kill(pid, signal.SIGTERM)
            await_ends(told)
            for answer in answers:
                assert isinstance(answer.exception(60), httpx.TransportError)
            assert running.stop() == 0
