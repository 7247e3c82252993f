"""A job that goes on is asked anew what can be asked without the token of its call."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Plugin, hookimpl
from fyr.core.app import Application
from fyr.core.testing.applications import application, settings_with, store
from fyr.core.testing.clock import FakeClock

from .asking import AREAS, At

KINDS = ("Organization", "CareTeam", "Patient", "EpisodeOfCare", "Media", "Observation")
OF_EPISODE = "%3FepisodeOfCare%3DEpisodeOfCare/1"
QUERY = (
    "$export?_type=Media,Observation"
    f"&_typeFilter=Media{OF_EPISODE}&_typeFilter=Observation{OF_EPISODE}"
)

Heard = Callable[[str], None]


@pytest.fixture
def heard() -> list[Heard]:
    """Give who hears of each type that an export writes, while it writes it."""
    return []


@pytest.fixture
def app(tmp_path: Path, kit: Any, heard: list[Heard]) -> Iterator[Application]:
    class Listening(Plugin):
        @hookimpl
        def answered(self, context: Any, touched: Any) -> None:
            if context.operation == "export":
                for hears, one in zip(heard, touched, strict=False):
                    hears(one.type)

    options = {
        "server": {"public_url": kit.root},
        "security": {"mode": "closed"},
        "plugins": {"enabled": [*AREAS, "access_control", "bulk_data"]},
    }
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), {"listening": Listening}) as built:
        for one in kit.resources(1):
            if one["resourceType"] in KINDS:
                store(built, one)
        yield built


@pytest.fixture
def nurse(app: Application, kit: Any) -> At:
    may = "$bulk-export Media.search Media.read Observation.search Observation.read"
    return At(app, "measurement", kit.nurse("a", 1, may=may))


def test_an_export_ends_with_403_once_its_care_team_is_taken_off(
    app, nurse, heard
) -> None:
    def take_off(kind: str) -> None:
        written.append(kind)
        (episode,) = app.act(lambda acting: acting.find("EpisodeOfCare"))
        store(app, {**episode, "team": [{"reference": "CareTeam/b"}]})

    written: list[str] = []
    heard.append(take_off)
    status = nurse.begun(QUERY)
    app.worker().drain()

    answer = nurse.client.get(status)

    assert written == ["Media"]
    assert answer.status == 403
    assert app.database.rows("SELECT COUNT(*) FROM bulk_file") == [(0,)]


def test_an_export_whose_care_team_stays_has_all(app, nurse, heard) -> None:
    written: list[str] = []
    heard.append(written.append)
    status = nurse.begun(QUERY)
    app.worker().drain()

    manifest = nurse.client.get(status).json

    assert written == ["Media", "Observation"]
    assert [one["type"] for one in manifest["output"]] == ["Media", "Observation"]
