"""What is in a notification: whom it concerns, and nothing that is clinical."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from lxml import etree

from fyr.core import Change
from fyr.core.telling import TOLD
from fyr.core.testing.changes import change_of
from fyr.plugins.notifications.envelope import notify
from fyr.plugins.notifications.schemas import schemas
from fyr.plugins.notifications.table import read_table
from fyr.plugins.notifications.telling import Notification, Telling

Told = Callable[[Change], list[Notification]]
VALIDATOR = Draft7Validator(schemas()["Notification"])
EPISODE = {
    "url": "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare",
    "valueReference": {"reference": "EpisodeOfCare/31/_history/2"},
}
PLAN = {
    "resourceType": "CarePlan",
    "id": "77",
    "status": "active",
    "title": "Told to nobody",
    "subject": {"reference": "Patient/12/_history/3", "display": "Nancy"},
    "extension": [EPISODE],
}
CREATED = {
    "id": "notifications-7.0-6",
    "eventId": 6,
    "eventTime": "1970-01-01T00:00:00.000+00:00",
    "topic": "http://ehealth.sundhed.dk/fut/2020/02/27:careplan.created",
    "resourceReference": "https://careplan.example.test/fhir/CarePlan/77",
    "resourceVersion": "1",
    "patientReference": "https://other.example.test/fhir/Patient/12",
    "episodeOfCareReference": "https://other.example.test/fhir/EpisodeOfCare/31",
}


def test_a_new_plan_is_told_with_urls_that_name_no_version(told: Told) -> None:
    (found,) = told(change_of(PLAN))

    assert found.body == CREATED
    assert (found.topic, found.patient) == ("careplan.created", "Patient/12")


def test_what_has_ended_is_told_with_its_status(told: Told) -> None:
    _, found = told(change_of(PLAN, {**PLAN, "status": "revoked"}))

    assert (found.body["eventId"], found.body["status"]) == (8, "revoked")
    assert found.body["resourceVersion"] == "2"


def test_a_new_manager_is_told_by_name_of_its_organization(told: Told) -> None:
    name = "ehealth-episodeofcare-caremanagerOrganization"
    url = f"http://ehealth.sundhed.dk/fhir/StructureDefinition/{name}"

    def episode(manager: str) -> dict[str, Any]:
        extension = {"url": url, "valueReference": {"reference": manager}}
        return {
            "resourceType": "EpisodeOfCare",
            "patient": {"reference": "https://elsewhere.test/fhir/Patient/1"},
            "extension": [extension],
        }

    (found,) = told(change_of(episode("Organization/1"), episode("Organization/2")))

    assert found.body["careManagerOrganization"].endswith("/Organization/2")
    assert found.body["patientReference"] == "https://elsewhere.test/fhir/Patient/1"


def test_a_measurement_concerns_whom_its_parts_concern(told: Told) -> None:
    policy = "http://ehealth.sundhed.dk/policy/ehealth/coherent-submitted-measurement"
    provenance = {
        "resourceType": "Provenance",
        "id": "9",
        "policy": [policy],
        "target": [{"reference": "Observation/8/_history/1"}],
    }
    observation = {**PLAN, "resourceType": "Observation", "id": "8"}

    (found,) = told(change_of(provenance, beside=[observation]))

    assert found.patient == "Patient/12"
    assert found.body["resourceReference"].endswith("/Provenance/9")
    assert found.body["episodeOfCareReference"].endswith("/EpisodeOfCare/31")


def test_the_same_change_is_told_with_the_same_id_and_content(told: Told) -> None:
    assert told(change_of(PLAN)) == told(change_of(PLAN))
    ids = [one.id for one in told(change_of(PLAN, {**PLAN, "status": "revoked"}))]
    assert ids == ["notifications-7.0-7", "notifications-7.0-8"]


def test_an_id_stays_when_other_rows_are_switched_off(
    told_with: Callable[..., Telling],
) -> None:
    change = change_of(PLAN, {**PLAN, "status": "revoked"})

    (found,) = told_with({7: {"told": False}}).notifications(change)

    assert found.id == "notifications-7.0-8"


def test_a_deployment_corrects_topics_and_adds_events(
    told_with: Callable[..., Telling],
) -> None:
    corrected = told_with(
        {
            6: {"topic": "plan.new"},
            20: {
                "topic": "consent.updated",
                "service": "careplan",
                "type": "Consent",
                "events": ["updated"],
                "patient": "patient",
            },
        }
    )
    consent = {"resourceType": "Consent", "patient": {"reference": "Patient/12"}}
    (plan,) = corrected.notifications(change_of(PLAN))
    (other,) = corrected.notifications(change_of(consent, consent))

    assert plan.body["topic"].endswith(":plan.new")
    assert (other.body["eventId"], other.topic) == (20, "consent.updated")


def test_what_no_service_has_is_told_under_the_base_that_a_row_gives(
    told_with: Callable[..., Telling],
) -> None:
    said = {"topic": "ssl-order", "event": "created", "patient": "Patient/12"}
    change = Change(9, TOLD, "order", "8", 0, "", "", 0, json.dumps(said))
    corrected = told_with({9: {"base": "https://ssl-order.example.test/v1/"}})

    (found,) = corrected.notifications(change)

    assert found.body["resourceReference"] == (
        "https://ssl-order.example.test/v1/order/8"
    )


def test_what_nobody_knows_a_url_for_is_refused_with_the_setting_that_is_missing() -> (
    None
):
    said = {"topic": "ssl-order", "event": "created", "patient": "Patient/12"}
    change = Change(9, TOLD, "order", "8", 0, "", "", 0, json.dumps(said))
    telling = Telling(read_table(), lambda _, one: one, "")

    with pytest.raises(ValueError, match=r"has order/8: set table\.9\.base"):
        telling.notifications(change)


@pytest.mark.parametrize(
    ("correction", "problem"),
    [
        ({6: {"topics": "x"}}, "table.6.topics: no such setting; did you mean topic"),
        ({6: {"topic": "two words"}}, "table.6.topic"),
        ({6: {"type": "Careplan"}}, "'Careplan' is no type"),
        ({6: {"when": {"grows": "status"}}}, "'grows' is none of"),
        ({6: {"when": {"has": "a", "changed": "b"}}}, "one condition"),
        ({6: {"when": {"any": ["x"]}}}, "one condition beside any"),
        ({6: {"episode": "a[0]"}}, "no step of a path"),
        ({6: {"events": ["deleted"]}}, "table.6.events"),
        ({20: {"topic": "x", "service": "task"}}, "table.20"),
        ({20: {}}, "table.20.service"),
        ({6: {"id": 7}}, "table.6: id"),
    ],
)
def test_a_correction_that_is_wrong_is_named(
    correction: dict[int, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        read_table(correction)


@given(
    st.lists(
        st.fixed_dictionaries({"reference": st.text() | st.just("Patient/1")}),
        max_size=3,
    ),
    st.text(),
    st.from_regex(r".*/Patient/[A-Za-z0-9.-]{1,64}", fullmatch=True),
)
def test_whatever_stands_in_a_resource_a_notification_is_json_and_xml_as_described(
    targets: list[Any], status: str, patient: str
) -> None:
    extension = [{**EPISODE, "valueReference": one} for one in targets]
    plan = {
        **PLAN,
        "status": status,
        "extension": extension,
        "subject": {"reference": patient},
    }
    telling = Telling(
        read_table(),
        lambda service, one: f"https://x.test/{one}" if service else one,
        "prefix:",
    )

    (found,) = telling.notifications(change_of(plan))

    VALIDATOR.validate(json.loads(found.payload))
    written = etree.fromstring(notify("0101010008", "topic", found.payload.decode()))
    assert json.loads("".join(written.itertext()).removeprefix("topic")) == found.body


def test_the_schema_is_one_and_refuses_clinical_content() -> None:
    Draft7Validator.check_schema(schemas()["Notification"])
    assert VALIDATOR.is_valid(CREATED)
    assert not VALIDATOR.is_valid({**CREATED, "title": "Told to nobody"})
    assert not VALIDATOR.is_valid({**CREATED, "eventId": "6"})
    for name in set(CREATED) - {"episodeOfCareReference"}:
        assert not VALIDATOR.is_valid({k: v for k, v in CREATED.items() if k != name})
