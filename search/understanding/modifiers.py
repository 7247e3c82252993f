"""What a value means, by parameter type and modifier.

https://hl7.org/fhir/R4/search.html#modifiers
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.naming import did_you_mean
from fyr.search.extraction.links import by_url
from fyr.search.extraction.modifier_values import BESIDE, TEXT
from fyr.search.parameters import Parameter
from fyr.search.tree import Criterion, Match, Missing, Target
from fyr.search.understanding import coded, hierarchies
from fyr.search.understanding.known import Known, refuse_no_target
from fyr.search.understanding.matching import composite, composite_missing, quantity
from fyr.search.understanding.operands import check_lengths, plain, reference, values

#: Makes a criterion of a parameter (one for each type that is searched) and its values.
Modifier = Callable[[Known, list[Parameter], str], Criterion]


def understood(
    known: Known, found: list[Parameter], modifier: str, value: str
) -> Criterion:
    """Understand a parameter's values.

    :param modifier: what follows ``:`` in its name, empty when there is none.
    :raises NotSupported: parameters of this type have no such modifier.
    :raises Invalid: a value is not of the parameter's type.
    """
    one = found[0]
    if not modifier:
        return _PLAIN.get(one.type, _match)(known, found, value)
    if one.type == "reference" and modifier in RESOURCE_TYPES:
        return _typed(known, found, value, modifier)
    means = MODIFIERS.get(one.type, {}).get(modifier)
    if means is None:
        raise no_modifier(one.name, modifier, offered(known, found))
    return means(known, found, value)


def offered(known: Known, found: list[Parameter]) -> list[str]:
    """Tell the modifiers that a parameter can have, ``[type]`` where any type is one."""
    type_ = found[0].type
    lacking = {
        one for one in BESIDE.get(type_, {}) if not known.places.beside(found, one)
    }
    if type_ == "reference" and not hierarchies.parents(known, found):
        lacking |= {"above", "below"}
    names = [one for one in MODIFIERS.get(type_, {}) if one not in lacking]
    return [*names, "[type]"] if type_ == "reference" else names


def no_modifier(name: str, modifier: str, offered: Iterable[str]) -> NotSupported:
    """Tell that a parameter has no such modifier, and which it has."""
    listed = ", ".join(f":{one}" for one in offered) or "none"
    return NotSupported(
        f"search parameter {name!r} has no modifier {modifier[:60]!r} here"
        f"{did_you_mean(modifier, offered)} (supported: {listed})"
    )


def _match(
    known: Known, found: list[Parameter], value: str, modifier: str = ""
) -> Match:
    one = found[0]
    operands = known.operands.read(one.type, value, one.name)
    if one.type == "reference" and any(map(by_url, found)):
        operands += _as_sent(known, value, one.name)
    if modifier != "exact":
        check_lengths(one.name, operands)
    return Match(known.places.sources(found), operands, modifier)


def _as_sent(known: Known, value: str, name: str) -> tuple[Target, ...]:
    """Give the own URLs among some values unchanged, as canonical elements keep them."""
    sent = map(plain, values(value, name))
    return tuple(reference(one) for one in sent if known.operands.relative(one) != one)


def _missing(known: Known, found: list[Parameter], value: str) -> Criterion:
    name = found[0].name
    if value not in ("true", "false"):
        raise Invalid(f"{name}:missing is true or false, not {value[:60]!r}")
    if found[0].type == "composite":
        return composite_missing(known.places.composite(found), value == "true")
    places = known.places
    # An identifier alone is a reference, and a text alone is a code.
    beside = places.beside(found, "identifier") + places.beside(found, TEXT)
    return Missing(places.sources(found) + beside, value == "true")


def _not(known: Known, found: list[Parameter], value: str) -> Criterion:
    return _match(known, found, value).negation()


def _identifier(known: Known, found: list[Parameter], value: str) -> Criterion:
    sources = coded.asked_beside(known, found, "identifier", "have no identifier")
    operands = known.operands.read("token", value, found[0].name)
    return Match(sources, operands)


def _typed(known: Known, found: list[Parameter], value: str, kind: str) -> Criterion:
    refuse_no_target(found, kind)
    operands = tuple(_of_type(kind, one) for one in values(value, found[0].name))
    return Match(known.places.sources(found), operands)


def _of_type(kind: str, value: str) -> Target:
    target = reference(plain(value))
    if target.type not in (None, kind):
        raise Invalid(f"{value[:60]!r} is no {kind}")
    return Target(kind, target.id)


#: parameter type -> what values mean without a modifier, where rows are of several kinds
_PLAIN: Mapping[str, Modifier] = {"quantity": quantity, "composite": composite}

_EVERYWHERE: Mapping[str, Modifier] = {"missing": _missing}

#: parameter type -> modifier -> what it means; ``:[type]`` of references besides
MODIFIERS: Mapping[str, Mapping[str, Modifier]] = {
    "token": {
        **_EVERYWHERE,
        "not": _not,
        "text": coded.text,
        "of-type": coded.of_type,
        "in": coded.in_value_set,
        "not-in": coded.not_in_value_set,
        "above": coded.above,
        "below": coded.below,
    },
    "string": {
        **_EVERYWHERE,
        "exact": partial(_match, modifier="exact"),
        "contains": partial(_match, modifier="contains"),
    },
    "reference": {
        **_EVERYWHERE,
        "identifier": _identifier,
        "above": hierarchies.part_above,
        "below": hierarchies.part_below,
    },
    "date": _EVERYWHERE,
    "number": _EVERYWHERE,
    "quantity": _EVERYWHERE,
    "uri": {
        **_EVERYWHERE,
        "above": hierarchies.uri_above,
        "below": hierarchies.uri_below,
    },
    "composite": _EVERYWHERE,
    "special": _EVERYWHERE,
}
