"""Scopes of SMART App Launch 2, and what each allows.

``patient/Observation.rs?category=laboratory`` reads and searches the launch patient's
laboratory results; the forms of version 1 (``.read``, ``.write``, ``.*``) count as
``.rs``, ``.cud`` and ``.cruds``:
https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fyr.core.model.definitions import RESOURCE_TYPES

_SCOPE = re.compile(
    r"(patient|user|system)/(\*|[A-Z][A-Za-z]{1,63})"
    r"\.(?:(read|write|\*)|((?=[cruds])c?r?u?d?s?))(?:\?(.+))?"
)
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}
#: Parameters with an underscore that tell which resources are meant; all others of them
#: tell what is shown and how, and would limit a scope to nothing.
_CRITERIA = frozenset(
    "_content _filter _has _id _language _lastUpdated _list _profile _security _source"
    " _tag _text".split()
)
_NAME = re.compile(r"[A-Za-z_-]+")

#: interaction -> the letter of the scope that allows it
LETTERS = {
    "create": "c",
    "read": "r",
    "vread": "r",
    "history-instance": "r",
    "update": "u",
    "patch": "u",
    "delete": "d",
    "search-type": "s",
    "history-type": "s",
}


@dataclass(frozen=True, slots=True)
class SmartScope:
    """One scope: at which level, for which type (``*``: all), which letters.

    ``query`` limits it to what a search with these parameters finds.
    """

    level: str
    resource_type: str
    letters: frozenset[str]
    query: tuple[tuple[str, str], ...] = ()

    def allows(self, resource_type: str, interaction: str) -> bool:
        """Whether it speaks of this interaction on this type; its query set aside."""
        letter = LETTERS.get(interaction)
        return letter in self.letters and self.resource_type in ("*", resource_type)


def smart_scope(text: str) -> SmartScope | None:
    """Read one entry of the ``scope`` claim; ``None`` for what is no SMART scope.

    One whose query is no criterion of a search is none: it would allow more than it says.
    """
    match = _SCOPE.fullmatch(text)
    if match is None:
        return None
    level, kind, version_1, letters, query = match.groups()
    if kind != "*" and kind not in RESOURCE_TYPES:
        return None
    pairs = tuple(parse_qsl(query, keep_blank_values=True)) if query else ()
    if query and not (pairs and all(map(_limits, pairs))):
        return None
    return SmartScope(level, kind, frozenset(letters or _VERSION_1[version_1]), pairs)


def _limits(pair: tuple[str, str]) -> bool:
    """Whether a parameter is a criterion, as far as its form tells."""
    found = _NAME.match(pair[0])
    if found is None or not pair[1].strip():
        return False
    return not found[0].startswith("_") or found[0] in _CRITERIA


def smart_scopes(entries: Iterable[str]) -> tuple[SmartScope, ...]:
    """Read the SMART scopes among the entries of a ``scope`` claim."""
    return tuple(scope for one in entries if (scope := smart_scope(one)) is not None)
