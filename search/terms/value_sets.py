"""Which codes a ValueSet or a hierarchy means, for searches: all of them, or a refusal.

https://hl7.org/fhir/R4/valueset.html#compositions. What cannot be told in full is no
criterion; for who holds single codes against value sets there is ``bounds``.
"""

from fyr.core.errors import Invalid
from fyr.core.model.resource import Resource
from fyr.search.terms.code_sets import (
    ALL,
    Codes,
    CodeSet,
    difference,
    intersection,
    size,
    union,
)
from fyr.search.terms.definitions import (
    Definitions,
    absent,
    is_complete,
    listed,
    of_r4,
    too_costly,
)
from fyr.search.understanding.known import Known

#: Codes that one criterion may mean.
MOST_CODES = 10_000
#: ValueSets that import each other, one in the other.
DEEPEST = 20


class Terminology:
    """Tells the codes of one criterion; made for it, as it remembers what it has read."""

    def __init__(self, known: Known) -> None:
        """Take where the resources are."""
        self._definitions = Definitions(known)
        self._expanded: dict[str, CodeSet] = {}

    def value_set(self, address: str) -> CodeSet:
        """Tell the codes of a value set.

        :param address: canonical URL, with ``|version`` or without, or ``ValueSet/id``.
        :raises Invalid: it is not here, cannot be decided, or has too many.
        """
        return self._value_set(address, ())

    def subsumed(self, system: str, code: str, *, above: bool) -> frozenset[str]:
        """Tell a concept and those below it, or (``above``) those that it is one of.

        :raises Invalid: the code system is not here with all of its codes.
        """
        concepts = self._definitions.code_system(system)
        found = concepts.above(code) if above else concepts.below(code)
        refuse_many(f"{system}|{code}", len(found))
        return found

    def _value_set(self, address: str, inside: tuple[str, ...]) -> CodeSet:
        if address in inside:
            way = " -> ".join([*inside[inside.index(address) :], address])
            raise Invalid(f"a ValueSet is made of itself: {way[:300]}")
        if len(inside) > DEEPEST:
            raise Invalid(
                f"ValueSet {inside[0][:100]!r} is made of others more than"
                f" {DEEPEST} deep"
            )
        if address not in self._expanded:
            found = self._expand(address, (*inside, address))
            refuse_many(address, size(found))
            self._expanded[address] = found
        return self._expanded[address]

    def _expand(self, address: str, inside: tuple[str, ...]) -> CodeSet:
        resource = self._definitions.find("ValueSet", address)
        if resource is None:
            return of_r4(address)
        if is_complete(resource.get("expansion")):
            return listed(resource["expansion"]["contains"])
        compose = resource.get("compose", {})
        if not compose.get("include"):
            raise Invalid(
                f"ValueSet {address[:100]!r} has no compose.include and no complete"
                " expansion: its codes are not known"
            )
        found = union(self._part(one, inside) for one in compose["include"])
        without = union(self._part(one, inside) for one in compose.get("exclude", ()))
        return difference(found, without)

    def _part(self, part: Resource, inside: tuple[str, ...]) -> CodeSet:
        """Tell the codes of an ``include`` or ``exclude``: of all that it names."""
        named = part.get("valueSet", ())
        for one in named:
            if one.startswith("#") and not inside[-1].startswith("#"):
                # What a stored one contains itself is not looked into.
                raise absent("ValueSet", f"{inside[-1]}{one}")
        sets = [self._value_set(one, inside) for one in named]
        if "system" in part:
            sets.append({part["system"]: self._of_system(part)})
        if not sets:
            raise Invalid(
                f"ValueSet {inside[-1][:100]!r} has a part with no system and no"
                " valueSet"
            )
        return intersection(sets)

    def _of_system(self, part: Resource) -> Codes:
        if "concept" in part:
            return Codes(frozenset(one["code"] for one in part["concept"]))
        version = f"|{part['version']}" if "version" in part else ""
        address = part["system"] + version
        if "filter" not in part:
            return ALL
        concepts = self._definitions.code_system(address)
        chosen = [concepts.chosen(one) for one in part["filter"]]
        return Codes(frozenset.intersection(*chosen))


def refuse_many(address: str, count: int) -> None:
    """Refuse to list too many codes.

    :raises Invalid: there are more than :data:`MOST_CODES`.
    """
    if count > MOST_CODES:
        raise too_costly(f"{address[:100]!r} has {count} codes, of {MOST_CODES}")
