"""Civil registration numbers (CPR) among identifiers; none of this is ever logged.

https://hl7.dk/fhir/core/StructureDefinition-dk-core-cpr-identifier.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fyr.core import Resource

#: Identifier system of CPR numbers.
CPR = "urn:oid:1.2.208.176.1.2"
#: How a number may be written: with a hyphen or a space before the last four digits.
_WRITTEN = re.compile(r"(\d{6})[- ]?(\d{4})")
#: Numbers that are not a person's any more.
_GONE = "old"


def numbers(identifiers: Iterable[Resource]) -> Iterator[str]:
    """Tell the numbers among identifiers, as ten digits, those of before left out."""
    for one in identifiers:
        number = ten_digits(one)
        if number is not None and one.get("use") != _GONE:
            yield number


def ten_digits(identifier: Resource) -> str | None:
    """Tell the number of an identifier; ``None`` for another system, or no number."""
    if identifier.get("system") != CPR:
        return None
    found = _WRITTEN.fullmatch(str(identifier.get("value", "")).strip())
    return found[1] + found[2] if found else None


def criteria(numbers: Iterable[str]) -> tuple[str, str]:
    """Give the search criterion of Patients who have one of some numbers."""
    return "identifier", ",".join(f"{CPR}|{one}" for one in numbers)


def earlier(number: str) -> Resource:
    """Write a number that a person had before as an identifier."""
    return {"use": _GONE, "system": CPR, "value": number}
