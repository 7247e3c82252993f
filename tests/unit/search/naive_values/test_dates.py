"""Searches for dates find what a look at each resource finds."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from .looks import PREFIXES, SETTINGS, Criterion, Resource, check

MOMENTS = [
    "2024",
    "2024-05",
    "2024-05-01",
    "2024-05-01T10:00Z",
    "2024-05-01T12:00:00+02:00",
    "2024-05-01T10:00:00.5Z",
    "2024-05-01T10:00:00.500Z",
    "2024-04-30T23:30:00-02:00",
    "2024-12-31T23:59:59.999Z",
]


def span(text: str) -> tuple[datetime, datetime]:
    """First moment of a date or time, and the first after it; milliseconds are enough."""
    date, _, time = text.partition("T")
    if not time:
        year, month, day = [*map(int, date.split("-")), 0, 0][:3]
        start = datetime(year, month or 1, day or 1, tzinfo=UTC)
        if day:
            return start, start + timedelta(days=1)
        after = (year + 1, 1) if month in (0, 12) else (year, month + 1)
        return start, datetime(*after, 1, tzinfo=UTC)
    start = datetime.fromisoformat(text)
    plain = time.partition("Z")[0].partition("+")[0].partition("-")[0]
    _, _, fraction = plain.partition(".")
    if fraction:
        return start, start + timedelta(seconds=1) / 10 ** len(fraction)
    return start, start + timedelta(seconds=1 if plain.count(":") == 2 else 60)


PERIODS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(MOMENTS) for name in ("start", "end")}
).filter(
    lambda period: (
        period != {}
        and (len(period) < 2 or span(period["start"])[0] <= span(period["end"])[0])
    )
)


@st.composite
def dates(draw: st.DrawFn) -> Criterion:
    prefix = draw(st.sampled_from([one for one in PREFIXES if one != "ap"]))
    value = draw(st.sampled_from(MOMENTS))
    start, end = span(value)

    def test(resource: Resource) -> bool:
        if "effectiveDateTime" in resource:
            low, high = span(resource["effectiveDateTime"])
        elif "effectivePeriod" in resource:
            period = resource["effectivePeriod"]
            low = span(period["start"])[0] if "start" in period else EARLIEST
            high = span(period["end"])[1] if "end" in period else LATEST
        else:
            return False
        contained = start <= low and low < end and high <= end
        return {
            "": contained,
            "eq": contained,
            "ne": not contained,
            "gt": high > end,
            "lt": low < start,
            "ge": high > start,
            "le": low < end,
            "sa": low >= end,
            "eb": high <= start,
        }[prefix]

    return "date", prefix + value, test


EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


@SETTINGS
@given(
    st.lists(
        st.fixed_dictionaries({"effectiveDateTime": st.sampled_from(MOMENTS)})
        | st.fixed_dictionaries({"effectivePeriod": PERIODS})
        | st.just({}),
        max_size=8,
    ),
    st.lists(st.lists(dates(), min_size=1, max_size=2), min_size=1, max_size=6),
)
def test_dates_are_found_as_a_look_at_each_finds_them(
    library: Any, contents: list[Resource], queries: list[list[Criterion]]
) -> None:
    check(library, "Observation", contents, queries)
