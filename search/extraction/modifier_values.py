"""What stands beside a parameter's own values, for modifiers that ask for it.

https://hl7.org/fhir/R4/search.html#modifiers: the text of a code, the type of an
identifier, the identifier in a reference. Each has rows of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fyr.search.extraction.rows import Convert, Rows
from fyr.search.extraction.values import identifier
from fyr.search.hashes import hash64
from fyr.search.texts import bounded, indexed


@dataclass(frozen=True, slots=True)
class Beside:
    """What a modifier asks for: how its values are kept, and of which FHIR types."""

    #: type of a parameter whose values are kept so
    like: str
    converters: Mapping[str, Convert]


def typed(system: str, code: str) -> int:
    """Give the number under which identifiers of a type stand, as if it were a system."""
    return hash64(f"{system}|{code}")


def _logical(value: Any, param: int, rows: Rows) -> None:
    if "identifier" in value:
        identifier(value["identifier"], param, rows)


def _display(value: Any, param: int, rows: Rows) -> None:
    _text(value.get("display", ""), param, rows)


def _concept(value: Any, param: int, rows: Rows) -> None:
    _text(value.get("text", ""), param, rows)
    for one in value.get("coding", ()):
        _display(one, param, rows)


def _type_text(value: Any, param: int, rows: Rows) -> None:
    _text(value.get("type", {}).get("text", ""), param, rows)


def _text(text: str, param: int, rows: Rows) -> None:
    """Index a text that nothing compares ``:exact``; equal ones become one row."""
    folded, _ = indexed(text)
    if folded:
        rows.string.append((param, folded, ""))


def _of_type(value: Any, param: int, rows: Rows) -> None:
    if "value" not in value:
        return
    for one in value.get("type", {}).get("coding", ()):
        if "system" in one and "code" in one:
            system = typed(one["system"], one["code"])
            rows.token.append((param, bounded(value["value"]), system))


#: Modifier whose rows a setting leaves out.
TEXT = "text"
#: parameter type -> modifier -> what it asks for
BESIDE: Mapping[str, Mapping[str, Beside]] = {
    "reference": {"identifier": Beside("token", {"Reference": _logical})},
    "token": {
        TEXT: Beside(
            "string",
            {"CodeableConcept": _concept, "Coding": _display, "Identifier": _type_text},
        ),
        "of-type": Beside("token", {"Identifier": _of_type}),
    },
}
