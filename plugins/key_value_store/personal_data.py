"""Civil registration numbers (CPR) in keys and values, where none may be.

A number is taken for one when its first six digits are a date and, as far as that is
asked for, its check digit is right: https://cpr.dk/cpr-systemet/opbygning-af-cpr-nummeret.
Of all other numbers of ten digits one in three hundred looks like that. Since 2007 there
are numbers without a right check digit, too. It is a guard against mistakes: whoever
wants to hide a number can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Literal

Strictness = Literal["checked", "dates", "off"]

#: All blanks but line breaks, which separate.
_BLANK = r"[^\S\n\r\v\f\x1c-\x1f\x85\u2028\u2029]"
#: All dashes (https://www.unicode.org/reports/tr44/#General_Category_Values), and minus.
_DASH = (
    r"[-\u058a\u05be\u1400\u1806\u2010-\u2015\u2212\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u2e5d"
    r"\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d\U00010ead]"
)
#: What nobody sees, such as a soft hyphen.
_UNSEEN = (
    r"[\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]{0,3}"
)
#: Between the two parts: a dash, a blank, or a dash between blanks.
_BETWEEN = (
    f"{_UNSEEN}(?:{_BLANK}?{_UNSEEN}{_DASH}{_UNSEEN}{_BLANK}?|{_BLANK})?{_UNSEEN}"
)
#: In text: standing alone, not a part of a word or of a decimal number.
_IN_TEXT = re.compile(
    rf"(?<![\dA-Za-z.])(\d{{6}}){_BETWEEN}(\d{{4}})(?![\dA-Za-z])(?!\.\d)"
)
#: A user id that is one; ids such as UUIDs hold any digits.
_AS_USER = re.compile(rf"\s*(\d{{6}}){_BETWEEN}(\d{{4}})\s*")
#: In a key: whatever stands around it, as words are joined there.
_IN_KEY = re.compile(r"(?<!\d)(\d{6})[-._~]?(\d{4})(?!\d)")
#: How JSON may write a character: https://www.rfc-editor.org/rfc/rfc8259#section-7.
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|t)")
_WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)


def in_key(key: str, strictness: Strictness) -> bool:
    """Whether a key holds what looks like a CPR number."""
    return _found(_IN_KEY, key, strictness)


def in_value(content: bytes, strictness: Strictness) -> bool:
    """Whether a value does, whichever way its text is encoded."""
    if strictness == "off":
        return False
    return any(
        _found(_IN_TEXT, way, strictness)
        for text in _texts(content)
        for way in _ways(text)
    )


def _texts(content: bytes) -> Iterator[str]:
    """Read bytes as text: as UTF-8, or in the ways that it could be if it is not."""
    try:
        yield content.decode()
    except UnicodeDecodeError:
        yield content.decode("utf-8", "replace")
        yield content.decode("cp1252", "replace")
    if b"\0" in content or content.startswith(_BYTE_ORDER_MARKS):
        yield content.replace(b"\0", b"").decode("latin-1")
        for encoding in _WIDE:
            with suppress(UnicodeDecodeError):
                yield content.decode(encoding)


def _ways(text: str) -> Iterator[str]:
    """Read a text as it is, and as JSON that writes some characters as their numbers."""
    yield text
    if _ESCAPED.search(text):
        plain = _ESCAPED.sub(lambda one: chr(int(one[1] or "9", 16)), text)
        # Pairs of surrogates are one character.
        yield plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_written_as_cpr(user: str, strictness: Strictness) -> bool:
    """Whether a user id is a CPR number, and nothing else."""
    match = _AS_USER.fullmatch(user)
    return match is not None and is_cpr(match[1] + match[2], strictness)


def is_cpr(digits: str, strictness: Strictness) -> bool:
    """Whether ten digits, of any script, are a CPR number."""
    if strictness == "off" or not _is_date(digits):
        return False
    total = sum(
        int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)
    )
    return strictness == "dates" or total % 11 == 0


def _found(pattern: re.Pattern[str], text: str, strictness: Strictness) -> bool:
    return any(
        is_cpr(match[1] + match[2], strictness) for match in pattern.finditer(text)
    )


def _is_date(digits: str) -> bool:
    day, month, year = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    try:
        date(_century(int(digits[6]), year) + year, month, day)
    except ValueError:
        return False
    return True


def _century(seventh: int, year: int) -> int:
    """Tell the century by the seventh digit and the year in it."""
    if seventh <= 3:
        return 1900
    if seventh in (4, 9):
        return 2000 if year <= 36 else 1900
    return 2000 if year <= 57 else 1800
