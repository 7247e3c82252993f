"""Codes that are held against a stored value set, and what is kept of that."""

from dataclasses import replace
from typing import Any

import pytest

from fyr.core.clock import to_millis
from fyr.core.context import RequestContext

from .stored import IS_A_1, A, B, Resource, code_system, filtered, sets, some, value_set

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
