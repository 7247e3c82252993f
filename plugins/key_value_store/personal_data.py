"""Civil registration numbers (CPR) in keys and values, where none may be.

A number is taken for one when its first six digits are a date and, as far as that is
asked for, its check digit is right: https://cpr.dk/cpr-systemet/opbygning-af-cpr-nummeret.
Of all other numbers of ten digits one in three hundred looks like that. Since 2007 there
are numbers without a right check digit, too. It is a guard against mistakes: whoever
wants to hide a number can.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

Strictness = Literal["checked", "dates", "off"]

#: Between the two parts: a dash, also one that a word processor made of it, or a space.
_DASH = rb"(?:-|\xe2\x80[\x90-\x95]|\xe2\x88\x92)"
_BETWEEN = rb"(?: ?" + _DASH + rb" ?| |\xc2\xa0)?"
#: In text: standing alone, not a part of a word or of a decimal number.
_IN_TEXT = re.compile(
    rb"(?<![0-9A-Za-z.])([0-9]{6})"
    + _BETWEEN
    + rb"([0-9]{4})(?![0-9A-Za-z])(?!\.[0-9])"
)
#: A user id that is one; ids such as UUIDs hold any digits.
_AS_USER = re.compile(r"([0-9]{6})-?([0-9]{4})", re.ASCII)
#: In a key: whatever stands around it, as words are joined there.
_IN_KEY = re.compile(rb"(?<![0-9])([0-9]{6})[-._~]?([0-9]{4})(?![0-9])")
_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)


def in_key(key: str, strictness: Strictness) -> bool:
    """Whether a key holds what looks like a CPR number."""
    return _found(_IN_KEY, key.encode(), strictness)


def in_value(content: bytes, strictness: Strictness) -> bool:
    """Whether a value does, in any encoding that writes digits as ASCII does.

    UTF-16 and UTF-32 write a NUL beside each digit.
    """
    if _found(_IN_TEXT, content, strictness):
        return True
    wide = b"\0" in content
    return wide and _found(_IN_TEXT, content.replace(b"\0", b""), strictness)


def is_written_as_cpr(user: str, strictness: Strictness) -> bool:
    """Whether a user id is a CPR number, and nothing else."""
    match = _AS_USER.fullmatch(user)
    return match is not None and is_cpr(match[1] + match[2], strictness)


def is_cpr(digits: str, strictness: Strictness) -> bool:
    """Whether ten digits are a CPR number."""
    if strictness == "off" or not _is_date(digits):
        return False
    total = sum(
        int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)
    )
    return strictness == "dates" or total % 11 == 0


def _found(pattern: re.Pattern[bytes], text: bytes, strictness: Strictness) -> bool:
    if strictness == "off":
        return False
    return any(
        is_cpr((match[1] + match[2]).decode(), strictness)
        for match in pattern.finditer(text)
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
