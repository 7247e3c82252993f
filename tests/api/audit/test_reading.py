"""Who read or searched what of whom, and what the log does not repeat."""

from dataclasses import replace

import pytest

from fyr.core.model.validation import problems
from fyr.core.testing.principals import PATIENT, SYSTEM_USER

from .words import BASE, CPR, NURSE, entities, patients, query, touched


def test_a_read_tells_who_saw_what_of_whom_for_which_organization(nurse, log) -> None:
    answer = nurse.get("Observation/of-ada")

    event = log.one()
    (agent,) = event["agent"]
    assert event["type"]["code"] == "rest"
    assert [one["code"] for one in event["subtype"]] == ["read"]
    assert (event["action"], event["outcome"]) == ("R", "0")
    assert event["outcomeDesc"] == "Observation"
    assert event["recorded"].endswith("+00:00")
    assert agent["requestor"] is True
    assert agent["who"] == {
        "type": "Practitioner",
        "identifier": {"system": "http://ehealth.sundhed.dk", "value": NURSE.user_id},
    }
    assert [one["valueReference"]["reference"] for one in agent["extension"]] == [
        NURSE.context["organization"]
    ]
    assert agent["network"] == {"address": "127.0.0.1", "type": "2"}
    assert event["source"]["observer"]["identifier"]["value"] == BASE
    assert patients(event) == [f"{BASE}/Patient/ada"]
    assert touched(event) == [("read", "Observation/of-ada/_history/1")]
    (trace,) = entities(event, "21")
    assert trace["type"]["code"] == "2"
    assert trace["what"]["identifier"]["value"] == answer.headers["x-request-id"]
    assert problems(event) == []


def test_the_same_id_of_two_issuers_is_told_apart(fyr_client, nurse, log) -> None:
    for realm in ("one", "two"):
        user = replace(NURSE, issuer=f"https://login.example.org/{realm}")
        fyr_client.acting_as(user).get("Observation/of-ada")

    told = [event["agent"][0]["who"]["identifier"] for event in log.all()]
    assert [one["value"] for one in told] == [NURSE.user_id] * 2
    assert [one["assigner"]["display"] for one in told] == [
        "https://login.example.org/one",
        "https://login.example.org/two",
    ]
    assert [problems(event) for event in log.all()] == [[], []]


def test_a_search_over_two_patients_leaves_one_event_for_each(nurse, log) -> None:
    nurse.get("Observation?status=final&_include=Observation:subject")

    ada, bo = log.all()
    assert [patients(one) for one in (ada, bo)] == [
        [f"{BASE}/Patient/ada"],
        [f"{BASE}/Patient/bo"],
    ]
    assert touched(ada) == [
        ("read", "Observation/of-ada/_history/1"),
        ("read", "Patient/ada/_history/1"),
    ]
    assert {one["subtype"][0]["code"] for one in (ada, bo)} == {"search-type"}
    assert query(ada) == query(bo)
    assert query(ada)["status"] == "final"
    assert ada["id"] != bo["id"]
    assert [problems(one) for one in (ada, bo)] == [[], []]


def test_a_search_that_finds_nothing_is_told_with_its_query(nurse, log) -> None:
    nurse.get("Observation?status=registered")

    event = log.one()
    assert query(event) == {"status": "registered"}
    assert patients(event) == []
    assert touched(event) == []


@pytest.mark.parametrize(
    "number", [CPR, "260320-0001", f"urn:oid:1.2.208.176.1.2|{CPR}"]
)
def test_a_cpr_number_that_was_searched_for_is_masked(nurse, log, number) -> None:
    found = nurse.post(
        "Patient/_search",
        f"identifier={number}".encode(),
        Content_Type="application/x-www-form-urlencoded",
    )

    assert found.status == 200
    assert query(log.all()[0])["identifier"].endswith("xxxxxxxxxx")
    assert "0001" not in str([query(one) for one in log.all()])
    kept = [change.payload_json for change in log._app.outbox.tail(0)]
    assert not any(CPR in (one or "") or "260320-0001" in (one or "") for one in kept)


def test_no_token_and_no_content_gets_into_the_log(nurse, log) -> None:
    nurse.get("Observation?access_token=abcdef")
    nurse.create(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "very private"},
            "subject": {"reference": "Patient/ada"},
        }
    )

    kept = log.text() + "".join(
        change.payload_json or "" for change in log._app.outbox.tail(0)
    )
    assert len(log.all()) == 2
    assert "abcdef" not in kept
    assert "very private" not in kept
    assert "FyrTest" not in kept


def test_a_denied_attempt_tells_whose_data_was_asked_for(nurse, log) -> None:
    nurse.with_headers(If_Match='W/"7"').delete("Observation/of-ada")

    assert patients(log.one()) == [f"{BASE}/Patient/ada"]


@pytest.mark.parametrize("path", ["Patient/ada", "Patient?name=Lovelace"])
def test_who_asks_for_headers_only_is_told_of_too(nurse, log, path) -> None:
    """The length of an answer tells what is in it."""
    assert nurse.request("HEAD", path).status == 200

    assert log.one()["action"] in ("R", "E")


def test_a_citizen_is_told_of_too_and_systems_are_not(nurse, fyr_client, log) -> None:
    fyr_client.acting_as(SYSTEM_USER).get("Patient/ada")
    fyr_client.get("Patient/ada")
    nurse.get("metadata")
    assert log.all() == []

    fyr_client.acting_as(PATIENT).get("Patient/ada")

    assert log.one()["agent"][0]["who"]["type"] == "Patient"


@pytest.mark.parametrize("number", ["260320-0001", "26.03.20.0001"])
def test_a_number_that_a_request_is_named_by_is_not_told(nurse, log, number) -> None:
    nurse.with_headers(**{"X-Request-Id": number}).get("Observation?status=final")

    told = log.all()
    assert len(told) == 2
    assert number not in log.text()


def test_a_number_that_stands_for_a_type_in_a_bundle_is_not_told(nurse, log) -> None:
    urls = (f"{CPR}/1", f"Patient/${CPR}", f"{CPR}?name={CPR}")
    entries = [{"request": {"method": "GET", "url": one}} for one in urls]

    answer = nurse.post(
        "", {"resourceType": "Bundle", "type": "batch", "entry": entries}
    )

    assert [one["response"]["status"][:1] for one in answer.json["entry"]] == ["4"] * 3
    assert log.all()
    assert CPR not in log.text()
