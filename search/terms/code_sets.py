"""Sets of codes: by system, those that are in or, where they cannot be listed, out.

Of a system that is not named a set has none, unless it says what it has of all others.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce


@dataclass(frozen=True, slots=True)
class Codes:
    """Some codes of a system, or (``but``) all of its codes except these."""

    codes: frozenset[str] = frozenset()
    but: bool = False

    def __and__(self, other: "Codes") -> "Codes":
        """Give those that are in both."""
        if self.but and other.but:
            return Codes(self.codes | other.codes, True)
        if self.but:
            return Codes(other.codes - self.codes)
        if other.but:
            return Codes(self.codes - other.codes)
        return Codes(self.codes & other.codes)

    def __invert__(self) -> "Codes":
        """Give all others of the system."""
        return Codes(self.codes, not self.but)

    def __or__(self, other: "Codes") -> "Codes":
        """Give those that are in one or the other."""
        return ~(~self & ~other)

    def __sub__(self, other: "Codes") -> "Codes":
        """Give those that are not in the other."""
        return self & ~other


#: address of a code system -> which of its codes
CodeSet = Mapping[str, Codes]

NONE = Codes()
ALL = Codes(but=True)
#: Stands for all systems that are not named beside it; it is no address itself.
OTHERS = "*"
EVERYTHING: CodeSet = {OTHERS: ALL}


def of_system(codes: CodeSet, system: str) -> Codes:
    """Tell what a set has of a system."""
    return codes.get(system, codes.get(OTHERS, NONE))


def union(sets: Iterable[CodeSet]) -> CodeSet:
    """Give what is in any of them."""
    return reduce(lambda a, b: _joined(a, b, Codes.__or__), sets, {})


def intersection(sets: Iterable[CodeSet]) -> CodeSet:
    """Give what is in all of them; there is at least one."""
    return reduce(lambda a, b: _joined(a, b, Codes.__and__), sets)


def difference(left: CodeSet, right: CodeSet) -> CodeSet:
    """Give what is in the left one only."""
    return _joined(left, right, Codes.__sub__)


def size(codes: CodeSet) -> int:
    """Count the codes that have to be listed."""
    return sum(len(one.codes) for one in codes.values())


def _joined(
    left: CodeSet, right: CodeSet, how: Callable[[Codes, Codes], Codes]
) -> CodeSet:
    rest = how(left.get(OTHERS, NONE), right.get(OTHERS, NONE))
    joined = {
        system: how(of_system(left, system), of_system(right, system))
        for system in dict.fromkeys((*left, *right))
    }
    found = {s: one for s, one in joined.items() if s != OTHERS and one != rest}
    return {**found, OTHERS: rest} if rest != NONE else found
