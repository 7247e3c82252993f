"""SQL finds what a naive reading finds: numbers, quantities, pairs, dates, positions.

The evaluator here knows nothing of the index, nor of the library of units: its few units
have their sizes written down.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.core.model.resource import FhirDecimal

Resource = dict[str, Any]
Test = Callable[[Resource], bool]
#: name and value as in a URL, and what a resource must be
Criterion = tuple[str, str, Test]

UCUM = "http://unitsofmeasure.org"
PREFIXES = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
#: unit -> what it measures, and how much of it: base and size
SIZES = {
    "kg": ("mass", Fraction(1)),
    "g": ("mass", Fraction(1, 1000)),
    "mg": ("mass", Fraction(1, 1000000)),
    "m": ("length", Fraction(1)),
    "cm": ("length", Fraction(1, 100)),
    "[in_i]": ("length", Fraction(254, 10000)),
    "/min": ("frequency", Fraction(1, 60)),
    "/s": ("frequency", Fraction(1)),
    "mg/dL": ("density", Fraction(1, 100)),
    "g/L": ("density", Fraction(1)),
}
#: As written in JSON, so that their digits are known.
NUMBERS = [
    "0",
    "1",
    "2",
    "1.0",
    "1.5",
    "0.01",
    "100",
    "100.00",
    "2.54",
    "60",
    "1e2",
    "-1",
]
UNKNOWN = ["drips", "MG"]

SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def half(digits: str) -> Fraction:
    """Half of the last digit of a number as it is written."""
    mantissa, _, exponent = digits.lower().partition("e")
    places = len(mantissa.partition(".")[2])
    return Fraction(10) ** (int(exponent or 0) - places) / 2


def compare(prefix: str, digits: str, low: Any, high: Any, size: Fraction) -> bool:
    """Whether a value from ``low`` to ``high`` (``None``: no end) is what is asked for."""
    low = -math.inf if low is None else low
    high = math.inf if high is None else high
    exact = Fraction(digits)
    slack = half(digits)
    if prefix == "ap":
        slack = max(slack, abs(exact) / 10)
    wanted, start, end = exact * size, (exact - slack) * size, (exact + slack) * size
    contained = start <= low and low < end and high < end
    return {
        "": contained,
        "eq": contained,
        "ne": not contained,
        "gt": high > wanted,
        "lt": low < wanted,
        "ge": high >= wanted,
        "le": low <= wanted,
        "sa": low > wanted,
        "eb": high < wanted,
        "ap": high >= start and low <= end,
    }[prefix]


class Written(float):
    """A number of JSON whose digits are known."""

    digits: str

    def __new__(cls, digits: str) -> "Written":
        made = super().__new__(cls, digits)
        made.digits = digits
        return made


NUMBER = st.sampled_from(NUMBERS).map(Written)
QUANTITY = st.one_of(
    st.builds(
        lambda value, code, more: {
            "value": value,
            "system": UCUM,
            "code": code,
            **more,
        },
        NUMBER,
        st.sampled_from([*SIZES, *UNKNOWN]),
        st.fixed_dictionaries(
            {},
            optional={
                "unit": st.sampled_from(["kg", "gram"]),
                "comparator": st.sampled_from(["<", "<=", ">", ">="]),
            },
        ),
    ),
    st.builds(
        lambda value, unit: {"value": value, "unit": unit},
        NUMBER,
        st.sampled_from([*SIZES, "gram"]),
    ),
)


def bounds(quantity: dict[str, Any], size: Fraction) -> tuple[Any, Any]:
    exact = Fraction(quantity["value"].digits) * size
    comparator = quantity.get("comparator", "")
    return (
        None if comparator.startswith("<") else exact,
        None if comparator.startswith(">") else exact,
    )


@st.composite
def amounts(draw: st.DrawFn) -> tuple[str, Callable[[dict[str, Any]], bool]]:
    """A value of a quantity parameter, and what a quantity must be."""
    prefix, digits = draw(st.sampled_from(PREFIXES)), draw(st.sampled_from(NUMBERS))
    form = draw(st.sampled_from(["number", "unit", "system"]))
    code = draw(st.sampled_from([*SIZES, *UNKNOWN, "gram"]))

    def test(quantity: dict[str, Any]) -> bool:
        size = Fraction(1)
        if form == "unit" and code not in (quantity.get("code"), quantity.get("unit")):
            return False
        if form == "system":
            own = quantity.get("code", "")
            if quantity.get("system") != UCUM:
                return False
            if code in SIZES and own in SIZES:
                if SIZES[code][0] != SIZES[own][0]:
                    return False
                size = SIZES[code][1] / SIZES[own][1]
            elif code != own:
                return False
        return compare(prefix, digits, *bounds(quantity, Fraction(1)), size)

    tail = {"number": "", "unit": f"||{code}", "system": f"|{UCUM}|{code}"}[form]
    return prefix + digits + tail, test


CODES = ["1", "2", "a$b"]
CODE = st.lists(st.sampled_from(CODES), min_size=1, max_size=2).map(
    lambda codes: {
        "coding": [{"code": code, "system": f"http://{code[0]}"} for code in codes]
    }
)
COMPONENT = st.fixed_dictionaries(
    {"code": CODE},
    optional={"valueQuantity": QUANTITY},
) | st.fixed_dictionaries({"code": CODE, "valueCodeableConcept": CODE})
OBSERVATIONS = st.lists(
    st.builds(
        lambda one, more: {**one, **more},
        COMPONENT,
        st.fixed_dictionaries(
            {}, optional={"component": st.lists(COMPONENT, min_size=1, max_size=3)}
        ),
    ),
    max_size=6,
)


def escape(text: str) -> str:
    return text.replace("$", "\\$")


@st.composite
def quantities(draw: st.DrawFn) -> Criterion:
    asked = draw(st.lists(amounts(), min_size=1, max_size=2))
    where = draw(st.sampled_from(["value-quantity", "combo-value-quantity"]))

    def test(resource: Resource) -> bool:
        inside = resource.get("component", []) if where.startswith("combo") else []
        found = [
            one["valueQuantity"]
            for one in [resource, *inside]
            if "valueQuantity" in one
        ]
        return any(meets(one) for one in found for _, meets in asked)

    return where, ",".join(value for value, _ in asked), test


@st.composite
def tokens(draw: st.DrawFn) -> tuple[str, Callable[[dict[str, Any]], bool]]:
    code = draw(st.sampled_from(CODES))
    system = draw(st.sampled_from(["", "http://1|", "http://2|"]))

    def test(concept: dict[str, Any]) -> bool:
        return any(
            one["code"] == code and system in ("", f"{one['system']}|")
            for one in concept["coding"]
        )

    return system + escape(code), test


@st.composite
def pairs(draw: st.DrawFn) -> Criterion:
    where = draw(st.sampled_from(["", "component-", "combo-"]))
    kind = draw(st.sampled_from(["quantity", "concept"]))
    values = amounts() if kind == "quantity" else tokens()
    asked = draw(st.lists(st.tuples(tokens(), values), min_size=1, max_size=2))
    name = {"quantity": "valueQuantity", "concept": "valueCodeableConcept"}[kind]

    def test(resource: Resource) -> bool:
        elements = [] if where == "component-" else [resource]
        elements += [] if where == "" else resource.get("component", [])
        return any(
            is_code(one["code"]) and name in one and is_value(one[name])
            for one in elements
            for (_, is_code), (_, is_value) in asked
        )

    text = ",".join(f"{code}${value}" for (code, _), (value, _) in asked)
    return f"{where}code-value-{kind}", text, test


@st.composite
def missing_pairs(draw: st.DrawFn) -> Criterion:
    name, where = draw(
        st.sampled_from(
            [("code-value-quantity", 0), ("component-code-value-quantity", 1)]
        )
    )
    missing = draw(st.booleans())

    def test(resource: Resource) -> bool:
        elements = resource.get("component", []) if where else [resource]
        return any("valueQuantity" in one for one in elements) != missing

    return f"{name}:missing", str(missing).lower(), test


QUERIES = st.lists(
    st.lists(quantities() | pairs() | missing_pairs(), min_size=1, max_size=2),
    min_size=1,
    max_size=6,
)


@SETTINGS
@given(OBSERVATIONS, QUERIES)
def test_quantities_and_pairs_are_found_as_a_look_at_each_finds_them(
    library: Any, contents: list[Resource], queries: list[list[Criterion]]
) -> None:
    check(library, "Observation", contents, queries)


@st.composite
def numbers(draw: st.DrawFn) -> Criterion:
    prefix, digits = draw(st.sampled_from(PREFIXES)), draw(st.sampled_from(NUMBERS))

    def test(resource: Resource) -> bool:
        found = []
        for one in resource["prediction"]:
            if "probabilityDecimal" in one:
                exact = Fraction(one["probabilityDecimal"].digits)
                found.append((exact, exact))
            else:
                ends = one["probabilityRange"]
                found.append(
                    tuple(
                        Fraction(ends[name]["value"].digits) if name in ends else None
                        for name in ("low", "high")
                    )
                )
        return any(
            compare(prefix, digits, low, high, Fraction(1)) for low, high in found
        )

    return "probability", prefix + digits, test


END = st.fixed_dictionaries({"value": NUMBER})
PREDICTIONS = st.fixed_dictionaries({"probabilityDecimal": NUMBER}) | st.builds(
    lambda ends: {"probabilityRange": ends},
    st.fixed_dictionaries({}, optional={"low": END, "high": END}).filter(
        lambda ends: len(ends) < 2 or ends["low"]["value"] <= ends["high"]["value"]
    ),
)


@SETTINGS
@given(
    st.lists(
        st.fixed_dictionaries({"prediction": st.lists(PREDICTIONS, max_size=2)}),
        max_size=6,
    ),
    st.lists(st.lists(numbers(), min_size=1, max_size=2), min_size=1, max_size=6),
)
def test_numbers_are_found_as_a_look_at_each_finds_them(
    library: Any, contents: list[Resource], queries: list[list[Criterion]]
) -> None:
    check(library, "RiskAssessment", contents, queries)


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


LATITUDES = st.sampled_from([-90.0, -89.9, -45.5, 0.0, 0.5, 55.7, 89.95, 90.0])
LONGITUDES = st.sampled_from([-180.0, -179.9, -12.5, 0.0, 0.25, 12.5, 179.95, 180.0])
POINT = st.fixed_dictionaries({"latitude": LATITUDES, "longitude": LONGITUDES})
DISTANCES = [0.001, 1.0, 30.0, 60.0, 500.0, 5000.0, 15000.0, 21000.0]


def kilometres(one: dict[str, float], other: dict[str, float]) -> float:
    """The haversine formula."""
    north, south = math.radians(one["latitude"]), math.radians(other["latitude"])
    east = math.radians(one["longitude"] - other["longitude"])
    squared = (
        math.sin((north - south) / 2) ** 2
        + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    )
    return 2 * 6371.0088 * math.asin(min(1, math.sqrt(squared)))


@st.composite
def nears(draw: st.DrawFn) -> Criterion:
    point, distance = draw(POINT), draw(st.sampled_from(DISTANCES))
    unit, size = draw(
        st.sampled_from([("", 1), ("|km", 1), ("|m", 1000), ("|cm", 100000)])
    )
    value = f"{point['latitude']}|{point['longitude']}|{distance * size!r}{unit}"

    def test(resource: Resource) -> bool:
        if "position" not in resource:
            return False
        # A centimetre more: what is rounded may go either way.
        return kilometres(point, resource["position"]) <= distance + 1e-5

    return "near", value, test


@SETTINGS
@given(
    st.lists(st.fixed_dictionaries({}, optional={"position": POINT}), max_size=8),
    st.lists(st.lists(nears(), min_size=1, max_size=2), min_size=1, max_size=6),
)
def test_places_are_found_as_a_look_at_each_finds_them(
    library: Any, contents: list[Resource], queries: list[list[Criterion]]
) -> None:
    check(library, "Location", contents, queries)


def check(
    library: Any, kind: str, contents: list[Resource], queries: list[list[Criterion]]
) -> None:
    library.empty()
    resources = [
        {"resourceType": kind, "id": f"r{number}", **content}
        for number, content in enumerate(contents)
    ]
    library.put(*(plain(one) for one in resources))

    for criteria in queries:
        query = urlencode([(name, value) for name, value, _ in criteria])
        expected = [
            one["id"] for one in resources if all(test(one) for _, _, test in criteria)
        ]
        assert library.ids(kind, query) == expected, query
        assert library.matched(kind, query) == expected, query


def plain(value: Any) -> Any:
    """Numbers as the parser gives them."""
    if isinstance(value, Written):
        return FhirDecimal(value.digits)
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value
