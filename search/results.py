"""Parameters that say how the answer looks: https://hl7.org/fhir/R4/search.html#return."""

from collections.abc import Mapping, Sequence

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.naming import did_you_mean
from fyr.search.parameters import ON_THE_ROW, Parameter, Parameters
from fyr.search.places import Places
from fyr.search.tree import Include, Query, SortKey, Sources

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "_total": ("none", "estimate", "accurate"),
    "_summary": ("true", "text", "data", "count", "false"),
}
#: Result parameters that are understood.
RESULTS = frozenset(
    {"_count", "_elements", "_include", "_revinclude", "_sort", *_CHOICES}
)


class Results:
    """Understands result parameters."""

    def __init__(
        self,
        parameters: Parameters,
        places: Places,
        default_count: int,
        max_count: int,
    ) -> None:
        """Take what is known, and the page size."""
        self._parameters = parameters
        self._places = places
        self._default_count = default_count
        self._max_count = max_count

    def start(self, query: Query) -> None:
        """Give a query what holds when nothing is said."""
        query.count = min(self._default_count, self._max_count)

    def take(self, query: Query, name: str, value: str) -> None:
        """Understand one parameter.

        :raises NotSupported: a modifier, a sort or an include that is not offered.
        :raises Invalid: its value means nothing.
        """
        code, _, modifier = name.partition(":")
        if modifier:
            raise NotSupported(f"{code} has no modifier {modifier[:60]!r} here")
        match code:
            case "_count":
                query.count = min(_count(value), self._max_count)
            case "_elements":
                query.show[code] = value
            case "_sort":
                query.sort += [
                    self._sort_key(query.types, one) for one in value.split(",")
                ]
            case "_include" | "_revinclude":
                query.includes.append(
                    self._include(query.types, value, code == "_revinclude")
                )
            case _:
                _choice(query, code, value)

    def _sort_key(self, types: Sequence[str], value: str) -> SortKey:
        name = value.removeprefix("-")
        descending = name != value
        if name in ON_THE_ROW:
            return SortKey(name, descending)
        found = [self._one(kind, name) for kind in types]
        if len({one.type for one in found}) != 1:
            raise NotSupported(
                f"_sort: {name!r} has not one type in all that is searched"
            )
        return SortKey(name, descending, self._places.sources(found))

    def _one(self, kind: str, name: str) -> Parameter:
        """Find a parameter whose values are indexed."""
        known = self._parameters.of(kind)
        parameter = known.get(name)
        if parameter is None:
            raise NotSupported(
                f"{kind} has no search parameter {name[:60]!r}"
                + did_you_mean(name, known)
            )
        if parameter.table is None:
            raise NotSupported(
                f"search parameter {name!r} of {kind} ({parameter.type}) is not"
                " supported yet"
            )
        return parameter

    def _include(self, types: Sequence[str], value: str, reverse: bool) -> Include:
        """Understand ``Type:parameter[:target type]`` or ``*``."""
        if value == "*" and not reverse:
            links = [source for kind in types for source in self._links(kind)]
            return Include(tuple(links), False)
        kind, _, rest = value.partition(":")
        name, _, target = rest.partition(":")
        _known_type(kind)
        if target:
            _known_type(target)
        if not reverse and kind not in types:
            raise Invalid(f"_include: {kind} is not what is searched")
        if reverse and target and target not in types:
            raise Invalid(f"_revinclude: {target} is not what is searched")
        only = kind if reverse else target or None
        if name == "*":
            return Include(self._links(kind), reverse, only)
        parameter = self._one(kind, name)
        if parameter.type != "reference":
            raise NotSupported(f"{name!r} of {kind} is no reference")
        return Include(self._places.sources([parameter]), reverse, only)

    def _links(self, kind: str) -> Sources:
        """Tell where all references of a type stand."""
        known = self._parameters.of(kind).values()
        links = [one for one in known if one.table == "idx_reference"]
        # Those of one type are among those of any: none has to be asked for again.
        whole = {one.number for one in self._places.sources(links) if not one.only}
        return tuple(
            one
            for one in dict.fromkeys(self._places.sources(links))
            if not one.only or one.number not in whole
        )


def _known_type(kind: str) -> None:
    if kind not in RESOURCE_TYPES:
        raise NotSupported(
            f"{kind[:60]!r} is not a resource type{did_you_mean(kind, RESOURCE_TYPES)}"
        )


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Invalid(f"_count is a number from 0, not {value[:60]!r}")
    return int(value)


def _choice(query: Query, code: str, value: str) -> None:
    if value not in _CHOICES[code]:
        listed = ", ".join(_CHOICES[code])
        raise Invalid(f"{code} is one of {listed}, not {value[:60]!r}")
    if code == "_total":
        query.total = value
    else:
        query.show[code] = value
