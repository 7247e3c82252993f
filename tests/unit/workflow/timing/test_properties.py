"""Slots of any valid Timing: ordered, counted once, the same through every window."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.core.model.resource import FhirDecimal
from fyr.core.workflow.timing import (
    Kind,
    Occurrence,
    occurrence_of,
    problems,
    slots,
    slots_from,
    slots_starting,
)

ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Copenhagen",
        "UTC",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Pacific/Apia",
    )
]
SOME = 60
zones = st.sampled_from(ZONES)
numbers = st.integers(1, 40) | st.integers(1, 10**30) | st.just(FhirDecimal("2.0"))
moments = st.datetimes(datetime(1980, 1, 1), datetime(2060, 1, 1)).map(
    lambda one: one.replace(tzinfo=UTC, microsecond=0)
)
whenever = st.datetimes(datetime(3, 1, 1), datetime(9997, 1, 1)).map(
    lambda one: one.replace(tzinfo=UTC, microsecond=0)
)
clocks = st.times().map(lambda one: f"{one:%H:%M:%S}")


@st.composite
def timings(draw: st.DrawFn, starts: Any = moments, amounts: Any = numbers) -> Any:
    """Any Timing that recurs and that the guide allows."""
    start = draw(starts)
    repeat: dict[str, Any] = {
        "boundsPeriod": {"start": start.isoformat()},
        "frequency": draw(st.integers(1, 5)),
    }
    if draw(st.booleans()):
        end = start + draw(st.timedeltas(timedelta(), timedelta(days=300)))
        repeat["boundsPeriod"]["end"] = end.replace(microsecond=0).isoformat()
    days = draw(st.lists(st.sampled_from(["mon", "tue", "fri", "sat", "sun"])))
    times = draw(st.lists(clocks, max_size=4))
    units = ["wk"] if days else ["d", "wk", "mo", "a"]
    if days:
        repeat["dayOfWeek"] = days
    if times:
        repeat["timeOfDay"] = times
    if not days or draw(st.booleans()):
        if not days and not times:
            units += ["min", "h"]
        repeat["period"] = draw(amounts)
        repeat["periodUnit"] = draw(st.sampled_from(units))
    if draw(st.booleans()):
        repeat["duration"] = draw(amounts)
        repeat["durationUnit"] = draw(
            st.sampled_from(["s", "min", "h", "d", "wk", "a"])
        )
    return {"occurrenceTiming": {"repeat": repeat}}


small = timings(amounts=st.integers(1, 5))


def read(resource: Any) -> Occurrence:
    assert problems(resource, "ServiceRequest") == []
    found = occurrence_of(resource)
    assert found is not None
    assert found.kind is Kind.RESOLVED
    return found


def begun(occurrence: Occurrence) -> datetime:
    assert occurrence.start is not None
    return occurrence.start


@given(resource=timings(starts=whenever), zone=zones, start=whenever)
def test_expanding_any_valid_timing_ends(
    resource: Any, zone: ZoneInfo, start: datetime
) -> None:
    occurrence = read(resource)

    found = list(
        islice(slots(occurrence, start, start + timedelta(days=2), zone), SOME)
    )

    for slot in found:
        assert slot.start <= start + timedelta(days=2)
        assert slot.end >= start


@given(resource=timings(), zone=zones)
def test_slots_are_in_order_and_within_their_bounds(
    resource: Any, zone: ZoneInfo
) -> None:
    occurrence = read(resource)

    found = list(islice(slots_from(occurrence, begun(occurrence), zone), SOME))

    assert all(one.start < other.start for one, other in pairwise(found))
    assert all(one.end <= other.end for one, other in pairwise(found))
    assert all(one.start <= one.end and one.expected >= 1 for one in found)
    assert all(begun(occurrence) <= one.start for one in found)
    assert occurrence.end is None or all(one.start < occurrence.end for one in found)


@given(
    resource=small,
    start=st.timedeltas(timedelta(days=-30), timedelta(days=900)),
    zone=zones,
)
def test_slots_shorter_than_their_period_never_overlap(
    resource: Any, start: timedelta, zone: ZoneInfo
) -> None:
    repeat = resource["occurrenceTiming"]["repeat"]
    repeat.pop("timeOfDay", None)
    repeat.pop("dayOfWeek", None)
    # Three hours: more than a clock is ever put forward within a period of days.
    repeat |= {"period": 1, "periodUnit": "d", "duration": 21, "durationUnit": "h"}
    occurrence = read(resource)

    found = list(islice(slots_from(occurrence, begun(occurrence) + start, zone), SOME))

    assert all(
        one.end < other.start or zone.key == "Pacific/Apia"
        for one, other in pairwise(found)
    )


@given(
    resource=small,
    zone=zones,
    offset=st.timedeltas(timedelta(days=-30), timedelta(days=900)),
    cuts=st.lists(st.timedeltas(timedelta(), timedelta(days=2)), max_size=5),
)
def test_counts_add_up_over_any_partition_of_a_window(
    resource: Any, zone: ZoneInfo, offset: timedelta, cuts: list[timedelta]
) -> None:
    occurrence = read(resource)
    first = begun(occurrence) + offset
    last = first + timedelta(days=2)
    edges = [first, *sorted(first + cut for cut in cuts), last]

    whole = list(slots_starting(occurrence, first, last, zone))
    parts = [
        slot
        for one, other in pairwise(edges)
        for slot in slots_starting(occurrence, one, other, zone)
    ]

    assert parts == whole


@given(
    resource=small,
    zone=zones,
    offset=st.timedeltas(timedelta(days=-30), timedelta(days=900)),
)
def test_a_window_shows_what_a_walk_from_the_beginning_shows(
    resource: Any, zone: ZoneInfo, offset: timedelta
) -> None:
    occurrence = read(resource)
    start = begun(occurrence) + offset
    end = start + timedelta(hours=30)
    # From the beginning, but for Timings of minutes, where that would be long.
    early = begun(occurrence)
    if occurrence.recurrence and occurrence.recurrence.unit in ("min", "h"):
        early = max(early, start - timedelta(days=3))
        if occurrence.recurrence.length and occurrence.recurrence.length[1] in (
            "d",
            "wk",
            "a",
        ):
            return

    walked = []
    for slot in slots_from(occurrence, early, zone):
        if slot.start > end:
            break
        if slot.end >= start:
            walked.append(slot)

    assert list(slots(occurrence, start, end, zone)) == walked


@given(resource=small, zone=zones, shift=st.integers(1, 52))
def test_a_wider_window_has_the_slots_of_a_narrow_one(
    resource: Any, zone: ZoneInfo, shift: int
) -> None:
    occurrence = read(resource)
    start = begun(occurrence) + timedelta(days=shift)
    narrow = slots(occurrence, start, start + timedelta(hours=4), zone)
    wide = set(
        slots(
            occurrence,
            start - timedelta(hours=shift),
            start + timedelta(hours=4 + shift),
            zone,
        )
    )

    assert set(narrow) <= wide


@given(offset=st.integers(0, 10**6), zone=zones)
@settings(max_examples=50)
def test_minutes_that_follow_each_other_are_apart_by_their_period(
    offset: int, zone: ZoneInfo
) -> None:
    repeat = {
        "boundsPeriod": {"start": "2025-01-01T00:00:00Z"},
        "frequency": 1,
        "period": 7,
        "periodUnit": "min",
    }
    occurrence = read({"occurrenceTiming": {"repeat": repeat}})
    start = begun(occurrence) + timedelta(minutes=offset)

    found = list(islice(slots_from(occurrence, start, zone), 5))

    assert all(
        other.start - one.start == timedelta(minutes=7)
        for one, other in pairwise(found)
    )
    assert timedelta() <= found[0].start - start < timedelta(minutes=7)
