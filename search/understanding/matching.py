"""Values as criteria where one parameter has rows of more than one kind.

Quantities stand as they are written and in canonical units; composite parameters
(https://hl7.org/fhir/R4/search.html#combining) in rows of their own, or of others.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from fyr.core.errors import Invalid
from fyr.search.extraction.composites import Part, Values
from fyr.search.hashes import hash64
from fyr.search.parameters import Parameter
from fyr.search.tree import (
    All,
    AnyOf,
    Criterion,
    Match,
    Missing,
    Operand,
    Target,
    Together,
    Token,
    Uri,
)
from fyr.search.understanding.known import Known
from fyr.search.understanding.operands import check_lengths, split, values


def quantity(known: Known, found: list[Parameter], value: str) -> Criterion:
    """Understand quantities."""
    operands = known.operands.read("quantity", value, found[0].name)
    places = known.places
    return _among(Values(places.sources(found), places.canonical(found)), operands)


def composite(known: Known, found: list[Parameter], value: str) -> Criterion:
    """Understand values that belong together, with ``$`` between them.

    :raises Invalid: they are not as many as the parameter has components.
    """
    several = [
        _components(known, found[0], one) for one in values(value, found[0].name)
    ]
    parts = _gathered(known.places.composite(found))
    return _any(one for part in parts for one in _meeting(part, several))


def composite_missing(found: Iterable[Part], missing: bool) -> Criterion:
    """Say that no element, or one, has a value of each component."""
    parts = [_lacking(part, missing) for part in _gathered(found)]
    return _all(parts) if missing else _any(parts)


def _components(known: Known, parameter: Parameter, value: str) -> list[Operand]:
    parts = split(value, "$")
    if len(parts) != len(parameter.components) or not all(parts):
        raise Invalid(
            f"search parameter {parameter.name!r} has {len(parameter.components)} values"
            f" with $ between them ({', '.join(c.type for c in parameter.components)}),"
            f" not {value[:60]!r}"
        )
    operands = [
        known.operands.one(component.type, one, parameter.name)
        for component, one in zip(parameter.components, parts, strict=True)
    ]
    check_lengths(parameter.name, operands)
    return operands


def _gathered(found: Iterable[Part]) -> list[Part]:
    """Make one part of those, of different types, whose rows are alike."""
    alike: dict[Any, list[Part]] = {}
    for part in found:
        alike.setdefault(part.apart or part.together, []).append(part)
    return [parts[0] if parts[0].apart else _joined(parts) for parts in alike.values()]


def _joined(parts: Sequence[Part]) -> Part:
    rows = Values(
        tuple(one for part in parts for one in part.rows.sources),
        tuple(one for part in parts for one in part.rows.canonical),
    )
    return Part((), parts[0].together, rows)


def _meeting(part: Part, several: Sequence[list[Operand]]) -> list[Criterion]:
    """Say what one part of a parameter is to meet."""
    if not part.apart:
        wanted = [_together(part, operands) for operands in several]
        return [_among(part.rows, wanted)]
    criteria: list[Criterion] = []
    for operands in several:
        meets = [_among(where, [operands[number]]) for number, where in part.apart]
        if part.together:
            meets.append(_among(part.rows, [_together(part, operands)]))
        criteria.append(_all(meets))
    return criteria


def _together(part: Part, operands: Sequence[Operand]) -> Together:
    return Together(
        tuple((_in_row(operands[number]), at) for number, at in part.together)
    )


def _in_row(operand: Operand) -> Operand:
    """Give a text and what it is in: all that a row of several values knows."""
    if isinstance(operand, Target):
        kind = None if operand.type is None else hash64(operand.type)
        return Token(kind, operand.id)
    if isinstance(operand, Uri):
        return Token(None, operand.value)
    return operand


def _among(where: Values, operands: Sequence[Operand]) -> Criterion:
    """Match what is written, or, for operands in canonical units, what is in these."""
    as_written = tuple(one for one in operands if not _is_canonical(one))
    measured = tuple(one for one in operands if _is_canonical(one))
    criteria: list[Criterion] = []
    if as_written:
        criteria.append(Match(where.sources, as_written))
    if measured:
        criteria.append(Match(where.sources + where.canonical, measured))
    return _any(criteria)


def _is_canonical(operand: Operand) -> bool:
    if isinstance(operand, Together):
        return any(_is_canonical(one) for one, _ in operand.parts)
    return getattr(operand, "canonical", False)


def _lacking(part: Part, missing: bool) -> Criterion:
    found = [where.sources for _, where in part.apart]
    if part.together:
        found.append(part.rows.sources)
    parts = [Missing(sources, missing) for sources in found]
    return _any(parts) if missing else _all(parts)


def _all(parts: Iterable[Criterion]) -> Criterion:
    listed = tuple(parts)
    return listed[0] if len(listed) == 1 else All(listed)


def _any(parts: Iterable[Criterion]) -> Criterion:
    listed = tuple(parts)
    return listed[0] if len(listed) == 1 else AnyOf(listed)
