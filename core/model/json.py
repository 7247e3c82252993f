"""FHIR's JSON, read and written without losing a digit: https://hl7.org/fhir/R4/json.html.

What JSON itself leaves open is refused here (a name given twice, half of a surrogate
pair, numbers without an end); whether the content is FHIR is ``validation``'s to say.
"""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

import orjson

from fyr.core.errors import Invalid, Issue
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.naming import did_you_mean, shown
from fyr.core.model.resource import FhirDecimal, Resource

#: Longer integers do not survive in the many languages whose numbers are doubles.
_PLAIN_INTEGER = 15
#: Beyond it a number is an attack: no measurement has a thousand digits.
_MAX_EXPONENT = 999
#: Names given twice that are told of.
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may ask for."""

    #: objects and arrays inside each other
    max_depth: int = 64
    #: characters of one number
    max_number_digits: int = 64


DEFAULT_LIMITS = Limits()
#: Of what this server has made: what is in it was read within limits, which may have been
#: others, and a Bundle around it is deeper.
_OWN = Limits(max_depth=250, max_number_digits=1_000_000)


def parse(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Resource:
    """Read one resource.

    :raises Invalid: not UTF-8, not JSON, beyond the limits, not a resource of R4.
    """
    value = decode(data, limits)
    if type(value) is not dict:
        raise Invalid(
            [Issue("structure", f"a resource is a JSON object, found {shown(value)}")]
        )
    kind = value.get("resourceType")
    if kind is None:
        raise Invalid([Issue("structure", "resourceType is missing")])
    if type(kind) is not str or kind not in RESOURCE_TYPES:
        hint = did_you_mean(kind, RESOURCE_TYPES)
        raise Invalid(
            [Issue("structure", f"{shown(kind)} is not a resource type of R4{hint}")]
        )
    return value


def own(data: bytes) -> Resource:
    """Read a resource, or a Bundle of such, that this server keeps or has made."""
    return parse(data, _OWN)


def decode(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Any:
    """Read any JSON: a resource, a patch.

    :raises Invalid: not UTF-8, not JSON, or beyond the limits.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(
            f"not UTF-8: the byte at {error.start} begins no character"
        ) from None
    try:
        value = _decoder(limits).decode(text)
    except _DuplicateName:
        raise Invalid(_duplicates(text)) from None
    except JSONDecodeError as error:
        raise Invalid([_not_json(error)]) from None
    except RecursionError:
        raise _too_deep(limits) from None
    if data.count(b"{") + data.count(b"[") > limits.max_depth:
        _refuse_depth(value, limits)
    if b"\\u" in data:
        _refuse_surrogates(value)
    return value


def dump(resource: Any) -> bytes:
    """Write compact JSON, members in their order and numbers as they were read."""
    return orjson.dumps(resource, _number)


def pretty(data: bytes) -> bytes:
    """Lay compact JSON of this server's own out in lines, for people."""
    return orjson.dumps(decode(data, _OWN), _number, orjson.OPT_INDENT_2)


def number(
    text: str, max_digits: int = DEFAULT_LIMITS.max_number_digits
) -> "int | FhirDecimal":
    """Read a number in JSON's notation; one that ``int`` cannot give back keeps its text.

    :raises Invalid: it is longer than ``max_digits``, or its exponent out of reach.
    """
    if len(text) <= _PLAIN_INTEGER and text.lstrip("-").isdigit() and text != "-0":
        return int(text)
    return _decimal(text, max_digits)


def _decimal(text: str, max_digits: int) -> FhirDecimal:
    if len(text) > max_digits:
        raise Invalid(
            f"the number {shown(text)} has {len(text)} characters, {max_digits} are taken"
        )
    exponent = text.lower().partition("e")[2]
    if exponent and abs(int(exponent)) > _MAX_EXPONENT:
        raise Invalid(f"the exponent of {text} is beyond {_MAX_EXPONENT}")
    return FhirDecimal(text)


def _number(value: object) -> orjson.Fragment:
    """Write what orjson does not know: a decimal."""
    if type(value) is FhirDecimal:
        return orjson.Fragment(value.text)
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError(f"JSON has no {type(value).__name__}")


class _DuplicateName(Exception):
    """An object has a name twice."""


@lru_cache(maxsize=8)
def _decoder(limits: Limits) -> JSONDecoder:
    digits = limits.max_number_digits
    return JSONDecoder(
        object_pairs_hook=_object,
        parse_float=lambda text: _decimal(text, digits),
        parse_int=lambda text: number(text, digits),
        parse_constant=_refuse_constant,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DuplicateName
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise Invalid([Issue("structure", f"not JSON: {name} is not a number")])


def _duplicates(text: str) -> list[Issue]:
    """Read again and name all that is given twice, each name once."""
    names: dict[str, None] = {}

    def gather(pairs: list[tuple[str, Any]]) -> None:
        counts = Counter(name for name, _ in pairs)
        names.update(dict.fromkeys(name for name, n in counts.items() if n > 1))

    issues = []
    reader = JSONDecoder(object_pairs_hook=gather, parse_int=str, parse_float=str)
    try:
        reader.decode(text)
    except JSONDecodeError as error:
        issues.append(_not_json(error))
    except RecursionError:
        issues.append(Issue("too-costly", "nested too deeply to be read"))
    for name in list(names)[:_LISTED]:
        text = f"the name {shown(name)} is given twice in one object"
        issues.append(Issue("structure", text))
    return issues


def _not_json(error: JSONDecodeError) -> Issue:
    where = f"line {error.lineno}, column {error.colno}"
    return Issue("structure", f"not JSON: {error.msg} at {where}")


def _too_deep(limits: Limits) -> Invalid:
    return Invalid(
        [Issue("too-costly", f"nested deeper than the {limits.max_depth} levels taken")]
    )


def _containers(values: list[Any]) -> list[Any]:
    """Give the objects and arrays right inside of these."""
    return [
        item
        for value in values
        for item in (value.values() if type(value) is dict else value)
        if type(item) is dict or type(item) is list
    ]


def _refuse_depth(value: Any, limits: Limits) -> None:
    level = _containers([[value]])
    for _ in range(limits.max_depth):
        if not level:
            return
        level = _containers(level)
    if level:
        raise _too_deep(limits)


def _refuse_surrogates(value: Any) -> None:
    """An escaped half of a pair is JSON, and no text: nothing can store it."""
    level: list[Any] = [[value]]
    while level:
        for part in level:
            texts = [*part, *part.values()] if type(part) is dict else part
            for text in texts:
                if type(text) is str and not _is_text(text):
                    raise Invalid(
                        "a text holds half of a surrogate pair (\\ud800 to \\udfff)"
                    )
        level = _containers(level)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
