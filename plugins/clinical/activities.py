"""What follows from the code of an activity: ``activities.toml`` as a look-up.

A code that is in no row says nothing: neither that something holds nor that it does not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from fyr.core import Issue, Resource


@dataclass(frozen=True, slots=True)
class Switches:
    """What holds for activities of a code."""

    #: type of what is submitted; empty: nothing is
    measures: str
    #: whether a slot without a submission is told to the care team
    missing: bool
    #: whether the citizen is reminded of a slot
    reminder: bool
    #: whether what is submitted may be shared nationally
    sharing: bool


def switches(system: str, code: str) -> Switches | None:
    """Tell what holds for a code; ``None``: it is in no row."""
    return _all().get((system, code))


def switches_of(concept: Mapping[str, Any]) -> tuple[str, str, Switches] | None:
    """Find the first coding of a CodeableConcept that a row knows.

    :return: its system and code, and what holds; ``None``: no row knows any.
    """
    for coding in concept.get("coding", ()):
        system, code = str(coding.get("system", "")), str(coding.get("code", ""))
        found = switches(system, code)
        if found is not None:
            return system, code, found
    return None


def any_code_of(concept: Mapping[str, Any], holds: Callable[[Switches], bool]) -> bool:
    """Whether something holds for one of the codings of a CodeableConcept."""
    codings = concept.get("coding", ())
    found = (switches(one.get("system", ""), one.get("code", "")) for one in codings)
    return any(holds(one) for one in found if one is not None)


def activity_of(request: Mapping[str, Any]) -> str:
    """Tell what is to be done, in words; empty if a request does not say it."""
    code = request.get("code", {})
    codings = code.get("coding", ())
    shown = (one.get("display") for one in codings)
    named = (one.get("code") for one in codings)
    return next(filter(None, (*shown, code.get("text"), *named)), "")


def warnings_of(definition: Resource) -> list[Issue]:
    """Tell of an ActivityDefinition that nobody notices what does not come of it."""
    if definition.get("resourceType") != "ActivityDefinition":
        return []
    code = definition.get("code", {})
    if not code.get("coding") or switches_of(code) is not None:
        return []
    named = [f"{one.get('system', '')}|{one.get('code', '')}" for one in code["coding"]]
    text = (
        "nobody is told when a measurement is missing, nor reminded of one: the code"
        f" ({', '.join(named)[:200]}) is none of those that are watched"
    )
    where = ("ActivityDefinition.code",)
    return [Issue("informational", text, where, severity="warning")]


@lru_cache(maxsize=1)
def _all() -> Mapping[tuple[str, str], Switches]:
    text = files("fyr.plugins.clinical").joinpath("activities.toml").read_text("utf-8")
    return {
        (system, code): Switches(**{k: v for k, v in row.items() if k != "codes"})
        for system, table in tomllib.loads(text).items()
        for row in table["rows"]
        for code in row["codes"].split()
    }
