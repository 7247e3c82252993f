"""A subscription through crashes: two workers that are killed, and a receiver that fails."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fyr.core.testing.postgres import available, running_postgres
from fyr.core.testing.process import FyrProcess, fyr_process
from fyr.core.testing.receiver import Received, Receiver, Reply, receiving
from fyr.core.testing.servers import absent

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/patients"
ROUNDS = int(os.environ.get("FYR_TEST_CRASH_ROUNDS", "6"))
SEED = int(os.environ.get("FYR_TEST_CRASH_SEED", "0")) or random.randrange(1, 10**6)
WRITES_OF_A_ROUND = 20
_PATIENCE_SECONDS = 180

SETTINGS = {
    "PLUGINS__ENABLED": '["search", "subscriptions"]',
    "PLUGIN__SUBSCRIPTIONS__TOPICS": f'[{{"url": "{TOPIC}", "resource": "Patient"}}]',
    "PLUGIN__SUBSCRIPTIONS__OFF_AFTER": "100000",
    "OUTGOING__ALLOW": '["loopback"]',
    "OUTGOING__ATTEMPTS": "100000",
    "OUTGOING__BACKOFF_SECONDS": "0.05",
    "OUTGOING__BACKOFF_MAX_SECONDS": "0.2",
    "EVENTS__LEASE_SECONDS": "1.5",
    "EVENTS__POLL_SECONDS": "0.05",
}
#: event number, resource, version
Event = tuple[int, str, int]


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    if request.param == "sqlite":
        yield SETTINGS
        return
    if available():
        absent("postgresql", available())
    with running_postgres() as server:
        yield {**SETTINGS, "STORE__URL": server.new_schema()}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def subscription(endpoint: str) -> dict[str, Any]:
    told = {"url": f"{BACKPORT}payload-content", "valueCode": "full-resource"}
    count = {"url": f"{BACKPORT}max-count", "valuePositiveInt": 5}
    return {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "to know",
        "criteria": TOPIC,
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [told]},
            "extension": [count],
        },
    }


def kill_one(worker: FyrProcess) -> None:
    """Kill the process that works, as a power cut would; its supervisor starts another."""
    for pid in worker.children():
        # One that was killed before may be gone only now.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def events_of(received: list[Received]) -> list[Event]:
    """Tell the events that were taken, in the order in which they came."""
    found = []
    for request in received:
        first, *rest = request.json["entry"]
        numbers = [
            int(part["valueString"])
            for one in first["resource"]["parameter"]
            if one["name"] == "notification-event"
            for part in one["part"]
            if part["name"] == "event-number"
        ]
        for number, entry in zip(numbers, rest, strict=True):
            resource = entry["resource"]
            version = int(resource["meta"]["versionId"])
            found.append((number, resource["id"], version))
    return found


def test_all_that_was_committed_is_told_in_order_however_often_workers_die(
    tmp_path: Path, settings: dict[str, str], receiver: Receiver
) -> None:
    luck = random.Random(SEED)
    taken: list[Received] = []

    def answers(request: Received) -> Reply:
        if luck.random() < 0.2:
            return Reply(503)
        taken.append(request)
        return Reply()

    receiver.answers = answers
    committed: list[tuple[str, int]] = []
    with ExitStack() as stack:
        alone = {**settings, "SERVER__WORKER": "false"}
        fyr = stack.enter_context(fyr_process(tmp_path, settings=alone))
        workers = [
            stack.enter_context(fyr_process(tmp_path, "worker", settings=settings))
            for _ in range(2)
        ]
        client = stack.enter_context(httpx.Client(base_url=fyr.base, timeout=60))
        client.put("/Subscription/s", json=subscription(receiver.url))
        wait_until_active(client)
        for _ in range(ROUNDS):
            for _ in range(WRITES_OF_A_ROUND):
                committed.append(write(client, luck))
            kill_one(luck.choice(workers))
        committed.append(write(client, luck, "last"))
        receiver.wait_for(
            lambda _: any(one[1:] == committed[-1] for one in events_of(list(taken)))
        )
    told = events_of(taken)
    first = {number: (id_, version) for number, id_, version in reversed(told)}

    # Repeats are of the same number and the same version; all others have one each.
    assert all(first[number] == (id_, version) for number, id_, version in told), SEED
    assert sorted(first) == list(range(1, len(first) + 1)), SEED
    assert sorted(first.values()) == sorted(committed), SEED
    # Each for the first time in the order of its number.
    assert list(dict.fromkeys(one[0] for one in told)) == sorted(first), SEED
    for id_ in {id_ for id_, _ in committed}:
        versions = [
            first[number][1] for number in sorted(first) if first[number][0] == id_
        ]
        assert versions == sorted(versions), SEED


def all_events(client: httpx.Client) -> list[str]:
    """Ask for what was told, page by page; give the ids of its resources."""
    ids: list[str] = []
    while True:
        path = f"/Subscription/s/$events?eventsSinceNumber={len(ids) + 1}"
        page = client.get(path).raise_for_status().json()["entry"][1:]
        if not page:
            return ids
        ids += [one["fullUrl"].rpartition("/")[2] for one in page]


def test_a_subscription_ends_while_events_flow_and_has_told_all_of_before(
    tmp_path: Path, receiver: Receiver
) -> None:
    settings = {**SETTINGS, "PLUGIN__SUBSCRIPTIONS__TEND_SECONDS": "0.2"}
    written: list[tuple[str, datetime]] = []
    with (
        fyr_process(tmp_path, settings=settings) as fyr,
        httpx.Client(base_url=fyr.base, timeout=60) as client,
    ):
        # Without an end at first: a busy machine may take long until it is active.
        begun = time.monotonic()
        client.put("/Subscription/s", json=subscription(receiver.url))
        wait_until_active(client)
        # Whole seconds: instants are kept to the millisecond, and what is written in the
        # middle of that of the end would be before it here only.
        left = timedelta(seconds=15 + round(4 * (time.monotonic() - begun)))
        end = datetime.now(UTC).replace(microsecond=0) + left
        body = {**subscription(receiver.url), "end": end.isoformat()}
        client.put("/Subscription/s", json=body).raise_for_status()
        wait_until_active(client)
        shaken = len(receiver.received)
        while (kept := client.get("/Subscription/s").json())["status"] == "active":
            made = client.post("/Patient", json={"resourceType": "Patient"}).json()
            at = datetime.fromisoformat(made["meta"]["lastUpdated"])
            written.append((made["id"], at))
        taken = len(receiver.received)
        client.post("/Patient", json={"resourceType": "Patient"}).raise_for_status()
        wait_until_told(fyr)
        events = all_events(client)
        sent = [id_ for _, id_, _ in events_of(receiver.received[shaken:taken])]
        later = receiver.received[taken:]

    assert (kept["status"], kept["error"]) == ("off", "its end is reached")
    of_before = [id_ for id_, at in written if at < end]
    assert of_before
    # All of before it was told and sent by the time that it was off, and nothing after.
    assert events == of_before
    assert sent == of_before
    assert later == []


def wait_until_told(fyr: FyrProcess) -> None:
    """Wait until the subscriptions have been told of all that was committed."""
    until = time.monotonic() + _PATIENCE_SECONDS
    wanted = 'fyr_consumer_lag_events{consumer="subscriptions"} 0'
    while wanted not in httpx.get(f"{fyr.url}/metrics").text:
        assert time.monotonic() < until, "it does not come to an end"
        time.sleep(0.05)


def write(client: httpx.Client, luck: random.Random, id_: str = "") -> tuple[str, int]:
    id_ = id_ or f"p{luck.randrange(8)}"
    answer = client.put(f"/Patient/{id_}", json={"resourceType": "Patient", "id": id_})
    answer.raise_for_status()
    return id_, int(answer.json()["meta"]["versionId"])


def wait_until_active(client: httpx.Client) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while client.get("/Subscription/s").json()["status"] != "active":
        assert time.monotonic() < until, "it does not become active"
        time.sleep(0.05)
