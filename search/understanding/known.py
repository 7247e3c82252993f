"""What criteria are understood with: the parameters there are, and how to read values."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from fyr.core.errors import NotSupported
from fyr.core.model.naming import did_you_mean
from fyr.core.store.port import Session
from fyr.search.extraction.links import by_url
from fyr.search.extraction.places import Places
from fyr.search.parameters import ON_THE_ROW, Parameter, Parameters
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
    #: type and parameter of all that was found here, in the order of the query
    touched: set[tuple[str, str]] = field(default_factory=set)

    def find(self, types: Sequence[str], code: str) -> list[Parameter]:
        """Find the parameter of each type; they have one type.

        :raises NotSupported: a type has none of this name, or none that is indexed.
        """
        found = [self._of(kind, code) for kind in types]
        self.note(types, code)
        if len({one.type for one in found}) != 1:
            raise NotSupported(
                f"search parameter {code!r} has not one type in {', '.join(types)[:200]}:"
                " say which resource type is meant"
            )
        return found

    def note(self, types: Iterable[str], code: str) -> None:
        """Note that a parameter of the types has a part in the search."""
        self.touched.update((kind, code) for kind in types)

    def _of(self, kind: str, code: str) -> Parameter:
        known = self.parameters.of(kind)
        parameter = known.get(code)
        if parameter is None:
            raise NotSupported(
                f"{kind} has no search parameter {code[:60]!r}"
                + did_you_mean(code, known)
            )
        if code not in ON_THE_ROW and parameter.table is None:
            raise NotSupported(
                f"search parameter {code!r} of {kind} ({parameter.type}) is not"
                " supported yet"
            )
        if not self.active(parameter):
            raise NotSupported(
                f"search parameter {code!r} of {kind} is not active yet: it is being"
                f" indexed, {self.progress(kind)}"
            )
        return parameter


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
