"""Parameters that are about no element, each understood in a way of its own.

https://hl7.org/fhir/R4/search.html#all
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from fyr.core.errors import Invalid, NotSupported
from fyr.search.full_text.queries import branches
from fyr.search.references import target_of
from fyr.search.tree import Criterion, FullText, Has, HasId, Moment, Updated
from fyr.search.understanding.filtering import filtered
from fyr.search.understanding.known import Known, referring
from fyr.search.understanding.lists import listed
from fyr.search.understanding.modifiers import no_modifier
from fyr.search.understanding.operands import plain, values


class Reader(Protocol):
    """Understands the criteria that others are made of."""

    @property
    def known(self) -> Known:
        """What criteria are understood with."""

    def criterion(
        self, types: Sequence[str], name: str, value: str, depth: int = 0
    ) -> Criterion:
        """Understand one criterion on resources of the types."""


#: Makes a criterion on resources of some types; the name is as in the URL.
Special = Callable[[Reader, Sequence[str], str, str, int], Criterion]


def _id(
    reader: Reader, types: Sequence[str], name: str, value: str, depth: int
) -> Criterion:
    _refuse_more(name)
    ids = [_id_in(reader.known, types, plain(one)) for one in values(value, name)]
    return HasId(tuple(ids))


def _id_in(known: Known, types: Sequence[str], value: str) -> str:
    """Tell the id in a reference, or in an own URL, as other servers take them too."""
    kind, identity = target_of(known.operands.relative(value))
    return identity if kind in types else value


def _last_updated(
    reader: Reader, types: Sequence[str], name: str, value: str, depth: int
) -> Criterion:
    _refuse_more(name)
    moments = [_moment(reader.known, name, one) for one in values(value, name)]
    return Updated(tuple(moments))


def _moment(known: Known, name: str, value: str) -> Moment:
    try:
        return known.operands.date(value)
    except ValueError as error:
        raise Invalid(f"search parameter {name!r}: {error}") from None


def _refuse_more(name: str) -> None:
    """Refuse a modifier, and what is chained to what is no reference."""
    first, dot, _ = name.partition(".")
    code, _, modifier = first.partition(":")
    if dot:
        raise NotSupported(f"{code!r} is no reference: nothing can be chained to it")
    if modifier:
        raise no_modifier(code, modifier, ())


def _has(
    reader: Reader, types: Sequence[str], name: str, value: str, depth: int
) -> Criterion:
    parts = name.split(":", 3)
    if len(parts) != 4:
        raise Invalid(f"{name[:60]!r} is not _has:[type]:[reference]:[parameter]")
    _, kind, code, rest = parts
    link = referring(reader.known.elsewhere(), kind, code)
    inner = reader.criterion([kind], rest, value, depth + 1)
    return Has(kind, reader.known.places.sources([link]), inner)


def _words(
    reader: Reader, types: Sequence[str], name: str, value: str, depth: int
) -> Criterion:
    """Understand ``_text`` or ``_content``; types that have none are never found."""
    _refuse_more(name)
    if not any(name in reader.known.parameters.of(kind) for kind in types):
        raise NotSupported(reader.known.unknown(types, name))
    if not reader.known.full_text:
        raise NotSupported(
            f"search parameter {name!r} is switched off: the setting"
            " search.full_text would offer it"
        )
    return FullText(name, branches(name, map(plain, values(value, name))))


def _listed(
    reader: Reader, types: Sequence[str], name: str, value: str, depth: int
) -> Criterion:
    _refuse_more(name)
    reader.known.elsewhere().note(["List"], "item")
    return listed(name, value)


def _filtered(
    reader: Reader, types: Sequence[str], name: str, value: str, depth: int
) -> Criterion:
    _refuse_more(name)
    return filtered(reader.known, types, value)


#: name -> how it is understood
SPECIALS: Mapping[str, Special] = {
    "_content": _words,
    "_filter": _filtered,
    "_has": _has,
    "_id": _id,
    "_lastUpdated": _last_updated,
    "_list": _listed,
    "_text": _words,
}
