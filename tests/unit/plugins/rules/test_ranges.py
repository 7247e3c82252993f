"""Alarm ranges: a value inside one raises its alarm."""

import pytest

from .conftest import (
    NPU,
    activity,
    alarm,
    codes,
    goal,
    problems,
    rules,
    run,
    saturation,
    tasks,
)

SOURCE = rules(triage=["reference-ranges"])
RANGES = activity(alarm("GAL", 88, 92), alarm("RAL", high=88))


@pytest.mark.parametrize(
    ("number", "colour"),
    [(80, "red"), (88, "red"), (90, "yellow"), (92, "yellow"), (93, "green")],
)
def test_both_ends_belong_to_a_range_and_red_goes_before_yellow(number, colour) -> None:
    assert codes(run(SOURCE, saturation(number), service_request=RANGES)) == [colour]


def test_a_finding_says_which_range_the_value_lies_in() -> None:
    (one,) = run(SOURCE, saturation(90), service_request=RANGES).findings

    assert one.about == "Observation/1"
    assert one.basis == "90 % lies in GAL 88..92"


def test_a_value_without_any_alarm_range_is_not_judged() -> None:
    normal = activity(alarm("NORMAL", 1, 2))
    outcome = run(SOURCE, saturation(90), service_request=normal)

    assert codes(outcome) == []
    assert problems(outcome) == []


def test_a_source_can_need_ranges() -> None:
    source = rules(triage=["reference-ranges"], needs={"referenceRanges": True})
    outcome = run(source, saturation(90), service_request=activity())

    assert problems(outcome) == [("input", "RefRangeNeeded")]


def test_a_range_of_another_unit_is_told_and_not_used() -> None:
    ranges = activity(alarm("RAL", high=88, unit="kPa"), alarm("GAL", 89, 92))
    yellow = run(SOURCE, saturation(90), service_request=ranges)

    assert problems(yellow) == [("input", "RefRangeFixingNeeded")]
    assert codes(yellow) == ["yellow"]


@pytest.mark.parametrize(
    ("number", "unit", "colour"),
    [
        (22, "kPa", "red"),
        (20, "kPa", "green"),
        (165, "mm[Hg]", "red"),
        (90, "mm[Hg]", "green"),
    ],
)
def test_a_value_is_converted_into_the_unit_of_its_range(number, unit, colour) -> None:
    ranges = activity(alarm("RAL", 160, unit="mm[Hg]"))
    outcome = run(SOURCE, saturation(number, unit=unit), service_request=ranges)

    assert codes(outcome) == [colour]
    assert problems(outcome) == []


def test_degrees_are_converted_by_where_their_scales_begin() -> None:
    fever = activity(alarm("RAL", 39, unit="Cel"))

    def colour(number):
        return codes(
            run(SOURCE, saturation(number, unit="[degF]"), service_request=fever)
        )

    assert (colour(103), colour(102)) == (["red"], ["green"])


def test_a_goal_in_another_unit_is_converted_too() -> None:
    ranges = activity(alarm("RELRAL", 2, unit="kg"))
    heavy = goal(80_000, detailQuantity={"value": 80_000, "code": "g"})

    def colour(number, unit):
        value = saturation(number, unit=unit)
        return codes(run(SOURCE, value, service_request=ranges, goals=[heavy]))

    assert colour(82_500, "g") == ["red"]
    assert colour(81, "kg") == ["green"]


@pytest.mark.parametrize(("number", "colours"), [(80, ["red"]), (97, [])])
def test_a_value_without_a_unit_raises_an_alarm_and_is_never_green(
    number, colours
) -> None:
    """Where its ranges have one: it may be any number."""
    bare = saturation(number)
    del bare["valueQuantity"]["code"]
    bare["valueQuantity"].pop("unit", None)
    outcome = run(SOURCE, bare, service_request=RANGES)

    assert codes(outcome) == colours
    assert problems(outcome) == [("input", "RefRangeFixingNeeded")]
    assert len(tasks(outcome)) == 1


def test_what_one_of_its_ranges_could_not_be_used_for_is_no_green() -> None:
    ranges = activity(alarm("RAL", high=88, unit="kPa"), alarm("GAL", 89, 92))
    outcome = run(SOURCE, saturation(80), service_request=ranges)

    assert codes(outcome) == []
    assert tasks(outcome) == [("MeasurementForAssessmentNotTriaged", "routine")]


def test_a_value_that_no_range_fits_is_for_somebody_to_assess_each_time() -> None:
    outcome = run(
        SOURCE,
        saturation(80, unit="kg"),
        saturation(80, id="2"),
        service_request=RANGES,
    )

    assert [one["reasonReference"]["reference"] for one in outcome.resources] == [
        "Observation/1",
        "Observation/2",
    ]
    assert tasks(outcome) == [
        ("MeasurementForAssessmentNotTriaged", "routine"),
        ("MeasurementForAssessment", "urgent"),
    ]


