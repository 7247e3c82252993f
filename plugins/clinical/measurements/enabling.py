"""``Questionnaire.item.enableWhen``: whether an item is to be answered at all. Pure.

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fyr.core.workflow.timing import first_of

Item = Mapping[str, Any]
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_MOMENTS = ("Date", "DateTime")
_NUMBERS = ("Integer", "Decimal")


class Scope:
    """The items of a response that stand beside each other, and those around them."""

    def __init__(self, items: Sequence[Item], around: Scope | None = None) -> None:
        """Take the items of a response, or of one of its items or answers."""
        self._items = items
        self._around = around
        self._answers: dict[str, list[Item]] | None = None

    def answers(self, link_id: str) -> list[Item]:
        """Tell the answers to a question: the nearest that can be reached from here."""
        if self._answers is None:
            self._answers = {}
            _gather(self._items, self._answers)
        if link_id in self._answers or self._around is None:
            return self._answers.get(link_id, [])
        return self._around.answers(link_id)


def is_enabled(item: Item, scope: Scope) -> bool:
    """Whether the conditions of an item hold: all of them, or any if it says so."""
    conditions = item.get("enableWhen", ())
    if not conditions:
        return True
    held = (_holds(one, scope) for one in conditions)
    return any(held) if item.get("enableBehavior") == "any" else all(held)


def _gather(items: Sequence[Item], into: dict[str, list[Item]]) -> None:
    for item in items:
        found = item.get("answer", ())
        into.setdefault(item.get("linkId", ""), []).extend(found)
        _gather(item.get("item", ()), into)
        for answer in found:
            _gather(answer.get("item", ()), into)


def _holds(condition: Item, scope: Scope) -> bool:
    given = scope.answers(condition.get("question", ""))
    how = condition.get("operator")
    kind, wanted = _value(condition, "answer")
    if how == "exists":
        return bool(given) is (wanted is True)
    values = (_value(one, "value") for one in given)
    return any(_compares(how, one, (kind, wanted)) for one in values)


def _value(element: Item, prefix: str) -> tuple[str, Any]:
    """Tell type and value of ``answer[x]`` or ``value[x]``."""
    for name, value in element.items():
        if name.startswith(prefix):
            return name.removeprefix(prefix), value
    return "", None


def _compares(how: object, given: tuple[str, Any], wanted: tuple[str, Any]) -> bool:
    left, right = _comparable(*given), _comparable(*wanted)
    if how == "=":
        return bool(left == right)
    if how == "!=":
        return bool(left != right)
    compare = _ORDERED.get(str(how))
    if compare is None or left is None or right is None or left[0] != right[0]:
        return False
    try:
        return compare(left[1], right[1])
    except TypeError:
        return False


def _comparable(kind: str, value: Any) -> tuple[Any, Any] | None:
    """Give a value as what can be compared with others that begin alike."""
    if kind in _NUMBERS:
        return "number", value
    if kind in _MOMENTS:
        return "moment", first_of(value)
    if kind == "Coding" and isinstance(value, Mapping):
        return "coding", (value.get("system"), value.get("code"))
    if kind == "Quantity" and isinstance(value, Mapping):
        unit = value.get("code") or value.get("unit")
        return ("quantity", unit), value.get("value")
    if kind == "Reference" and isinstance(value, Mapping):
        return "reference", value.get("reference")
    return (kind, value) if kind else None
