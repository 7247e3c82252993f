"""Whether value sets have a code, for who holds codes against them.

https://hl7.org/fhir/R4/valueset.html#compositions. A part that cannot be told leaves open
only what it could hold: what other parts have for sure stays in, what none could have
stays out. Of a code system that is here with all of its codes those are all there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fyr.core.errors import Invalid, Issue, NotSupported
from fyr.core.model.resource import Resource
from fyr.search.terms.code_sets import (
    ALL,
    EVERYTHING,
    Codes,
    CodeSet,
    difference,
    intersection,
    of_system,
    size,
    union,
)
from fyr.search.terms.definitions import (
    Definitions,
    absent,
    is_complete,
    listed,
    of_r4,
)
from fyr.search.terms.value_sets import DEEPEST, refuse_many
from fyr.search.understanding.known import Known


@dataclass(frozen=True, slots=True)
class Decided:
    """What a value set has for sure, and what it may have."""

    least: CodeSet = field(default_factory=dict)
    most: CodeSet = field(default_factory=dict)
    #: why there are codes of which it cannot be told; the first reason
    problem: Issue | None = None
    #: whether it is the same until a ValueSet or CodeSystem changes
    lasts: bool = True

    def has(self, system: str, code: str) -> bool | None:
        """Tell whether it has a code; ``None``: that cannot be told."""
        if any(_holds(self.least, one, code) for one in _systems(self.least, system)):
            return True
        may = any(_holds(self.most, one, code) for one in _systems(self.most, system))
        return None if may else False


def _systems(codes: CodeSet, system: str) -> Iterable[str]:
    """Tell the systems that are meant; an expansion may leave one out."""
    return (system, "") if system else ("", *codes)


def _holds(codes: CodeSet, system: str, code: str) -> bool:
    found = of_system(codes, system)
    return (code in found.codes) != found.but


def decided(
    known: Known, addresses: Iterable[str], container: Resource
) -> dict[str, Decided]:
    """Tell the codes of value sets, by address."""
    deciding = _Deciding(known, container)
    return {one: deciding.value_set(one, ()) for one in addresses}


class _Deciding:
    """Made for one question, as it remembers what it has read."""

    def __init__(self, known: Known, container: Resource) -> None:
        self._definitions = Definitions(known, container)
        self._decided: dict[str, Decided] = {}

    def value_set(self, address: str, inside: tuple[str, ...]) -> Decided:
        if address in inside:
            way = " -> ".join([*inside[inside.index(address) :], address])
            return _open(Invalid(f"a ValueSet is made of itself: {way[:300]}"))
        if len(inside) > DEEPEST:
            text = f"ValueSet {inside[0][:100]!r} is made of others too deep"
            return _open(Invalid(text))
        if address not in self._decided:
            try:
                found = self._expanded(address, (*inside, address))
            except (Invalid, NotSupported) as error:
                found = _open(error)
            self._decided[address] = _limited(address, found)
        return self._decided[address]

    def _expanded(self, address: str, inside: tuple[str, ...]) -> Decided:
        resource = self._definitions.find("ValueSet", address)
        if resource is None:
            return _sure(of_r4(address))
        if is_complete(resource.get("expansion")):
            return _sure(listed(resource["expansion"]["contains"]))
        compose = resource.get("compose", {})
        if not compose.get("include"):
            raise Invalid(
                f"ValueSet {address[:100]!r} has no compose.include and no complete"
                " expansion: its codes are not known"
            )
        found = [self._part(one, inside) for one in compose["include"]]
        without = [self._part(one, inside) for one in compose.get("exclude", ())]
        return _joined(
            (*found, *without),
            difference(_union(found, "least"), _union(without, "most")),
            difference(_union(found, "most"), _union(without, "least")),
        )

    def _part(self, part: Resource, inside: tuple[str, ...]) -> Decided:
        """Tell the codes of an ``include`` or ``exclude``: of all that it names."""
        sets = [self._imported(one, inside) for one in part.get("valueSet", ())]
        if "system" in part:
            sets.append(self._of_system(part, inside[-1]))
        if not sets:
            text = f"ValueSet {inside[-1][:100]!r} has a part with no system and no valueSet"
            return _open(Invalid(text))
        return _joined(
            sets,
            intersection(one.least for one in sets),
            intersection(one.most for one in sets),
        )

    def _imported(self, address: str, inside: tuple[str, ...]) -> Decided:
        if address.startswith("#") and not inside[-1].startswith("#"):
            # What a stored one contains itself is not looked into.
            return _open(absent("ValueSet", f"{inside[-1]}{address}"))
        return self.value_set(address, inside)

    def _of_system(self, part: Resource, address: str) -> Decided:
        system = part["system"]
        if "concept" in part:
            codes = frozenset(one["code"] for one in part["concept"])
            return _sure({system: Codes(codes)})
        version = f"|{part['version']}" if "version" in part else ""
        try:
            concepts = self._definitions.code_system(f"{system}{version}")
        except (Invalid, NotSupported) as error:
            why = error if "filter" in part else _not_whole(address, system)
            return _open(why, {system: ALL})
        every = Codes(frozenset(concepts.concepts))
        try:
            chosen = [concepts.chosen(one) for one in part.get("filter", ())]
        except Invalid as error:
            return _open(error, {system: every})
        return _sure({system: Codes(every.codes.intersection(*chosen))})


def _sure(codes: CodeSet) -> Decided:
    return Decided(codes, codes)


def _open(error: Invalid | NotSupported, most: CodeSet = EVERYTHING) -> Decided:
    """Say what something may have that cannot be told, and why."""
    # Without a search parameter that is being indexed nothing is found, for a while.
    return Decided({}, most, error.issues[0], lasts=isinstance(error, Invalid))


def _not_whole(address: str, system: str) -> Invalid:
    text = (
        f"ValueSet {address[:100]!r} has codes of {system[:100]!r}, a CodeSystem that"
        " is not here with all of its codes"
    )
    return Invalid([Issue("not-found", text)])


def _union(sets: Iterable[Decided], name: str) -> CodeSet:
    return union(getattr(one, name) for one in sets)


def _joined(sets: Iterable[Decided], least: CodeSet, most: CodeSet) -> Decided:
    known = list(sets)
    problem = next((one.problem for one in known if one.problem), None)
    return Decided(least, most, problem, all(one.lasts for one in known))


def _limited(address: str, found: Decided) -> Decided:
    """Give up what has too many codes to be listed, but not which systems they are of."""
    try:
        refuse_many(address, max(size(found.least), size(found.most)))
    except Invalid as error:
        return _open(error, dict.fromkeys(found.most, ALL))
    return found
