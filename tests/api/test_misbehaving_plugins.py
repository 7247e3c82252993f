"""A plugin that misbehaves in one hook: what the others get, and that nothing is lost.

For each hook that requests and events meet, whatever it is: the hooks are read from their
specifications, so that a new one is tried here as well.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Change, Plugin, hookimpl
from fyr.core.hooks.markers import Moment, Policy
from fyr.core.hooks.specs import RULES, SPECIFICATIONS
from fyr.core.testing import Client, FakeClock
from fyr.core.testing.applications import application, client_of, settings_with

#: Part of what the plugin says; no client may read it.
SECRET = "the password is swordfish"
HOOKS = [
    name
    for name, rule in RULES.items()
    if rule.moment in (Moment.REQUEST, Moment.EVENT)
]
#: Hooks that no plain read, search or write meets: test_plugins_that_sleep_or_leak.py
#: and tasks/test_breaking_engines.py try them.
ASKED_BY_AREAS = {"look_up_person", "look_up_content", "evaluate_rules"}
MET = [name for name in HOOKS if name not in ASKED_BY_AREAS]
PATIENT = {"resourceType": "Patient", "id": "1", "name": [{"family": "Bell"}]}


def raises(_given: dict[str, Any]) -> Any:
    raise RuntimeError(SECRET)


def exits(_given: dict[str, Any]) -> Any:
    sys.exit(SECRET)


def runs_deep(given: dict[str, Any]) -> Any:
    return runs_deep(given)


def answers_nonsense(_given: dict[str, Any]) -> Any:
    return object()


def empties_what_it_is_given(given: dict[str, Any]) -> Any:
    for one in given.values():
        if isinstance(one, dict | list | set):
            one.clear()


def forgets_the_type(given: dict[str, Any]) -> Any:
    for name in ("resource", "new", "statement"):
        if isinstance(given.get(name), dict):
            given[name].pop("resourceType", None)


MISDEEDS = [
    raises,
    exits,
    runs_deep,
    answers_nonsense,
    empties_what_it_is_given,
    forgets_the_type,
]


class World:
    """A server with the plugin, which misbehaves while it is told to."""

    def __init__(self, hook: str, misdeed: Callable[[dict[str, Any]], Any]) -> None:
        self.misbehaves = False
        self.calls = 0
        self.delivered: list[tuple[str, int]] = []
        names = list(inspect.signature(SPECIFICATIONS[hook]).parameters)

        def body(given: dict[str, Any]) -> Any:
            if not self.misbehaves:
                return None
            self.calls += 1
            return misdeed(given)

        space: dict[str, Any] = {"body": body}
        told = ", ".join(f"{name}={name}" for name in names)
        exec(f"def {hook}({', '.join(names)}): return body(dict({told}))", space)
        bad = {hook: staticmethod(hookimpl(space[hook]))}
        self.plugins = {
            "bad": type("Bad", (Plugin,), bad),
            "sound": type(
                "Sound", (Plugin,), {"deliver": staticmethod(self._deliver())}
            ),
        }

    def _deliver(self) -> Callable[[Change], None]:
        @hookimpl
        def deliver(change: Change) -> None:
            self.delivered.append((f"{change.type}/{change.id}", change.version))

        return deliver


@pytest.fixture
def world(hook: str, misdeed: Callable[[dict[str, Any]], Any]) -> World:
    return World(hook, misdeed)


@pytest.fixture
def app(world: World, tmp_path: Path, store_url: str) -> Iterator[Any]:
    options = {"events": {"attempts": 2}, "store": {"url": store_url}}
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), world.plugins) as built:
        yield built


def script(client: Client, host: str = "localhost") -> list[Any]:
    """Do what clients do: some writes, all kinds of reads.

    :param host: name by which the statement is asked for; one for each is made and kept.
    """
    body = {**PATIENT, "id": "2"}
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": body, "request": {"method": "PUT", "url": "Patient/2"}},
        ],
    }
    return [
        client.put("/fhir/Patient/1", {**PATIENT, "active": True}),
        client.post("/fhir/Patient", {"resourceType": "Patient"}),
        client.post("/fhir", bundle),
        client.get("/fhir/Patient/1"),
        client.get("/fhir/Patient/1/_history"),
        client.get("/fhir/Patient?family=Bell"),
        client.get("/fhir/metadata", Host=host),
        client.delete("/fhir/Patient/2"),
        client.get("/fhir/Patient/nobody"),
    ]


def versions(client: Client) -> list[tuple[str, int]]:
    """Tell all that is stored, by reading it."""
    history = client.get("/fhir/_history?_count=1000").json
    return sorted(
        (
            "/".join(one["request"]["url"].split("/")[:2])
            if one["request"]["method"] != "POST"
            else f"Patient/{one['resource']['id']}",
            int(one["response"]["etag"].strip('W/"')),
        )
        for one in history.get("entry", ())
    )


@pytest.mark.parametrize("misdeed", MISDEEDS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("hook", MET)
def test_a_server_outlives_a_plugin_that_misbehaves_in_a_hook(
    world: World, app: Any, hook: str, misdeed: Callable[[dict[str, Any]], Any]
) -> None:
    client = client_of(app)
    expected = [one.status for one in script(client, "127.0.0.1")]
    before = versions(client)
    world.misbehaves = True
    answers = script(client)
    app.worker().drain()
    world.misbehaves = False
    after = versions(client)
    healed = [one.status for one in script(client)]
    app.worker().drain()

    assert world.calls, f"{hook} was not asked"
    for one in answers:
        assert SECRET.encode() not in one.body
        if one.status >= 400:
            assert one.json["resourceType"] == "OperationOutcome"
    failing = misdeed in (raises, exits, runs_deep)
    if failing and RULES[hook].policy is not Policy.ABORT:
        assert [one.status for one in answers] == [200, *expected[1:]]
    # What was there before is there, and whatever was stored is whole.
    assert set(before) <= set(after)
    assert healed == [200, *expected[1:]]
    for url, version in versions(client):
        read = client.get(f"/fhir/{url}/_history/{version}")
        assert read.status == 410 or read.json["resourceType"] == "Patient"
    # Who was told of changes has heard of every one, and of nothing else.
    assert sorted(set(world.delivered)) == versions(client)
