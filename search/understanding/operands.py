"""What stands on the right of ``=``: https://hl7.org/fhir/R4/search.html#escaping, #prefix.

Values are split at commas that no backslash stands before; each is read as its
parameter's type says.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from fyr.core.clock import Clock, to_millis
from fyr.core.errors import Invalid
from fyr.search.extraction.positions import near
from fyr.search.extraction.rows import NO_SYSTEM, number
from fyr.search.extraction.units import UCUM, unit
from fyr.search.hashes import hash64
from fyr.search.moments import range_of
from fyr.search.references import CONTAINED, is_id, target_of
from fyr.search.texts import COMPARED, bounded, fold
from fyr.search.tree import Amount, Moment, Near, Operand, Target, Text, Token, Uri

_PREFIX = re.compile(r"eq|ne|gt|lt|ge|le|sa|eb|ap")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
#: Values that may stand for one parameter.
MOST_VALUES = 1000
#: Characters of a text that is searched for: one as long as those that the index keeps
#: could not be told from the beginning of a longer one.
LONGEST = COMPARED - 1


def split(text: str, separator: str) -> list[str]:
    """Split at a separator, escaped ones left as they are."""
    parts, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == separator:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def plain(text: str) -> str:
    r"""Take the backslashes away that escape ``,``, ``|``, ``$`` and ``\``.

    The opposite of :func:`fyr.core.searching.escaped`.
    """
    return re.sub(r"\\([,|$\\])", r"\1", text)


class Operands:
    """Reads values; knows the time, and which URLs are this server's own."""

    def __init__(self, clock: Clock, is_own: Callable[[str], str]) -> None:
        """Take what values depend on.

        :param is_own: gives the relative form of an own URL, others as they are.
        """
        self._clock = clock
        self._is_own = is_own
        self._readers: Mapping[str, Callable[[str], Operand]] = {
            "token": token,
            "string": text,
            "reference": self._reference,
            "date": self.date,
            "number": _number,
            "quantity": _quantity,
            "uri": _uri,
            "special": _near,
        }

    def read(self, kind: str, raw: str, name: str) -> tuple[Operand, ...]:
        """Read the values of a parameter.

        :param kind: type of the parameter.
        :raises Invalid: one of them is not of the type, or there is none.
        """
        return tuple(self.one(kind, value, name) for value in values(raw, name))

    def one(self, kind: str, value: str, name: str) -> Operand:
        """Read one value of a parameter.

        :raises Invalid: it is not of the type.
        """
        try:
            return self._readers[kind](value)
        except ValueError as error:
            raise Invalid(f"search parameter {name!r}: {error}") from None

    def date(self, value: str) -> Moment:
        """Read a date with its prefix."""
        prefix, rest = prefixed(value)
        low, high = range_of(plain(rest))
        if prefix == "ap":
            now = to_millis(self._clock())
            slack = abs(now - (low + high) // 2) // 10
            low, high = low - slack, high + slack
        return Moment(prefix, low, high)

    def relative(self, url: str) -> str:
        """Give the relative form of a URL of this server's own, others as they are."""
        return self._is_own(url)

    def _reference(self, value: str) -> Target:
        return reference(self.relative(plain(value)))


def values(raw: str, name: str) -> list[str]:
    """Split what may be one or the other.

    :raises Invalid: there is none, one is empty, or there are too many.
    """
    parts = split(raw, ",")
    if len(parts) > MOST_VALUES:
        raise Invalid(f"search parameter {name!r} has more than {MOST_VALUES} values")
    if not all(part.strip() for part in parts):
        raise Invalid(f"search parameter {name!r} has an empty value")
    return parts


def check_lengths(name: str, operands: Iterable[Operand]) -> None:
    """Refuse what is longer than what the index compares."""
    if any(isinstance(one, Text) and len(one.folded) > LONGEST for one in operands):
        raise Invalid(
            f"search parameter {name!r} has more than {LONGEST} characters: they can"
            " only be compared :exact"
        )


def token(value: str) -> Token:
    """Read ``code``, ``system|code``, ``|code`` or ``system|``."""
    parts = [plain(part) for part in split(value, "|")]
    if len(parts) == 1:
        return Token(None, bounded(parts[0]))
    if len(parts) > 2 or parts == ["", ""]:
        raise ValueError(f"{value[:60]!r} is not [system]|[code]")
    system = hash64(parts[0]) if parts[0] else NO_SYSTEM
    return Token(system, bounded(parts[1]) if parts[1] else None)


def text(value: str) -> Text:
    """Read a string."""
    original = plain(value)
    folded = fold(original)
    if not folded:
        raise ValueError(f"{value[:60]!r} has nothing to compare")
    return Text(folded, bounded(original))


def reference(value: str) -> Target:
    """Read ``id``, ``Type/id``, a URL, or ``canonical|version``."""
    if is_id(value):
        return Target(None, value)
    kind, target = target_of(value)
    if kind and kind != CONTAINED:
        return Target(kind, target)
    url, bar, version = value.partition("|")
    return Target(bar + version if bar else None, bounded(target_of(url)[1]))


def prefixed(value: str) -> tuple[str, str]:
    """Take the prefix off a value; one without is ``eq``."""
    found = _PREFIX.match(value)
    return (found[0], value[2:]) if found else ("eq", value)


def _number(value: str) -> Amount:
    return _amount(value)


def _quantity(value: str) -> Amount:
    """Read ``number``, ``number|system|code``, or ``number||code``."""
    parts = split(value, "|")
    if len(parts) == 1:
        return _amount(value)
    if len(parts) != 3:
        raise ValueError(f"{value[:60]!r} is not [number]|[system]|[code]")
    system, code = plain(parts[1]), plain(parts[2])
    known = unit(code) if system == UCUM else None
    if known is not None:
        made = _amount(parts[0], known.convert)
        return replace(made, code=known.canonical, system=hash64(UCUM), canonical=True)
    return replace(
        _amount(parts[0]),
        code=bounded(code) if code else None,
        system=hash64(system) if system else None,
    )


def _amount(value: str, kept: Callable[[Decimal], float] = number) -> Amount:
    """Read a number; half of its last digit on both sides is equal to it.

    :param kept: gives a number as the index has it.
    """
    prefix, digits = prefixed(value)
    if not _NUMBER.fullmatch(digits):
        raise ValueError(f"{digits[:40]!r} is not a number")
    exact = Decimal(digits)
    exponent = exact.as_tuple().exponent
    half = Decimal((0, (5,), int(exponent) - 1))
    if prefix == "ap":
        half = max(half, abs(exact) / 10)
    middle, low, high = kept(exact), kept(exact - half), kept(exact + half)
    # Of a number with many digits the half is lost: it is at least equal to itself.
    return Amount(prefix, middle, low, max(high, math.nextafter(middle, math.inf)))


def _near(value: str) -> Near:
    return near([plain(part) for part in split(value, "|")])


def _uri(value: str) -> Uri:
    return stored_uri(plain(value))


def stored_uri(value: str) -> Uri:
    """Give a URI as the index keeps it."""
    return Uri(bounded(value))
