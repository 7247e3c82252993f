"""How the items of a Questionnaire are answered: how often, where, and by what. Pure.

https://hl7.org/fhir/R4/questionnaireresponse.html: a question repeats by its answers, a
group by its items; what is below a question stands below its answers. What is not
enabled, or not in the Questionnaire, is not answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from fyr.core import Issue, Resource, broken_rule
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.measurements.enabling import Item, Scope, is_enabled
from fyr.plugins.clinical.measurements.submission import Entry
from fyr.plugins.clinical.measurements.values import misfits

MIN_OCCURS = "http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs"
MAX_OCCURS = "http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs"
_GROUP, _DISPLAY = "group", "display"
_UNASKED = "which is not in the Questionnaire, or not at this place."
#: Items of a response with the places where they stand.
_Placed = Sequence[tuple[str, Item]]


@dataclass(frozen=True, slots=True)
class Miscount:
    """An item that is answered too often or not often enough."""

    link_id: str
    too_many: bool
    #: FHIRPath below the response; empty: the response itself
    path: str
    #: whether the Questionnaire asks for it at all, where it stands
    is_asked: bool = True


@dataclass(frozen=True, slots=True)
class Misfit:
    """An item, or an answer, that is not what the Questionnaire asks for."""

    link_id: str
    #: in words
    why: str
    #: FHIRPath below the response
    path: str


def answer_problems(entry: Entry, questionnaire: Resource) -> Iterator[Issue]:
    """Tell which items of a submitted response are answered wrongly, or too often."""
    name = entry.full_url or "/".join(
        filter(None, (entry.kind, entry.resource.get("id")))
    )
    for one in problems(questionnaire, entry.resource):
        place = entry.at(one.path)
        if isinstance(one, Misfit):
            text = f"{name} answers the item {one.link_id}: {one.why}"
            yield broken_rule(text, *place)
        elif one.too_many:
            issue = CODES["MEASUREMENT_SUBMITMEASUREMENT_TOO_MANY_ANSWERS"].issue(
                name, one.link_id, expression=place
            )
            unasked = f"{name} answers the item {one.link_id}, {_UNASKED}"
            yield issue if one.is_asked else replace(issue, diagnostics=unasked)
        else:
            yield CODES["MEASUREMENT_SUBMITMEASUREMENT_TOO_FEW_ANSWERS"].issue(
                name, one.link_id, expression=place
            )


def problems(questionnaire: Resource, response: Resource) -> list[Miscount | Misfit]:
    """Tell all items that are answered wrongly, too often or not often enough."""
    given = response.get("item", ())
    return list(_problems(questionnaire.get("item", ()), given, "", None))


def _problems(
    asked: Sequence[Item], given: Sequence[Item], path: str, around: Scope | None
) -> Iterator[Miscount | Misfit]:
    scope = Scope(given, around)
    known = {item.get("linkId", "") for item in asked}
    for index, item in enumerate(given):
        if item.get("linkId", "") not in known:
            place = f"{_below(path)}item[{index}]"
            yield Miscount(item.get("linkId", ""), True, place, is_asked=False)
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
) -> Iterator[Miscount | Misfit]:
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
    for place, one in placed:
        answered = _of_group if is_group else _of_question
        yield from answered(item, one, place, scope)


def _of_group(
    item: Item, given: Item, place: str, scope: Scope
) -> Iterator[Miscount | Misfit]:
    if "answer" in given:
        why = "it is a group, which has items and no answers"
        yield Misfit(item.get("linkId", ""), why, f"{place}.answer")
    yield from _problems(item.get("item", ()), given.get("item", ()), place, scope)


def _of_question(
    item: Item, given: Item, place: str, scope: Scope
) -> Iterator[Miscount | Misfit]:
    link_id, below = item.get("linkId", ""), item.get("item", ())
    if "item" in given:
        why = "it is a question, and what is below it stands below its answers"
        yield Misfit(link_id, why, f"{place}.item")
    for index, answer in enumerate(given.get("answer", ())):
        where = f"{place}.answer[{index}]"
        for why in misfits(item, answer):
            yield Misfit(link_id, why, f"{where}.value")
        yield from _problems(below, answer.get("item", ()), where, scope)


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
