"""The words of a resource, in the form in which ``_text`` and ``_content`` compare them.

https://hl7.org/fhir/R4/search.html#content. A word is a run of letters and digits, folded
as all texts are; both databases are given words and split nothing themselves.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

from fyr.core.model.definitions import TypeDefinition, definition
from fyr.core.model.resource import FhirDecimal, Resource
from fyr.search.texts import folded

#: Characters of a word that count; the rest of a longer one is cut off.
LONGEST = 64
#: Bytes of each of the two texts that are kept; what follows is not found.
KEPT_BYTES = 400_000
#: Stands between two values, so that no phrase goes from one into the other.
BREAK = "\n"

_WORD = re.compile(r"[^\W_]+")
_MARKUP = re.compile(r"""<!--.*?-->|<(?:[^<>"']|"[^"]*"|'[^']*')*+>""", re.DOTALL)
#: Values that nobody reads.
_UNREAD = frozenset({"base64Binary", "boolean"})


@dataclass(frozen=True, slots=True)
class Words:
    """Words with a space on both sides of each: of the narrative, and of all the rest."""

    narrative: str = ""
    content: str = ""


def words(text: str) -> list[str]:
    """Take a text apart."""
    return [word[:LONGEST] for word in _WORD.findall(folded(text))]


def words_of(resource: Resource) -> Words:
    """Take a resource apart.

    ``meta`` is about the resource and not in it; base64 is no text.
    """
    kind = resource["resourceType"]
    div = resource.get("text", {}).get("div", "")
    narrative = _plain(div) if isinstance(div, str) else ""
    rest = {k: v for k, v in resource.items() if k not in ("meta", "text")}
    return Words(_joined([narrative]), _joined(_values(rest, definition(kind))))


def _joined(values: Iterable[str]) -> str:
    """Write the words of all values, as many as are kept."""
    parts: list[str] = []
    size = 0
    for value in values:
        for word in words(value):
            size += len(word.encode()) + 1
            if size > KEPT_BYTES:
                return _ended(parts)
            parts.append(word)
        if parts and parts[-1] != BREAK:
            parts.append(BREAK)
    return _ended(parts)


def _ended(parts: list[str]) -> str:
    return f" {' '.join(parts)} " if parts else ""


def _values(value: Any, inside: TypeDefinition) -> Iterator[str]:
    """Go through the values of a resource or a complex type."""
    for name, item in value.items():
        if name[:1] == "_":
            # Extensions of a primitive, which has a null where it has none.
            for one in _listed(item):
                if isinstance(one, dict):
                    yield from _values(one, definition("Element"))
            continue
        element = inside.elements.get(name)
        if element is None or element.type_code in _UNREAD:
            continue
        for one in _listed(item):
            if isinstance(one, dict):
                below = element.children or definition(one["resourceType"])
                yield from _values(one, below)
            elif element.type_code == "xhtml":
                yield _plain(one)
            elif one is not None:
                yield one.text if isinstance(one, FhirDecimal) else str(one)


def _listed(item: Any) -> list[Any]:
    return item if isinstance(item, list) else [item]


def _plain(div: str) -> str:
    """Take the markup out of XHTML."""
    return unescape(_MARKUP.sub(" ", div))
