"""``$set-measurement-validity``: a measurement is invalidated, and that is taken back."""

import json
import re

import pytest

from fyr.core import Principal
from fyr.plugins.clinical.codes import CODES

from ..guide import CS, EHEALTH, EPISODE, PATCH, concept, ext, to, url
from .conftest import value

MAY = "ClinicalImpression.create ClinicalImpression.read"
WHERE = "ClinicalImpression/$set-measurement-validity"


def impression(case, measured, *, finding="measurement-invalidated", version=1, **more):
    decision = more.pop("decision", "invalidated-fulfills")
    decided = ext(
        "clinicalimpression-decision",
        valueCodeableConcept=concept(
            decision, f"{CS}clinicalimpression-decision-codes"
        ),
    )
    keep = decision and finding == "measurement-invalidated"
    return {
        "resourceType": "ClinicalImpression",
        "meta": {"profile": [f"{EHEALTH}clinicalimpression"]},
        "extension": [
            ext(EPISODE, valueReference=to(url(case.episode))),
            *([decided] if keep else []),
        ],
        "status": "completed",
        "code": concept("MeasurementValidityUpdate", f"{CS}clinicalimpression-codes"),
        "subject": to(url(case.patient)),
        "investigation": [
            {
                "code": concept(
                    "item-for-investigation",
                    f"{CS}clinicalimpression-investigation-item-codes",
                ),
                "item": [
                    to(f"{url(measured)}/_history/{version}"),
                    to(url(measured)),
                ],
            }
        ],
        "finding": [
            {
                "itemCodeableConcept": concept(
                    finding, f"{CS}clinicalimpression-finding-codes"
                )
            }
        ],
        **more,
    }


def retraction(case, measured, **more):
    finding = "measurement-invalidation-retracted"
    return impression(case, measured, finding=finding, **more)


def ask(client, resource):
    given = [{"name": "clinicalImpression", "resource": resource}]
    return client.post(WHERE, {"resourceType": "Parameters", "parameter": given})


@pytest.fixture
def nurse(case):
    return case.ward.at("task", case.nurse(MAY))


@pytest.fixture
def measured(case):
    return case.observation(97)


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


INVALID = {
    "TASK_MEASUREMENT_VALIDITY_INVALID_INITIAL_STATUS": {"status": "in-progress"},
    "CLINICAL_IMPRESSION_MEASUREMENT_VALIDITY_UPDATED_CODE_REQUIRED": {
        "code": concept("MeasurementAssessment")
    },
    "TASK_MEASUREMENT_VALIDITY_INVALID_FINDING_CODE": {"finding": "red"},
    "TASK_MEASUREMENT_VALIDITY_INVALID_DECISION_CODE": {"decision": "approved"},
}


def told(answer):
    """Tell what the catalogue calls the refusals, by their text."""
    patterns = {
        name: re.escape(code.text).replace("%s", ".*") for name, code in CODES.items()
    }
    return [
        next(n for n, pattern in patterns.items() if re.fullmatch(pattern, text))
        for text in answer.issues
    ]


@pytest.mark.parametrize("name", INVALID)
def test_what_is_wrong_with_the_impression_is_refused(
    case, nurse, measured, name
) -> None:
    answer = ask(nurse, impression(case, measured, **INVALID[name]))

    assert answer.status == 422
    assert name in told(answer)
    assert case.ward.read(measured)["status"] == "final"


@pytest.mark.parametrize("decision", ["", "approved"])
def test_an_invalidation_says_whether_it_counts_as_fulfilled(
    case, nurse, measured, decision
) -> None:
    answer = ask(nurse, impression(case, measured, decision=decision))

    assert told(answer) == ["TASK_MEASUREMENT_VALIDITY_INVALID_DECISION_CODE"]


def test_all_that_is_wrong_is_told_at_once(case, nurse, measured) -> None:
    wrong = {**INVALID["TASK_MEASUREMENT_VALIDITY_INVALID_FINDING_CODE"]}
    answer = ask(nurse, impression(case, measured, status="in-progress", **wrong))

    assert told(answer) == [
        "TASK_MEASUREMENT_VALIDITY_INVALID_INITIAL_STATUS",
        "TASK_MEASUREMENT_VALIDITY_INVALID_FINDING_CODE",
    ]


@pytest.mark.parametrize(
    "items",
    [
        [],
        ["{}"],
        ["{}/_history/1"],
        ["{}", "{}"],
        ["{}/_history/1", "{}/_history/1"],
        ["{}/_history/1", "{}", "{}"],
        ["{}/_history/1", "Observation/other"],
    ],
)
def test_one_measurement_is_named_with_and_without_its_version(
    case, nurse, measured, items
) -> None:
    wrong = impression(case, measured)
    named = [to(one.format(url(measured))) for one in items]
    wrong["investigation"] = [{"code": concept("item-for-investigation")}]
    if named:
        wrong["investigation"][0]["item"] = named

    assert "TASK_MEASUREMENT_VALIDITY_INVALID_MEASUREMENT_REFERENCE" in told(
        ask(nurse, wrong)
    )


