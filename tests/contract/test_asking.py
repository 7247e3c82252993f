"""Both indexes answer questions as a naive reading of ``docs/reporting.md`` does.

The evaluator here knows nothing of the compilers: it looks at each document in turn.
"""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cmp_to_key
from itertools import count, product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st

from fyr.core.errors import Forbidden, Gone, Invalid, TookTooLong, Unavailable
from fyr.core.projections import Column, Projection
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.elasticsearch import ElasticsearchServer
from fyr.search.finding.cursors import Cursors
from fyr.search.reporting.asking.answering import Answer, Answering
from fyr.search.reporting.asking.desk import asked
from fyr.search.reporting.asking.knowing import Bounds, Known
from fyr.search.reporting.asking.limits import TooCostly
from fyr.search.reporting.asking.periods import time_zones
from fyr.search.reporting.asking.reading import question
from fyr.search.reporting.elasticsearch import ElasticsearchIndex
from fyr.search.reporting.embedded import EmbeddedIndex
from fyr.search.reporting.port import Document, ReportingIndex

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


# What groups are, in the plainest words.


def period(at: int, interval: str, zone: str) -> str:
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).date()
    year, week, _ = local.isocalendar()
    first = {
        "day": local,
        "week": date.fromisocalendar(year, week, 1),
        "month": date(local.year, local.month, 1),
        "quarter": date(local.year, [1, 4, 7, 10][(local.month - 1) // 3], 1),
        "year": date(local.year, 1, 1),
    }
    return first[interval].isoformat()


def keys_of(sent: dict[str, Any], values: Values) -> Iterator[tuple[Any, ...]]:
    choices = []
    for key in sent["groupBy"]:
        if "terms" in key:
            choices.append(each(values, key["terms"]) or [None])
        else:
            zone = key.get("timeZone", sent["timeZone"])
            found = each(values, key["dateHistogram"])
            choices.append(
                [period(at, key["interval"], zone) for at in found] or [None]
            )
    yield from product(*choices)


def instant(at: int) -> str:
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03}Z"


def percentile(values: list[float], percent: float) -> float:
    values = sorted(values)
    rank = (len(values) - 1) * percent / 100
    below = values[int(rank)]
    return below + (values[min(int(rank) + 1, len(values) - 1)] - below) * (rank % 1)


def numbers_of(group: list[Values]) -> dict[str, Any]:
    values = [one for values in group for one in each(values, "value")]
    found: dict[str, Any] = {
        "n": len(group),
        "patients": len({one for values in group for one in each(values, "patient")}),
        "codes": len({one for values in group for one in each(values, "code")}),
        "sum": math.fsum(values) if values else None,
        "avg": math.fsum(values) / len(values) if values else None,
        "low": min(values, default=None),
        "last": max(
            (one for values in group for one in each(values, "effective")), default=None
        ),
    }
    for percent in METRICS["p"]["percents"]:
        told = percentile(values, percent) if values else None
        found[f"p.{percent:g}"] = told
    return found


def having(wanted: dict[str, Any], numbers: dict[str, Any]) -> bool:
    if "and" in wanted:
        return all(having(one, numbers) for one in wanted["and"])
    if "or" in wanted:
        return any(having(one, numbers) for one in wanted["or"])
    if "not" in wanted:
        return not having(wanted["not"], numbers)
    value = numbers[wanted["metric"]]
    if value is None:
        return False
    tests = {
        "eq": value == wanted.get("eq"),
        "ne": value != wanted.get("ne"),
        "gt": value > wanted.get("gt", -math.inf),
        "ge": value >= wanted.get("ge", -math.inf),
        "lt": value < wanted.get("lt", math.inf),
        "le": value <= wanted.get("le", math.inf),
    }
    return all(tests[how] for how in wanted if how != "metric")


def compared(orders: list[tuple[int, bool]]) -> Callable[[Any, Any], int]:
    """Compare rows by some of their values; nulls are last, whatever the order."""

    def compare(one: list[Any], other: list[Any]) -> int:
        for at, down in orders:
            left, right = one[at], other[at]
            if left == right:
                continue
            if left is None or right is None:
                return 1 if left is None else -1
            return (1 if left > right else -1) * (-1 if down else 1)
        return 0

    return compare


def naive(asking: Asking, all_documents: list[Values]) -> list[list[Any]]:
    sent = asking.sent
    groups: dict[tuple[Any, ...], list[Values]] = {}
    if not sent["groupBy"]:
        groups[()] = []
    for values in all_documents:
        if asking.means(values):
            for key in keys_of(sent, values):
                groups.setdefault(key, []).append(values)
    names = [one.get("terms") or one["dateHistogram"] for one in sent["groupBy"]]
    rows = []
    for key, group in groups.items():
        numbers = numbers_of(group)
        if "having" not in sent or having(sent["having"], numbers):
            rows.append([*key, *(numbers[name] for name in OUTPUTS)])
    columns = [*names, *OUTPUTS]
    orders = [
        (columns.index(one["by"]), one["order"] == "desc") for one in sent["sort"]
    ]
    orders += [(at, False) for at in range(len(names))]
    rows.sort(key=cmp_to_key(compared(orders)))
    last = columns.index("last")
    for row in rows:
        row[last] = None if row[last] is None else instant(row[last])
    return rows


# The indexes.

GENERATIONS = count(1)


class Filled:
    """An index that holds what the test says, and answers questions."""

    def __init__(self, index: ReportingIndex) -> None:
        self._index = index
        self._answering = Answering(asked(index), Cursors(b"k" * 32, CLOCK, 3600))

    @contextmanager
    def holding(self, held: list[Values]) -> Iterator[Callable[[list[Values]], None]]:
        generation = next(GENERATIONS)
        self._index.create(generation, {"Observation": OBSERVATION})
        self._index.put(generation, [document(values) for values in held])
        self._index.show(generation)
        self._index.refresh()

        def put(more: list[Values]) -> None:
            self._index.put(generation, [document(values) for values in more])
            self._index.refresh()

        yield put
        self._index.drop(generation)

    def answer(
        self, sent: dict[str, Any], known: Known = KNOWN, identity: str = "somebody"
    ) -> Answer:
        return self._answering.answer(question(sent, known), known, identity)

    def rows(self, sent: dict[str, Any], known: Known = KNOWN) -> list[list[Any]]:
        """Ask for all pages."""
        found: list[list[Any]] = []
        page: str | None = ""
        while page is not None:
            answer = self.answer({**sent, "page": page}, known)
            assert len(answer.rows) <= sent.get("count", 1000)
            found += [list(row) for row in answer.rows]
            page = answer.next
        return found


def document(values: Values) -> Document:
    kept = {name: one for name, one in values.items() if name not in ("id", "version")}
    return Document("Observation", values["id"], values["version"], kept)


@pytest.fixture(scope="module", params=["embedded", "elasticsearch"])
def filled(request: pytest.FixtureRequest) -> Iterator[Filled]:
    with ExitStack() as stack:
        if request.param == "embedded":
            embedded = EmbeddedIndex(None)
            stack.callback(embedded.close)
            yield Filled(embedded)
        else:
            server: ElasticsearchServer = request.getfixturevalue("elasticsearch")
            elastic = ElasticsearchIndex(
                server.url, prefix=server.new_prefix(), replicas=0
            )
            stack.callback(elastic.close)
            yield Filled(elastic)


def same(found: Any, wanted: Any) -> bool:
    """Whether two values are equal, numbers but for what adding them up loses."""
    if isinstance(wanted, float) and isinstance(found, int | float):
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-6)
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


