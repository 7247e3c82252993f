#!/usr/bin/env python
"""The reporting index: how fast it is fed and asked, and how far it is behind.

    python bench/reporting.py                               both indexes, 1,000,000 measurements
    python bench/reporting.py --index embedded --measurements 100000
    python bench/reporting.py --rate 300 --seconds 20       lag at 300 writes a second
    python bench/reporting.py --questions --index embedded --keep DIR
                            five questions of 1,000,000 measurements and nothing else: what
                            they are asked of is made once, and stays in DIR

Measurements are written into a SQLite store; a job makes the index of them, as
`fyr reporting rebuild` does. Then the consumer is told again of `--again` of the events,
five questions are asked, and at last a server of its own is written to by a timetable: the
lag is from the answer to a write until a question finds it. Elasticsearch has
1 GB of heap, and shares the processors with everything else.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import processes
import resources
from reporting_questions import QUESTIONS

from fyr.core.app import Application
from fyr.core.clock import utc_now
from fyr.core.events import replay
from fyr.core.jobs import Runs
from fyr.core.model import json as fhir
from fyr.core.store.open import open_database
from fyr.core.store.port import NewVersion
from fyr.core.store.resources import ResourceStore
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.elasticsearch import running_elasticsearch
from fyr.core.testing.process import fyr_process
from fyr.search import Search
from fyr.search.finding.cursors import Cursors
from fyr.search.reporting.asking.answering import Answering
from fyr.search.reporting.asking.elastic import AskedElasticsearch
from fyr.search.reporting.asking.embedded import AskedEmbedded
from fyr.search.reporting.asking.knowing import Bounds, Known
from fyr.search.reporting.asking.reading import question
from fyr.search.reporting.generations import NAME, REBUILD
from fyr.search.reporting.reporting import FILE, Reporting, open_index

#: Pids of an Elasticsearch that is measured.
SERVERS: list[int] = []
_PATIENTS = 20_000


def main() -> None:
    """Measure and print one JSON object a line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--questions", action="store_true", help="only ask them")
    parser.add_argument("--index", choices=["embedded", "elasticsearch"])
    parser.add_argument("--measurements", type=int, default=1_000_000)
    parser.add_argument("--again", type=int, default=50_000, help="events")
    parser.add_argument("--repeat", type=int, default=5, help="of each question")
    parser.add_argument("--rate", type=int, default=300, help="writes a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--keep", type=Path, help="folder for stores and indexes")
    options = parser.parse_args()
    if options.questions:
        options.again = options.rate = 0
    tell("machine", "load", minute=os.getloadavg()[0], processors=os.cpu_count())
    chosen = [options.index] if options.index else ["embedded", "elasticsearch"]
    with tempfile.TemporaryDirectory(prefix="fyr-bench-") as name:
        for kind in chosen:
            folder = store_of(options.keep or Path(name), kind, options.measurements)
            server = options.keep / "server" if options.keep else None
            with index_options(kind, server) as reporting:
                measure(kind, folder, reporting, options)
                if options.rate and options.seconds:
                    lag(kind, reporting, options.rate, options.seconds)


def store_of(folder: Path, kind: str, count: int) -> Path:
    """Give the folder with the store that an index is made of; make what is missing.

    Each index has a store of its own, which knows what was made of it.
    """
    first = folder / f"store-{count}"
    if not (first / "fyr.db").exists():
        part = folder / f"part-{count}"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        tell("store", "measurements written", count / fill(part, count))
        part.rename(first)
    own = folder / f"{kind}-{count}"
    if not own.exists():
        part = folder / f"part-{kind}-{count}"
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(first, part)
        part.rename(own)
    return own


def tell(index: str, row: str, per_second: float = 0.0, **more: object) -> None:
    """Print one row."""
    told: dict[str, object] = {"index": index, "row": row}
    if per_second:
        told["per_second"] = round(per_second)
    print(json.dumps({**told, **more}), flush=True)


def fill(folder: Path, count: int) -> float:
    """Store measurements without the search index; tell how long that took."""
    database = open_database(settings(folder, {}))
    store, chance = ResourceStore(database), random.Random(11)
    begun = time.perf_counter()
    try:
        for start in range(0, count, 500):
            new = [
                version(chance, number)
                for number in range(start, min(start + 500, count))
            ]
            database.write(lambda session, new=new: store.put(session, new))
    finally:
        database.close()
    return time.perf_counter() - begun


