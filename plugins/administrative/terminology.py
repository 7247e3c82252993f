"""What of a code system stays while it is in use: the concepts that it has.

Whoever uses an active code system goes by its concepts, so others may come beside them.
Systems bring new editions in by the service that has everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fyr.core import Issue
from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.parts import Part, is_held_at

if TYPE_CHECKING:
    from fyr.plugins.administrative.parts import Write

__all__ = ["PART"]

_SERVICE: Final = "terminology"


def of_code_system(write: Write) -> Iterator[Issue]:
    """Tell that concepts of an active code system would change, or go."""
    old = write.old
    if old is None or old.get("status") != "active" or not is_held_at(write, _SERVICE):
        return
    after = dict(_concepts(write.new.get("concept", ())))
    if any(after.get(code) != one for code, one in _concepts(old.get("concept", ()))):
        code = CODES["CODESYSTEM_CONCEPT_CHANGE_NOT_ALLOWED_WHEN_ACTIVE"]
        place = "CodeSystem.concept" if after else "CodeSystem"
        yield code.issue(expression=(place,))


def _concepts(
    concepts: Iterable[Mapping[str, Any]], above: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through the concepts by code; those below one tell which that is."""
    for one in concepts:
        code = str(one.get("code", ""))
        told = {name: value for name, value in one.items() if name != "concept"}
        yield code, {**told, "above": above}
        yield from _concepts(one.get("concept", ()), code)


PART = Part(rules={"CodeSystem": of_code_system})