def test_a_value_that_is_no_number_is_not_lost_where_there_are_alarm_ranges() -> None:
    text = saturation(80, valueCodeableConcept={"text": "low"})
    del text["valueQuantity"]
    outcome = run(SOURCE, text, service_request=RANGES)

    assert problems(outcome) == [("input", "RefRangeFixingNeeded")]
    assert tasks(outcome) == [("MeasurementForAssessmentNotTriaged", "routine")]


@pytest.mark.parametrize(
    ("comparator", "number", "colour"),
    [
        ("<", 95, "red"),
        ("<=", 95, "red"),
        (">", 93, "green"),
        (">=", 92, "yellow"),
        (">", 92, "green"),
        (">", 50, "red"),
    ],
)
def test_a_value_with_a_comparator_raises_what_it_may_lie_in(
    comparator, number, colour
) -> None:
    value = {"value": number, "code": "%", "comparator": comparator}
    outcome = run(
        SOURCE, saturation(number, valueQuantity=value), service_request=RANGES
    )

    assert codes(outcome) == [colour]


def test_what_lies_beyond_the_end_of_a_range_is_not_in_it() -> None:
    high = activity(alarm("RAL", 100, unit="mg/L"))
    value = {"value": 100, "code": "mg/L", "comparator": "<"}
    outcome = run(SOURCE, saturation(100, valueQuantity=value), service_request=high)

    assert codes(outcome) == ["green"]


def test_a_range_without_ends_is_told() -> None:
    outcome = run(SOURCE, saturation(80), service_request=activity(alarm("RAL")))

    assert problems(outcome) == [("input", "RefRangeFixingNeeded")]


def test_components_have_ranges_of_their_own_by_code() -> None:
    def part(code, number):
        coding = [{"system": NPU, "code": code}]
        quantity = {"value": number, "code": "mm[Hg]"}
        return {"code": {"coding": coding}, "valueQuantity": quantity}

    pressure = saturation(0, component=[part("SYS", 170), part("DIA", 80)])
    del pressure["valueQuantity"]
    ranges = activity(
        alarm("RAL", 160, code="SYS", unit="mm[Hg]"),
        alarm("GAL", 95, code="DIA", unit="mm[Hg]"),
    )
    outcome = run(SOURCE, pressure, service_request=ranges)

    assert codes(outcome) == ["red", "green"]
    assert outcome.findings[0].code["coding"][1] == {"system": NPU, "code": "SYS"}


def test_what_has_no_value_but_a_reason_is_absent() -> None:
    absent = saturation(0, dataAbsentReason={"text": "unknown"})
    del absent["valueQuantity"]

    assert codes(run(SOURCE, absent, service_request=RANGES)) == ["data-absent"]


NOTHING = {"code": {"coding": [{"system": NPU, "code": "SYS"}]}}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"valueQuantity": {"code": "%"}},
        {"component": [NOTHING]},
        {"component": [NOTHING | {"dataAbsentReason": {"text": "error"}}]},
    ],
)
def test_what_has_neither_a_value_nor_a_reason_is_absent_too(told) -> None:
    absent = saturation(0)
    del absent["valueQuantity"]

    outcome = run(SOURCE, absent | told, service_request=RANGES)

    assert codes(outcome) == ["data-absent"]


@pytest.mark.parametrize(
    "told",
    [
        {"valueCodeableConcept": {"text": "good"}},
        {"component": [NOTHING | {"valueString": "good"}]},
        {"hasMember": [{"reference": "Observation/2"}]},
    ],
)
def test_a_value_of_another_kind_is_not_absent(told) -> None:
    other = saturation(0)
    del other["valueQuantity"]

    assert codes(run(SOURCE, other | told, service_request=RANGES)) == []


@pytest.mark.parametrize(
    ("number", "colour"), [(91, "red"), (92, "yellow"), (94, "yellow"), (95, "green")]
)
def test_relative_ranges_stand_on_the_goal(number, colour) -> None:
    ranges = activity(alarm("RELRAL", high=1), alarm("RELGAL", -1, 4))
    outcome = run(SOURCE, saturation(number), service_request=ranges, goals=[goal(90)])

    assert codes(outcome) == [colour]


RELATIVE = activity(alarm("RELRAL", high=1))


