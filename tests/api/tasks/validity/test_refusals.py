"""``$set-measurement-validity``: what is wrong with an impression."""

import json
import re

import pytest

from fyr.core import Principal
from fyr.plugins.clinical.codes import CODES

from ...guide import EHEALTH, EPISODE, concept, ext, to, url
from .impressions import MAY, WHERE, ask, impression, retraction

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