def version(chance: random.Random, number: int) -> NewVersion:
    """Make the first version of a measurement."""
    patient = f"Patient/{chance.randrange(_PATIENTS)}"
    body = {**resources.observation(chance, patient), "id": f"o{number}"}
    text = fhir.dump(body)
    return NewVersion("Observation", f"o{number}", 1, 1_760_000_000_000, "POST", text)


def settings(folder: Path, reporting: dict[str, object]) -> Any:
    """Make the settings of an application on the store of a folder."""
    options = {
        "store": {"url": f"sqlite:///{folder}/fyr.db"},
        "reporting": reporting,
        "plugins": {"enabled": ["search", "clinical", "administrative"]},
    }
    return settings_with(options, folder)


@contextmanager
def index_options(kind: str, keep: Path | None) -> Iterator[dict[str, object]]:
    """Give the table ``[reporting]`` of an index, in a folder that is kept if so."""
    if kind == "embedded":
        yield {"url": "embedded"}
        return
    with running_elasticsearch(fast=False, heap_megabytes=1024, keep=keep) as server:
        if server.process is not None:
            SERVERS.append(server.process.pid)
        yield server.options("bench")
        SERVERS.clear()


class Clock:
    """Seconds since it was made, by the clock and by processors; all take part in both."""

    def __init__(self) -> None:
        """Begin now."""
        self._wall, self._own = time.perf_counter(), time.process_time()
        self._server = processes.cpu_seconds(SERVERS)

    def seconds(self) -> float:
        """Tell what a clock on the wall would."""
        return time.perf_counter() - self._wall

    def cpu(self) -> float:
        """Tell what this process and Elasticsearch have used of processors."""
        server = processes.cpu_seconds(SERVERS) - self._server
        return time.process_time() - self._own + server


