"""``$get-patient-procedures``: slots, counts, and what is narrowed down."""

from __future__ import annotations

from typing import Any

import pytest

from ..guide import ROOT, concept, to
from .conftest import END, START, Ward, asked, only, parameters, resolved_timing, timing

MONDAY = ("2026-01-05T08:00:00+00:00", "2026-01-05T09:00:00+00:00")
TUESDAY = ("2026-01-06T08:00:00+00:00", "2026-01-06T09:00:00+00:00")
TWO_DAYS = timing(
    boundsPeriod={
        "start": "2026-01-05T09:00:00+01:00",
        "end": "2026-01-07T09:00:00+01:00",
    },
    frequency=2,
)
AD_HOC = timing(frequency=None, period=None, periodUnit=None)
UNKNOWN = timing(boundsPeriod=None)


def slot(row: dict[str, Any]) -> tuple[str, str]:
    return row["ResolvedTimingStart"], row["ResolvedTimingEnd"]


def test_each_slot_of_the_period_is_a_row(ward: Ward) -> None:
    patient, request = ward.plan_of(TWO_DAYS)

    rows = ward.rows(patient)

    assert [slot(row) for row in rows] == [MONDAY, TUESDAY]
    for row in rows:
        assert row["ServiceRequest"] == f"{ROOT}/careplan/fhir/{request}"
        assert row["ServiceRequestVersionId"] == "1"
        assert row["TimingType"] == "Resolved"
        assert row["OccurrencesRequested"] == 2
        assert not {"TotalSubmitted", "SubmittedTimely", "TotalInvalidated"} & set(row)


def test_slots_outside_of_the_period_are_left_out(ward: Ward) -> None:
    patient, _ = ward.plan_of(timing())

    rows = ward.rows(
        patient, start="2026-01-06T10:00:00+01:00", end="2026-01-07T08:59:00+01:00"
    )

    assert [slot(row) for row in rows] == [TUESDAY]


def test_a_day_stands_for_all_of_it_by_the_local_clock(ward: Ward) -> None:
    patient, _ = ward.plan_of({"occurrenceDateTime": "2026-01-05T00:30:00+01:00"})

    assert len(ward.rows(patient, start="2026-01-05", end="2026-01-05")) == 1
    assert ward.rows(patient, start="2026-01-04", end="2026-01-04") == []


def test_measurements_are_counted_in_their_slot(ward: Ward) -> None:
    patient, request = ward.plan_of(TWO_DAYS)
    monday = resolved_timing("Resolved", *MONDAY)
    ward.measure(request, monday, "2026-01-05T09:30:00+01:00")
    ward.measure(request, monday, "2026-01-05T12:00:00+01:00")
    ward.measure(
        request, monday, "2026-01-05T09:40:00+01:00", status="entered-in-error"
    )

    first, second = ward.rows(patient)

    assert slot(first) == MONDAY
    assert first["TotalSubmitted"] == 3
    assert first["SubmittedTimely"] == 2
    assert first["TotalInvalidated"] == 1
    assert "TotalSubmitted" not in second


def test_a_slot_without_length_is_met_within_its_minute(ward: Ward) -> None:
    moment = "2026-01-05T09:00:00+01:00"
    patient, request = ward.plan_of({"occurrenceDateTime": moment})
    at_nine = resolved_timing("Resolved", moment, moment)
    ward.measure(request, at_nine, "2026-01-05T09:00:59+01:00")
    ward.measure(request, at_nine, "2026-01-05T09:01:00+01:00")

    (row,) = ward.rows(patient)

    assert (row["TotalSubmitted"], row["SubmittedTimely"]) == (2, 1)


def test_a_measurement_of_several_codes_is_one(ward: Ward) -> None:
    patient, request = ward.plan_of(TWO_DAYS)
    monday = resolved_timing("Resolved", *MONDAY)
    for code in ("systolic", "diastolic"):
        when = "2026-01-05T09:30:00+01:00"
        ward.measure(request, monday, when, code=concept(code))

    assert ward.rows(patient)[0]["TotalSubmitted"] == 1


def test_answers_and_pictures_are_counted_as_values_are(ward: Ward) -> None:
    patient, request = ward.plan_of(TWO_DAYS)
    monday, when = resolved_timing("Resolved", *MONDAY), "2026-01-05T09:30:00+01:00"
    based = {"basedOn": [to(request)], "extension": [monday], "status": "completed"}
    ward.make("QuestionnaireResponse", authored=when, **based)

    assert ward.rows(patient)[0]["SubmittedTimely"] == 1

    patient, request = ward.plan_of(TWO_DAYS)
    based["basedOn"] = [to(request)]
    ward.make("Media", createdDateTime=when, content={"title": "x"}, **based)

    assert ward.rows(patient)[0]["SubmittedTimely"] == 1


