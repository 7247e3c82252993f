"""Automated processing: earlier measurements and answers, as a library asks for them."""

import pytest

from fyr.core.testing.clock import START
from fyr.plugins.clinical.tasks.libraries import Unusable, wanted_by

from ..guide import to
from .conftest import RANGES, category, codes


def test_earlier_data_is_given_as_the_library_asks(ward) -> None:
    source = {
        "language": "fyr-rules/1",
        "rules": [
            {
                "name": "falling",
                "when": "%week.count() = 2 and %week.first().value.value = 90"
                " and %value < 90",
                "finding": "red",
            }
        ],
    }
    requirement = {
        "id": "week",
        "type": "Observation",
        "limit": 2,
        "dateFilter": [
            {"path": "effective", "valueDuration": {"value": 1, "code": "wk"}}
        ],
        "sort": [{"path": "effective", "direction": "descending"}],
    }
    case = ward.case(library=ward.library(source, dataRequirement=[requirement]))
    for day, number in (("01", 60), ("05", 95), ("06", 93), ("07", 90)):
        case.ward.put(
            {
                **ward.read(case.observation(number)),
                "effectiveDateTime": f"2026-01-{day}T08:00:00Z",
            }
        )
    invalid = ward.read(case.observation(1))
    ward.put({**invalid, "status": "entered-in-error"})
    case.submit(case.observation(89))

    assert [codes(it) for it in case.impressions()] == [["red"]]


def test_earlier_answers_and_pictures_are_found_by_their_own_dates(ward) -> None:
    source = {
        "language": "fyr-rules/1",
        "rules": [
            {
                "name": "both",
                "when": "%answers.count() = 1 and %Media.count() = 1",
                "finding": "yellow",
            }
        ],
    }
    asked = [
        {"id": "answers", "type": "QuestionnaireResponse", "limit": 3},
        {"type": "Media", "limit": 3},
        {"type": "Patient"},
    ]
    case = ward.case(library=ward.library(source, dataRequirement=asked))
    case.response(
        ward.of("Questionnaire", status="active"),
        {"linkId": "q", "answer": [{"valueInteger": 1}]},
    )
    for created in ("2026-01-07T08:00:00Z", "2023-01-07T08:00:00Z"):
        ward.of(
            "Media",
            status="completed",
            subject=to(case.patient),
            basedOn=[to(case.request)],
            createdDateTime=created,
            content={"title": "x"},
        )
    case.submit(case.observation(89))

    assert [codes(it) for it in case.impressions()] == [["yellow"]]


@pytest.mark.parametrize(
    ("requirement", "why"),
    [
        ({}, "A duration or a limit is missing"),
        ({"limit": 501}, "above 500"),
        (
            {"limit": 1, "sort": [{"path": "birth", "direction": "ascending"}]},
            "sorted by birth",
        ),
        (
            {"dateFilter": [{"path": "birth", "valueDuration": {"value": 1}}]},
            "by the date birth",
        ),
        ({"dateFilter": [{"valueDuration": {"value": 1}}]}, "which date"),
        (
            {"dateFilter": [{"path": "effective", "valueDuration": {"value": 1}}]},
            "UCUM unit",
        ),
        (
            {
                "dateFilter": [
                    {"path": "effective", "valueDuration": {"value": 5, "code": "a"}}
                ]
            },
            "longer than 12 months",
        ),
        ({"dateFilter": [{"path": "effective"}]}, "A duration or a limit"),
    ],
)
def test_a_library_that_asks_wrongly_gets_no_earlier_data_and_somebody_is_told(
    ward, requirement, why
) -> None:
    asked = [{"type": "Observation", **requirement}]
    library = ward.library(dataRequirement=asked)
    case = ward.case(library=library, ranges=RANGES)
    case.submit(case.observation(84))

    mending = [
        it for it in case.tasks() if category(it) == "LibraryUseMismatchFixingNeeded"
    ]
    assert [why in it["description"] for it in mending] == [True]
    assert [codes(it) for it in case.impressions()] == [["red"]]


@pytest.mark.parametrize(
    ("sort", "name"),
    [
        ({"path": "effective"}, "LIBRARY_EVALUATE_SORT_DIRECTION_NOT_RECOGNIZED"),
        (
            {"path": "effective", "direction": "up"},
            "LIBRARY_EVALUATE_SORT_DIRECTION_NOT_RECOGNIZED",
        ),
        ({"direction": "ascending"}, "LIBRARY_EVALUATE_SORT_EMPTY"),
    ],
)
def test_what_the_structure_of_a_library_lets_by_nobody_is_told_too(sort, name) -> None:
    with pytest.raises(Unusable) as told:
        wanted_by({"type": "Observation", "limit": 1, "sort": [sort]}, "1", START)

    assert told.value.issue.error_code == name