@pytest.mark.parametrize(
    "goals",
    [
        [],
        [goal(90, start="2026-03-03")],
        [goal(90, dueDate="2026-03-01")],
        [goal(90, dueDuration={"value": 1, "code": "mo"})],
        [goal(90, activity="ServiceRequest/8")],
        [goal(90) | {"lifecycleStatus": "cancelled"}],
        [goal(90) | {"description": {"text": "feel better"}}],
        [goal(90, measure={"coding": [{"system": NPU, "code": "NPU21692"}]})],
    ],
)
def test_without_a_goal_in_force_a_relative_range_needs_one(goals) -> None:
    outcome = run(SOURCE, saturation(80), service_request=RELATIVE, goals=goals)

    assert problems(outcome) == [("input", "RefBaseNeeded")]
    assert codes(outcome) == []


@pytest.mark.parametrize(
    "more",
    [
        {"dueDate": "2026-03-02"},
        {"dueDuration": {"value": 3, "code": "mo"}},
        {"dueDuration": {"value": 9, "code": "wk"}},
    ],
)
def test_a_goal_holds_to_its_due_date_included(more) -> None:
    outcome = run(
        SOURCE, saturation(80), service_request=RELATIVE, goals=[goal(90, **more)]
    )

    assert codes(outcome) == ["red"]


def test_of_two_goals_the_later_start_counts() -> None:
    goals = [goal(70, start="2026-01-01"), goal(90, start="2026-02-01")]
    outcome = run(SOURCE, saturation(91), service_request=RELATIVE, goals=goals)

    assert codes(outcome) == ["red"]


@pytest.mark.parametrize("detail", [None, {"value": 90, "code": "kPa"}, {"unit": "%"}])
def test_a_goal_without_a_usable_value_is_to_be_mended(detail) -> None:
    one = goal(90, detailQuantity=detail)
    outcome = run(SOURCE, saturation(80), service_request=RELATIVE, goals=[one])

    assert problems(outcome) == [("input", "RefBaseFixingNeeded")]


def in_unit_of(system, number, code="%"):
    return saturation(
        number, valueQuantity={"value": number, "system": system, "code": code}
    )


def alarm_of(system, high):
    found = alarm("RAL", high=high)
    found["extension"][0]["valueQuantity"]["system"] = system
    return found


@pytest.mark.parametrize(
    "ranges", [[alarm("RAL", high=88)], [alarm("RAL", high=88, unit=None)]]
)
@pytest.mark.parametrize(("number", "found"), [(80, ["red"]), (97, [])])
def test_a_unit_that_only_looks_like_ucum_raises_an_alarm_and_is_never_green(
    ranges, number, found
) -> None:
    measured = in_unit_of("http://example.org", number)
    outcome = run(SOURCE, measured, service_request=activity(*ranges))

    assert codes(outcome) == found
    assert problems(outcome) == [("input", "RefRangeFixingNeeded")]
    assert "% (http://example.org)" in outcome.problems[0].text


def test_a_unit_of_another_system_is_not_converted() -> None:
    """15 of it would be 112 mm[Hg] if it were UCUM's kPa."""
    ranges = activity(alarm("RAL", 100, 120, unit="mm[Hg]"))
    outcome = run(
        SOURCE, in_unit_of("http://example.org", 15, "kPa"), service_request=ranges
    )

    assert codes(outcome) == []
    assert problems(outcome) == [("input", "RefRangeFixingNeeded")]


def test_a_range_in_a_unit_of_another_system_is_told_and_not_used() -> None:
    ranges = activity(alarm_of("http://example.org", 88))
    outcome = run(SOURCE, saturation(97), service_request=ranges)

    assert codes(outcome) == []
    assert problems(outcome) == [("input", "RefRangeFixingNeeded")]


@pytest.mark.parametrize(
    ("system", "found"), [("http://example.org", ["green"]), ("urn:oid:1.2.3", [])]
)
def test_a_unit_of_another_system_is_comparable_with_itself_alone(
    system, found
) -> None:
    ranges = activity(alarm_of("http://example.org", 88))

    assert codes(run(SOURCE, in_unit_of(system, 97), service_request=ranges)) == found


@pytest.mark.parametrize("system", ["http://unitsofmeasure.org", ""])
def test_what_names_no_system_is_taken_for_ucum(system) -> None:
    outcome = run(SOURCE, in_unit_of(system, 97), service_request=RANGES)

    assert codes(outcome) == ["green"]


def test_a_goal_in_a_unit_of_another_system_is_to_be_mended() -> None:
    detail = {"value": 90, "system": "http://example.org", "code": "%"}
    one = goal(90, detailQuantity=detail)
    outcome = run(SOURCE, saturation(80), service_request=RELATIVE, goals=[one])

    assert codes(outcome) == []
    assert problems(outcome) == [("input", "RefBaseFixingNeeded")]
