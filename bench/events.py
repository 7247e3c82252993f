#!/usr/bin/env python
"""Event messages: from a commit to a subscriber, and how much one relay can tell.

    python bench/events.py                         SQLite, a Mosquitto of its own
    python bench/events.py --store postgresql      the same on PostgreSQL
    python bench/events.py --rate 300 --seconds 10 latency at 300 writes a second

The latency is that of a write sent over HTTP until a subscriber on this machine has its
message; writer, server, broker and subscriber share the processors. The throughput is
that of one worker with a backlog of ``--backlog`` changes, each of them one message or
two: written without a worker, then told. ``--away 180`` has the broker stopped for so many
seconds while writes go on, looks at the worker's memory, and counts what comes after.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import processes

from fyr.core.testing.mosquitto import Mosquitto, running_mosquitto
from fyr.core.testing.postgres import running_postgres
from fyr.core.testing.process import FyrProcess, fyr_process
from fyr.core.testing.subscriber import Heard, subscriber

TASK = {
    "resourceType": "Task",
    "status": "requested",
    "intent": "order",
    "for": {"reference": "Patient/1"},
}


def main() -> None:
    """Measure and print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rate", type=int, default=300, help="writes a second")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--backlog", type=int, default=6000, help="changes")
    parser.add_argument("--away", type=float, default=0, help="seconds without broker")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, database(options.store) as url:
        folder = Path(name)
        with running_mosquitto(folder) as broker:
            settings = {
                "MESSAGES__URL": broker.url,
                "PLUGINS__ENABLED": '["search", "event_messages"]',
                **({"STORE__URL": url} if url else {}),
            }
            if options.away:
                found = away(folder, broker, settings, options.rate, options.away)
                print(json.dumps({"store": options.store, **found}))
                return
            found = throughput(folder, broker, settings, options.backlog)
            print(json.dumps({"store": options.store, **found}))
            found = latency(folder, broker, settings, options.rate, options.seconds)
            print(json.dumps({"store": options.store, **found}))


@contextmanager
def database(store: str) -> Iterator[str]:
    """Give the URL of an empty PostgreSQL, or nothing for SQLite."""
    if store == "sqlite":
        yield ""
        return
    with running_postgres() as server:
        yield server.new_schema()


def throughput(
    folder: Path, broker: Mosquitto, settings: dict[str, str], backlog: int
) -> dict[str, object]:
    """Write with no worker, then let one tell it all."""
    alone = {**settings, "SERVER__WORKER": "false"}
    with fyr_process(folder, settings=alone) as fyr:
        fill(fyr, backlog)
    with subscriber(broker.port, "fyr/events/ehealth-task") as listener:
        started = time.perf_counter()
        with fyr_process(folder, "worker", settings=settings) as worker:
            listener.wait_for_count(1)
            first, before = time.perf_counter(), processes.cpu_seconds([worker.pid])
            listener.wait_for_count(backlog)
            seconds = time.perf_counter() - first
            cpu = processes.cpu_seconds([worker.pid]) - before
            memory = sum(map(processes.memory_mb, processes.tree(worker.pid)))
    return {
        "row": "one relay, backlog",
        "events": backlog,
        "per_second": round(backlog / seconds),
        "worker_cpu_us": round(cpu / backlog * 1e6),
        "worker_mb": round(memory),
        "to_first_seconds": round(first - started, 2),
    }


