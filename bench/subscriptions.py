#!/usr/bin/env python
"""Subscriptions: how many criteria are looked at in a second, and how soon a hook is called.

    python bench/subscriptions.py                       SQLite
    python bench/subscriptions.py --store postgresql    the same on PostgreSQL

The first table is of one process and no database: resources held against criteria of as
many subscriptions, each with criteria of its own. The latency is that of a write sent over
HTTP until a receiver on this machine has its notification, with ``--subscriptions`` others
on the type that do not want it; writer, server, worker and receiver share the processors.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import events
import httpx

from fyr.config.settings import Settings
from fyr.core.app import build
from fyr.core.context import RequestContext
from fyr.core.model import json as fhir_json
from fyr.core.store.port import Stored
from fyr.core.testing.process import fyr_process
from fyr.core.testing.receiver import Receiver, receiving

TOPIC = "http://example.org/topics/devices"
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "category": [{"coding": [{"system": "http://c", "code": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/17"},
    "effectiveDateTime": "2026-01-08T08:00:00Z",
    "valueQuantity": {"value": 72, "unit": "/min", "code": "/min"},
}


def main() -> None:
    """Measure and print one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--rate", type=int, default=300, help="writes a second")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--subscriptions", type=int, default=100)
    options = parser.parse_args()
    for count in (1, 100, 500):
        print(json.dumps(matches(count)))
    with tempfile.TemporaryDirectory() as name, events.database(options.store) as url:
        settings = {
            "PLUGINS__ENABLED": '["search", "subscriptions"]',
            "OUTGOING__ALLOW": '["loopback"]',
            "PLUGIN__SUBSCRIPTIONS__TOPICS": json.dumps(
                [{"url": TOPIC, "resource": "Device"}]
            ),
            **({"STORE__URL": url} if url else {}),
        }
        found = latency(Path(name), settings, options)
        print(json.dumps({"store": options.store, **found}))


def matches(count: int) -> dict[str, object]:
    """Hold one resource after the other against the criteria of many subscriptions."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        application = build(
            Settings(
                data_dir=Path(folder),
                store={"url": "sqlite://"},
                security={"mode": "open"},
            )
        )
        stack.callback(application.close)
        engine = application.search
        assert engine is not None
        context = RequestContext(
            application.services.everything, "search-type", "Observation"
        )
        queries = [
            [("patient", f"Patient/{number}"), ("status", "final"), ("date", "ge2026")]
            for number in range(count)
        ]
        matchers = [
            application.database.read(
                lambda session, query=query: engine.matcher(  # type: ignore[misc]
                    session, context, "Observation", query
                )
            )
            for query in queries
        ]
        body = fhir_json.dump(OBSERVATION)
        stored = Stored(1, "Observation", "o", 1, 0, "PUT", body)
        rounds, began, found = 0, time.perf_counter(), 0
        while time.perf_counter() - began < 2:
            with engine.candidate(stored) as candidate:
                found += sum(one.meets(candidate) for one in matchers)
            rounds += 1
        seconds = time.perf_counter() - began
    return {
        "row": f"a resource against {count} subscriptions of its type",
        "matched": found // rounds,
        "resources_per_second": round(rounds / seconds),
        "criteria_per_second": round(rounds * count / seconds),
    }


def latency(
    folder: Path, settings: dict[str, str], options: argparse.Namespace
) -> dict[str, object]:
    """Write by a timetable and note when each notification comes."""
    came: dict[str, float] = {}
    count = int(options.rate * options.seconds)
    with receiving() as receiver, fyr_process(folder, settings=settings) as fyr:
        subscribe(fyr.base, receiver, options.subscriptions)
        watching = threading.Thread(target=watch, args=(receiver, count, came))
        watching.start()
        program = [
            sys.executable,
            events.__file__,
            "--write",
            fyr.base,
            str(options.rate),
            str(count),
        ]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        watching.join()
        requests = len(receiver.received)
    sent = json.loads(done.stdout)
    waits = sorted((came[id_] - at) * 1000 for id_, at in sent.items())
    return {
        "row": f"from write to hook at {options.rate}/s",
        "others": options.subscriptions,
        "events": len(waits),
        "requests": requests,
        "p50_ms": round(statistics.median(waits), 1),
        "p99_ms": round(waits[int(len(waits) * 0.99)], 1),
        "max_ms": round(waits[-1], 1),
    }


def subscribe(base: str, receiver: Receiver, others: int) -> None:
    """Make one subscription that wants all devices, and others that want none of these."""
    backport = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
    content = {"url": f"{backport}backport-payload-content", "valueCode": "id-only"}
    channel = {
        "type": "rest-hook",
        "endpoint": receiver.url,
        "payload": "application/fhir+json",
        "_payload": {"extension": [content]},
    }
    wanted = {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "bench",
        "channel": channel,
    }
    plain = {"type": "rest-hook", "endpoint": receiver.url}
    with httpx.Client(base_url=base, timeout=60) as client:
        for number in range(others):
            criteria = f"Device?identifier=x|{number}"
            one = {**wanted, "criteria": criteria, "channel": plain}
            client.post("/Subscription", json=one).raise_for_status()
        one = {**wanted, "criteria": TOPIC, "id": "all"}
        client.put("/Subscription/all", json=one).raise_for_status()
        while client.get("/Subscription/all").json()["status"] != "active":
            time.sleep(0.1)


def watch(receiver: Receiver, count: int, came: dict[str, float]) -> None:
    """Note when each event came, by the id of its resource."""
    seen = 0
    while not all(f"d{number}" in came for number in range(count)):
        heard = receiver.wait_for_count(seen + 1)
        now = time.time()
        for one in heard[seen:]:
            for entry in one.json["entry"][1:]:
                came.setdefault(entry["fullUrl"].rpartition("/")[2], now)
        seen = len(heard)


if __name__ == "__main__":
    main()
