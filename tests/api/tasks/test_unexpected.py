"""Measurements of a kind or at a time that nobody asked for."""

import pytest

from ..guide import CS, concept, ext, to
from .conftest import alarm, category

DAILY = {
    "repeat": {
        "boundsPeriod": {"start": "2026-01-05T08:00:00+00:00"},
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
        "duration": 2,
        "durationUnit": "h",
    }
}


def timing(kind, start="", end="", version="1"):
    said = concept(kind, f"{CS}resolved-timing-type")
    ends = [
        {"url": name, "valueDateTime": when}
        for name, when in (("start", start), ("end", end))
        if when
    ]
    return ext(
        "resolved-timing",
        extension=[
            {"url": "serviceRequestVersionId", "valueId": version},
            *ends,
            {"url": "type", "valueCodeableConcept": said},
        ],
    )


def submit(case, said, *, at="2026-01-08T08:30:00+00:00"):
    """Submit a measurement at a moment with a resolved timing."""
    found = case.ward.read(case.observation(97))
    kept = [it for it in found["extension"] if "resolved-timing" not in it["url"]]
    measured = {**found, "extension": [*kept, said], "effectiveDateTime": at}
    case.ward.put({**measured, "id": case.ward.number()})
    name = f"Observation/n{int(case.ward.number()[1:]) - 1}"
    case.submit(name)
    return name


def codes_of(case):
    return sorted(it["code"]["coding"][0]["code"] for it in case.impressions())


def regime(ward, **more):
    request = {"occurrenceTiming": DAILY, **more}
    case = ward.case(library=ward.library(), ranges=[alarm("GAL", 1, 2)])
    body = ward.read(case.request)
    del body["occurrenceDateTime"]
    extension = [*body["extension"], *request.pop("extension", ())]
    ward.put({**body, **request, "extension": extension})
    return case


SLOT = timing("Resolved", "2026-01-08T08:00:00+00:00", "2026-01-08T10:00:00+00:00", "2")


@pytest.mark.parametrize(
    ("said", "at", "odd"),
    [
        (SLOT, "2026-01-08T08:30:00+00:00", False),
        (SLOT, "2026-01-08T11:30:00+00:00", True),
        (
            timing(
                "Resolved",
                "2026-01-08T07:00:00+00:00",
                "2026-01-08T10:00:00+00:00",
                "2",
            ),
            "2026-01-08T08:30:00+00:00",
            True,
        ),
        (timing("Unresolved", version="2"), "2026-01-08T09:00:00+00:00", False),
        (timing("Unresolved", version="2"), "2026-01-08T15:00:00+00:00", True),
        (timing("Adhoc", version="2"), "2026-01-08T15:00:00+00:00", True),
        (timing("Extra", version="2"), "2026-01-08T15:00:00+00:00", True),
    ],
)
def test_what_is_measured_outside_of_the_regime_is_asked_about(
    ward, said, at, odd
) -> None:
    case = regime(ward)
    name = submit(case, said, at=at)

    assert ("MeasurementTimingUnexpected" in codes_of(case)) is odd
    tasks = [
        it for it in case.tasks() if category(it) == "UnexpectedMeasurementResolving"
    ]
    assert len(tasks) == int(odd)
    for task in tasks:
        assert task["focus"] == to(name)
        assert task["priority"] == "routine"
    # It is triaged all the same.
    assert "TriagingResult" in codes_of(case)


def test_an_extra_that_is_asked_for_is_expected(ward) -> None:
    case = regime(ward, extension=[ext("include-as-extra", valueBoolean=True)])
    submit(case, timing("Extra", version="2"), at="2026-01-08T15:00:00+00:00")

    assert codes_of(case) == ["TriagingResult"]


def test_an_activity_without_a_regime_expects_any_time(ward) -> None:
    adhoc = {"repeat": {"boundsPeriod": {"start": "2026-01-05T08:00:00+00:00"}}}
    case = regime(ward, occurrenceTiming=adhoc)
    submit(case, timing("Adhoc", version="2"), at="2026-01-08T03:00:00+00:00")

    assert codes_of(case) == ["TriagingResult"]


def test_the_regime_is_that_of_the_version_that_was_submitted_for(ward) -> None:
    case = regime(ward)
    changed = ward.read(case.request)
    later = {**DAILY["repeat"], "boundsPeriod": {"start": "2026-01-05T20:00:00+00:00"}}
    ward.put({**changed, "occurrenceTiming": {"repeat": later}})
    submit(case, SLOT)

    assert codes_of(case) == ["TriagingResult"]


@pytest.mark.parametrize(
    ("asked", "odd"),
    [
        (concept("QR", f"{CS}activitydefinition-code"), True),
        (concept("ZZ7011", "urn:oid:1.2.208.176.2.4"), True),
        (concept("NPU03011", "urn:oid:1.2.208.176.2.1"), False),
        (concept("home-made", "urn:x"), False),
    ],
)
def test_another_kind_than_asked_for_is_asked_about(ward, asked, odd) -> None:
    case = ward.case(library=ward.library(), code=asked)
    case.submit(case.observation(97))

    assert ("MeasurementTypeUnexpected" in codes_of(case)) is odd


@pytest.mark.parametrize(
    ("start", "odd"),
    [("2026-01-08T08:30:00+00:00", False), ("2026-01-08T05:30:00+00:00", True)],
)
def test_answers_are_of_the_time_that_they_are_about(ward, start, odd) -> None:
    case = regime(ward)
    found = ward.read(
        case.response(ward.of("Questionnaire", status="active"), {"linkId": "1"})
    )
    about = ext("effectivePeriod", valuePeriod={"start": start, "end": start})
    said = {"extension": [*found["extension"], SLOT, about], "id": ward.number()}
    late = {"authored": "2026-01-08T14:00:00+00:00"}
    case.submit(ward.put({**found, **said, **late}))

    assert ("MeasurementTimingUnexpected" in codes_of(case)) is odd
