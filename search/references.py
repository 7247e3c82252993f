"""Where references lead: https://hl7.org/fhir/R4/references.html#literal.

A target is a type and an id for a resource kept here, ``""`` and a URL elsewhere,
``#`` and an id inside the same resource, and for a canonical ``""`` or ``|version``
and the URL before it.
"""

import re

from fyr.core.model.definitions import RESOURCE_TYPES

#: Target type of a contained resource.
CONTAINED = "#"
_LOCAL = re.compile(
    r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?",
    re.ASCII,
)
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_TAIL = re.compile(r".*/" + _LOCAL.pattern, re.ASCII | re.DOTALL)

Target = tuple[str, str]


def is_id(text: str) -> bool:
    """Whether a text can be the id of a resource kept here."""
    return _ID.fullmatch(text) is not None


def target_of(text: str) -> Target:
    """Tell target type and id of a literal reference; its version is left out."""
    local = _LOCAL.fullmatch(text)
    if local is not None and local[1] in RESOURCE_TYPES:
        return local[1], local[2]
    if text.startswith("#"):
        return CONTAINED, text[1:]
    return "", text.partition("/_history/")[0]


def canonical_row(text: str) -> Target:
    """Tell ``("|version", url)`` of a canonical, or what a literal reference tells."""
    url, bar, version = text.partition("|")
    return (bar + version, url) if bar else target_of(text)


def type_of(reference: dict[str, str]) -> str:
    """Tell the type of what a Reference leads to, as far as it says; else ``""``."""
    text = reference.get("reference", "")
    kind, _ = target_of(text)
    if kind not in ("", CONTAINED):
        return kind
    tail = _TAIL.fullmatch(text)
    if tail is not None and tail[1] in RESOURCE_TYPES:
        return tail[1]
    return reference.get("type", "").rpartition("/")[2]
