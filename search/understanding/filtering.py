"""What a ``_filter`` means: the same tree that other criteria are made of.

https://hl7.org/fhir/R4/search_filter.html. A comparison holds when one of the values of
its parameter meets it, ``ne`` included; ``not (…)`` says that none does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.searching import escaped
from fyr.search.moments import EARLIEST
from fyr.search.parameters import ON_THE_ROW, Parameter
from fyr.search.tree import (
    All,
    AnyOf,
    Chain,
    Criterion,
    Has,
    Is,
    Match,
    Moment,
    Not,
    Updated,
)
from fyr.search.understanding import filters
from fyr.search.understanding.contained import inside
from fyr.search.understanding.filters import (
    Comparison,
    Expression,
    Joined,
    Negation,
    Step,
)
from fyr.search.understanding.known import Known, referring, refuse_by_url
from fyr.search.understanding.matching import quantity
from fyr.search.understanding.modifiers import understood
from fyr.search.understanding.operands import check_lengths

#: Makes a criterion of a parameter, one for each type, and a value.
Operator = Callable[[Known, list[Parameter], str], Criterion]
#: All resources have been changed since.
_ALWAYS = Updated((Moment("gt", EARLIEST, EARLIEST),))


def filtered(known: Known, types: Sequence[str], text: str) -> Criterion:
    """Understand a filter on resources of the types.

    :raises Invalid: it is none, or a value is not of its parameter's type.
    :raises NotSupported: a parameter or an operator that is not answered here.
    """
    return _meaning(known, types, filters.parse(text))


def _meaning(known: Known, types: Sequence[str], expression: Expression) -> Criterion:
    match expression:
        case Comparison():
            return _compared(known, types, expression.path, expression)
        case Joined():
            parts = tuple(_meaning(known, types, one) for one in expression.parts)
            return All(parts) if expression.word == "and" else AnyOf(parts)
        case Negation():
            return Not(_meaning(known, types, expression.part))


def _compared(
    known: Known, types: Sequence[str], path: Sequence[Step], expression: Comparison
) -> Criterion:
    step, rest = path[0], path[1:]
    if step.backward:
        return _referred_by(known, types, step, rest, expression)
    if step.name == "_has":
        raise Invalid("_filter: _has is _has:[type]:[reference]:[parameter]")
    if step.name in _OTHERWISE:
        raise NotSupported(f"_filter: {step.name!r} stands beside a filter, not in one")
    found = known.find(types, step.name)
    if not rest:
        return _leaf(known, types, found, expression)
    if found[0].type != "reference":
        raise NotSupported(
            f"_filter: {step.name!r} ({found[0].type}) is no reference: nothing follows it"
        )
    targets = _targets(known, found, step, rest[0].name)
    inner = _compared(known.elsewhere(), targets, rest, expression)
    if step.filter is not None:
        inner = All((_meaning(known.elsewhere(), targets, step.filter), inner))
    refuse_by_url(found)
    sources = known.places.sources(found)
    return Chain(sources, tuple(targets), inner, inside(inner, targets))


def _referred_by(
    known: Known,
    types: Sequence[str],
    step: Step,
    rest: Sequence[Step],
    expression: Comparison,
) -> Criterion:
    """Understand ``_has:Observation:subject:…``."""
    known.offered.refuse(types, "_has")
    _, kind, code = step.name.split(":")
    link = referring(known.elsewhere(), kind, code)
    inner = _compared(known.elsewhere(), [kind], rest, expression)
    return Has(kind, known.places.sources([link]), inner)


def _targets(known: Known, found: list[Parameter], step: Step, after: str) -> list[str]:
    """Tell the types that a reference may lead to and that have what is asked of them."""
    asked = [after, *(filters.names(step.filter) if step.filter else ())]
    needed = {one for one in asked if one.partition(":")[0] != "_has"}
    allowed = {kind for one in found for kind in one.targets or RESOURCE_TYPES}
    having = [
        kind for kind in sorted(allowed) if needed <= known.parameters.of(kind).keys()
    ]
    targets = [
        kind for kind in having if all(known.offered.has(kind, one) for one in needed)
    ]
    if having and not targets:
        for one in sorted(needed):
            known.offered.refuse(having, one)
    if not targets:
        listed = ", ".join(sorted(needed))
        raise NotSupported(
            f"_filter: nothing that {step.name!r} leads to has {listed[:200]}"
        )
    return targets


def _leaf(
    known: Known, types: Sequence[str], found: list[Parameter], expression: Comparison
) -> Criterion:
    one, word = found[0], expression.operator
    offered = _ROW[one.name] if one.name in ON_THE_ROW else _TYPES.get(one.type, {})
    if word not in offered:
        listed = ", ".join(offered) or "none"
        raise NotSupported(
            f"_filter: operator {word!r} cannot be answered for {one.name!r}"
            f" ({one.type}); there are: {listed}"
        )
    if one.name == "_id":
        return _identity(types, word, expression.value.text)
    return offered[word](known, found, expression.value.text)


def _in_parts(known: Known, found: list[Parameter], value: str) -> Criterion:
    """Compare what has parts (``code$value``, ``latitude|longitude``) as a criterion."""
    return understood(known, found, "", value.replace(",", "\\,"))


def _identity(types: Sequence[str], word: str, value: str) -> Criterion:
    if word == "pr":
        return _ALWAYS if _truth("_id", value) else Not(_ALWAYS)
    itself = tuple(Is(kind, value) for kind in types)
    return AnyOf(itself) if word == "eq" else Not(AnyOf(itself))


def _updated(known: Known, found: list[Parameter], value: str, word: str) -> Criterion:
    return Updated((_moment(known, found[0].name, value, word),))


def _moment(known: Known, name: str, value: str, word: str) -> Moment:
    prefix = "eq" if word == "po" else word
    try:
        moment = known.operands.date(prefix + escaped(value))
    except ValueError as error:
        raise Invalid(f"_filter: {name!r}: {error}") from None
    # Without the slack that "about" has, it is the overlap of two ranges.
    return Moment("ap", moment.low, moment.high) if word == "po" else moment


def _date(known: Known, found: list[Parameter], value: str, word: str) -> Criterion:
    moment = _moment(known, found[0].name, value, word)
    return Match(known.places.sources(found), (moment,))


def _match(
    known: Known,
    found: list[Parameter],
    value: str,
    *,
    prefix: str = "",
    parts: bool = False,
    modifier: str = "",
) -> Criterion:
    """Compare as other criteria do.

    :param prefix: of numbers.
    :param parts: ``|`` parts a value, as in ``system|code``.
    """
    one = found[0]
    text = _parts(value) if parts else escaped(value)
    operands = known.operands.read(one.type, prefix + text, one.name)
    check_lengths(one.name, operands)
    return Match(known.places.sources(found), operands, modifier)


def _quantity(known: Known, found: list[Parameter], value: str, word: str) -> Criterion:
    return quantity(known, found, word + _parts(value))


def _parts(value: str) -> str:
    """Escape a value but for what stands between its parts."""
    return "|".join(map(escaped, value.split("|")))


def _present(known: Known, found: list[Parameter], value: str) -> Criterion:
    missing = "false" if _truth(found[0].name, value) else "true"
    return understood(known, found, "missing", missing)


def _modified(
    known: Known, found: list[Parameter], value: str, modifier: str
) -> Criterion:
    """Compare as a modifier does that means the same."""
    return understood(known, found, modifier, _parts(value))


def _truth(name: str, value: str) -> bool:
    if value not in ("true", "false"):
        raise Invalid(f"_filter: {name!r} pr is true or false, not {value[:40]!r}")
    return value == "true"


def _each(
    words: str, make: Callable[[str], Operator]
) -> Iterator[tuple[str, Operator]]:
    for word in words.split():
        yield word, make(word)


_DATES = "eq ne gt lt ge le ap sa eb po"
_NUMBERS = "eq ne gt lt ge le ap sa eb"
_UNLIKE: Operator = partial(_match, modifier="unlike")
#: parameter type -> operator -> what it means
_TYPES: Mapping[str, Mapping[str, Operator]] = {
    "token": {
        "eq": partial(_match, parts=True),
        "ne": partial(_match, parts=True, modifier="unlike"),
        "ss": partial(_modified, modifier="below"),
        "sb": partial(_modified, modifier="above"),
        "in": partial(_modified, modifier="in"),
        "ni": partial(_modified, modifier="not-in"),
        "pr": _present,
    },
    "string": {
        "eq": partial(_match, modifier="equal"),
        "ne": partial(_match, modifier="unlike"),
        "co": partial(_match, modifier="contains"),
        "sw": _match,
        "ew": partial(_match, modifier="ends"),
        **dict(_each("gt lt ge le", lambda word: partial(_match, modifier=word))),
        "pr": _present,
    },
    "reference": {"eq": _match, "re": _match, "ne": _UNLIKE, "pr": _present},
    "date": {
        **dict(_each(_DATES, lambda word: partial(_date, word=word))),
        "pr": _present,
    },
    "number": {
        **dict(_each(_NUMBERS, lambda word: partial(_match, prefix=word))),
        "pr": _present,
    },
    "quantity": {
        **dict(_each(_NUMBERS, lambda word: partial(_quantity, word=word))),
        "pr": _present,
    },
    "uri": {"eq": _match, "ne": _UNLIKE, "pr": _present},
    "composite": {"eq": _in_parts, "pr": _present},
    "special": {"eq": _in_parts, "pr": _present},
}
#: The same of the parameters that the row of a resource answers.
_ROW: Mapping[str, Mapping[str, Operator]] = {
    "_id": dict.fromkeys(("eq", "ne", "pr"), _present),
    "_lastUpdated": {
        **dict(_each(_DATES, lambda word: partial(_updated, word=word))),
        "pr": lambda known, found, value: (
            _ALWAYS if _truth("_lastUpdated", value) else Not(_ALWAYS)
        ),
    },
}
#: Criteria of a kind of their own.
_OTHERWISE = frozenset({"_content", "_filter", "_list", "_query", "_text"})
