"""What cannot be decided of a stored value set or code system, and how much there may be."""

from collections.abc import Callable
from typing import Any

import pytest

from fyr.core.errors import Invalid
from fyr.search.terms import definitions
from fyr.search.terms import value_sets as terminology

from .stored import A, B, filtered, sets, some, value_set


def ring(library: Any) -> str:
    library.put(value_set("x", sets("y")), value_set("y", sets("x")))
    return "in=http://sets/x"


def deep(library: Any) -> str:
    library.put(*(value_set(f"n{i}", sets(f"n{i + 1}")) for i in range(30)))
    return "in=http://sets/n0"


def wide(library: Any) -> str:
    names = [f"n{i}" for i in range(definitions.MOST_READ + 1)]
    library.put(*(value_set(name, some(A, "1")) for name in names))
    library.put(value_set("x", *map(sets, names)))
    return "in=http://sets/x"


def many(library: Any) -> str:
    codes = [str(i) for i in range(terminology.MOST_CODES + 1)]
    library.put(value_set("x", some(A, *codes)))
    return "in=http://sets/x"


def bare(library: Any) -> str:
    library.put(value_set("x"))
    return "in=http://sets/x"


def partless(library: Any) -> str:
    library.put(value_set("x", {"version": "1"}))
    return "in=http://sets/x"


def by_filter(*criterion: str) -> Callable[[Any], str]:
    def put(library: Any) -> str:
        library.put(value_set("x", filtered(A, criterion)))  # type: ignore[arg-type]
        return "in=http://sets/x"

    return put


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (ring, "made of itself: http://sets/x -> http://sets/y -> http://sets/x"),
        (deep, "more than 20 deep"),
        (wide, "more than 100 ValueSets"),
        (many, "has 10001 codes, of 10000"),
        (bare, "no compose.include and no complete expansion"),
        (partless, "no system and no valueSet"),
        (by_filter("display", "regex", "x"), "regex 'x' .* cannot be decided here"),
        (by_filter("colour", "=", "x"), "no property 'colour'"),
        (lambda _: "in=http://sets/x", "no ValueSet 'http://sets/x' here"),
        (lambda _: "in=ValueSet/x", "no ValueSet 'ValueSet/x' here"),
        (lambda _: f"below={B}|1", "no CodeSystem 'http://b' here"),
        (lambda _: f"below={A}|3", "has no concept '3'"),
        (lambda _: "below=1", r"is not \[system\]\|\[code\]"),
        (lambda _: f"above={A}|", r"is not \[system\]\|\[code\]"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_told_why(
    library: Any, prepare: Callable[[Any], str], told: str
) -> None:
    query = f"code:{prepare(library)}"

    with pytest.raises(Invalid, match=told):
        library.ids("Observation", query)
    # Without an answer nothing could be left out.
    with pytest.raises(Invalid, match=told):
        library.ids("Observation", query, handling="lenient")


def test_as_many_codes_as_there_may_be_are_searched_by(library: Any) -> None:
    codes = [str(i) for i in range(terminology.MOST_CODES)]
    library.put(value_set("x", some(A, *codes)))

    query = "&".join(["code:in=http://sets/x"] * 5)
    assert library.ids("Observation", query) == ["a1", "a2", "a11", "both"]


def test_value_sets_that_share_parts_are_read_once(library: Any) -> None:
    library.put(value_set("n0", some(A, "1")))
    library.put(*(value_set(f"n{i + 1}", *[sets(f"n{i}")] * 9) for i in range(15)))

    assert library.ids("Observation", "code:in=http://sets/n15") == ["a1"]
