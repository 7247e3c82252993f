"""A made-up machine of loans, kept as Basic resources, and an application that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fyr.core import ErrorCode, Machine, Plugin, Step, hookimpl
from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PATIENT, PRACTITIONER

STATE = "urn:loan:state"
LOAN = {"coding": [{"code": "loan"}]}
NOT_SO = ErrorCode("LOAN_NOT_SO", 422, "A loan cannot go from %s to %s.", "loans")
NO_READER = ErrorCode("LOAN_NO_READER", 422, "A loan needs a reader.", "loans")
#: What effects have done.
done: list[str] = []


def state_of(resource: dict[str, Any]) -> str:
    parts = resource.get("extension", [])
    return next((one["valueCode"] for one in parts if one["url"] == STATE), "")


def loan(state: str, **more: Any) -> dict[str, Any]:
    extension = [{"url": STATE, "valueCode": state}]
    return {"resourceType": "Basic", "code": LOAN, "extension": extension, **more}


def has_reader(transition):
    if "subject" not in transition.new:
        yield NO_READER.issue(expression=("Basic.subject",))


def has_date(transition):
    if "created" not in transition.new:
        yield NO_READER.error(expression=("Basic.created",))


def stamp(transition):
    done.append(f"{transition.start} to {transition.end}")
    transition.new["language"] = "da"


LOANS = Machine(
    "loan",
    "Basic",
    (
        Step(None, "wanted"),
        Step(
            "wanted",
            "lent",
            by={"PRACTITIONER"},
            when=(has_reader, has_date),
            then=(stamp,),
        ),
        Step("lent", "returned", by={"PRACTITIONER", "PATIENT"}),
        Step("wanted", "dropped"),
        Step("returned", "returned", by={"PRACTITIONER"}),
        Step("dropped", None),
    ),
    state=state_of,
    holds=lambda resource: resource.get("code") == LOAN,
    refused=NOT_SO,
    what="Books that are lent.",
)


def plugin_of(*machines: Machine) -> type[Plugin]:
    class Made(Plugin):
        @hookimpl
        def register_machines(self):
            return machines

    return Made


@contextmanager
def library(folder: Path, *machines: Machine, **options: Any) -> Iterator[Application]:
    done.clear()
    settings = settings_with(options, folder)
    with application(settings, FakeClock(), {"loans": plugin_of(*machines)}) as built:
        yield built


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with library(tmp_path, LOANS) as built:
        yield built


@pytest.fixture
def system(app: Application) -> Client:
    """Anybody at a server in open mode: a system."""
    return client_of(app)


@pytest.fixture
def nurse(system: Client) -> Client:
    return system.acting_as(PRACTITIONER)


@pytest.fixture
def citizen(system: Client) -> Client:
    return system.acting_as(PATIENT)
