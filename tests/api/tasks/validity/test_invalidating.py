"""``$set-measurement-validity``: a measurement is invalidated, and that is taken back."""

import pytest

from ...guide import PATCH, to, url
from ..conftest import value
from .impressions import MAY, ask, impression, retraction


def test_a_practitioner_invalidates_a_measurement(case, nurse, measured) -> None:
    answer = ask(nurse, impression(case, measured))

    assert answer.status == 200, answer.body
    stored = answer.json
    assert case.ward.read(measured)["status"] == "entered-in-error"
    assert stored["assessor"] == to(url(case.practitioner))
    organization = value(stored, "clinicalimpression-assessor-organization")
    assert organization == to(url(case.organization))
    assert value(stored, "clinicalimpression-careplan") == to(url(case.plan))
    first, second = stored["investigation"]
    assert second["code"]["coding"][0]["code"] == "item-modified"
    assert second["item"] == [to(f"{url(measured)}/_history/2")]
    assert [one["reference"] for one in first["item"]] == [
        f"{url(measured)}/_history/1",
        url(measured),
    ]


@pytest.mark.parametrize("version", ["0", "2", "99", "x"])
def test_a_version_that_is_not_there_is_not_invalidated(
    case, nurse, measured, version
) -> None:
    answer = ask(nurse, impression(case, measured, version=version))

    assert answer.status == 422, answer.body
    (issue,) = answer.json["issue"]
    assert issue["diagnostics"].endswith(f"/_history/{version}.")
    assert case.ward.read(measured)["status"] == "final"


def test_the_answer_has_what_the_guides_servers_answered(case, nurse, measured) -> None:
    """Elements of a recorded answer; assessor by user, as that token has no organization."""
    principal = case.nurse(MAY, organization="")
    answer = ask(case.ward.at("task", principal), impression(case, measured)).json

    assert set(answer) >= {
        "resourceType",
        "id",
        "meta",
        "extension",
        "status",
        "code",
        "subject",
        "assessor",
        "investigation",
        "finding",
    }
    assert answer["meta"]["versionId"] == "1"
    assert nurse.get(f"ClinicalImpression/{answer['id']}").json == answer


def test_an_invalidation_is_taken_back_and_the_status_is_as_before(
    case, nurse, measured
) -> None:
    case.ward.put({**case.ward.read(measured), "status": "amended"})
    first = ask(nurse, impression(case, measured, version=2)).json

    answer = ask(nurse, retraction(case, measured, version=3))

    assert answer.status == 200, answer.body
    assert case.ward.read(measured)["status"] == "amended"
    before = case.ward.read(f"ClinicalImpression/{first['id']}")
    assert before["status"] == "entered-in-error"
    assert len(case.impressions()) == 2
    again = ask(nurse, impression(case, measured, version=4))
    assert again.status == 200, again.body
    states = sorted(one["status"] for one in case.impressions())
    assert states == ["completed", "entered-in-error", "entered-in-error"]


def test_answers_and_pictures_are_completed_again(case, nurse, ward) -> None:
    answer = {"linkId": "q", "answer": [{"valueInteger": 1}]}
    response = case.response(ward.of("Questionnaire", status="active"), answer)
    ask(nurse, impression(case, response))
    assert ward.read(response)["status"] == "entered-in-error"

    ask(nurse, retraction(case, response, version=2))
    assert ward.read(response)["status"] == "completed"


def test_a_citizen_invalidates_a_measurement_of_their_own(case, measured) -> None:
    citizen = case.ward.at("task", case.citizen(MAY))
    answer = ask(citizen, impression(case, measured))

    assert answer.status == 200, answer.body
    assert "assessor" not in answer.json
    other = value(answer.json, "clinicalimpression-assessor-other")
    assert other == to(url(case.patient))
    assert ask(citizen, retraction(case, measured, version=2)).status == 200
    assert citizen.create(impression(case, measured)).status == 403


def test_nobody_else_does(case, ward, measured) -> None:
    other = ward.of("CareTeam", status="active")
    strangers = (
        case.nurse(MAY, team=other),
        case.nurse("ClinicalImpression.read"),
        ward.case().citizen(MAY),
    )
    for stranger in strangers:
        answer = ask(ward.at("task", stranger), impression(case, measured))
        assert answer.status == 403, answer.body
    assert ward.read(measured)["status"] == "final"
    assert case.impressions() == []


def test_a_measurement_of_others_is_not_reached_by_ones_own_episode(case, ward) -> None:
    other = ward.case()
    theirs = other.observation(97)
    answer = ask(ward.at("task", case.nurse(MAY)), impression(case, theirs))

    assert answer.status in (403, 422)
    assert ward.read(theirs)["status"] == "final"


def test_an_entry_about_validity_changes_by_its_status_only(
    case, nurse, measured
) -> None:
    made = ask(nurse, impression(case, measured)).json
    client = case.ward.at("task", case.nurse("ClinicalImpression.patch"))
    place = f"ClinicalImpression/{made['id']}"
    summary = [{"op": "add", "path": "/summary", "value": "x"}]
    assert client.patch(place, summary, PATCH).status == 422

    said = [{"op": "replace", "path": "/status", "value": "entered-in-error"}]
    assert client.patch(place, said, PATCH).status == 200


def test_both_changes_are_told(case, nurse, measured) -> None:
    case.ward.messages.new()
    ask(nurse, impression(case, measured))
    topics = [one.topic for one in case.ward.messages.new()]

    assert topics == ["ehealth-clinicalimpression"]
