"""Who may ask the reporting index, what is told of persons, and what it costs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PATIENT, PRACTITIONER, SYSTEM_USER

from .asking import (
    ANALYST,
    BY_CODE,
    MEASURED,
    RARE,
    TRUSTED,
    WEIGHT,
    ask,
    code,
    observation,
    told,
)


class TestWhoMayAsk:
    def test_who_has_not_the_privilege_is_refused(self, anybody: Client) -> None:
        for principal in (PRACTITIONER, PATIENT, SYSTEM_USER):
            client = anybody.acting_as(principal)
            assert ask(client, BY_CODE).status == 403
            assert client.get("/reporting/projections").status == 403

    def test_a_system_that_has_it_asks_as_a_person_does(self, anybody: Client) -> None:
        system = replace(SYSTEM_USER, privileges=ANALYST.privileges)

        assert ask(anybody.acting_as(system), BY_CODE).json["leastPatients"] == 5

    def test_anybody_may_at_a_server_in_open_mode(self, anybody: Client) -> None:
        assert len(told(ask(anybody, BY_CODE))) == 3

    def test_nobody_may_at_a_closed_server_without_saying_who_it_is(
        self, tmp_path: Path
    ) -> None:
        options = {
            "security": {"mode": "closed"},
            "plugins": {"enabled": ["search", "reporting"]},
            "reporting": {"url": "embedded"},
        }
        with application(settings_with(options, tmp_path), FakeClock()) as closed:
            assert ask(client_of(closed), BY_CODE).status == 401
            assert ask(client_of(closed).acting_as(PRACTITIONER), BY_CODE).status == 403


class TestOnePatientByAnotherName:
    """For whom data is anonymised, nothing that is one patient's own chooses them."""

    @pytest.fixture
    def appointments(self, app: Application, anybody: Client) -> Iterator[None]:
        """Six visits of one patient, and one each of six others."""
        made = []
        for patient in [*["one"] * 6, *(f"other{n}" for n in range(6))]:
            visit = {
                "resourceType": "Appointment",
                "status": "booked",
                "serviceType": [{"coding": [{"system": "urn:x", "code": "clinic"}]}],
                "participant": [
                    {
                        "status": "accepted",
                        "actor": {"reference": f"Patient/{patient}"},
                    },
                    {
                        "status": "accepted",
                        "actor": {"reference": "Location/ward"},
                    },
                ],
            }
            made.append(anybody.create(visit).json["id"])
        app.worker().drain()
        yield
        for one in made:
            anybody.delete(f"Appointment/{one}")
        app.worker().drain()

    @pytest.mark.parametrize(
        "criterion",
        [
            "participant=Patient/one",
            "participant:not=Patient/one",
            "participant=Location/ward,Patient/one",
            "participant=https://example.org/patient/fhir/Patient/one",
            "participant:contains=one",
            "participant=RelatedPerson/1",
        ],
    )
    def test_no_filter_does(
        self, analyst: Client, trusted: Client, criterion: str
    ) -> None:
        counted = {"from": "Appointment", "metrics": {"n": {"count": True}}}

        refused = ask(analyst, {**counted, "filter": criterion})
        assert refused.status == 403
        assert ask(trusted, {**counted, "filter": criterion}).status == 200

    @pytest.mark.usefixtures("appointments")
    def test_no_group_does(self, analyst: Client, trusted: Client) -> None:
        by_participant = {
            "from": "Appointment",
            "groupBy": [{"terms": "participant"}],
            "metrics": {"n": {"count": True}},
        }

        all_told = dict(told(ask(trusted, by_participant)))
        assert (all_told["Patient/one"], all_told["Location/ward"]) == (6, 12)
        for key, _ in told(ask(analyst, by_participant)):
            assert not key.startswith("Patient/")


