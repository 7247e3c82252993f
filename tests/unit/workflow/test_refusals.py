"""Pages say with which codes a machine refuses: guards declare them, and keep to that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

from fyr.config.settings import Settings
from fyr.core import Machine, Step
from fyr.core.app import registered_error_codes
from fyr.core.errors.catalogue import BROKEN_RULE, broken_rule
from fyr.core.hooks.loading import load_plugins
from fyr.core.workflow import refuses
from fyr.core.workflow.machine import codes_of
from fyr.core.workflow.page import known_machines, machine_page

MACHINES = {one.name: one for one in known_machines()}
CODES = registered_error_codes(
    load_plugins(
        Settings(
            store={"url": "sqlite://"},
            plugins={"enabled": ["search", "administrative", "clinical"]},
        )
    ).hooks
)


def asked(machine: Machine) -> Iterator[Callable[..., Any]]:
    """Go through the guards of a machine, and what answers for what is not in it."""
    yield from machine.when
    for step in machine.steps:
        yield from step.when
    for refused in (machine.refused, *(step.refused for step in machine.steps)):
        if callable(refused):
            yield refused


def functions(guard: Any, seen: set[int] | None = None) -> Iterator[FunctionType]:
    """Go through a guard and the functions of its module that it calls."""
    seen = set() if seen is None else seen
    guard = getattr(guard, "func", guard)
    guard = getattr(guard, "__wrapped__", guard)
    if not isinstance(guard, FunctionType) or id(guard) in seen:
        return
    seen.add(id(guard))
    yield guard
    for name in guard.__code__.co_names:
        called = guard.__globals__.get(name)
        if getattr(called, "__module__", None) == guard.__module__:
            yield from functions(called, seen)


def words(code: CodeType) -> Iterator[str]:
    if broken_rule.__name__ in code.co_names:
        yield BROKEN_RULE
    for one in code.co_consts:
        if isinstance(one, str):
            yield one
        elif isinstance(one, CodeType):
            yield from words(one)


@pytest.mark.parametrize("name", MACHINES)
def test_what_a_guard_refuses_with_is_what_it_declares(name: str) -> None:
    for guard in asked(MACHINES[name]):
        named = {word for one in functions(guard) for word in words(one.__code__)}

        assert named & CODES.keys() <= set(codes_of(guard)), guard
        assert set(codes_of(guard)) <= CODES.keys(), guard


def test_a_page_has_the_codes_of_guards_and_where_access_control_stands() -> None:
    page = machine_page(MACHINES["episode-of-care"])

    assert "Refused with `EPISODEOFCARE_PATCH_NO_CONSENT`." in page
    assert "[access-control.md](../access-control.md)" in page


def test_a_page_has_the_codes_of_the_type_that_it_is_about() -> None:
    page = machine_page(MACHINES["questionnaire"])

    assert "`QUESTIONNAIRE_CREATE_MODIFIER_ROLE_OWNER_MANDATORY`" in page
    assert "PLANDEFINITION" not in page


def test_a_guard_that_tells_in_a_sentence_has_no_code() -> None:
    @refuses("ONE", "OTHER")
    def is_good(transition: object) -> list[Any]:
        """It has to be good."""
        return []

    def is_fair(transition: object) -> list[Any]:
        """It has to be fair."""
        return []

    machine = Machine(
        "errand", "Task", (Step(None, "requested", when=(is_good, is_fair)),)
    )
    page = machine_page(machine)

    assert page.splitlines()[-2:] == [
        "- *is fair*: It has to be fair.",
        "- *is good*: It has to be good. Refused with `ONE`, `OTHER`.",
    ]