def test_two_investigations_are_one_too_many(case, nurse, measured) -> None:
    wrong = impression(case, measured)
    wrong["investigation"] *= 2

    assert told(ask(nurse, wrong)) == [
        "TASK_MEASUREMENT_VALIDITY_INVALID_MEASUREMENT_REFERENCE"
    ]


def test_only_measurements_have_a_validity(case, nurse, ward) -> None:
    risk = ward.of("RiskAssessment", status="final", subject=to(case.patient))

    assert told(ask(nurse, impression(case, risk))) == [
        "TASK_MEASUREMENT_VALIDITY_INVALID_INVESTIGATION_ITEM_TYPE"
    ]


def test_patient_and_episode_are_those_of_the_measurement(case, ward) -> None:
    other = ward.case()
    wrong = impression(case, case.observation(97), subject=to(url(other.patient)))
    system = Principal("SYSTEM", "s", frozenset(MAY.split()))
    answer = ask(ward.at("task", system), wrong)

    assert answer.status == 422
    assert answer.issues == [
        f"These do not agree: ClinicalImpression.subject ({other.patient}) and"
        f" Observation.subject ({case.patient})."
    ]
    elsewhere = impression(case, case.observation(97))
    elsewhere["extension"][0] = ext(EPISODE, valueReference=to(url(other.episode)))
    (issue,) = ask(ward.at("task", system), elsewhere).issues
    assert "ClinicalImpression.episodeOfCare" in issue


def test_all_that_is_wrong_is_told_by_its_place_in_what_was_sent(
    case, nurse, measured
) -> None:
    """By the operation itself, and by the rules of what it stores."""
    other = {"url": f"{EHEALTH}clinicalimpression-careplan"}
    named = {**other, "valueReference": to("CarePlan/none")}
    late = impression(case, measured)
    late["extension"].append(named)
    early = impression(case, measured, status="in-progress")

    for sent in (late, early):
        for client, body in (
            (nurse, sent),
            (nurse, {**sent, "finding": [], "code": concept("MeasurementAssessment")}),
        ):
            answer = ask(client, body)
            assert answer.status == 422 or answer.status == 400, answer.body
            for place in places(answer):
                assert place.startswith("Parameters.parameter[0].resource."), place
            alone = client.post(WHERE, body)
            assert alone.status == answer.status
            for place in places(alone):
                assert place.startswith("ClinicalImpression."), place


def places(answer):
    found = [place for one in answer.json["issue"] for place in one["expression"]]
    assert found
    return found


def test_a_measurement_that_is_not_there_is_said_so(case, nurse) -> None:
    answer = ask(nurse, impression(case, "Observation/none"))

    assert answer.status == 404
    assert answer.issues == ["There is no Observation with the id none."]


def test_only_an_invalidation_can_be_taken_back(case, nurse, measured) -> None:
    assert told(ask(nurse, retraction(case, measured))) == [
        "TASK_MEASUREMENT_VALIDITY_MISSING_PREVIOUS"
    ]
    ask(nurse, impression(case, measured))
    assert told(ask(nurse, impression(case, measured, version=2))) == [
        "TASK_MEASUREMENT_VALIDITY_INVALID_PREVIOUS_EXPECTING_INVALIDATION_RETRACTION"
    ]
    ask(nurse, retraction(case, measured, version=2))
    assert told(ask(nurse, retraction(case, measured, version=3))) == [
        "TASK_MEASUREMENT_VALIDITY_INVALID_PREVIOUS_EXPECTING_INVALIDATION"
    ]


def kept(case, measured, *findings):
    """Store what older data may hold: an impression about validity."""
    found = json.dumps(impression(case, measured))
    made = json.loads(re.sub(r"http://localhost/[a-z]+/fhir/", "", found))
    said = [{"itemCodeableConcept": concept(one)} for one in findings]
    del made["meta"]
    other = {**made, "code": concept("MeasurementValidityUpdate"), "finding": said}
    case.ward.built.act(lambda acting: acting.create({**other, "id": acting.new_id()}))


def test_what_was_said_before_must_be_understood(case, nurse, measured) -> None:
    kept(case, measured, "data-absent")

    assert told(ask(nurse, retraction(case, measured))) == [
        "TASK_MEASUREMENT_VALIDITY_INVALID_FINDING_CODE_ON_PREVIOUS"
    ]


def test_two_that_could_be_the_one_before_are_refused(case, nurse, measured) -> None:
    kept(case, measured, "data-absent")
    kept(case, measured, "data-absent")

    assert told(ask(nurse, retraction(case, measured))) == [
        "TASK_MEASUREMENT_VALIDITY_MULTIPLE_PREVIOUS"
    ]


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
