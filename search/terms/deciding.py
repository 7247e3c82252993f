"""Whether value sets have a code, for who holds codes against them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from fyr.core.errors import FyrError, Issue
from fyr.core.model.resource import Resource
from fyr.search.terms.code_sets import CodeSet
from fyr.search.terms.value_sets import Terminology
from fyr.search.understanding.known import Known


@dataclass(frozen=True, slots=True)
class Decided:
    """What a value set has, and why that cannot be told of every code."""

    codes: CodeSet = field(default_factory=dict)
    problem: Issue | None = None
    #: nothing of it can be told
    unknown: bool = False

    def has(self, system: str, code: str) -> bool | None:
        """Tell whether it has a code; ``None``: that cannot be told."""
        if self.unknown:
            return None
        told = [self._has(one, code) for one in self._systems(system)]
        if True in told:
            return True
        return None if None in told else False

    def _systems(self, system: str) -> Iterable[str]:
        """Tell the systems that are meant; an expansion may leave one out."""
        return self.codes if not system else {system, ""} & self.codes.keys()

    def _has(self, system: str, code: str) -> bool | None:
        found = self.codes[system]
        if found.but:
            return False if code in found.codes else None
        return code in found.codes


def decided(
    known: Known, addresses: Iterable[str], container: Resource
) -> dict[str, Decided]:
    """Tell the codes of value sets, by address."""
    terminology = Terminology(known, container, listed=True)
    return {one: _decided(terminology, one) for one in addresses}


def _decided(terminology: Terminology, address: str) -> Decided:
    try:
        codes = terminology.value_set(address)
    except FyrError as error:
        return Decided(problem=error.issues[0], unknown=True)
    whole = sorted(system for system, one in codes.items() if one.but)
    if not whole:
        return Decided(codes)
    text = (
        f"ValueSet {address[:100]!r} has codes of {whole[0][:100]!r}, a CodeSystem that"
        " is not here with all of its codes"
    )
    return Decided(codes, Issue("not-found", text))