def test_what_was_measured_for_no_slot_has_a_row_that_expects_nothing(ward) -> None:
    patient, request = ward.plan_of(TWO_DAYS)
    longer = resolved_timing("Resolved", MONDAY[0], "2026-01-05T10:00:00+00:00")
    ward.measure(request, longer, "2026-01-05T09:30:00+01:00")

    answer = ward.ask(patient=patient)
    rows = ward.rows(patient)

    assert [slot(row)[1] for row in rows] == [
        MONDAY[1],
        TUESDAY[1],
        "2026-01-05T10:00:00+00:00",
    ]
    assert rows[2]["TotalSubmitted"] == 1
    assert "OccurrencesRequested" not in rows[2]
    (outcome,) = only(answer.json, "OperationOutcome")
    assert [one["severity"] for one in outcome["issue"]] == ["warning"]
    assert f"{request}/_history/1" in outcome["issue"][0]["diagnostics"]


def test_without_anything_odd_there_is_no_outcome(ward: Ward) -> None:
    patient, _ = ward.plan_of(TWO_DAYS)

    assert only(ward.ask(patient=patient).json, "OperationOutcome") == []


def test_what_was_measured_for_an_earlier_version_has_its_own_row(ward: Ward) -> None:
    patient = ward.make("Patient")
    episode = ward.episode(patient)
    request = ward.request(patient, episode, **TWO_DAYS)
    ward.plan(patient, episode, request)
    ward.measure(
        request, resolved_timing("Resolved", *MONDAY), "2026-01-05T09:30:00+01:00"
    )
    number = request.partition("/")[2]
    changed = asked(patient, episode, **TWO_DAYS, priority="urgent")
    ward.put({"resourceType": "ServiceRequest", "id": number, **changed})

    rows = ward.rows(patient)

    assert [row["ServiceRequestVersionId"] for row in rows] == ["2", "2", "1"]
    assert "TotalSubmitted" not in rows[0]
    assert rows[2]["TotalSubmitted"] == rows[2]["SubmittedTimely"] == 1
    assert "OccurrencesRequested" not in rows[2]


@pytest.mark.parametrize(
    ("occurrence", "kind"),
    [(AD_HOC, "Adhoc"), ({}, "Adhoc"), (UNKNOWN, "Unresolved")],
    ids=["ad hoc", "no occurrence", "not understood"],
)
def test_what_has_no_slots_is_one_row_by_when_it_was_measured(
    ward: Ward, occurrence: Any, kind: str
) -> None:
    patient, request = ward.plan_of(occurrence)
    ward.measure(request, resolved_timing(kind), "2026-01-06T12:00:00+01:00")
    ward.measure(request, resolved_timing(kind), "2026-02-06T12:00:00+01:00")

    (row,) = ward.rows(patient)

    assert row["TimingType"] == kind
    assert slot(row) == (None, None)
    assert row["TotalSubmitted"] == 1
    assert "SubmittedTimely" not in row
    assert "OccurrencesRequested" not in row


def test_a_long_period_counts_what_its_parts_count(ward: Ward) -> None:
    patient, slotted, any_time = ward.plan_of(TWO_DAYS, AD_HOC)
    when = "2026-01-05T09:30:00+01:00"
    ward.measure(slotted, resolved_timing("Resolved", *MONDAY), when)
    ward.measure(slotted, resolved_timing("Resolved", *MONDAY, "7"), when)
    ward.measure(slotted, resolved_timing("Unresolved"), when)
    ward.measure(any_time, resolved_timing("Adhoc"), when)
    ward.measure(any_time, resolved_timing("Adhoc"), "2027-01-05T09:30:00+01:00")

    week = ward.rows(patient)
    year = ward.rows(patient, start="2025-06-01", end="2026-05-31")

    assert year == week
    assert sum(row.get("TotalSubmitted", 0) for row in week) == 4


def test_a_row_for_extra_measurements_is_told_when_asked_for(ward: Ward) -> None:
    patient, with_extra, _ = ward.plan_of(
        {**TWO_DAYS, "extra": True}, {**TWO_DAYS, "extra": False}
    )
    ward.measure(with_extra, resolved_timing("Extra"), "2026-01-06T12:00:00+01:00")

    rows = ward.rows(patient, extra=True)

    assert [row["TimingType"] for row in rows] == [
        "Extra",
        *["Resolved"] * 4,
    ]
    assert rows[0]["ServiceRequest"].endswith(with_extra)
    assert rows[0]["TotalSubmitted"] == 1
    assert not rows[4]["ServiceRequest"].endswith(with_extra)
    assert "Extra" not in [row["TimingType"] for row in ward.rows(patient)]


