"""What plain writes refuse: a code of the catalogue each, at a place in what was sent.

The twin of the walk over operations: all tables of states, and what spoils a resource, as
who is held to it, at the services that offer the write. Access control is not there, so
that nothing else refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest

from fyr.core import Machine
from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import (
    Events,
    application,
    client_of,
    settings_with,
    store,
)
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock
from fyr.core.workflow.page import known_machines

from .guide import PATCH
from .refusals import SYSTEM, assert_told
from .refused.cases import (
    ALL_WRITES,
    AROUND,
    BY_MACHINE,
    cases,
    in_state,
    is_listed,
    pairs,
    patch,
)
from .refused.writes import ALL, Case
from .spoiling import Body

#: What a text tells that was made for programs, and not for people.
_FOR_PROGRAMS = re.compile(
    r"(?<!category )\bNone\b|[{}<>]|\bTrue\b|\bFalse\b|\['|Traceback|%s"
)


@dataclass(frozen=True)
class World:
    """A server without access control, and what is stored and told there."""

    built: Application
    everything: Client
    events: Events

    def at(self, service: str, user: str) -> Client:
        """Give a client of a service, of a type of user."""
        privileges = frozenset(
            f"RestrictionCategory${one}" for one in ("measurement-monitoring", "None")
        )
        who = Principal(user, f"test-{user.lower()}", privileges)
        path = "/fhir" if service == "fhir" else f"/{service}/fhir"
        return Client(self.everything.wsgi, path).acting_as(who)

    def stored(self, reference: str) -> Any:
        return self.built.act(lambda acting: acting.read(reference))

    def put(self, resource: Body) -> str:
        return store(self.built, resource)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    enabled = ["search", "administrative", "clinical"]
    options = {"plugins": {"enabled": enabled}, "fhir": {"error_coding": SYSTEM}}
    settings = settings_with(options, tmp_path_factory.mktemp("refusing"))
    with application(settings, FakeClock()) as built:
        made = World(built, client_of(built), Events(built))
        for resource in AROUND:
            made.put(resource)
        for about in ALL_WRITES:
            made.put(about.good)
        yield made


def send(world: World, case: Case) -> Answer:
    client = world.at(case.about.service, case.user)
    if case.method == "create":
        return client.create({k: v for k, v in case.sent.items() if k != "id"})
    reference = f"{case.about.kind}/{case.sent['id']}"
    if case.method == "update":
        return client.update(case.sent)
    if case.method == "delete":
        return client.delete(reference)
    stored = world.stored(reference)
    kept = {one: stored[one] for one in stored if one not in case.about.good}
    kept["meta"] = {**case.sent.get("meta", {}), **stored["meta"]}
    return client.patch(
        reference, patch(stored, {**kept, **case.sent, "meta": kept["meta"]}), PATCH
    )


def assert_refused(world: World, case: Case) -> None:
    """Send what is refused; see that nothing came of it, and that all of it is told."""
    reference = f"{case.about.kind}/{case.sent['id']}"
    before = world.stored(reference)
    world.events.new()

    answer = send(world, case)

    if answer.status == 403:
        # The one refusal of the tables that has no code: of who writes no such thing.
        assert answer.issues == [f"users of type {case.user} do not write this"]
    else:
        assert answer.status == 422, answer.body
        told = assert_told(answer, case.sent)
        assert case.codes <= set(told), (told, answer.issues)
    for sentence in answer.issues:
        assert " " in sentence, sentence
        assert not _FOR_PROGRAMS.search(sentence), sentence
    assert world.events.new() == []
    assert world.stored(reference) == before


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name) for name, case in cases()]
)
def test_a_write_that_is_refused_is_told_why_and_changes_nothing(world, case) -> None:
    assert_refused(world, case)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name) for name, case in pairs()]
)
def test_all_that_is_wrong_with_a_write_is_told_at_once(world, case) -> None:
    assert_refused(world, case)


def steps() -> Iterator[Any]:
    """Go through the states of all tables; ``None`` is before there is anything."""
    for machine in known_machines():
        for start in (None, *machine.states):
            yield pytest.param(machine, start, id=f"{machine.name} from {start}")


def test_the_walk_goes_through_all_tables() -> None:
    assert {one.name for one in known_machines()} == set(BY_MACHINE)


@pytest.mark.parametrize(("machine", "start"), list(steps()))
def test_a_step_that_is_in_no_table_is_told_why_and_changes_nothing(
    world, machine, start
) -> None:
    about = BY_MACHINE[machine.name]
    if start is not None:
        identity = f"{machine.name}-{start}"
        world.put(in_state(machine, about.good, start, identity))
    for case in unlisted(machine, start):
        assert_refused(world, case)


def unlisted(machine: Machine, start: str | None) -> Iterator[Case]:
    """Make the writes that a table does not list, by all types of users."""
    about = BY_MACHINE[machine.name]
    identity = f"{machine.name}-{start}"
    for user in ALL:
        for end in machine.states:
            if start is None and not about.is_created:
                continue
            if not is_listed(machine, start, end, user):
                method = "create" if start is None else about.change
                sent = in_state(machine, about.good, end, identity)
                yield Case(about, method, user, sent, frozenset())
        deletes = start is not None and machine.guards_deletes
        if deletes and not is_listed(machine, start, None, user):
            sent = in_state(machine, about.good, str(start), identity)
            yield Case(about, "delete", user, sent, frozenset())


@pytest.mark.parametrize(
    "status", ["active", "on-hold", "stopped", "completed", "entered-in-error"]
)
def test_what_was_ever_in_use_is_not_deleted_and_what_was_not_is(world, status) -> None:
    statement = {**BY_MACHINE["device-use-statement"].good, "status": "intended"}
    fhir = world.at("fhir", "SYSTEM")
    unused, used = (
        fhir.create({k: v for k, v in statement.items() if k != "id"}).json
        for _ in range(2)
    )
    assert fhir.update({**used, "status": status}).status == 200

    refused = fhir.delete(f"DeviceUseStatement/{used['id']}")

    assert refused.status == 422, refused.body
    (text,) = refused.issues
    assert text.endswith("a DeviceUseStatement that has been in use is not deleted")
    assert fhir.delete(f"DeviceUseStatement/{unused['id']}").status in (200, 204)


@pytest.mark.parametrize("about", ALL_WRITES, ids=lambda one: one.kind)
def test_what_the_walk_spoils_is_taken_as_it_is(world, about) -> None:
    for user in about.users:
        if about.is_created:
            new = Case(about, "create", user, deepcopy(about.good), frozenset())
            if about.kind != "Communication" or user != "SYSTEM":
                answer = send(world, new)
                assert answer.status == 201, answer.body
        again = Case(about, about.change, user, deepcopy(about.good), frozenset())
        answer = send(world, again)
        assert answer.status == 200, answer.body
