"""How a look at each resource finds by values; it knows nothing of the index."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from fyr.core.model.resource import FhirDecimal

Resource = dict[str, Any]
Test = Callable[[Resource], bool]
#: name and value as in a URL, and what a resource must be
Criterion = tuple[str, str, Test]
PREFIXES = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
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