def measure(
    kind: str, folder: Path, reporting: dict[str, object], options: Any
) -> None:
    """Make the index, feed it again, and ask it."""
    with application(settings(folder, reporting), utc_now) as app:
        clock = Clock()
        if make(app):
            rated(kind, "index made by the job", options.measurements, clock)
        if options.again:
            again(kind, app, min(options.again, options.measurements))
        found = reporting_of(app)
        found.as_of()
        if kind == "embedded":
            size = sum(one.stat().st_size for one in folder.glob(f"{FILE}*"))
            tell(kind, "bytes a measurement", bytes=size // options.measurements)
        ask(kind, found, options.repeat)


def make(app: Application) -> bool:
    """Run the job that makes the index, and no other; tell whether there was one."""
    runs, made = Runs(app.jobs, app.settings.events), False
    for context in runs.claim(10, threading.Event()):
        if context.name == REBUILD:
            runs.run(context)
            state = app.jobs.state(context.id)
            if state.state != "done":
                raise RuntimeError(state.error)
            made = True
    return made


def again(kind: str, app: Application, count: int) -> None:
    """Have the consumer take events again, in batches as it always does."""
    replay(app.outbox, NAME, app.outbox.head() - count)
    app.relay.outbox.sequencer.advance()
    clock = Clock()
    app.relay.deliver(NAME, threading.Event())
    rated(kind, "consumer, backlog", count, clock)


def rated(kind: str, row: str, count: int, clock: Clock) -> None:
    """Tell how many a second, and what each takes of a processor."""
    microseconds = round(clock.cpu() / count * 1e6)
    tell(kind, row, count / clock.seconds(), cpu_us=microseconds)


def ask(kind: str, reporting: Reporting, repeat: int) -> None:
    """Ask each question some times; tell the median."""
    index: Any = reporting.index
    asked = AskedEmbedded(index) if kind == "embedded" else AskedElasticsearch(index)
    bounds = Bounds(seconds=600)
    known = Known(reporting.projections.by_type, utc_now, bounds)
    answering = Answering(asked, Cursors(b"x" * 32, utc_now, 3600))
    for name, sent in QUESTIONS.items():
        seconds, cpu, rows = [], [], 0
        for _ in range(repeat):
            clock = Clock()
            rows = len(answering.answer(question(sent, known), known, "me").rows)
            seconds.append(clock.seconds())
            cpu.append(clock.cpu())
        tell(
            kind,
            name,
            seconds=round(statistics.median(seconds), 3),
            at_most=round(max(seconds), 3),
            cpu_seconds=round(statistics.median(cpu), 3),
            rows=rows,
        )


def reporting_of(app: Application) -> Reporting:
    """Give the index of an application."""
    (search,) = [one.target for one in app.plugins if isinstance(one.target, Search)]
    assert search.reporting is not None
    return search.reporting


def lag(kind: str, reporting: dict[str, object], rate: int, seconds: float) -> None:
    """Write to a server by a timetable, and tell when each write was found."""
    told = {**reporting, "index_prefix": "lag"} if kind != "embedded" else reporting
    table = {f"REPORTING__{name.upper()}": str(value) for name, value in told.items()}
    with (
        tempfile.TemporaryDirectory(prefix="fyr-bench-") as name,
        fyr_process(Path(name), settings=table) as fyr,
    ):
        folder = Path(name)
        count = int(rate * seconds)
        warm_up(fyr.base)
        index: Any = open_index(settings_with({"reporting": told}, folder / "data"))
        while index.shown() is None:
            time.sleep(0.1)
        came: dict[str, float] = {}
        watching = threading.Thread(target=watch, args=(kind, index, count, came))
        watching.start()
        program = [sys.executable, __file__, "--write", fyr.base, str(rate), str(count)]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        watching.join()
        index.close()
    acknowledged = json.loads(done.stdout)
    waits = sorted((came[id_] - at) * 1000 for id_, at in acknowledged.items())
    tell(
        kind,
        f"lag at {rate} writes/s",
        events=len(waits),
        written_per_second=round(
            count / (max(acknowledged.values()) - min(acknowledged.values()))
        ),
        p50_ms=round(statistics.median(waits)),
        p99_ms=round(waits[int(len(waits) * 0.99)]),
        max_ms=round(waits[-1]),
    )


def watch(kind: str, index: Any, count: int, came: dict[str, float]) -> None:
    """Note when each measurement was found first, by its id."""
    waiting = {f"o{number}" for number in range(count)}
    while waiting:
        asked = sorted(waiting, key=lambda one: int(one[1:]))[:1000]
        index.refresh()
        found = there(kind, index, asked)
        now = time.time()
        came.update(dict.fromkeys(found, now))
        waiting.difference_update(found)
        time.sleep(0.05)


def there(kind: str, index: Any, ids: Sequence[str]) -> list[str]:
    """Tell which of some measurements are found."""
    if kind == "embedded":
        sql = (
            'SELECT id FROM "Observation" WHERE id IN (SELECT value FROM json_each(?))'
        )
        return [row[0] for row in index.rows(sql, (json.dumps(ids),))]
    body = {"query": {"ids": {"values": ids}}, "size": len(ids), "_source": False}
    return [hit["_id"] for hit in index.search("Observation", body)["hits"]["hits"]]


def warm_up(base: str) -> None:
    """Have everything begun that begins with the first writes."""
    chance = random.Random(3)
    with httpx.Client(base_url=base) as client:
        for number in range(20):
            body = {**resources.observation(chance, "Patient/1"), "id": f"w{number}"}
            client.put(f"/Observation/w{number}", json=body).raise_for_status()
            time.sleep(0.1)


def write(base: str, rate: int, count: int) -> None:
    """Write by a timetable, from eight threads, and print when each was answered."""
    answered: dict[str, float] = {}
    chance = random.Random(7)
    bodies = [
        {**resources.observation(chance, f"Patient/{number % 50}"), "id": f"o{number}"}
        for number in range(count)
    ]
    started = time.time() + 0.2

    def work(first: int) -> None:
        with httpx.Client(base_url=base, timeout=60) as client:
            for number in range(first, count, 8):
                time.sleep(max(0.0, started + number / rate - time.time()))
                path = f"/Observation/o{number}"
                client.put(path, json=bodies[number]).raise_for_status()
                answered[f"o{number}"] = time.time()

    threads = [threading.Thread(target=work, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(answered))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
