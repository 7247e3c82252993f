"""How often the items of a Questionnaire are answered, and how often they may be. Pure.

https://hl7.org/fhir/R4/questionnaireresponse.html: a question repeats by its answers, a
group by its items. What is not enabled, or not in the Questionnaire, is not answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fyr.core import Issue, Resource
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.measurements.enabling import Item, Scope, is_enabled
from fyr.plugins.clinical.measurements.submission import Entry

MIN_OCCURS = "http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs"
MAX_OCCURS = "http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs"
_GROUP, _DISPLAY = "group", "display"
#: Items of a response with the places where they stand.
_Placed = Sequence[tuple[str, Item]]


@dataclass(frozen=True, slots=True)
class Miscount:
    """An item that is answered too often or not often enough."""

    link_id: str
    too_many: bool
    #: FHIRPath below the response; empty: the response itself
    path: str


def answer_problems(entry: Entry, questionnaire: Resource) -> Iterator[Issue]:
    """Tell which items of a submitted response are answered a wrong number of times."""
    name = entry.full_url or "/".join(
        filter(None, (entry.kind, entry.resource.get("id")))
    )
    for one in miscounts(questionnaire, entry.resource):
        place = entry.at(one.path)
        if one.too_many:
            yield CODES["MEASUREMENT_SUBMITMEASUREMENT_TOO_MANY_ANSWERS"].issue(
                name, one.link_id, expression=place
            )
        else:
            yield CODES["MEASUREMENT_SUBMITMEASUREMENT_TOO_FEW_ANSWERS"].issue(
                name, one.link_id, expression=place
            )


def miscounts(questionnaire: Resource, response: Resource) -> list[Miscount]:
    """Tell all items that are answered too often or not often enough, in their order."""
    given = response.get("item", ())
    return list(_miscounts(questionnaire.get("item", ()), given, "", None))


def _miscounts(
    asked: Sequence[Item], given: Sequence[Item], path: str, around: Scope | None
) -> Iterator[Miscount]:
    scope = Scope(given, around)
    known = {item.get("linkId", "") for item in asked}
    for index, item in enumerate(given):
        if item.get("linkId", "") not in known:
            yield Miscount(item.get("linkId", ""), True, f"{_below(path)}item[{index}]")
    for item in asked:
        link_id = item.get("linkId", "")
        placed = [
            (f"{_below(path)}item[{index}]", one)
            for index, one in enumerate(given)
            if one.get("linkId", "") == link_id
        ]
        yield from _of_item(item, placed, path, scope)


def _of_item(
    item: Item, placed: _Placed, path: str, scope: Scope
) -> Iterator[Miscount]:
    link_id = item.get("linkId", "")
    least, most = _limits(item) if is_enabled(item, scope) else (0, 0)
    is_group = item.get("type") == _GROUP
    count = sum(1 if is_group else len(one.get("answer", ())) for _, one in placed)
    if most is not None and count > most:
        yield Miscount(link_id, True, placed[-1][0])
    if count < least:
        yield Miscount(link_id, False, placed[-1][0] if placed else path)
    if most == 0:
        return
    below = item.get("item", ())
    for place, one in placed:
        if is_group:
            yield from _miscounts(below, one.get("item", ()), place, scope)
            continue
        for index, answer in enumerate(one.get("answer", ())):
            where = f"{place}.answer[{index}]"
            yield from _miscounts(below, answer.get("item", ()), where, scope)


def _limits(item: Item) -> tuple[int, int | None]:
    """Tell how often an item must and may be answered; ``None``: as often as liked."""
    if item.get("type") == _DISPLAY:
        return 0, 0
    least = max(_occurs(item, MIN_OCCURS) or 0, int(bool(item.get("required"))))
    most = _occurs(item, MAX_OCCURS) if item.get("repeats") else 1
    return least, most


def _occurs(item: Item, url: str) -> int | None:
    found = extensions.value_of(item, url)
    return found if type(found) is int else None


def _below(path: str) -> str:
    return f"{path}." if path else ""
