"""What criteria are understood with: the parameters there are, and how to read values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.naming import did_you_mean
from fyr.core.store.port import Session
from fyr.search.extraction.links import by_url
from fyr.search.extraction.places import Places
from fyr.search.parameters import ON_THE_ROW, Parameter, Parameters
from fyr.search.understanding.offered import EVERYTHING, Offered
from fyr.search.understanding.operands import Operands


@dataclass(frozen=True, slots=True)
class Known:
    """Handed to all that understands a part of a search."""

    parameters: Parameters
    places: Places
    operands: Operands
    #: where the search takes place, for criteria that mean what is stored
    session: Session | None = None
    #: there is an index of words
    full_text: bool = False
    #: whether all resources of its type can be found by a parameter
    active: Callable[[Parameter], bool] = lambda _: True
    #: resource type -> how far the indexing of its resources is
    progress: Callable[[str], str] = lambda _: ""
    #: what the service lets its client search by
    offered: Offered = EVERYTHING
    #: type and parameter of all that was looked up, of what is searched ...
    touched: set[tuple[str, str]] = field(default_factory=set)
    #: ... and of other resources that a criterion goes through, be they of the same type
    beyond: set[tuple[str, str]] = field(default_factory=set)

    def find(self, types: Sequence[str], code: str) -> list[Parameter]:
        """Find the parameter of each type; they have one type.

        :raises NotSupported: a type has none of this name, or none that is indexed.
        """
        self._refuse_unknown(types, code)
        found = [self._of(kind, code) for kind in types]
        self.offered.refuse(types, code)
        self.note(types, code)
        if len({one.type for one in found}) != 1:
            raise NotSupported(
                f"search parameter {code!r} has not one type in {', '.join(types)[:200]}:"
                " say which resource type is meant"
            )
        return found

    def elsewhere(self) -> Known:
        """Give the same, for what is asked of resources that a reference leads to."""
        return replace(self, touched=self.beyond)

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is for other resources than those that are searched."""
        return self.touched is self.beyond

    def note(self, types: Iterable[str], code: str) -> None:
        """Note that a parameter of the types has a part in the search."""
        self.touched.update((kind, code) for kind in types)

    def _refuse_unknown(self, types: Sequence[str], code: str) -> None:
        lacking = [kind for kind in types if code not in self.parameters.of(kind)]
        if not lacking:
            return
        raise NotSupported(
            self.unknown(types, code)
            if len(lacking) == len(types)
            else f"not all types that are searched have a search parameter"
            f" {code[:60]!r} ({_some(lacking)} have not): say which with _type"
        )

    def unknown(self, types: Sequence[str], code: str) -> str:
        """Say that no type has a parameter of this name, and what is near."""
        near = {name for kind in types for name in self.parameters.of(kind)}
        who = types[0] if len(types) == 1 else "no type that is searched"
        has = "has no" if len(types) == 1 else "has a"
        return f"{who} {has} search parameter {code[:60]!r}{did_you_mean(code, near)}"

    def _of(self, kind: str, code: str) -> Parameter:
        parameter = self.parameters.of(kind)[code]
        if code not in ON_THE_ROW and parameter.table is None:
            raise NotSupported(
                f"search parameter {code!r} of {kind} is not supported:"
                f" {why_not(parameter)}"
            )
        if not self.active(parameter):
            raise NotSupported(
                f"search parameter {code!r} of {kind} is not active yet: it is being"
                f" indexed, {self.progress(kind)}"
            )
        return parameter


def why_not(parameter: Parameter) -> str:
    """Say why there is no searching by a parameter that FHIR knows."""
    if parameter.name == "_query":
        return "there are no named queries"
    if parameter.phonetic:
        return "nothing here compares by sound"
    return "its values are not indexed"


def _some(kinds: Sequence[str]) -> str:
    listed = ", ".join(kinds[:3])
    return f"{listed} and {len(kinds) - 3} more" if len(kinds) > 3 else listed


def refuse_by_url(links: Iterable[Parameter]) -> None:
    """Refuse to go through canonical references, which ids do not lead along.

    :raises NotSupported: one of the parameters reads them.
    """
    for one in links:
        if by_url(one):
            raise NotSupported(
                f"{one.name!r} of {one.resource_type} names resources by their URL:"
                " nothing can be chained to it (_include follows it)"
            )


def refuse_no_target(links: Iterable[Parameter], kind: str, name: str = "") -> None:
    """Refuse a type that no reference of the parameters leads to; empty: none is named.

    :param name: what the parameters were named by, where it is not their own name.
    :raises Invalid: the type is none of theirs.
    """
    listed = list(links)
    if kind and all(one.targets and kind not in one.targets for one in listed):
        told = ", ".join(sorted({name for one in listed for name in one.targets}))
        called = name or listed[0].name
        raise Invalid(f"{called!r} never leads to {kind}, but to {told[:200]}")


def referring(known: Known, kind: str, code: str) -> Parameter:
    """Give the reference of a type by which resources are referred to, for ``_has``.

    :raises NotSupported: there is no such type, or no such reference that has ids.
    """
    if kind not in RESOURCE_TYPES:
        raise NotSupported(
            f"{kind[:60]!r} is not a resource type{did_you_mean(kind, RESOURCE_TYPES)}"
        )
    (link,) = known.find([kind], code)
    if link.type != "reference":
        raise NotSupported(f"{code!r} of {kind} is no reference")
    refuse_by_url([link])
    return link
