"""``$create-episode-of-care``: how an episode of care cannot begin."""

import pytest

from .words import EHEALTH, C, E, P, active, to


def other_patient(clinic, parts):
    parts[C]["subject"] = to("Patient/somebody")


def no_episode(clinic, parts):
    del parts[E]


def two_episodes(clinic, parts):
    parts["urn:uuid:e2"] = parts[E]


def another_type(clinic, parts):
    parts["urn:uuid:g"] = {
        "resourceType": "Basic",
        "code": {"text": "x"},
    }


def another_target(clinic, parts):
    parts[P]["target"] = [to(E), to("Patient/1")]


def no_policy(clinic, parts):
    parts[P]["policy"] = ["http://ehealth.sundhed.dk/policy/dk/persondataloven"]


def no_provenance(clinic, parts):
    del parts[P]


def died(clinic, parts):
    parts[E]["patient"] = to(clinic.patient(deceasedDateTime="2026-01-01"))
    parts[C]["subject"] = parts[E]["patient"]


def dead(clinic, parts):
    parts[E]["patient"] = to(clinic.patient(deceasedBoolean=True))
    parts[C]["subject"] = parts[E]["patient"]


def with_status_history(clinic, parts):
    parts[E]["statusHistory"] = [{"status": "planned", "period": {}}]
    parts[E]["statusHistory"][0]["period"]["start"] = "2026"


def with_team_history(clinic, parts):
    parts[E]["extension"] = [
        {
            "url": EHEALTH + "teamHistory",
            "extension": [
                {"url": "careTeam", "valueReference": to("CareTeam/1")},
                {"url": "period", "valuePeriod": {"start": "2026"}},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_episode, "The Bundle must hold one episode of care, no more."),
        (two_episodes, "The Bundle must hold one episode of care, no more."),
        (another_type, "The Bundle holds a resource of a type that does not belong"),
        (another_target, "The target of a Provenance is not what it must be"),
        (no_policy, "No Provenance has the policies that a new episode of care needs."),
        (no_provenance, "No Provenance has the policies"),
        (other_patient, "The condition is of another patient than the episode"),
        (died, "No episode of care begins for a patient who has died."),
        (dead, "No episode of care begins for a patient who has died."),
        (with_status_history, "The server keeps the status history; leave it out."),
        (with_team_history, "The server keeps the team history; leave it out."),
        (active, "A new episode of care has the status planned."),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_no_episode_can_begin_with_is_refused(
    clinic, begin, parts, spoil, told
) -> None:
    spoil(clinic, parts)
    before = clinic.all.get("EpisodeOfCare", {"_summary": "count"}).json["total"]

    answer = begin()

    assert answer.status == 422
    assert any(one.startswith(told) for one in answer.issues), answer.issues
    after = clinic.all.get("EpisodeOfCare", {"_summary": "count"}).json["total"]
    assert after == before


@pytest.mark.parametrize("policy", ["sundhedsloven", "serviceloven", "aeldreloven"])
def test_each_of_the_three_acts_is_enough(begin, parts, policy) -> None:
    parts[P]["policy"] = [f"http://ehealth.sundhed.dk/policy/dk/{policy}"]

    assert begin().status == 200


def test_all_that_is_wrong_is_told_at_once(clinic, begin, parts) -> None:
    for spoil in (no_policy, active, with_status_history, other_patient):
        spoil(clinic, parts)

    assert len(begin().issues) == 4


def test_a_diagnosis_is_a_condition_of_the_same_bundle(clinic, begin, parts) -> None:
    parts[E]["diagnosis"].append({"condition": to("Condition/elsewhere")})

    assert begin().status == 422


def test_a_condition_that_is_no_diagnosis_does_not_come_along(begin, parts) -> None:
    parts["urn:uuid:c2"] = parts[C]

    assert begin().status == 422


def test_a_patient_who_is_not_there_gets_no_episode(begin, parts) -> None:
    parts[E]["patient"] = parts[C]["subject"] = to("Patient/nobody")

    assert begin().status == 422
