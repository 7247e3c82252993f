"""The algebra of code sets is that of sets."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fyr.search.terms.code_sets import (
    ALL,
    Codes,
    CodeSet,
    difference,
    intersection,
    size,
    union,
)

#: Two systems, with all of their codes.
EVERY = {"a": frozenset("123"), "b": frozenset("123")}
CODES = st.builds(Codes, st.frozensets(st.sampled_from("123")), st.booleans())
SETS = st.dictionaries(st.sampled_from(sorted(EVERY)), CODES)


def listed(codes: CodeSet) -> set[tuple[str, str]]:
    return {
        (system, code)
        for system, one in codes.items()
        for code in EVERY[system]
        if (code in one.codes) != one.but
    }


@given(st.lists(SETS, min_size=1, max_size=4))
def test_unions_and_intersections_are_those_of_sets(sets: list[Any]) -> None:
    assert listed(union(sets)) == set.union(*map(listed, sets))
    assert listed(intersection(sets)) == set.intersection(*map(listed, sets))


@given(SETS, SETS)
def test_a_difference_is_that_of_sets(left: Any, right: Any) -> None:
    assert listed(difference(left, right)) == listed(left) - listed(right)


def test_nothing_is_the_union_of_none() -> None:
    assert union([]) == {}


def test_a_whole_system_has_no_codes_to_list() -> None:
    assert size({"a": ALL, "b": Codes(frozenset("12"))}) == 2
