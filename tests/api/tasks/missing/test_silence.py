"""Measurements that are not missed, and reminders of those that are still to come."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from ...guide import EPISODE, concept, ext, to
from ..conftest import Case, Ward
from .watched import Watched, part


def consent_of(case: Case) -> None:
    case.ward.of(
        "Consent",
        status="active",
        scope=concept("x"),
        category=[concept("PITEOC", "http://ehealth.sundhed.dk/cs/consent-category")],
        policy=[{"uri": "urn:x"}],
        patient=to(case.patient),
        provision={"data": [{"meaning": "instance", "reference": to(case.episode)}]},
    )


@pytest.mark.parametrize("status", ["on-hold", "revoked", "completed"])
def test_a_request_that_is_not_active_is_not_waited_for(ward, status) -> None:
    case = Watched(ward)
    stored = ward.read(case.request)
    ward.put({**stored, "status": status})

    case.later(days=3)

    assert case.tasks() == []
    assert case.messages() == []


@pytest.mark.parametrize("of", ["episode", "plan"])
def test_what_pauses_is_silent_and_goes_on(ward: Ward, of: str) -> None:
    case = Watched(ward)
    consent_of(case)
    paused = {"episode": "onhold", "plan": "on-hold"}[of]
    reference = getattr(case, of)
    ward.put({**ward.read(reference), "status": paused})
    case.later(days=1)
    assert case.tasks() == []

    ward.put({**ward.read(reference), "status": "active"})
    case.later(days=1)

    assert len(case.tasks()) == 1


def test_a_pause_that_was_planned_is_silent_though_nothing_ran_meanwhile(
    ward: Ward,
) -> None:
    case = Watched(ward)

    def planned(status: str, days: int) -> dict[str, Any]:
        at = (case.first + timedelta(days=days, hours=12)).isoformat()
        said = {"url": "status", "valueCode": status}
        when = {"url": "scheduledTime", "valueDateTime": at}
        return ext("careplan-statusschedule", extension=[said, when])

    plan = ward.read(case.plan)
    changes = [planned("on-hold", 1), planned("active", 4)]
    ward.put({**plan, "extension": [*plan.get("extension", ()), *changes]})
    ward.work()

    case.later(days=6)

    starts = sorted(
        next(one["valueDateTime"] for one in timing if one["url"] == "start")
        for timing in (part(task, "resolved-timing") for task in case.tasks())
    )
    missed = [case.first + timedelta(days=day) for day in (0, 1, 5)]
    assert starts == [one.isoformat() for one in missed]


def test_what_cannot_be_said_of_one_slot_holds_back_no_other(ward: Ward) -> None:
    case = Watched(ward)
    consent_of(case)
    episode = ward.read(case.episode)
    stranger = ward.of("Patient")
    ward.put({**episode, "patient": to(stranger)})
    case.later(hours=4)
    assert case.tasks() == []

    ward.put({**episode, "patient": to(case.patient)})
    case.later(days=1)

    assert len(case.tasks()) == 1


def test_what_nobody_measures_is_not_missed(ward: Ward) -> None:
    meeting = concept("ALCA00", "urn:oid:1.2.208.176.2.4")
    case = Watched(ward, code=meeting)

    case.later(days=2)

    assert case.tasks() == []
    assert case.messages() == []


def test_less_than_was_to_be_is_missed(ward: Ward) -> None:
    case = Watched(ward, repeat={"frequency": 2})
    case.submit()

    case.later(hours=4)

    assert len(case.tasks()) == 1


def test_a_measurement_that_was_invalidated_does_not_count(ward: Ward) -> None:
    case = Watched(ward)
    case.submit(status="entered-in-error")

    case.later(hours=4)

    assert len(case.tasks()) == 1


def test_an_invalidated_measurement_may_be_said_to_fulfil(ward: Ward) -> None:
    case = Watched(ward)
    measurement = case.submit(status="entered-in-error")
    system = "http://ehealth.sundhed.dk/cs/clinicalimpression-decision-codes"
    decided = concept("invalidated-fulfills", system)
    ward.of(
        "ClinicalImpression",
        status="completed",
        subject=to(case.patient),
        investigation=[{"code": concept("x"), "item": [to(measurement)]}],
        extension=[
            ext(EPISODE, valueReference=to(case.episode)),
            ext("clinicalimpression-decision", valueCodeableConcept=decided),
        ],
    )

    case.later(hours=4)

    assert case.tasks() == []


def test_a_patient_is_reminded_in_the_middle_of_a_slot(ward: Ward) -> None:
    case = Watched(ward)

    case.later(hours=1, minutes=59)
    assert case.messages() == []
    case.later(minutes=1)

    (message,) = case.messages()
    assert message["recipient"] == [to(case.patient)]
    assert message["category"][0]["coding"][0]["code"] == "advice"
    (reason,) = message["reasonCode"]
    assert reason["coding"][0]["code"] == "ReminderSubmitMeasurement"


def test_nobody_is_reminded_of_what_is_over(ward: Ward) -> None:
    case = Watched(ward)

    case.later(days=2, hours=2)

    (message,) = [
        one
        for one in case.messages()
        if "ReminderSubmitMeasurement" in json.dumps(one.get("reasonCode"))
    ]
    day = (case.first + timedelta(days=2)).strftime("%d.%m.%Y")
    assert day in message["payload"][0]["contentString"]


def test_a_patient_who_has_measured_is_not_reminded(ward: Ward) -> None:
    case = Watched(ward)
    case.submit()

    case.later(hours=2)

    assert case.messages() == []
