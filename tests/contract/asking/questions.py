"""Data, and any questions about it that may be asked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from fyr.core.declarations.projections import Column, Projection
from fyr.core.testing.clock import FakeClock
from fyr.search.reporting.asking.knowing import Bounds, Known

CLOCK = FakeClock()


OBSERVATION = Projection(
    "Observation",
    (
        Column("code", "keyword", "code", "", many=True),
        Column("status", "keyword", "status", ""),
        Column("effective", "date", "effective", ""),
        Column("value", "number", "value", ""),
        Column("flag", "boolean", "flag", ""),
        Column("tag", "keyword", "tag", "", many=True),
        Column("note", "text", "note", ""),
    ),
    patient="subject",
)


#: With time for a machine that has much else to do.
KNOWN = Known({"Observation": OBSERVATION}, CLOCK, Bounds(seconds=300))


TYPES = {one.name: one for one in OBSERVATION.all}


CODES = ["http://loinc.org|8480-6", "http://loinc.org|8462-4", "|8480-6", "urn:x|a*b"]


STATUSES = ["final", "amended", "Ærlig", "x|final"]


ZONES = ["UTC", "Europe/Copenhagen", "America/New_York", "Asia/Kathmandu"]


#: Around midnights and the hours at which clocks are changed.
MOMENTS = [
    datetime(2026, 3, 28, 22, 59, 59, 999_000),
    datetime(2026, 3, 29, 0, 59),
    datetime(2026, 3, 29, 1, 0),
    datetime(2026, 3, 29, 21, 59, 59),
    datetime(2026, 3, 29, 22, 0),
    datetime(2026, 10, 24, 22, 0),
    datetime(2026, 10, 25, 0, 30),
    datetime(2026, 10, 25, 1, 30),
    datetime(2026, 10, 25, 22, 59, 59, 999_000),
    datetime(2025, 12, 31, 23, 30),
    datetime(2026, 1, 1),
    datetime(2024, 2, 29, 12),
]


Values = dict[str, Any]


Test = Callable[[Values], bool]


def millis(moment: datetime) -> int:
    return (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )


MILLIS = st.one_of(
    st.sampled_from(MOMENTS).map(millis),
    st.integers(millis(datetime(1950, 1, 1)), millis(datetime(2090, 1, 1))),
)


NUMBERS = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda one: round(one, 3) + 0.0),
)


VALUES = st.fixed_dictionaries(
    {"lastUpdated": MILLIS},
    optional={
        "patient": st.sampled_from([f"Patient/{n}" for n in range(8)]),
        "code": st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True),
        "status": st.sampled_from(STATUSES),
        "effective": MILLIS,
        "value": NUMBERS,
        "flag": st.booleans(),
        "tag": st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True),
        "note": st.lists(st.sampled_from(["rød", "grød", "med"]), min_size=1).map(
            " ".join
        ),
    },
)


@st.composite
def documents(draw: st.DrawFn) -> list[Values]:
    found = draw(st.lists(VALUES, max_size=25))
    return [
        {**values, "id": f"o{at}", "version": draw(st.integers(1, 3))}
        for at, values in enumerate(found)
    ]


# What a filter means, in the plainest words.


def each(values: Values, name: str) -> list[Any]:
    value = values.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def some(name: str, test: Callable[[Any], bool]) -> Test:
    return lambda values: any(test(one) for one in each(values, name))


def no(test: Test) -> Test:
    return lambda values: not test(values)


def code_is(text: str) -> Callable[[str], bool]:
    system, bar, code = text.rpartition("|")
    if not bar:
        return lambda one: one == text or one.endswith(f"|{text}")
    if not system:
        return lambda one: one in (f"|{code}", code)
    return lambda one: one.startswith(text) if not code else one == text


def span(text: str, zone: str) -> tuple[int, int]:
    """First millisecond of a date, and that of what follows."""
    parts = [int(one) for one in text.split("-")]
    begin = date(*[*parts, 1, 1][:3])
    if len(parts) == 1:
        after = date(begin.year + 1, 1, 1)
    elif len(parts) == 2:
        after = (begin + timedelta(days=31)).replace(day=1)
    else:
        after = begin + timedelta(days=1)
    low, high = (
        datetime(one.year, one.month, one.day, tzinfo=ZoneInfo(zone))
        for one in (begin, after)
    )
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (low - epoch) // timedelta(milliseconds=1), (high - epoch) // timedelta(
        milliseconds=1
    )


DATE_TESTS: dict[str, Callable[[int, int, int], bool]] = {
    "": lambda at, low, end: low <= at < end,
    "eq": lambda at, low, end: low <= at < end,
    "ne": lambda at, low, end: not low <= at < end,
    "gt": lambda at, low, end: at >= end,
    "sa": lambda at, low, end: at >= end,
    "ge": lambda at, low, end: at >= low,
    "lt": lambda at, low, end: at < low,
    "eb": lambda at, low, end: at < low,
    "le": lambda at, low, end: at < end,
}


NUMBER_TESTS: dict[str, Callable[[float, float], bool]] = {
    "gt": lambda one, wanted: one > wanted,
    "ge": lambda one, wanted: one >= wanted,
    "lt": lambda one, wanted: one < wanted,
    "le": lambda one, wanted: one <= wanted,
    "": lambda one, wanted: wanted - 0.5 <= one < wanted + 0.5,
    "ne": lambda one, wanted: not wanted - 0.5 <= one < wanted + 0.5,
}


Criterion = tuple[str, Test]


@st.composite
def keyword_criteria(draw: st.DrawFn) -> Criterion:
    name = draw(st.sampled_from(["code", "status", "tag"]))
    wanted = draw(
        st.lists(
            st.sampled_from(
                [*CODES, *STATUSES, "8480-6", "http://loinc.org|", "a", "a*b", "nobody"]
            ),
            min_size=1,
            max_size=3,
        )
    )
    test = some(name, lambda one: any(code_is(text)(one) for text in wanted))
    if draw(st.booleans()):
        return f"{name}:not={','.join(wanted)}", no(test)
    return f"{name}={','.join(wanted)}", test


@st.composite
def containing(draw: st.DrawFn) -> Criterion:
    text = draw(st.sampled_from(["inal", "rlig", "*", "Æ", "zz", "8480"]))
    name = draw(st.sampled_from(["code", "status"]))
    return f"{name}:contains={text}", some(name, lambda one: text in one)


@st.composite
def date_criteria(draw: st.DrawFn, zone: str) -> Criterion:
    prefix = draw(st.sampled_from(sorted(DATE_TESTS)))
    texts = draw(
        st.lists(
            st.sampled_from(["2026", "2026-03", "2026-10", "2026-03-29", "2025-12-31"]),
            min_size=1,
            max_size=2,
        )
    )
    spans = [span(text, zone) for text in texts]
    test = DATE_TESTS[prefix]
    given_ = ",".join(f"{prefix}{text}" for text in texts)
    return f"effective={given_}", some(
        "effective", lambda at: any(test(at, low, end) for low, end in spans)
    )


@st.composite
def number_criteria(draw: st.DrawFn) -> Criterion:
    prefix = draw(st.sampled_from(sorted(NUMBER_TESTS)))
    wanted = draw(st.integers(-3, 3))
    test = NUMBER_TESTS[prefix]
    return f"value={prefix}{wanted}", some("value", lambda one: test(one, wanted))


@st.composite
def other_criteria(draw: st.DrawFn) -> Criterion:
    name = draw(
        st.sampled_from(["code", "effective", "value", "flag", "note", "patient"])
    )
    choices: list[Criterion] = [
        (f"{name}:missing=true", lambda values: name not in values),
        (f"{name}:missing=false", lambda values: name in values),
        ("flag=true", some("flag", lambda one: one is True)),
        ("flag:not=true", no(some("flag", lambda one: one is True))),
        ("patient=3", some("patient", lambda one: one == "Patient/3")),
        ("_id=o1,o2", some("id", lambda one: one in ("o1", "o2"))),
        ("note=Med%20RØD", some("note", lambda one: {"med", "rød"} <= {*one.split()})),
    ]
    return draw(st.sampled_from(choices))


@dataclass(frozen=True)
class Asking:
    """A question, and which documents its filter means."""

    sent: dict[str, Any]
    means: Test


def criteria(zone: str) -> st.SearchStrategy[list[Criterion]]:
    one = st.one_of(
        keyword_criteria(),
        containing(),
        date_criteria(zone),
        number_criteria(),
        other_criteria(),
    )
    return st.lists(one, max_size=2)


HISTOGRAMS = st.builds(
    lambda column, interval, zone: {
        "dateHistogram": column,
        "interval": interval,
        **({"timeZone": zone} if zone else {}),
    },
    st.sampled_from(["effective", "lastUpdated"]),
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.sampled_from([*ZONES, ""]),
)


KEYS = st.lists(
    st.one_of(
        st.sampled_from(["code", "status", "flag", "value", "tag", "version"]).map(
            lambda name: {"terms": name}
        ),
        HISTOGRAMS,
    ),
    max_size=3,
    unique_by=lambda one: one.get("terms") or one["dateHistogram"],
)


METRICS: dict[str, dict[str, Any]] = {
    "n": {"count": True},
    "patients": {"distinct": "patient"},
    "codes": {"distinct": "code"},
    "sum": {"sum": "value"},
    "avg": {"avg": "value"},
    "low": {"min": "value"},
    "last": {"max": "effective"},
    "p": {"percentiles": "value", "percents": [0, 12.5, 50, 100]},
}


OUTPUTS = [*(name for name in METRICS if name != "p"), "p.0", "p.12.5", "p.50", "p.100"]


@st.composite
def group_questions(draw: st.DrawFn) -> Asking:
    zone = draw(st.sampled_from(ZONES))
    found = draw(criteria(zone))
    keys = draw(KEYS)
    names = [one.get("terms") or one["dateHistogram"] for one in keys]
    sortable = ["n", "low", "patients", *names]
    sent: dict[str, Any] = {
        "from": "Observation",
        "timeZone": zone,
        "filter": "&".join(text for text, _ in found),
        "groupBy": keys,
        "metrics": METRICS,
        "sort": [
            {"by": by, "order": draw(st.sampled_from(["asc", "desc"]))}
            for by in draw(st.lists(st.sampled_from(sortable), max_size=2, unique=True))
        ],
        "count": draw(st.integers(1, 4)) if draw(st.booleans()) else 1000,
    }
    if draw(st.booleans()):
        sent["having"] = draw(HAVINGS)
    return Asking(sent, lambda values: all(test(values) for _, test in found))


HAVINGS = st.sampled_from(
    [
        {"metric": "n", "ge": 2},
        {"not": {"metric": "low", "gt": 0}},
        {"or": [{"metric": "patients", "eq": 1}, {"metric": "n", "gt": 3, "lt": 6}]},
        {"and": [{"metric": "n", "ne": 1}, {"metric": "low", "le": 2}]},
    ]
)


ROW_COLUMNS = [
    "id",
    "code",
    "status",
    "effective",
    "value",
    "flag",
    "patient",
    "version",
]


SORTABLE = ["status", "effective", "value", "flag", "patient", "version"]


@st.composite
def row_questions(draw: st.DrawFn) -> Asking:
    zone = draw(st.sampled_from(ZONES))
    found = draw(criteria(zone))
    sorts = draw(st.lists(st.sampled_from(SORTABLE), max_size=3, unique=True))
    sent = {
        "from": "Observation",
        "timeZone": zone,
        "filter": "&".join(text for text, _ in found),
        "select": ROW_COLUMNS,
        "sort": [
            {"by": by, "order": draw(st.sampled_from(["asc", "desc"]))} for by in sorts
        ],
        "count": draw(st.integers(1, 6)),
    }
    return Asking(sent, lambda values: all(test(values) for _, test in found))


COUNTED: dict[str, Any] = {"metrics": {"n": {"count": True}}}
