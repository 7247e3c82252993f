"""Answers that are codings, held against the value sets of their questions. Pure.

https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.answerValueSet.
What cannot be told does not stand in the way of a measurement, but is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fyr.core import Issue, Resource, broken_rule
from fyr.core.searching import ValueSet
from fyr.plugins.clinical.measurements.enabling import Item
from fyr.plugins.clinical.measurements.submission import Entry

_CHOICES = ("choice", "open-choice")
_UNKNOWN = Issue("not-supported", "value sets are not known here")
#: Value sets by address, as far as they are known.
ValueSets = Mapping[str, ValueSet]


@dataclass(frozen=True, slots=True)
class Coded:
    """An answer that is to be from a value set."""

    link_id: str
    #: canonical URL, or ``#id`` of one that the Questionnaire contains
    value_set: str
    coding: Mapping[str, Any]
    #: FHIRPath below the response
    path: str


def coded_answers(questionnaire: Resource, response: Resource) -> Iterator[Coded]:
    """Go through the answers that are to be from a value set."""
    asked = dict(_asked(questionnaire.get("item", ())))
    for path, link_id, answer in _given(response.get("item", ()), "") if asked else ():
        if link_id in asked and "valueCoding" in answer:
            yield Coded(link_id, asked[link_id], answer["valueCoding"], path)


def value_set_problems(
    entry: Entry, questionnaire: Resource, value_sets: ValueSets
) -> Iterator[Issue]:
    """Refuse answers that their value set does not have; warn where it cannot be told."""
    name = entry.full_url or f"{entry.kind}/{entry.resource.get('id', '')}"
    for one in coded_answers(questionnaire, entry.resource):
        place = entry.at(f"{one.path}.value")
        found = value_sets.get(one.value_set)
        system, code = one.coding.get("system", ""), one.coding.get("code", "")
        fits = found.has(system, code) if found is not None else None
        if fits is False:
            text = (
                f"{name} answers the item {one.link_id}: this is none of its options,"
                f" which are those of the ValueSet {one.value_set[:200]}"
            )
            yield broken_rule(text, *place)
        elif fits is None:
            why = (found.problem if found is not None else None) or _UNKNOWN
            text = (
                f"Whether the answer to the item {one.link_id} is one of its options"
                f" has not been looked at: {why.diagnostics}"
            )
            yield replace(why, diagnostics=text, expression=place, severity="warning")


def _asked(items: Sequence[Item]) -> Iterator[tuple[str, str]]:
    """Tell the questions that are answered from a value set, and which one that is."""
    for item in items:
        is_choice = item.get("type") in _CHOICES and not item.get("answerOption")
        if is_choice and item.get("answerValueSet"):
            yield item.get("linkId", ""), item["answerValueSet"]
        yield from _asked(item.get("item", ()))


def _given(items: Sequence[Item], within: str) -> Iterator[tuple[str, str, Item]]:
    """Go through all answers, with their places and what they are answers to."""
    for number, item in enumerate(items):
        path = f"{within}item[{number}]"
        for index, answer in enumerate(item.get("answer", ())):
            place = f"{path}.answer[{index}]"
            yield place, item.get("linkId", ""), answer
            yield from _given(answer.get("item", ()), f"{place}.")
        yield from _given(item.get("item", ()), f"{path}.")
