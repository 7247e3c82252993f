"""Searches by value sets and code systems that are stored, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fyr.core.clock import to_millis
from fyr.core.context import RequestContext
from fyr.core.errors import Invalid
from fyr.search.terms import definitions
from fyr.search.terms import value_sets as terminology

Resource = dict[str, Any]
A, B = "http://a", "http://b"


def observation(identity: str, *codes: str) -> Resource:
    """An observation with codes such as ``http://a|1``."""
    coding = [
        dict(zip(("system", "code"), one.split("|"), strict=True)) for one in codes
    ]
    code = {"code": {"coding": coding}} if coding else {}
    return {"resourceType": "Observation", "id": identity, "status": "final", **code}


def value_set(identity: str, *include: Resource, **more: Any) -> Resource:
    return {
        "resourceType": "ValueSet",
        "id": identity,
        "url": f"http://sets/{identity}",
        "status": "active",
        **({"compose": {"include": list(include)}} if include else {}),
        **more,
    }


def code_system(identity: str, url: str, *concepts: Resource, **more: Any) -> Resource:
    return {
        "resourceType": "CodeSystem",
        "id": identity,
        "url": url,
        "status": "active",
        "content": "complete",
        "concept": list(concepts),
        **more,
    }


def some(system: str, *codes: str) -> Resource:
    return {"system": system, "concept": [{"code": code} for code in codes]}


def sets(*names: str) -> Resource:
    return {"valueSet": [f"http://sets/{name}" for name in names]}


def filtered(system: str, *filters: tuple[str, str, str]) -> Resource:
    listed = [{"property": p, "op": o, "value": v} for p, o, v in filters]
    return {"system": system, "filter": listed}


IS_A_1 = ("concept", "is-a", "1")


@pytest.fixture
def library(library: Any) -> Any:
    library.put(
        observation("a1", f"{A}|1"),
        observation("a2", f"{A}|2"),
        observation("a11", f"{A}|11"),
        observation("b1", f"{B}|1"),
        observation("both", f"{A}|2", f"{B}|1"),
        observation("none"),
        code_system("a", A, {"code": "1", "concept": [{"code": "11"}]}, {"code": "2"}),
    )
    return library


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


#: A filter that is about what cannot be decided here.
ODD = ("concept", "regex", ".*")


def held(library: Any, address: str, *codes: str, **container: Any) -> list[Any]:
    """Hold codes against a value set; ``None`` where nothing can be told of them."""
    context = RequestContext(library.service, "search-type", "ValueSet")
    found = library.database.read(
        lambda session: library.engine.value_sets(
            session, context, [address], container
        )
    )[address]
    told = [found.has(*code.rpartition("|")[::2]) for code in codes]
    assert found.problem or None not in told
    return told


@pytest.mark.parametrize(
    ("include", "exclude", "told"),
    [
        ([some(A, "1")], [], [True, False, False, True]),
        # All of a code system that is here, and of one that is not.
        ([{"system": A}], [], [True, False, False, True]),
        ([{"system": A}], [some(A, "1")], [False, False, False, False]),
        ([{"system": B}], [], [False, False, None, None]),
        ([{"system": B}, some(A, "1")], [some(B, "9")], [True, False, False, True]),
        ([filtered(A, IS_A_1)], [], [True, False, False, True]),
        ([sets("none")], [], [None] * 4),
        # What cannot be told leaves open what it could hold, and nothing else.
        ([filtered(B, IS_A_1)], [], [False, False, None, None]),
        ([filtered(B, IS_A_1), some(A, "1")], [], [True, False, None, True]),
        ([sets("none"), some(A, "1")], [], [True, None, None, True]),
        ([{**some(A, "1"), **sets("none")}], [], [None, False, False, None]),
        ([some(A, "1", "9")], [filtered(A, ODD)], [None, True, False, None]),
        ([some(A, "1"), some(B, "9")], [filtered(B, ODD)], [True, False, None, True]),
        ([some(A, "1")], [sets("none")], [None, False, False, None]),
        ([some(A, "1")], [{}], [None, False, False, None]),
    ],
)
def test_codes_are_held_against_a_value_set(
    library: Any, include: list[Resource], exclude: list[Resource], told: list[Any]
) -> None:
    compose = {"include": include, **({"exclude": exclude} if exclude else {})}
    library.put(value_set("x", compose=compose))
    codes = (f"{A}|1", f"{A}|9", f"{B}|9", "1")
    mine = {"resourceType": "ValueSet", "id": "mine", "compose": compose}

    assert held(library, "http://sets/x", *codes) == told
    assert held(library, "#mine", *codes, contained=[mine]) == told


