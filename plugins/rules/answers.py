"""Triage by the significance of answers: what a questionnaire says that they mean.

An item has answer significances, each a colour with one or two conditions (value and
operator). Two conditions are an interval and hold of one and the same answer; ``exists``
asks whether there is an answer at all. Red goes before yellow, yellow before green.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from fyr.core import Resource, RuleFinding, RuleInput, RuleProblem
from fyr.core.model.budget import Budget
from fyr.plugins.rules.terms import (
    ANSWER_CONDITIONS,
    ANSWER_SIGNIFICANCE,
    COLOURS,
    extension_value,
    extensions,
    finding_code,
    listed,
    number,
    reference_to,
)

RULE = "answer-significance"
_MOST_ITEMS_DEEP = 50

Answer = tuple[str, Any]


def judge(
    response: Resource, asked: RuleInput, budget: Budget
) -> Iterator[RuleFinding | RuleProblem]:
    """Hold the answers of a response against the significances of its questions."""
    about = reference_to(response)
    questionnaire = questionnaire_of(response, asked)
    if questionnaire is None:
        text = f"{about}: the questionnaire that it answers is not known"
        yield RuleProblem("input", text, "LibraryUseMismatchFixingNeeded")
        return
    answers = answers_of(response, budget)
    any_defined = False
    found: list[RuleFinding] = []
    for item in items(questionnaire, budget):
        for significance in extensions(item, ANSWER_SIGNIFICANCE):
            any_defined = True
            link = str(item.get("linkId", ""))
            given = answers.get(link, [])
            budget.spend(1 + len(given))
            met = _met(significance, given)
            if met is not None:
                found.append(_hit(about, link, significance, met))
    if found:
        yield from found
    elif any_defined:
        yield RuleFinding(about, finding_code("no-effective-answer-significance"), RULE)
    else:
        yield RuleFinding(about, finding_code("no-answer-significance-defined"), RULE)


def questionnaire_of(response: Resource, asked: RuleInput) -> Resource | None:
    """Find the questionnaire that a response answers, among those given."""
    said = str(response.get("questionnaire", "")).partition("|")[0]
    for one in asked.questionnaires:
        own = reference_to(one)
        # Services know a questionnaire by the URL that it is kept at.
        if said and (said in (one.get("url"), own) or said.endswith(f"/{own}")):
            return one
    return None


def items(
    resource: Mapping[str, Any], budget: Budget, depth: int = 0
) -> Iterator[Mapping[str, Any]]:
    """Go through the items of a questionnaire or a response, nested ones included."""
    for item in listed(resource.get("item")):
        if isinstance(item, dict) and depth < _MOST_ITEMS_DEEP:
            budget.spend()
            yield item
            yield from items(item, budget, depth + 1)
            for answer in listed(item.get("answer")):
                if isinstance(answer, dict):
                    yield from items(answer, budget, depth + 1)


def answers_of(response: Resource, budget: Budget) -> dict[str, list[Answer]]:
    """Tell the answers of a response by ``linkId``, each as ``(value[x], value)``."""
    found: dict[str, list[Answer]] = {}
    for item in items(response, budget):
        values = found.setdefault(str(item.get("linkId", "")), [])
        for answer in listed(item.get("answer")):
            if isinstance(answer, dict):
                budget.spend()
                values += [
                    (key, value)
                    for key, value in answer.items()
                    if key.startswith("value")
                ]
    return found


def _met(significance: Mapping[str, Any], given: list[Answer]) -> Answer | None:
    """Tell the answer that meets all conditions; ``("", None)`` for a missing one."""
    conditions = [
        one for url in ANSWER_CONDITIONS for one in extensions(significance, url)
    ]
    if not conditions or len(conditions) > 2:
        return None
    wants_none = [one for one in conditions if _asks_for_none(one)]
    if wants_none:
        return ("", None) if not given and len(conditions) == 1 else None
    for answer in given:
        if all(_holds(one, answer) for one in conditions):
            return answer
    return None


def _asks_for_none(condition: Mapping[str, Any]) -> bool:
    operator = extension_value(condition, "operator")
    return operator == "exists" and extension_value(condition, "value") is False


def _holds(condition: Mapping[str, Any], answer: Answer) -> bool:
    operator = extension_value(condition, "operator")
    if operator == "exists":
        return extension_value(condition, "value") is True
    wanted, value = _plain(extension_value(condition, "value")), _plain(answer[1])
    if wanted is None or type(wanted) is not type(value):
        return False
    if operator == "=":
        return bool(value == wanted)
    if operator == "!=":
        return bool(value != wanted)
    if not isinstance(wanted, Decimal | str) or not isinstance(value, Decimal | str):
        return False
    order = (value > wanted) - (value < wanted)  # type: ignore[operator]
    return {
        ">": order > 0,
        "<": order < 0,
        ">=": order >= 0,
        "<=": order <= 0,
    }.get(str(operator), False)


def _plain(value: Any) -> bool | Decimal | str | tuple[str, str] | None:
    """Give a value as it is compared; a coding by system and code."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | Decimal):
        return number(value)
    if isinstance(value, dict) and "code" in value and "value" not in value:
        return str(value.get("system", "")), str(value["code"])
    if isinstance(value, dict):
        return _plain(value.get("value")) if "value" in value else None
    return None


def _hit(
    about: str, link: str, significance: Mapping[str, Any], met: Answer
) -> RuleFinding:
    said = extension_value(significance, "significance")
    colour = said.get("code") if isinstance(said, dict) else None
    colour = colour if colour in COLOURS else "red"
    return RuleFinding(
        about,
        finding_code(f"{colour}-question-answer"),
        RULE,
        f"the answer to {link} is {colour}",
        link_id=link,
        value={met[0]: met[1]} if met[0] else {},
        significance=significance,
    )