class TestAnonymised:
    def test_small_groups_are_not_told_nor_what_they_follow_from(
        self, analyst: Client
    ) -> None:
        """RARE has two patients; with all others it would be had by subtraction."""
        answer = ask(analyst, BY_CODE)

        assert told(answer) == [[code(WEIGHT), 8, 8]]
        assert answer.json["leastPatients"] == 5

    def test_a_total_of_few_is_not_told_either(self, analyst: Client) -> None:
        few = {"from": "Observation", "metrics": {"n": {"count": True}}}

        assert told(ask(analyst, {**few, "filter": f"code={RARE}"})) == []
        assert told(ask(analyst, {**few, "filter": "code=nothing"})) == []
        assert told(ask(analyst, few)) == [[len(MEASURED)]]

    def test_conditions_on_groups_see_only_what_is_told(self, analyst: Client) -> None:
        having = {"not": {"metric": "n", "gt": 5}}

        assert told(ask(analyst, {**BY_CODE, "having": having})) == []

    @pytest.mark.parametrize(
        "changed",
        [
            {"select": ["id"], "groupBy": [], "metrics": {}},
            {"filter": "patient=p1"},
            {"filter": "patient:not=p1"},
        ],
    )
    def test_no_single_patient_can_be_asked_about(
        self, analyst: Client, changed: dict[str, Any]
    ) -> None:
        assert ask(analyst, {**BY_CODE, **changed}).status == 403


def test_who_has_asked_about_what_is_in_the_audit_log(tmp_path: Path) -> None:
    options = {
        "plugins": {"enabled": ["search", "audit", "reporting"]},
        "plugin": {"audit": {"flush_seconds": 0.01}},
        "reporting": {"url": "embedded"},
    }
    with application(settings_with(options, tmp_path), FakeClock()) as audited:
        client = client_of(audited)
        client.create(observation(WEIGHT, 1, "2026-01-01", 80))
        audited.worker().drain()
        assert ask(client.acting_as(TRUSTED), BY_CODE).status == 200
        audited.plugins.stop()
        audited.worker().drain()
        lines = (tmp_path / "audit.jsonl").read_text().splitlines()

    events = [json.loads(line) for line in lines]
    (event,) = [one for one in events if "report-query" in json.dumps(one)]
    assert event["agent"][0]["who"]["identifier"]["value"] == TRUSTED.user_id


class TestCosts:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "plugins": {"enabled": ["search", "reporting"]},
            "plugin": {
                "reporting": {
                    "max_groups": 3,
                    "max_page": 5,
                    "at_once": 1,
                    "wait_seconds": 0,
                }
            },
            "reporting": {"url": "embedded"},
        }

    def filled(self, app: Application) -> Client:
        client = client_of(app)
        for number in range(4):
            client.create(observation(WEIGHT, number, "2026-01-01", number))
        app.worker().drain()
        return client

    def test_too_many_groups_are_refused_with_what_to_do(
        self, fyr_app: Application
    ) -> None:
        client = self.filled(fyr_app)
        found = ask(client, {"from": "Observation", "groupBy": [{"terms": "value"}]})

        assert (found.status, found.json["issue"][0]["code"]) == (422, "too-costly")
        assert "narrow the filter" in found.issues[0]

    def test_a_question_beside_as_many_as_may_be_at_once_is_to_come_later(
        self, fyr_app: Application
    ) -> None:
        client = self.filled(fyr_app)
        (plugin,) = [one.target for one in fyr_app.plugins if one.name == "reporting"]
        few = {"from": "Observation", "metrics": {"n": {"count": True}}}
        with plugin.questions.desk().place():
            turned_away = ask(client, few)

        assert turned_away.status == 429
        assert turned_away.headers["retry-after"] == "5"
        assert ask(client, few).status == 200

    def test_too_large_a_page_is_refused(self, fyr_app: Application) -> None:
        found = ask(client_of(fyr_app), {**BY_CODE, "count": 6})

        assert (found.status, found.json["issue"][0]["code"]) == (400, "too-costly")
