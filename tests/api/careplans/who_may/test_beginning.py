"""Closed mode: who may begin episodes of care, and who may not."""

import pytest

from .asking import SYSTEM, to, who

SKS = "urn:oid:1.2.208.176.2.4"


BEGIN = "EpisodeOfCare$create-episode-of-care"


def area(guarded, tag):
    context = {
        "code": {"system": "urn:x", "code": "system-treatment-area"},
        "valueCodeableConcept": {"coding": [{"system": SYSTEM, "code": tag}]},
    }
    guarded.put(
        {
            "resourceType": "ValueSet",
            "id": tag,
            "status": "active",
            "useContext": [context],
            "compose": {"include": [{"system": SKS}]},
        }
    )


def bundle(patient, team):
    resources = {
        "urn:uuid:e": {
            "resourceType": "EpisodeOfCare",
            "status": "planned",
            "patient": to(patient),
            "team": [to(team)],
            "managingOrganization": to("Organization/1"),
            "diagnosis": [{"condition": to("urn:uuid:c")}],
        },
        "urn:uuid:c": {
            "resourceType": "Condition",
            "subject": to(patient),
            "code": {"coding": [{"system": SKS, "code": "DJ44"}]},
        },
        "urn:uuid:p": {
            "resourceType": "Provenance",
            "target": [to("urn:uuid:e")],
            "recorded": "2026-01-08T08:00:00Z",
            "policy": ["http://ehealth.sundhed.dk/policy/dk/sundhedsloven"],
            "agent": [{"who": to(patient)}],
        },
    }
    entries = [{"fullUrl": name, "resource": one} for name, one in resources.items()]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.fixture
def begin(guarded):
    area(guarded, "xa")

    def begun(principal, patient, team):
        given = {
            "name": "episodeOfCareAndProvenances",
            "resource": bundle(patient, team),
        }
        body = {"resourceType": "Parameters", "parameter": [given]}
        client = guarded.at("careplan", principal)
        return client.post(
            "$create-episode-of-care", body, Prefer="return=representation"
        )

    return begun


def test_a_practitioner_begins_an_episode_of_the_patient_in_context(
    guarded, begin, team
) -> None:
    patient = guarded.patient()
    nurse = who("PRACTITIONER", BEGIN, ["xa"], patient=patient, care_team=team)

    answer = begin(nurse, patient, team)

    assert answer.status == 200, answer.issues
    assert len(answer.resources) == 4


def test_a_citizen_begins_their_own_episode(guarded, begin, team) -> None:
    patient = guarded.patient()
    citizen = who("PATIENT", BEGIN, ["xa"], patient=patient)

    assert begin(citizen, patient, team).status == 200


def test_nobody_else_begins_an_episode(guarded, begin, team, episode) -> None:
    patient, other = guarded.patient(), guarded.patient()
    mine = {"patient": patient, "care_team": team}

    def status(may, about=patient, by=team, **context):
        principal = who("PRACTITIONER", may, ["xa"], **context)
        return begin(principal, about, by).status

    assert status("", **mine) == 403
    assert status(BEGIN, about=other, **mine) == 403
    assert status(BEGIN, by=guarded.team(), **mine) == 403
    assert status(BEGIN, episode_of_care=episode, **mine) == 403
    assert status(BEGIN, care_team=team) == 403


def test_nobody_else_is_told_why_an_episode_cannot_begin(guarded, begin, team) -> None:
    patient = guarded.patient(deceasedBoolean=True)
    nurse = who("PRACTITIONER", BEGIN, ["xa"], patient=patient, care_team=team)
    other = who(
        "PRACTITIONER", BEGIN, ["xa"], patient=guarded.patient(), care_team=team
    )
    outsider = who(
        "PRACTITIONER", BEGIN, ["xa"], patient=patient, care_team=guarded.team()
    )

    assert begin(nurse, patient, team).status == 422
    for principal in (other, outsider):
        answer = begin(principal, patient, team)
        assert (answer.status, len(answer.issues)) == (403, 1)
