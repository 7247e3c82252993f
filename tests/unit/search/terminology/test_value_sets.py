"""Searches by value sets that are stored: what they mean."""

from typing import Any

import pytest

from fyr.search.terms import definitions

from .stored import IS_A_1, A, B, Resource, filtered, sets, some, value_set


@pytest.mark.parametrize(
    ("compose", "found"),
    [
        ({"include": [some(A, "1", "11")]}, "a1 a11"),
        ({"include": [some(A, "1"), some(B, "1")]}, "a1 b1 both"),
        ({"include": [{"system": A}]}, "a1 a2 a11 both"),
        ({"include": [filtered(A, IS_A_1)]}, "a1 a11"),
        ({"include": [filtered(A, IS_A_1, ("code", "=", "11"))]}, "a11"),
        ({"include": [{"system": A}], "exclude": [some(A, "2")]}, "a1 a11"),
        ({"include": [{"system": A}], "exclude": [{"system": A}]}, ""),
        ({"include": [sets("ones", "of-a")]}, "a1"),
        ({"include": [sets("ones"), sets("of-a")]}, "a1 a2 a11 b1 both"),
        ({"include": [{**sets("ones"), "system": B}]}, "b1 both"),
        ({"include": [some("http://far", "1")]}, ""),
    ],
)
def test_a_value_set_means_what_it_is_made_of(
    library: Any, compose: Resource, found: str
) -> None:
    library.put(
        value_set("ones", some(A, "1"), some(B, "1")),
        value_set("of-a", {"system": A}),
        value_set("x", compose=compose),
    )

    assert library.ids("Observation", "code:in=http://sets/x") == found.split()
    everything = library.ids("Observation")
    rest = [one for one in everything if one not in found.split()]
    assert library.ids("Observation", "code:not-in=http://sets/x") == rest


@pytest.mark.parametrize(
    "address",
    ["http://sets/x", "http://sets/x|2", "ValueSet/x", "http://here/fhir/ValueSet/x"],
)
def test_a_value_set_is_found_by_its_address_of_any_form(
    library: Any, address: str
) -> None:
    library.put(value_set("x", some(A, "1"), version="2"))

    assert library.ids("Observation", f"code:in={address}") == ["a1"]


def test_several_value_sets_are_one_or_the_other(library: Any) -> None:
    library.put(value_set("x", some(A, "1")), value_set("y", some(B, "1")))

    query = "code:in=http://sets/x,http://sets/y"
    assert library.ids("Observation", query) == ["a1", "b1", "both"]
    query = "code:in=http://sets/x&code:not-in=http://sets/y"
    assert library.ids("Observation", query) == ["a1"]


def test_of_several_versions_the_newest_is_meant(library: Any) -> None:
    url = "http://sets/x"
    library.put(
        value_set("ten", some(A, "1"), url=url, version="1.10"),
        value_set("nine", some(B, "1"), url=url, version="1.9"),
    )

    assert library.ids("Observation", f"code:in={url}") == ["a1"]
    assert library.ids("Observation", f"code:in={url}|1.9") == ["b1", "both"]


def test_a_code_that_was_changed_is_searched_by_as_it_is_now(library: Any) -> None:
    (stored,) = library.put(value_set("x", some(A, "1")))
    assert library.ids("Observation", "code:in=http://sets/x") == ["a1"]

    library.change(value_set("x", some(A, "2")), stored)

    assert library.ids("Observation", "code:in=http://sets/x") == ["a2", "both"]


def test_r4s_own_small_value_sets_are_known(library: Any) -> None:
    library.put(
        {"resourceType": "Patient", "id": "m", "gender": "male"},
        {"resourceType": "Patient", "id": "u"},
    )

    url = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert library.ids("Patient", f"gender:in={url}") == ["m"]
    assert library.ids("Patient", f"gender:in={url}|4.0.1") == ["m"]
    assert library.ids("Patient", f"gender:not-in={url}") == ["u"]


class TestExpansion:
    def test_a_complete_one_needs_no_code_system(self, library: Any) -> None:
        nested = [
            {"abstract": True, "system": A, "code": "2"},
            {"contains": [{"system": A, "code": "1"}, {"system": B, "code": "1"}]},
        ]
        library.put(
            value_set(
                "x",
                filtered("http://unknown", IS_A_1),
                expansion={"total": 4, "contains": nested},
            )
        )

        found = library.ids("Observation", "code:in=http://sets/x")
        assert found == ["a1", "b1", "both"]

    @pytest.mark.parametrize(
        "part",
        [
            {"total": 2},
            {"offset": 1},
            {"parameter": [{"name": "filter", "valueString": "x"}]},
            {"extension": [{"url": next(iter(definitions._TOO_COSTLY))}]},
        ],
    )
    def test_a_part_of_one_is_not_used(self, library: Any, part: Resource) -> None:
        listed = {"contains": [{"system": A, "code": "2"}], **part}
        library.put(value_set("x", some(A, "1"), expansion=listed))

        assert library.ids("Observation", "code:in=http://sets/x") == ["a1"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"code:below={A}|1", "a1 a11"),
        (f"code:below={A}|11", "a11"),
        (f"code:above={A}|11", "a1 a11"),
        (f"code:above={A}|1", "a1"),
        (f"code:below={A}|11,{A}|2", "a2 a11 both"),
        (f"combo-code:below={A}|1", "a1 a11"),
    ],
)
def test_codes_are_found_by_those_above_and_below(
    library: Any, query: str, found: str
) -> None:
    assert library.ids("Observation", query) == found.split()
