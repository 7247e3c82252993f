"""Plugins that sleep, and that leave threads or memory behind: what the others get.

Nobody can stop a thread of Python, so a hook that sleeps holds the request that it was
asked for, and that one only.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Change, Plugin, RequestContext, hookimpl
from fyr.core.testing import Client, FakeClock
from fyr.core.testing.applications import (
    Server,
    application,
    client_of,
    serving,
    settings_with,
)

PATIENT = {"resourceType": "Patient", "id": "1", "name": [{"family": "Bell"}]}
#: For what has happened long before, unless something is wrong.
PATIENCE = 60.0
HELD = "sleepy"


class Sleep:
    """Holds whoever is to sleep, until it is over."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.sleeping = threading.Semaphore(0)

    def __call__(self) -> None:
        self.sleeping.release()
        assert self.over.wait(PATIENCE)


def sleeper_in(hook: str, sleep: Sleep) -> type[Plugin]:
    """Make a plugin that sleeps in a hook, for requests that ask for it."""

    def body(context: RequestContext) -> Any:
        if HELD in (context.resource_id, context.trace_id):
            sleep()

    space: dict[str, Any] = {"body": body}
    exec(f"def {hook}(context): return body(context)", space)
    return type("Sleeper", (Plugin,), {hook: staticmethod(hookimpl(space[hook]))})


@pytest.fixture
def sleep() -> Iterator[Sleep]:
    made = Sleep()
    yield made
    made.over.set()


def read(server: Server, identity: str, trace: str = "") -> int:
    url = f"{server.base}/Patient/{identity}"
    request = urllib.request.Request(url, headers={"X-Request-Id": trace or "other"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert json.load(answer)["id"] == identity
        return int(answer.status)


@pytest.mark.parametrize(
    "hook", ["request_received", "authenticate", "authorize", "before_interaction"]
)
def test_requests_go_on_while_those_of_others_sleep_in_a_hook(
    tmp_path: Path, hook: str, sleep: Sleep
) -> None:
    plugins = {"sleeper": sleeper_in(hook, sleep)}
    settings = settings_with({"store": {"url": "sqlite:///fyr.db"}}, tmp_path)
    with application(settings, FakeClock(), plugins) as built:
        assert client_of(built).put("/fhir/Patient/1", PATIENT).status == 201
        with serving(built) as server, ThreadPoolExecutor(8) as pool:
            held = [pool.submit(read, server, "1", HELD) for _ in range(3)]
            for _ in held:
                assert sleep.sleeping.acquire(timeout=PATIENCE)
            others = [read(server, "1") for _ in range(20)]
            asleep = [one.done() for one in held]
            sleep.over.set()
            woken = [one.result(PATIENCE) for one in held]

    assert others == [200] * 20
    assert asleep == [False] * 3
    assert woken == [200] * 3


def test_others_are_told_of_changes_while_one_sleeps(
    tmp_path: Path, store_url: str, sleep: Sleep
) -> None:
    heard: list[str] = []
    all_heard = threading.Event()

    class Sleeper(Plugin):
        @hookimpl
        def deliver(self, change: Change) -> None:
            sleep()

    class Sound(Plugin):
        @hookimpl
        def deliver(self, change: Change) -> None:
            heard.append(change.id)
            if len(heard) == 10:
                all_heard.set()

    url = "sqlite:///fyr.db" if store_url == "sqlite://" else store_url
    settings = settings_with({"store": {"url": url}}, tmp_path)
    plugins = {"sleeper": Sleeper, "sound": Sound}
    with application(settings, FakeClock(), plugins) as built:
        client, worker = client_of(built), built.worker()
        worker.drain()  # it begins with what comes next
        stop = threading.Event()
        running = threading.Thread(target=worker.run, args=(stop,))
        running.start()
        try:
            client.put("/fhir/Patient/0", {**PATIENT, "id": "0"})
            assert sleep.sleeping.acquire(timeout=PATIENCE)
            for number in range(1, 10):
                body = {**PATIENT, "id": str(number)}
                client.put(f"/fhir/Patient/{number}", body)
            told = all_heard.wait(PATIENCE)
        finally:
            sleep.over.set()
            stop.set()
            worker.wake()
            running.join()

    assert told
    assert heard == [str(number) for number in range(10)]


def test_threads_and_memory_that_are_left_behind_cost_no_answer(
    tmp_path: Path, store_url: str, sleep: Sleep
) -> None:
    left: list[threading.Thread] = []
    kept: list[bytearray] = []

    class Leaking(Plugin):
        @hookimpl
        def completed(self, context: RequestContext) -> None:
            kept.append(bytearray(100_000))
            thread = threading.Thread(target=sleep.over.wait, daemon=True)
            thread.start()
            left.append(thread)

    settings = settings_with({"store": {"url": store_url}}, tmp_path)
    with application(settings, FakeClock(), {"leaking": Leaking}) as built:
        client = client_of(built)
        first = client.put("/fhir/Patient/1", PATIENT).status
        answers = [client.get("/fhir/Patient/1").status for _ in range(200)]
        found = client.get("/fhir/Patient?family=Bell").resources
        built.worker().drain()

    assert (first, set(answers), len(found)) == (201, {200}, 1)
    # It did leak, and closing the application did not wait for its threads.
    assert all(one.is_alive() for one in left)
    assert len(kept) == len(left) == 202
    sleep.over.set()
    for one in left:
        one.join(PATIENCE)


def _registered(client: Client) -> Any:
    crn = {"system": "urn:oid:1.2.208.176.1.2", "value": "2512484916"}
    parameters = [{"name": "crn", "valueIdentifier": crn}]
    body = {"resourceType": "Parameters", "parameter": parameters}
    return client.post("/fhir/Patient/$createPatient", body)


def _fails() -> Any:
    raise RuntimeError("the password is swordfish")


def _leaves() -> Any:
    raise SystemExit("the password is swordfish")


@pytest.mark.parametrize("misdeed", [_fails, _leaves, object])
def test_a_register_that_misbehaves_makes_no_patient(
    tmp_path: Path, store_url: str, misdeed: Any
) -> None:
    asked: list[str] = []

    class Register(Plugin):
        @hookimpl
        def look_up_person(self, number: str) -> Any:
            asked.append(number)
            return misdeed()

    options = {
        "store": {"url": store_url},
        "plugins": {"enabled": ["search", "administrative"]},
    }
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), {"register": Register}) as built:
        client = client_of(built)
        answer = _registered(client)
        there = client.get("/fhir/Patient").resources
        alive = client.put("/fhir/Organization/1", ORGANIZATION).status

    assert asked
    assert answer.status == 500
    assert answer.json["resourceType"] == "OperationOutcome"
    assert b"swordfish" not in answer.body
    assert (there, alive) == ([], 201)


ORGANIZATION = {"resourceType": "Organization", "id": "1", "name": "Strandby"}
