"""Modifiers of tokens that ask for more than the code itself.

https://hl7.org/fhir/R4/search.html#token
"""

from collections.abc import Sequence

from fyr.core.errors import Invalid, NotSupported
from fyr.search.extraction.modifier_values import TEXT, typed
from fyr.search.extraction.rows import NO_SYSTEM
from fyr.search.hashes import hash64
from fyr.search.parameters import Parameter
from fyr.search.terms.code_sets import Codes, CodeSet, union
from fyr.search.terms.value_sets import Terminology
from fyr.search.texts import bounded
from fyr.search.tree import AllBut, Match, OneOf, Operand, Sources, Token
from fyr.search.understanding.known import Known
from fyr.search.understanding.operands import check_lengths, plain, split, values


def text(known: Known, found: list[Parameter], value: str) -> Match:
    """``:text``: what a code, or the type of an identifier, is called begins so."""
    if TEXT in known.places.without:
        raise NotSupported(
            f"{found[0].name}:text is not offered: texts of codes are not indexed here"
            " (setting search.token_text)"
        )
    sources = asked_beside(known, found, TEXT, "have no text")
    operands = known.operands.read("string", value, found[0].name)
    check_lengths(found[0].name, operands)
    return Match(sources, operands)


def of_type(known: Known, found: list[Parameter], value: str) -> Match:
    """``:of-type``: an identifier of a type has the value."""
    sources = asked_beside(known, found, "of-type", "are no identifiers")
    wanted = [_typed(one) for one in values(value, found[0].name)]
    return Match(sources, tuple(wanted))


def asked_beside(
    known: Known, found: list[Parameter], modifier: str, lack: str
) -> Sources:
    """Tell where what a modifier asks for stands.

    :param lack: what to say of a parameter that has no such thing.
    """
    sources = known.places.beside(found, modifier)
    if not sources:
        raise NotSupported(
            f"search parameter {found[0].name!r} has no modifier {modifier!r}: its"
            f" values {lack}"
        )
    return sources


def _typed(value: str) -> Token:
    parts = [plain(part) for part in split(value, "|")]
    if len(parts) != 3 or not all(parts):
        raise Invalid(
            f"{value[:60]!r} is not [system]|[code]|[value]: of-type wants all three"
        )
    system, code, identifier = parts
    return Token(typed(system, code), bounded(identifier))


def in_value_set(known: Known, found: list[Parameter], value: str) -> Match:
    """``:in``: a code is in one of the value sets."""
    terminology = Terminology(known)
    addresses = [plain(one) for one in values(value, found[0].name)]
    return _coded(known, found, [terminology.value_set(one) for one in addresses])


def not_in_value_set(known: Known, found: list[Parameter], value: str) -> Match:
    """``:not-in``: no code is in any of the value sets, or there is none."""
    return in_value_set(known, found, value).negation()


def above(known: Known, found: list[Parameter], value: str) -> Match:
    """``:above``: a code is the one that is sent, or one that this is a kind of."""
    return _subsumed(known, found, value, above=True)


def below(known: Known, found: list[Parameter], value: str) -> Match:
    """``:below``: a code is the one that is sent, or a kind of it."""
    return _subsumed(known, found, value, above=False)


def _subsumed(
    known: Known, found: list[Parameter], value: str, *, above: bool
) -> Match:
    terminology = Terminology(known)
    sets: list[CodeSet] = []
    for one in values(value, found[0].name):
        parts = [plain(part) for part in split(one, "|")]
        if len(parts) != 2 or not all(parts):
            raise Invalid(
                f"{one[:60]!r} is not [system]|[code]: what is above or below a code"
                " is known of a code system"
            )
        system, code = parts
        codes = terminology.subsumed(system, code, above=above)
        sets.append({system: Codes(codes)})
    return _coded(known, found, sets)


def _coded(known: Known, found: list[Parameter], sets: Sequence[CodeSet]) -> Match:
    listed: list[tuple[str, int]] = []
    operands: list[Operand] = []
    for system, codes in sorted(union(sets).items()):
        number = hash64(system) if system else NO_SYSTEM
        kept = sorted(map(bounded, codes.codes))
        if codes.but:
            operands.append(AllBut(number, tuple(kept)))
        else:
            listed += [(code, number) for code in kept]
    if listed:
        operands.append(OneOf(tuple(listed)))
    return Match(known.places.sources(found), tuple(operands))
