"""Plugins that sleep, and that leave threads or memory behind: what the others get.

Nobody can stop a thread of Python, so a hook that sleeps holds the request that it was
asked for, and that one only.
"""

from __future__ import annotations

import inspect
import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Change, Plugin, RequestContext, hookimpl
from fyr.core.hooks.markers import Moment
from fyr.core.hooks.specs import RULES, SPECIFICATIONS
from fyr.core.testing import Client, FakeClock
from fyr.core.testing.applications import (
    Server,
    application,
    client_of,
    serving,
    settings_with,
)

PATIENT = {"resourceType": "Patient", "id": "1", "name": [{"family": "Bell"}]}
#: Material whose content is at a URL.
LEAFLET = {
    "resourceType": "DocumentReference",
    "meta": {
        "profile": [
            "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-documentreference"
        ]
    },
    "status": "current",
    "category": [
        {
            "coding": [
                {
                    "system": "http://ehealth.sundhed.dk/cs/material-category",
                    "code": "general-material",
                }
            ]
        }
    ],
    "content": [{"attachment": {"url": "https://example.org/leaflet", "size": 1}}],
}
#: For what has happened long before, unless something is wrong.
PATIENCE = 180
HELD = "sleepy"
#: Hooks that requests meet, read from the specifications: a new one is tried here, too.
ASKED = {name for name, rule in RULES.items() if rule.moment is Moment.REQUEST}
READS = ("Patient/1", "Patient/1/_history", "Patient?family=Bell", "metadata")


class Sleep:
    """Holds whoever is to sleep, until it is over."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.sleeping = threading.Semaphore(0)
        self.lock = threading.Lock()
        self.armed = False

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


def sleeper_at_the_first_call(hook: str, sleep: Sleep) -> type[Plugin]:
    """Make a plugin that sleeps in a hook, once, when that is armed."""

    def body() -> None:
        with sleep.lock:
            armed, sleep.armed = sleep.armed, False
        if armed:
            sleep()

    names = ", ".join(inspect.signature(SPECIFICATIONS[hook]).parameters)
    space: dict[str, Any] = {"body": body}
    exec(f"def {hook}({names}): return body()", space)
    return type("Sleeper", (Plugin,), {hook: staticmethod(hookimpl(space[hook]))})


def meets_all_hooks(client: Client) -> list[int]:
    """Do what meets each hook that requests meet."""
    return [
        client.put("/fhir/Patient/2", {**PATIENT, "id": "2"}).status,
        client.get("/fhir/Patient/1").status,
        client.get("/fhir/Patient?family=Bell").status,
        # A statement is made anew for each host.
        client.get("/fhir/metadata", Host="localhost").status,
        _registered(client).status,
        client.post("/plan/fhir/DocumentReference", LEAFLET).status,
    ]


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


@pytest.mark.parametrize("hook", sorted(ASKED))
def test_reads_of_others_go_on_while_one_request_sleeps_in_a_hook(
    tmp_path: Path, hook: str, sleep: Sleep
) -> None:
    """Each hook that requests meet; whatever lock the sleeper holds, they read."""
    plugins = {"sleeper": sleeper_at_the_first_call(hook, sleep)}
    options = {
        "store": {"url": "sqlite:///fyr.db"},
        "plugins": {"enabled": ["search", "administrative", "clinical"]},
    }
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), plugins) as built:
        client = client_of(built)
        assert client.put("/fhir/Patient/1", PATIENT).status == 201
        sleep.armed = True
        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(meets_all_hooks, client_of(built))
            assert sleep.sleeping.acquire(timeout=PATIENCE)
            others = [client.get(f"/fhir/{url}").status for url in READS]
            asleep = not held.done()
            sleep.over.set()
            woken = held.result(PATIENCE)
        after = client.put("/fhir/Patient/2", {**PATIENT, "id": "2"}).status

    assert others == [200] * len(READS)
    assert asleep
    # Nobody knows that person.
    assert woken == [201, 200, 200, 200, 422, 201]
    assert after == 200


def test_a_call_that_takes_long_is_told_of_by_plugin_and_hook(
    tmp_path: Path, sleep: Sleep
) -> None:
    options = {
        "store": {"url": "sqlite:///fyr.db"},
        # Longer than any other hook takes, on a machine that has much to do.
        "plugins": {"slow_hook_seconds": 2.0},
    }
    settings = settings_with(options, tmp_path)
    plugins = {"sleeper": sleeper_in("authorize", sleep)}
    seen = threading.Event()
    with application(settings, FakeClock(), plugins) as built:
        client, watch = client_of(built), built.plugins.watch
        client.put("/fhir/Patient/1", PATIENT)
        counted = watch.on_slow

        def slow(plugin: str, hook: str) -> None:
            assert counted is not None
            counted(plugin, hook)
            seen.set()

        watch.on_slow = slow
        with serving(built) as server, ThreadPoolExecutor(1) as pool:
            held = pool.submit(read, server, "1", HELD)
            assert seen.wait(PATIENCE)
            ready = client.get("/health/ready").json
            told = {one["name"]: one for one in built.plugins.report()}
            problems = built.plugins.problems()
            metrics = client.get("/metrics").body.decode()
            sleep.over.set()
            woken = held.result(PATIENCE)

    assert ready["ports"]["plugins"]["impaired"] == 1
    assert list(problems) == ["sleeper"]
    assert problems["sleeper"].startswith("authorize takes long: ")
    assert 'fyr_plugin_slow_calls_total{hook="authorize",plugin="sleeper"}' in metrics
    assert woken == 200
    assert told["sleeper"]["slow_calls"] == 1
    assert told["sleeper"]["problem"].startswith("authorize takes long: ")


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
