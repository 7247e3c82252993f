"""Parameters that say how the answer looks: https://hl7.org/fhir/R4/search.html#return."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fyr.core.errors import Invalid, NotSupported
from fyr.search.parameters import ON_THE_ROW
from fyr.search.tree import Query, SortKey
from fyr.search.understanding import contained
from fyr.search.understanding.includes import ITERATE, Includes
from fyr.search.understanding.known import Known

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "_total": ("none", "estimate", "accurate"),
    "_summary": ("true", "text", "data", "count", "false"),
}
_INCLUDES = ("_include", "_revinclude")
#: Result parameters that are understood.
RESULTS = frozenset(
    {"_count", "_elements", "_sort", *_INCLUDES, *_CHOICES, *contained.CONTAINING}
)
#: Types of parameters whose values have an order, or are brought into one.
_SORTABLE = frozenset("token string reference date number quantity uri".split())
#: Parameters that one page may be sorted by.
_MOST_KEYS = 10


class Results:
    """Understands result parameters."""

    def __init__(self, known: Known, default_count: int, max_count: int) -> None:
        """Take what is known, and the page size."""
        self._known = known
        # What an include follows decides nothing about the matches.
        self.followed: set[tuple[str, str]] = set()
        self._includes = Includes(replace(known, touched=self.followed))
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
        if code in _INCLUDES:
            self._include(query, code, modifier, value)
            return
        if modifier:
            raise NotSupported(f"{code} has no modifier {modifier[:60]!r} here")
        match code:
            case "_count":
                query.count = min(_count(value), self._max_count)
            case "_elements":
                query.show[code] = value
            case "_sort":
                query.sort += self._keys(query.types, value)
                if len(query.sort) > _MOST_KEYS:
                    raise Invalid(f"_sort has more than {_MOST_KEYS} parameters")
            case "_contained" | "_containedType":
                pass  # understood before all others
            case _:
                _choice(query, code, value)

    def _include(self, query: Query, code: str, modifier: str, value: str) -> None:
        if modifier and modifier not in ITERATE:
            listed = ", ".join(f":{one}" for one in ITERATE)
            raise NotSupported(
                f"{code} has no modifier {modifier[:60]!r} here (supported: {listed})"
            )
        made = self._includes.forward if code == "_include" else self._includes.backward
        query.includes.append(made(query.types, value, bool(modifier)))

    def _keys(self, types: Sequence[str], value: str) -> list[SortKey]:
        return [self._key(types, one) for one in value.split(",")]

    def _key(self, types: Sequence[str], value: str) -> SortKey:
        """Understand what to sort by; types that do not have it come last."""
        name = value.removeprefix("-")
        descending = name != value
        if name in ON_THE_ROW:
            return SortKey(name, descending)
        having = [kind for kind in types if name in self._known.parameters.of(kind)]
        found = self._known.find(having or types[:1], name)
        sources = self._known.places.sources(found)
        if found[0].type not in _SORTABLE or not sources:
            raise NotSupported(f"_sort: nothing can be sorted by {name!r}")
        return SortKey(name, descending, sources)


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