def test_what_a_stored_value_set_contains_is_not_taken_for_what_others_contain(
    library: Any,
) -> None:
    library.put(value_set("x", {"valueSet": ["#mine"]}))
    mine = {"resourceType": "ValueSet", "id": "mine", "compose": {}}
    mine["compose"] = {"include": [some(A, "1")]}

    assert held(library, "http://sets/x", f"{A}|1", contained=[mine]) == [None]
    assert held(library, "#mine", f"{A}|1", contained=[mine]) == [True]


def test_value_sets_that_are_made_of_themselves_have_what_else_is_in_them(
    library: Any,
) -> None:
    library.put(value_set("x", sets("y"), some(A, "1")))
    library.put(value_set("y", sets("x"), some(B, "9")))

    assert held(library, "http://sets/x", f"{A}|1", f"{B}|9", f"{A}|2") == [
        True,
        True,
        None,
    ]


class Counting:
    """A session that counts what is read."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.reads = 0

    def rows(self, *asked: Any, **more: Any) -> Any:
        self.reads += 1
        return self._session.rows(*asked, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def reads(library: Any, *addresses: str, **container: Any) -> int:
    """Tell how often the store is asked for value sets."""

    def counted(session: Any) -> int:
        counting = Counting(session)
        context = RequestContext(library.service, "search-type", "ValueSet")
        library.engine.value_sets(counting, context, addresses, container)
        return counting.reads

    found: int = library.database.read(counted)
    return found


def stamped(library: Any, *resources: Resource) -> list[Any]:
    """Store with the present as their moment."""
    stored: list[Any] = library.put(*resources, updated=to_millis(library.clock()))
    return stored


def test_what_was_decided_is_kept_until_a_value_set_or_code_system_changes(
    library: Any,
) -> None:
    (inner, whole) = stamped(
        library,
        value_set("inner", {"system": B}),
        value_set("x", sets("inner"), some(A, "1")),
    )
    asked = ("http://sets/x", f"{A}|1", f"{B}|9")
    library.clock.advance(minutes=2)
    assert held(library, *asked) == [True, None]
    assert reads(library, "http://sets/x") == 1

    stamped(library, code_system("b", B, {"code": "9"}))
    assert held(library, *asked) == [True, True]
    changed = replace(whole, updated=to_millis(library.clock()))
    library.change(value_set("x", sets("inner")), changed)
    assert held(library, *asked) == [False, True]
    library.clock.advance(minutes=2)
    assert held(library, *asked) == [False, True]
    changed = replace(inner, updated=to_millis(library.clock()))
    library.change(value_set("inner", some(B, "8")), changed)
    assert held(library, *asked) == [False, False]
    library.clock.advance(minutes=2)
    assert held(library, *asked) == [False, False]
    assert reads(library, "http://sets/x") == 1


def test_nothing_is_kept_while_a_change_may_still_be_under_way(library: Any) -> None:
    """It has its moment before it is committed, and is seen only then."""
    stamped(library, value_set("x", some(A, "1")))

    assert held(library, "http://sets/x", f"{A}|1") == [True]
    assert reads(library, "http://sets/x") > 1


def test_what_a_resource_contains_is_looked_into_each_time(library: Any) -> None:
    library.clock.advance(minutes=2)
    for code, told in (("1", True), ("2", False)):
        compose = {"include": [some(A, code)]}
        mine = {"resourceType": "ValueSet", "id": "mine", "compose": compose}
        assert held(library, "#mine", f"{A}|1", contained=[mine]) == [told]