@pytest.mark.parametrize("status", ["draft", "on-hold", "completed", "revoked"])
def test_only_active_requests_are_told(ward: Ward, status: str) -> None:
    patient, active, _ = ward.plan_of(TWO_DAYS, {**TWO_DAYS, "status": status})

    answer = ward.ask(patient=patient).json

    assert [one["id"] for one in only(answer, "ServiceRequest")] == [active[15:]]


def test_only_active_plans_of_active_episodes_are_told(ward: Ward) -> None:
    patient = ward.make("Patient")
    for plan_status, episode_status in [
        ("active", "active"),
        ("draft", "active"),
        ("active", "onhold"),
    ]:
        episode = ward.episode(patient, episode_status)
        request = ward.request(patient, episode, **TWO_DAYS)
        ward.plan(patient, episode, request, status=plan_status)

    assert len(ward.rows(patient)) == 2


def test_an_overview_is_narrowed_to_episodes_conditions_and_tags(ward: Ward) -> None:
    patient = ward.make("Patient")
    episodes, requests = [], []
    for code, tag in [("copd", "xa"), ("heart", "xb")]:
        condition = ward.make(
            "Condition", subject=to(patient), code=concept(code, "urn:icd|10")
        )
        episode = ward.episode(
            patient,
            diagnosis=[{"condition": to(condition)}],
            meta={"tag": [{"system": "urn:tags", "code": tag}]},
        )
        episodes.append(episode)
        requests.append(ward.request(patient, episode, **TWO_DAYS))
        ward.plan(patient, episode, requests[-1])

    def found(**given: Any) -> set[str]:
        rows = ward.rows(patient, **given)
        return {row["ServiceRequest"].partition("/fhir/")[2] for row in rows}

    copd = {"system": "urn:icd|10", "code": "copd"}
    heart = {"system": "urn:icd|10", "code": "heart"}
    assert found() == set(requests)
    assert found(episodeOfCare=episodes[0]) == {requests[0]}
    assert found(episodeOfCare=episodes) == set(requests)
    assert found(conditionCodings=heart) == {requests[1]}
    assert found(conditionCodings=[copd, heart]) == set(requests)
    assert found(_tag={"system": "urn:tags", "code": "xa"}) == {requests[0]}
    assert found(episodeOfCare=episodes[0], conditionCodings=heart) == set()


def test_plans_requests_and_rows_are_one_collection(ward: Ward) -> None:
    patient, request = ward.plan_of(TWO_DAYS)

    bundle = ward.ask(patient=patient).json

    assert bundle["type"] == "collection"
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["CarePlan", "ServiceRequest", "Parameters"]
    assert bundle["entry"][1]["fullUrl"] == f"{ROOT}/careplan/fhir/{request}"


def test_a_patient_without_plans_has_an_empty_overview(ward: Ward) -> None:
    patient = ward.make("Patient")

    bundle = ward.ask(patient=patient).json

    assert [one["resource"] for one in bundle["entry"]] == [
        {"resourceType": "Parameters"}
    ]


def test_the_patient_may_be_told_by_its_url(ward: Ward) -> None:
    patient, _ = ward.plan_of(TWO_DAYS)

    assert len(ward.rows(f"{ROOT}/patient/fhir/{patient}")) == 2


def test_all_that_is_wrong_with_a_question_is_told_at_once(ward: Ward) -> None:
    answer = ward.ask(
        patient="Group/1", episodeOfCare="CarePlan/1", start="2026", end="2026-01"
    )

    assert answer.status == 400
    assert [one["expression"][0].split("'")[1] for one in answer.json["issue"]] == [
        "start",
        "end",
        "patient",
        "episodeOfCare",
    ]


@pytest.mark.parametrize("missing", ["patient", "start", "end"])
def test_patient_and_period_have_to_be_told(ward: Ward, missing: str) -> None:
    given = {"patient": "Patient/1", "start": START, "end": END}
    del given[missing]
    answer = ward.at().post("$get-patient-procedures", parameters(**given))

    assert answer.status == 400
    assert f"parameter {missing} is missing" in answer.issues


def test_a_period_that_ends_before_it_begins_is_refused(ward: Ward) -> None:
    answer = ward.ask(patient="Patient/1", start=END, end=START)

    assert answer.status == 400
    assert answer.issues == ["The content breaks a rule: the end lies before the start"]


def test_a_period_of_too_many_slots_is_refused(ward: Ward) -> None:
    patient, _ = ward.plan_of(timing(period=1, periodUnit="min"))

    answer = ward.ask(patient=patient, end="2027-01-05T00:00:00+01:00")

    assert answer.status == 422
    assert "ask for a shorter one" in answer.issues[0]


def test_words_for_the_activity_are_those_of_its_code(ward: Ward) -> None:
    shown = {"coding": [{"system": "urn:x", "code": "w", "display": "Vægt"}]}
    patient, *_ = ward.plan_of({**TWO_DAYS, "code": shown})

    assert {row["Activity"] for row in ward.rows(patient)} == {"Vægt"}
