"""What a value of each primitive type may be: https://hl7.org/fhir/R4/datatypes.html.

The patterns are the definitions', read as ASCII (a no-break space is no white space
there), but for those below, where the specification's text says more than its pattern.
"""

import binascii
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import isfinite
from typing import Any

from fyr.core.model.definitions import PRIMITIVES
from fyr.core.model.naming import shown

#: Gives nothing for a good value, otherwise the sentence that says what is wrong.
Check = Callable[[Any], str | None]

#: No control characters but tab and line ends; no half of a surrogate pair.
_TEXT = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]+"
_WORD = r"[^\x00-\x20\ud800-\udfff]+"
PATTERNS = {
    **PRIMITIVES,
    "string": _TEXT,
    "markdown": _TEXT,
    "code": rf"{_WORD}(?: {_WORD})*",
    "uri": _WORD,
    "url": _WORD,
    "canonical": _WORD,
}

#: How each type is written, in the words of a problem.
FORMS = {
    "base64Binary": "text in base64",
    "canonical": "a URL without spaces",
    "code": "text without spaces at its ends, nor two together",
    "date": "a real day as YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a time zone",
    "id": "1 to 64 of A-Z a-z 0-9 - .",
    "instant": "YYYY-MM-DDThh:mm:ss with a time zone",
    "markdown": "text without control characters",
    "oid": "urn:oid:1.2.3",
    "string": "text without control characters",
    "time": "hh:mm:ss",
    "uri": "a URI without spaces",
    "url": "a URL without spaces",
    "uuid": "urn:uuid: and a UUID in small letters",
}

#: Whole numbers are of 32 bits.
_MOST = 2**31 - 1
_LEAST = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}
#: https://hl7.org/fhir/R4/datatypes.html#string
MAX_STRING = 1024 * 1024


def check_for(type_code: str) -> Check:
    """Give the check of a primitive type; ``xhtml`` has one of its own, ``narrative``."""
    if type_code == "boolean":
        return _boolean
    if type_code == "decimal":
        return _decimal
    if type_code in _LEAST:
        return _whole_number(type_code)
    if type_code == "base64Binary":
        return _base64
    if type_code in ("date", "dateTime", "instant"):
        return _day(type_code)
    return _text(type_code)


def _found(value: Any, wanted: str) -> str:
    if type(value) is list:
        return f"one value is allowed here, found {shown(value)}"
    return f"must be {wanted}, found {shown(value)}"


def _boolean(value: Any) -> str | None:
    if type(value) is bool:
        return None
    return _found(value, "true or false")


def _decimal(value: Any) -> str | None:
    kind = type(value)
    if kind is int or (isinstance(value, Decimal) and value.is_finite()):
        return None
    if kind is float and isfinite(value):
        return None
    return _found(value, "a number")


def _whole_number(type_code: str) -> Check:
    least = _LEAST[type_code]
    wanted = f"a whole number ({type_code}, {least} to {_MOST})"

    def check(value: Any) -> str | None:
        if type(value) is int and least <= value <= _MOST:
            return None
        # JSON and the definition know it, int does not.
        if least < 0 and getattr(value, "text", "") == "-0":
            return None
        return _found(value, wanted)

    return check


def _text(type_code: str) -> Check:
    matches = re.compile(PATTERNS[type_code], re.ASCII).fullmatch
    form = FORMS[type_code]
    limited = type_code in ("string", "markdown")

    def check(value: Any) -> str | None:
        if type(value) is not str:
            return _found(value, f"a string ({type_code})")
        if limited and len(value) > MAX_STRING:
            return f"has {len(value)} characters, {MAX_STRING} are allowed"
        if matches(value):
            return None
        return _misspelt(value, type_code, form)

    return check


def _day(type_code: str) -> Check:
    """Dates must be of the calendar too: there is no 30 February."""
    matches = re.compile(PATTERNS[type_code], re.ASCII).fullmatch
    form = FORMS[type_code]

    def check(value: Any) -> str | None:
        if type(value) is not str:
            return _found(value, f"a string ({type_code})")
        if matches(value) and (value[8:10] < "29" or _is_day(value[:10])):
            return None
        return _misspelt(value, type_code, form)

    return check


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _base64(value: Any) -> str | None:
    if type(value) is not str:
        return _found(value, "a string (base64Binary)")
    try:
        compact = value if value.isalnum() else "".join(value.split())
        binascii.a2b_base64(compact, strict_mode=True)
    except ValueError:
        return _misspelt(value, "base64Binary", FORMS["base64Binary"])
    return None if compact else "must not be empty"


def _misspelt(value: str, type_code: str, form: str) -> str:
    if not value:
        return "must not be empty"
    return f"{shown(value)} is not a valid {type_code}: {form}"