def fill(fyr: FyrProcess, count: int) -> None:
    """Write Tasks in transactions, two versions of each."""
    with httpx.Client(base_url=fyr.base, timeout=120) as client:
        for start in range(0, count // 2, 250):
            for status in ("requested", "accepted"):
                entries = [
                    {
                        "resource": {**TASK, "id": f"t{number}", "status": status},
                        "request": {"method": "PUT", "url": f"Task/t{number}"},
                    }
                    for number in range(start, min(start + 250, count // 2))
                ]
                bundle = {
                    "resourceType": "Bundle",
                    "type": "transaction",
                    "entry": entries,
                }
                client.post("", json=bundle).raise_for_status()


def latency(
    folder: Path,
    broker: Mosquitto,
    settings: dict[str, str],
    rate: int,
    seconds: float,
) -> dict[str, object]:
    """Write by a timetable and note when each message comes."""
    came: dict[str, float] = {}
    with (
        subscriber(broker.port, "fyr/events/ehealth-device") as listener,
        fyr_process(folder, settings=settings) as fyr,
    ):
        count = int(rate * seconds)
        watching = threading.Thread(target=watch, args=(listener, count, came))
        watching.start()
        program = [sys.executable, __file__, "--write", fyr.base, str(rate), str(count)]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        watching.join()
    sent = json.loads(done.stdout)
    waits = sorted((came[id_] - at) * 1000 for id_, at in sent.items())
    return {
        "row": f"from write to subscriber at {rate}/s",
        "events": len(waits),
        "p50_ms": round(statistics.median(waits), 1),
        "p99_ms": round(waits[int(len(waits) * 0.99)], 1),
        "max_ms": round(waits[-1], 1),
    }


def away(
    folder: Path,
    broker: Mosquitto,
    settings: dict[str, str],
    rate: int,
    seconds: float,
) -> dict[str, object]:
    """Write while the broker is away; tell what that takes, and what comes after."""
    alone = {**settings, "SERVER__WORKER": "false"}
    count = int(rate * seconds)
    with (
        subscriber(broker.port, "fyr/events/ehealth-device") as listener,
        fyr_process(folder, settings=alone) as fyr,
        fyr_process(folder, "worker", settings=settings) as worker,
    ):
        warm_up(fyr.base)
        listener.wait_for_count(20)
        before = worker_mb(worker)
        broker.stop()
        program = [sys.executable, __file__, "--write", fyr.base, str(rate), str(count)]
        with subprocess.Popen(program, stdout=subprocess.DEVNULL) as writing:
            most = before
            while writing.poll() is None:
                most = max(most, worker_mb(worker))
                time.sleep(1)
        broker.start()
        started = time.perf_counter()
        wanted = {f"d{number}" for number in range(count)}
        heard = listener.wait_for(
            lambda all_: len(all_) >= count and wanted <= set(map(resource, all_))
        )
        took = time.perf_counter() - started
        most = max(most, worker_mb(worker))
    numbers = [int(one.properties["eventNumber"]) for one in heard]
    return {
        "row": f"broker away for {seconds:g} s at {rate}/s",
        "events": count,
        "repeated": len(heard) - len({one.id for one in heard}),
        "in_order": numbers == sorted(numbers),
        "worker_mb_before": round(before),
        "worker_mb_most": round(most),
        "all_there_after_seconds": round(took, 1),
    }


def worker_mb(worker: FyrProcess) -> float:
    """Tell the memory of a worker and its supervisor."""
    return sum(map(processes.memory_mb, processes.tree(worker.pid)))


def resource(heard: Heard) -> str:
    """Tell which resource a message is about."""
    return str(heard.body["resourceReference"]).rpartition("/")[2]


def watch(listener, count: int, came: dict[str, float]) -> None:  # type: ignore[no-untyped-def]
    """Note when each message came, by the id of its resource."""
    seen = 0
    while not all(f"d{number}" in came for number in range(count)):
        heard = listener.wait_for_count(seen + 1)
        now = time.time()
        for one in heard[seen:]:
            came.setdefault(resource(one), now)
        seen = len(heard)


def write(base: str, rate: int, count: int) -> None:
    """Write Devices by a timetable, from eight threads, and print when each was sent.

    A process of its own, as its work would hold the subscriber up.
    """
    sent: dict[str, float] = {}
    warm_up(base)
    started = time.time() + 0.2

    def work(first: int) -> None:
        with httpx.Client(base_url=base) as client:
            for number in range(first, count, 8):
                time.sleep(max(0.0, started + number / rate - time.time()))
                sent[f"d{number}"] = time.time()
                body = {"resourceType": "Device", "id": f"d{number}"}
                client.put(f"/Device/d{number}", json=body).raise_for_status()

    threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(sent))


def warm_up(base: str) -> None:
    """Have everything begun that begins with the first event."""
    with httpx.Client(base_url=base) as client:
        for number in range(20):
            body = {"resourceType": "Device", "id": f"w{number}"}
            client.put(f"/Device/w{number}", json=body).raise_for_status()
            time.sleep(0.05)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
