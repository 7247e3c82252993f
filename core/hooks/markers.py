"""How a function says that it is a hook, and how one says that it implements one."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeVar, overload

import pluggy

PROJECT = "fyr"
_RULE = "fyr_rule"
_ORDER = "fyr_order"
_QUICK = "fyr_quick"
_mark_spec = pluggy.HookspecMarker(PROJECT)
_mark_impl = pluggy.HookimplMarker(PROJECT)

F = TypeVar("F", bound=Callable[..., Any])
Phase = Literal["early", "normal", "late"]


class Policy(StrEnum):
    """What an exception of an implementation does.

    A :class:`~fyr.core.errors.FyrError` is a refusal, hence an answer and no failure:
    it goes out under *abort* and *isolate*, and only *swallow* keeps it.
    """

    #: it ends the request (or the start of the server); the rest is not asked
    ABORT = "abort"
    #: it is logged and counted, the rest is asked; failing in a row brings quarantine
    ISOLATE = "isolate"
    #: as isolate, and a refusal goes nowhere either: the answer has been given
    SWALLOW = "swallow"


class Answer(StrEnum):
    """What becomes of the implementations' answers."""

    #: nobody's counts; a word can be said only by raising
    NONE = "none"
    #: the first that is not ``None``; the rest is not asked
    FIRST = "first"
    #: each gives an iterable or ``None``; all items become one list
    COLLECT = "collect"
    #: one that is not ``None`` takes the place of an argument for those who follow
    REPLACE = "replace"


class Moment(StrEnum):
    """When a hook is called."""

    START = "start"
    REQUEST = "request"
    EVENT = "event"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a hook treats its implementations; ``replaces`` names an argument."""

    policy: Policy
    answer: Answer
    moment: Moment
    replaces: str = ""
    #: name of the class of what is collected at the start
    items: str = ""
    #: import path of the port, a ``Protocol``, that is given at the start
    port: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """Where an implementation stands among those of other plugins, by their names."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    phase: Phase = "normal"


def hookspec(
    policy: Literal["abort", "isolate", "swallow"],
    answer: Literal["none", "first", "collect", "replace"] = "none",
    *,
    moment: Literal["start", "request", "event", "command"] = "request",
    replaces: str = "",
    port: str = "",
) -> Callable[[F], F]:
    """Declare a hook and the rule it follows."""

    def mark(function: F) -> F:
        items = ""
        if answer == "collect" and moment == "start":
            items = _items_of(function)
        rule = Rule(
            Policy(policy), Answer(answer), Moment(moment), replaces, items, port
        )
        setattr(function, _RULE, rule)
        return _mark_spec(function)

    return mark


def _items_of(function: Callable[..., Any]) -> str:
    """Tell what a hook collects, by its annotation, ``Iterable[Service] | None``.

    By name: the classes are imported for type checkers only, click's among them.
    """
    told = re.search(r"\[(?:\w+\.)*(\w+)\]", str(function.__annotations__["return"]))
    name = told[1] if told else ""
    # A resource is what JSON makes of it.
    return "dict" if name == "Resource" else name


@overload
def hookimpl(function: F) -> F: ...


@overload
def hookimpl(
    *,
    before: Iterable[str] = (),
    after: Iterable[str] = (),
    phase: Phase = "normal",
    quick: bool = False,
) -> Callable[[F], F]: ...


def hookimpl(
    function: F | None = None,
    *,
    before: Iterable[str] = (),
    after: Iterable[str] = (),
    phase: Phase = "normal",
    quick: bool = False,
) -> F | Callable[[F], F]:
    """Mark a function or method as a plugin's implementation of the hook of its name.

    It takes the hook's arguments that it needs, by name. Without order it stands in
    the middle phase, plugins by name.

    :param before: names of plugins whose implementation is asked after this one;
        plugins that do not take part are passed over.
    :param after: names of plugins whose implementation is asked before this one.
    :param phase: ``early``, ``normal`` or ``late``; within one, the names decide.
    :param quick: it usually takes microseconds, waits for nothing outside the process
        but what it looks up by :class:`~fyr.core.Look`, and has no part in what the store
        is asked for. Reads by id stay quick with it: see ``server.quick_reads``.
    """
    order = Order(tuple(before), tuple(after), phase)

    def mark(function: F) -> F:
        setattr(function, _ORDER, order)
        setattr(function, _QUICK, quick)
        return _mark_impl(function)

    return mark(function) if function is not None else mark


def rule_of(specification: Callable[..., Any]) -> Rule | None:
    """Tell the rule of a hook; ``None`` for a function that is no hook."""
    rule: Rule | None = getattr(specification, _RULE, None)
    return rule


def order_of(implementation: Callable[..., Any]) -> Order:
    """Tell where an implementation wants to stand."""
    order: Order = getattr(implementation, _ORDER, Order())
    return order


def is_quick(implementation: Callable[..., Any]) -> bool:
    """Tell whether an implementation says that it waits for nobody."""
    return bool(getattr(implementation, _QUICK, False))
