"""Where it is told: a file, the broker, the store, another log."""

import json

import pytest

from fyr.core.messages import sent_as
from fyr.core.testing import PluginContract
from fyr.core.testing.principals import PATIENT

from .words import BASE, NURSE, Log


def test_the_broker_is_told_what_the_file_holds(nurse, fyr_app, log) -> None:
    nurse.get("Observation?status=final")

    (source,) = [one for one in fyr_app.publishing.sources if "audit" in one.name]
    messages = [
        message
        for change in fyr_app.outbox.tail(0)
        for message in sent_as(source, change)
    ]

    assert {message.topic for message in messages} == {"virtual.ehealth-auditevent"}
    assert [json.loads(message.payload) for message in messages] == log.all()


def test_a_batch_is_kept_in_one_transaction(nurse, fyr_app, log) -> None:
    commits = []
    write = fyr_app.database.write
    fyr_app.database.write = lambda work: commits.append(1) or write(work)
    entry = {"request": {"method": "GET", "url": "Patient/ada"}}

    nurse.post("", {"resourceType": "Bundle", "type": "batch", "entry": [entry] * 9})

    assert len(commits) == 1
    assert len(log.all()) == 9


def test_a_worker_that_repeats_itself_tells_the_same_again(nurse, log) -> None:
    nurse.get("Observation?status=final")
    once = log.all()

    log._app.database.write(
        lambda session: session.run(
            "UPDATE consumer SET position = 0 WHERE name = 'audit-file'"
        )
    )

    twice = log.all()
    assert twice == once + once


class TestConformance(PluginContract):
    plugin = "audit"
    private_imports = frozenset(
        {
            "fyr.config.settings",
            "fyr.core.app",
            "fyr.core.context",
            "fyr.core.events",
            "fyr.core.errors.plugins",
            "fyr.core.interactions",
            "fyr.core.json_lines",
            "fyr.core.model",
            "fyr.core.model.resource",
            "fyr.core.searching",
            "fyr.core.store.resources",
        }
    )


class TestStored:
    @pytest.fixture
    def fyr_options(self):
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": {"store": True, "user_types": ["SYSTEM"]}},
        }

    def test_each_event_is_kept_once_as_a_resource(self, fyr_client, fyr_app) -> None:
        fyr_client.update({"resourceType": "Patient", "id": "ada"})
        fyr_app.worker().drain()
        fyr_app.database.write(
            lambda session: session.run(
                "UPDATE consumer SET position = 0 WHERE name = 'audit-store'"
            )
        )
        fyr_app.worker().drain()

        kept = fyr_client.get("AuditEvent").resources
        assert [one["action"] for one in kept] == ["U"]
        assert kept[0]["meta"]["versionId"] == "1"
        assert [one["id"] for one in kept] == [
            one["id"] for one in Log(fyr_app).all()[:1]
        ]

    def test_it_is_found_by_its_patient(self, fyr_client, fyr_app) -> None:
        fyr_client.update({"resourceType": "Patient", "id": "ada"})
        fyr_client.update({"resourceType": "Patient", "id": "bo"})
        fyr_app.worker().drain()

        found = fyr_client.get("AuditEvent?entity=Patient/ada").resources

        references = [one["what"].get("reference") for one in found[0]["entity"]]
        assert len(found) == 1
        assert references[1:] == ["Patient/ada", "Patient/ada/_history/1"]

    def test_nobody_writes_or_deletes_what_is_kept(self, fyr_client, fyr_app) -> None:
        fyr_client.update({"resourceType": "Patient", "id": "ada"})
        fyr_app.worker().drain()
        (kept,) = fyr_client.get("AuditEvent").resources
        path = f"AuditEvent/{kept['id']}"
        entry = {"request": {"method": "DELETE", "url": path}}

        answers = [
            fyr_client.create({**kept, "id": "forged"}),
            fyr_client.update({**kept, "outcome": "8"}),
            fyr_client.delete(path),
            fyr_client.post(
                "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
            ),
        ]

        assert {one.status for one in answers} == {403}
        assert fyr_client.get(path).json == kept


class TestMinLog:
    @pytest.fixture
    def fyr_options(self):
        settings = {"minlog_file": "minlog.jsonl", "internal": ["Basic"]}
        return {
            "plugins": {"enabled": ["search", "audit"]},
            "plugin": {"audit": settings},
        }

    def test_it_is_told_which_professional_saw_data_of_which_citizen(
        self, nurse, fyr_client, fyr_app, log
    ) -> None:
        nurse.get("Observation/of-bo")
        nurse.get("Condition/1")
        fyr_client.acting_as(PATIENT).get("Observation/of-bo")
        subject = {"reference": "Patient/bo"}
        elsewhere = {"reference": "https://patient.example.org/fhir/Patient/bo"}
        nurse.create(
            {
                "resourceType": "Flag",
                "status": "active",
                "code": {"text": "x"},
                "subject": elsewhere,
            }
        )
        nurse.create(
            {"resourceType": "Basic", "code": {"text": "x"}, "subject": subject}
        )

        events = log.all()
        (line,) = (fyr_app.settings.data_dir / "minlog.jsonl").read_text().splitlines()
        assert json.loads(line) == {
            "citizen": "2603200001",
            "professional": NURSE.user_id,
            "organization": NURSE.context["organization"],
            "activity": "read Observation",
            "time": events[0]["recorded"],
            "system": BASE,
        }
        assert events[-1]["purposeOfEvent"][0]["coding"][0]["code"] == (
            "INTERNAL_AUDIT_ONLY"
        )