SLOWLY = settings(
    max_examples=int(os.environ.get("FYR_TEST_QUESTIONS", "25")),
    deadline=None,
    # With an Elasticsearch a smaller example takes longer than to read a larger one.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@SLOWLY
@given(held=documents(), askings=st.lists(group_questions(), min_size=1, max_size=8))
def test_groups_are_those_of_a_naive_reading(
    filled: Filled, held: list[Values], askings: list[Asking]
) -> None:
    with filled.holding(held):
        for asking in askings:
            found, wanted = filled.rows(asking.sent), naive(asking, held)

            assert len(found) == len(wanted), asking.sent
            for one, other in zip(found, wanted, strict=True):
                assert all(map(same, one, other)), (asking.sent, one, other)


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


def naive_rows(asking: Asking, all_documents: list[Values]) -> list[list[Any]]:
    rows = []
    for values in filter(asking.means, all_documents):
        row = [values.get(name) for name in ROW_COLUMNS]
        row[ROW_COLUMNS.index("code")] = sorted(values.get("code", []))
        rows.append(row)
    orders = [
        (ROW_COLUMNS.index(one["by"]), one["order"] == "desc")
        for one in asking.sent["sort"]
    ]
    rows.sort(key=cmp_to_key(compared([*orders, (0, False)])))
    at = ROW_COLUMNS.index("effective")
    for row in rows:
        row[at] = None if row[at] is None else instant(row[at])
    return rows


@SLOWLY
@given(held=documents(), askings=st.lists(row_questions(), min_size=1, max_size=4))
def test_pages_of_rows_are_those_of_a_naive_reading(
    filled: Filled, held: list[Values], askings: list[Asking]
) -> None:
    with filled.holding(held):
        for asking in askings:
            assert filled.rows(asking.sent) == naive_rows(asking, held), asking.sent


def measured(number: int, **values: Any) -> Values:
    return {"id": f"o{number}", "version": 1, "lastUpdated": 0, **values}


def test_more_groups_than_allowed_are_refused_and_as_many_are_not(
    filled: Filled,
) -> None:
    held = [measured(n, value=float(n)) for n in range(50)]
    sent = {"from": "Observation", "groupBy": [{"terms": "value"}], "count": 10}
    with filled.holding(held):
        assert len(filled.rows(sent, replace(KNOWN, bounds=Bounds(groups=50)))) == 50
        with pytest.raises(TooCostly, match="more than 49 groups"):
            filled.rows(sent, replace(KNOWN, bounds=Bounds(groups=49)))


def test_a_page_is_followed_only_by_whom_it_was_given(filled: Filled) -> None:
    sent = {"from": "Observation", "groupBy": [{"terms": "value"}], "count": 1}
    with filled.holding([measured(n, value=float(n)) for n in range(3)]):
        told = filled.answer(sent).next
        with pytest.raises(Invalid):
            filled.answer({**sent, "page": told}, identity="somebody else")


def test_rows_that_come_later_are_on_no_page_twice(filled: Filled) -> None:
    sent = {"from": "Observation", "select": ["id"], "count": 2}
    with filled.holding([measured(n) for n in range(10, 16)]) as put:
        first = filled.answer(sent)
        put([measured(9), measured(16)])
        found = [*first.rows]
        while first.next:
            first = filled.answer({**sent, "page": first.next})
            found += first.rows

    ids = [one for (one,) in found]
    assert ids == sorted(set(ids))
    assert {f"o{n}" for n in range(10, 16)} <= set(ids)


def test_the_largest_page_is_given_and_followed(filled: Filled) -> None:
    sent = {"from": "Observation", "select": ["id"], "count": KNOWN.bounds.page}
    number = KNOWN.bounds.page + 1
    with filled.holding([measured(n) for n in range(number)]):
        found = filled.rows(sent)
        larger = replace(KNOWN, bounds=Bounds(page=2 * number))
        at_once = filled.rows({**sent, "count": number}, larger)

    assert [one for (one,) in found] == sorted(f"o{n}" for n in range(number))
    assert at_once == found


@pytest.mark.parametrize(("number", "exact"), [(15_000, True), (40_000, False)])
def test_percentiles_of_many_values_are_as_close_as_promised(
    filled: Filled, number: int, exact: bool
) -> None:
    """Exact up to 20,000 values; beyond, within a quarter of a percent of the ranks."""
    values = [math.sin(n) ** 3 * 1000 for n in range(number)]
    percents = [1, 25, 50, 90, 99]
    sent = {
        "from": "Observation",
        "metrics": {"p": {"percentiles": "value", "percents": percents}},
    }
    with filled.holding([measured(n, value=one) for n, one in enumerate(values)]):
        (found,) = filled.rows(sent)

    for told, percent in zip(found, percents, strict=True):
        if exact:
            assert same(told, percentile(values, percent))
        else:
            low, high = (percentile(values, percent + off) for off in (-0.25, 0.25))
            assert low <= told <= high


def test_many_different_values_are_counted_as_closely_as_promised(
    filled: Filled,
) -> None:
    """Exact, or within 1 percent where it is told to be approximate."""
    held = [measured(n, patient=f"Patient/{n % 20_000}") for n in range(25_000)]
    sent = {"from": "Observation", "metrics": {"p": {"distinct": "patient"}}}
    with filled.holding(held):
        answer = filled.answer(sent)

    ((found,),) = answer.rows
    assert abs(found - 20_000) <= (200 if answer.columns[0].approximate else 0)


def test_a_time_zone_that_the_index_does_not_know_is_no_fault_of_the_server(
    filled: Filled,
) -> None:
    zones = {
        "EST",
        "MST",
        "ROC",
        "America/Coyhaique",
        "Europe/Copenhagen",
    } & time_zones()
    answered = set()
    with filled.holding([measured(1, effective=0)]):
        for zone in zones:
            key = {"dateHistogram": "effective", "interval": "day", "timeZone": zone}
            with suppress(Invalid):
                filled.rows({"from": "Observation", "groupBy": [key]})
                answered.add(zone)

    assert "Europe/Copenhagen" in answered


def test_an_answer_that_takes_too_long_is_given_up(filled: Filled) -> None:
    held = [measured(n, value=float(n), patient=f"Patient/{n}") for n in range(5_000)]
    sent = {
        "from": "Observation",
        "groupBy": [{"terms": "value"}],
        "metrics": {"p": {"distinct": "patient"}, "q": {"percentiles": "value"}},
    }
    hurried = replace(KNOWN, bounds=Bounds(seconds=0.001))
    with filled.holding(held):
        with pytest.raises(TookTooLong):
            filled.rows(sent, hurried)

        assert len(filled.rows(sent)) == 5_000


def test_a_page_of_an_index_that_is_gone_is_told_to_be_so(filled: Filled) -> None:
    sent = {"from": "Observation", "select": ["id"], "count": 2}
    with filled.holding([measured(n) for n in range(5)]):
        told = filled.answer(sent).next
    for gone in ({**sent, "page": told}, sent, {"from": "Observation", **COUNTED}):
        with pytest.raises((Gone, Unavailable)):
            filled.answer(gone)


COUNTED: dict[str, Any] = {"metrics": {"n": {"count": True}}}


@SLOWLY
@given(held=documents(), asking=group_questions(), least=st.integers(2, 4))
def test_who_gets_anonymised_data_is_told_no_small_group_and_nothing_else(
    filled: Filled, held: list[Values], asking: Asking, least: int
) -> None:
    asking.sent.pop("having", None)
    try:
        question(asking.sent, replace(KNOWN, least=least))
    except Forbidden:
        reject()
    with filled.holding(held):
        found = filled.rows(asking.sent, replace(KNOWN, least=least))
    at = len(asking.sent["groupBy"]) + OUTPUTS.index("patients")
    wanted = {tuple(one[:at]): one for one in naive(asking, held)}

    for row in found:
        assert row[at] >= least
        assert all(map(same, row, wanted[tuple(row[:at])]))
