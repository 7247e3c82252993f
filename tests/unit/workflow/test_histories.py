"""Histories that the server keeps, whatever clients send there."""

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import client_of
from fyr.core.testing.client import Client
from fyr.core.testing.principals import PRACTITIONER

from .conftest import library
from .plans import EPISODES, PLANS, STATES, TEAMS, history, plan, teams


@pytest.fixture
def app(tmp_path) -> Iterator[Application]:
    with library(tmp_path, PLANS, EPISODES) as built:
        yield built


@pytest.fixture
def nurse(app: Application) -> Client:
    return client_of(app).acting_as(PRACTITIONER)


def made_up(status: str) -> dict[str, Any]:
    return {
        "url": STATES,
        "extension": [
            {
                "url": "status",
                "valueCodeableConcept": {"coding": [{"code": status}]},
            },
            {"url": "period", "valuePeriod": {"start": "2001-01-01T00:00:00Z"}},
        ],
    }


def test_a_change_of_state_closes_the_open_entry_and_opens_one(app, nurse) -> None:
    stored = nurse.create(plan()).json
    app.clock.advance(minutes=5)
    stored = nurse.update({**stored, "status": "active"}).json
    app.clock.advance(minutes=5)
    stored = nurse.update({**stored, "status": "on-hold"}).json

    assert history(stored) == [
        ("draft", "08:00", "08:05"),
        ("active", "08:05", "08:10"),
        ("on-hold", "08:10", ""),
    ]
    (first, *_) = stored["extension"]
    assert first["extension"][0]["valueCodeableConcept"] == {
        "coding": [{"system": "urn:states", "code": "draft"}]
    }
    last = stored["extension"][-1]["extension"][1]["valuePeriod"]
    assert last == {"start": stored["meta"]["lastUpdated"]}


def test_what_a_client_sends_there_does_not_count(app, nurse) -> None:
    created = nurse.create(
        plan(extension=[made_up("active"), {"url": "urn:x", "valueString": "x"}])
    ).json
    app.clock.advance(minutes=5)
    kept = nurse.update({**created, "extension": [made_up("completed")]}).json
    removed = nurse.update({**plan(), "id": created["id"]}).json

    assert history(created) == history(kept) == [("draft", "08:00", "")]
    assert history(removed) == [("draft", "08:00", "")]
    assert {"url": "urn:x", "valueString": "x"} in created["extension"]
    assert {"url": "urn:x", "valueString": "x"} not in kept["extension"]


def test_teams_that_come_and_go_are_kept(app, nurse) -> None:
    stored = nurse.create(plan(careTeam=teams("a", "b"))).json
    app.clock.advance(minutes=5)
    stored = nurse.update({**stored, "careTeam": teams("b", "c")}).json
    app.clock.advance(minutes=5)
    stored = nurse.update({**plan(careTeam=teams("a")), "id": stored["id"]}).json

    assert history(stored, TEAMS) == [
        ("CareTeam/a", "08:00", "08:05"),
        ("CareTeam/b", "08:00", "08:10"),
        ("CareTeam/c", "08:05", "08:10"),
        ("CareTeam/a", "08:10", ""),
    ]


def test_the_history_that_r4_has_is_kept_in_its_own_element(app, nurse) -> None:
    episode = {
        "resourceType": "EpisodeOfCare",
        "status": "planned",
        "patient": {"reference": "Patient/1"},
        "team": teams("a"),
    }
    stored = nurse.create(episode).json
    app.clock.advance(minutes=5)
    del stored["statusHistory"]
    stored = nurse.update({**stored, "status": "active"}).json

    assert stored["statusHistory"] == [
        {
            "status": "planned",
            "period": {
                "start": "2026-01-08T08:00:00.000Z",
                "end": "2026-01-08T08:05:00.000Z",
            },
        },
        {"status": "active", "period": {"start": "2026-01-08T08:05:00.000Z"}},
    ]
    assert history(stored, TEAMS) == [("CareTeam/a", "08:00", "")]


def test_a_system_brings_the_history_of_what_it_creates(app) -> None:
    system = client_of(app)
    created = system.create(plan("active", extension=[made_up("active")])).json

    assert history(created) == [("active", "00:00", "")]
    assert history(system.create(plan("active")).json) == [("active", "08:00", "")]
