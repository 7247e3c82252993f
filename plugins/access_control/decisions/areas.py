"""Searches across care teams: only for conditions of the solution's treatment area.

The area is a ValueSet whose ``useContext`` has the code ``system-treatment-area`` and the
coexistence tag of the token as its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.plugins.access_control.decisions.contexts import CODES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fyr.core import Resource
    from fyr.plugins.access_control.decisions.cases import SearchCase

#: The only ways to say which conditions are asked for.
_NAMES = frozenset({"condition:Condition.code", "condition.code"})
_AREA = "system-treatment-area"


def refuse_outside_area(case: SearchCase) -> None:
    """Let a search across care teams pass if all its conditions lie in the area.

    :raises fyr.core.errors.Forbidden: it names none, or one outside.
    """
    asked = {
        code
        for name, value in case.context.params
        if name in _NAMES
        for code in value.split(",")
    }
    if not asked:
        raise CODES[
            "EPISODEOFCARE_CROSS_TEAM_SEARCH_INVALID_CONDITION_PARAMETER"
        ].error()
    if not asked <= set(_area(case)):
        raise CODES[
            "EPISODEOFCARE_CROSS_TEAM_SEARCH_CONDITION_INVALID_AGAINST_TREATMENT_AREA"
        ].error(", ".join(sorted(case.caller.tags)) or "none")


def _area(case: SearchCase) -> Iterator[str]:
    """Give the codes, ``system|code``, of the treatment areas of the token's tags."""
    for tag in sorted(case.caller.tags):
        for one in case.look.search("ValueSet", context=tag, status="active"):
            if _is_area(one, tag):
                yield from _codes(one)


def _is_area(value_set: Resource, tag: str) -> bool:
    return any(
        use.get("code", {}).get("code") == _AREA
        and any(
            coding.get("code") == tag
            for coding in use.get("valueCodeableConcept", {}).get("coding", ())
        )
        for use in value_set.get("useContext", ())
    )


def _codes(value_set: Resource) -> Iterator[str]:
    for part in value_set.get("compose", {}).get("include", ()):
        for concept in part.get("concept", ()):
            yield f"{part.get('system', '')}|{concept.get('code')}"
