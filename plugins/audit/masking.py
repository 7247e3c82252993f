"""What must not stand in an audit log: CPR numbers and credentials.

A CPR number is a day, a month, a year and four digits
(https://en.wikipedia.org/wiki/Personal_identification_number_(Denmark)); substitutes have
60 added to the day. Too much is masked rather than too little; what a number was may be
found in the access log of those who may read that.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

MASK = "xxxxxxxxxx"
_BETWEEN = r"[-+./_\s]?"
_CPR = (
    rf"(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01]){_BETWEEN}(?:0[1-9]|1[0-2])"
    rf"{_BETWEEN}\d\d{_BETWEEN}\d{{4}}"
)
#: Ids that nobody was given by a register stay: UUIDs, and trace ids.
_RANDOM = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b"
_HIDDEN = re.compile(rf"({_RANDOM})|(?<!\d){_CPR}(?!\d)")
#: Whatever stands behind the identifier system of CPR numbers.
_IDENTIFIED = re.compile(r"(urn:oid:1\.2\.208\.176\.1\.2\|)[^,&|]+", re.IGNORECASE)
_TOKEN = re.compile(r"eyJ[\w-]+(?:\.[\w-]*){1,4}|(?i:bearer|basic)\s+\S+")
_SECRET = re.compile(r"(?i)token|secret|password|authorization|api.?key")


def masked(text: str) -> str:
    """Give a text without CPR numbers and bearer tokens, also percent-encoded ones."""
    hidden = _masked(text)
    if "%" in text and _masked(plain := _plain(text)) != plain:
        return _masked(plain)
    return hidden


def masked_pairs(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Give the parameters of a query, to be written as JSON, without secrets."""
    return [
        [masked(name), MASK if _SECRET.search(name) else masked(value)]
        for name, value in pairs
    ]


def masked_all(value: Any) -> Any:
    """Give plain JSON values in which every text is masked."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list):
        return [masked_all(one) for one in value]
    if isinstance(value, dict):
        return {name: masked_all(one) for name, one in value.items()}
    return value


def _masked(text: str) -> str:
    hidden = _HIDDEN.sub(lambda found: found[1] or MASK, text)
    hidden = _IDENTIFIED.sub(rf"\g<1>{MASK}", hidden)
    return _TOKEN.sub(MASK, hidden)


def _plain(text: str) -> str:
    """Undo percent-encoding, however often it was done."""
    for _ in range(5):
        text, before = unquote(text), text
        if text == before:
            break
    return text
