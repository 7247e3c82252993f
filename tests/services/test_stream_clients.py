"""Streams of a real server, for the clients of others, and for many of them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from fyr.core.testing.ports import free_port
from fyr.core.testing.process import FyrProcess, fyr_process
from fyr.core.testing.servers import absent
from fyr.core.testing.streams import EventSource

SCRIPT = Path(__file__).parent / "clients" / "streams.mjs"
DEVICE = {"resourceType": "Device"}


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def fyr(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[FyrProcess]:
    settings = {
        "PLUGINS__ENABLED": '["search", "event_messages"]',
        "STREAMS__PORT": str(port),
        "STREAMS__PROCESSES": "2",
        "STREAMS__HEARTBEAT_SECONDS": "0.5",
    }
    with fyr_process(tmp_path_factory.mktemp("fyr"), settings=settings) as running:
        yield running


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        absent("node", "install Node.js with npm to run EventSource and ws")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"type": "module"}')
    options = ["--silent", "--no-audit", "--no-fund"]
    command = [npm, "install", *options, "eventsource@4", "ws@8"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        absent("node", f"npm could not install the clients: {done.stderr[-300:]}")
    shutil.copy(SCRIPT, folder)
    return folder


def write(fyr: FyrProcess, *ids: str) -> None:
    for id_ in ids:
        body = {**DEVICE, "id": id_}
        httpx.put(f"{fyr.base}/Device/{id_}", json=body).raise_for_status()


def head(fyr: FyrProcess) -> int:
    answer = httpx.get(f"{fyr.url}/events?count=1")
    return int(answer.headers["fyr-events-head"])


def id_of(message: dict[str, Any]) -> str:
    reference: str = message["body"]["resourceReference"]
    return reference.rpartition("/")[2]


@contextmanager
def node(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    started = subprocess.Popen(
        ["node", SCRIPT.name, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    try:
        yield started
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


def lines_of(started: subprocess.Popen[str]) -> Iterator[str]:
    assert started.stdout is not None
    return iter(started.stdout)


@pytest.mark.parametrize(("kind", "scheme"), [("sse", "http"), ("websocket", "ws")])
def test_clients_of_node_hear_what_is_written(
    fyr: FyrProcess, port: int, node_folder: Path, kind: str, scheme: str
) -> None:
    url = f"{scheme}://127.0.0.1:{port}/events?topic=ehealth-device"
    with node(node_folder, kind, url, "2") as started:
        lines = lines_of(started)
        assert next(lines) == "open\n"
        write(fyr, f"{kind}-1", f"{kind}-2")
        heard = [json.loads(next(lines)) for _ in range(2)]

    assert [id_of(one) for one in heard] == [f"{kind}-1", f"{kind}-2"]


def test_websockets_of_python_hear_what_is_written(fyr: FyrProcess, port: int) -> None:
    url = f"ws://127.0.0.1:{port}/events?after={head(fyr)}"
    with connect(url, open_timeout=60) as opened:
        write(fyr, "py-1", "py-2")
        heard = [json.loads(opened.recv(timeout=60)) for _ in range(2)]

    assert [id_of(one) for one in heard] == ["py-1", "py-2"]


def serving_streams(fyr: FyrProcess, port: int) -> list[int]:
    """The processes of a server that listen on a port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    listen = {
        row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"
    }
    return [pid for pid in fyr.children() if not listen.isdisjoint(sockets_of(pid))]


def sockets_of(pid: int) -> set[str]:
    """The numbers of a process's sockets; files are opened and closed meanwhile."""
    found = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for opened in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                found.add(os.readlink(opened).removeprefix("socket:[").rstrip("]"))
    return found


def test_who_listens_misses_nothing_when_the_processes_of_streams_are_killed(
    fyr: FyrProcess, port: int
) -> None:
    ids = [f"k{number}" for number in range(40)]
    url = f"http://127.0.0.1:{port}/events?after={head(fyr)}"
    with closing(EventSource(url)) as source:
        write(fyr, *ids[:20])
        for pid in serving_streams(fyr, port):
            os.kill(pid, signal.SIGKILL)
        write(fyr, *ids[20:])
        heard = source.wait_for(lambda all_: len({one.id for one in all_}) >= 40)

    first = {one.id: id_of({"body": one.body}) for one in heard}
    assert list(first.values()) == ids


def test_the_clients_of_all_processes_are_counted_and_none_of_a_dead_one(
    fyr: FyrProcess, port: int
) -> None:
    url = f"ws://127.0.0.1:{port}/events"
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(connect(url, open_timeout=60))
        wait_for_clients(fyr, 6)
        for pid in serving_streams(fyr, port):
            os.kill(pid, signal.SIGKILL)
        wait_for_clients(fyr, 0)


def wait_for_clients(fyr: FyrProcess, count: int) -> None:
    line = f'fyr_stream_clients{{path="/events"}} {count}.0'
    for _ in range(2400):
        page = httpx.get(f"{fyr.url}/metrics").text
        if line in page or (count == 0 and "fyr_stream_clients{" not in page):
            return
        threading.Event().wait(0.05)
    raise AssertionError(f"{line} was never told: {page}")


CLIENTS = 200
EVENTS = 2000
#: what clients with full connections may take: on a machine with much to do, those that
#: read are as far behind as those that do not. What is written to all is some 200 MB.
MOST_GROWTH_KB = CLIENTS * 400


def test_two_hundred_clients_half_of_them_deaf_take_little_memory(
    tmp_path: Path,
) -> None:
    port = free_port()
    settings = {
        "PLUGINS__ENABLED": '["search", "event_messages"]',
        "SERVER__WORKER": "false",
        "STREAMS__PORT": str(port),
        "STREAMS__STALL_SECONDS": "600",
    }
    with fyr_process(tmp_path, settings=settings) as fyr:
        (streams,) = serving_streams(fyr, port)
        counts, growth = asyncio.run(crowd(fyr, port, streams))

    assert counts == [EVENTS] * (CLIENTS // 2)
    assert growth < MOST_GROWTH_KB


async def crowd(fyr: FyrProcess, port: int, pid: int) -> tuple[list[int], int]:
    """Have some clients read all and some nothing; tell what came and what it took."""
    opened = [await ask(port) for _ in range(CLIENTS)]
    before = resident_kb(pid)
    for _, writer in opened[::2]:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
    hearing = [asyncio.ensure_future(count_of(one)) for one, _ in opened[1::2]]
    await asyncio.to_thread(fill, fyr)
    counts = await asyncio.gather(*hearing)
    after = resident_kb(pid)
    for _, writer in opened:
        writer.close()
    return counts, after - before


async def ask(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
    await reader.readuntil(b"retry: ")
    return reader, writer


async def count_of(reader: asyncio.StreamReader) -> int:
    count = 0
    async with asyncio.timeout(600):
        while count < EVENTS:
            count += (await reader.readline()).startswith(b"data: ")
    return count


def fill(fyr: FyrProcess) -> None:
    for start in range(0, EVENTS, 500):
        entries = [
            {
                "resource": {**DEVICE, "id": f"m{number}"},
                "request": {"method": "PUT", "url": f"Device/m{number}"},
            }
            for number in range(start, start + 500)
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        httpx.post(fyr.base, json=bundle, timeout=600).raise_for_status()


def resident_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = [one for one in lines if one.startswith("VmRSS:")]
    return int(line.split()[1])
