"""Parameters that say how the answer looks: https://hl7.org/fhir/R4/search.html#return."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES, definition
from fyr.core.model.naming import did_you_mean
from fyr.core.searching import CURSOR
from fyr.search.parameters import ON_THE_ROW
from fyr.search.tree import Query, SortKey
from fyr.search.understanding import contained
from fyr.search.understanding.includes import ITERATE, Includes
from fyr.search.understanding.known import Known
from fyr.search.understanding.offered import EVERYTHING

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "_total": ("none", "estimate", "accurate"),
    "_summary": ("true", "text", "data", "count", "false"),
}
#: Parameters that say what is to be included.
INCLUDING = frozenset({"_include", "_revinclude"})
#: Result parameters that are understood.
RESULTS = frozenset(
    {"_count", "_elements", "_sort", *INCLUDING, *_CHOICES, *contained.CONTAINING}
)
#: Result parameters of which each value, parted by commas, is understood on its own.
LISTS = frozenset({"_sort", "_elements"})
#: Types of parameters whose values have an order, or are brought into one.
_SORTABLE = frozenset("token string reference date number quantity uri".split())
#: Parameters that one page may be sorted by.
MOST_KEYS = 10
#: Includes of one search.
MOST_INCLUDES = 50


def shaping(params: Iterable[tuple[str, str]]) -> list[str]:
    """Tell the parameters that are about an answer and not about what is found."""
    names = dict.fromkeys(name for name, _ in params)
    return [one for one in names if one == CURSOR or one.partition(":")[0] in RESULTS]


class Results:
    """Understands result parameters."""

    def __init__(self, known: Known, default_count: int, max_count: int) -> None:
        """Take what is known, and the page size."""
        self._known = known
        # What an include follows decides nothing about the matches.
        self.followed: set[tuple[str, str]] = set()
        self._includes = Includes(
            replace(
                known, touched=self.followed, beyond=self.followed, offered=EVERYTHING
            ),
            known.offered,
        )
        self._shown: Collection[str] = ()
        self._default_count = default_count
        self._max_count = max_count

    def start(self, query: Query, names: Iterable[str]) -> None:
        """Give a query what holds when nothing is said.

        :param names: of all that was sent: with includes others are shown, too.
        """
        query.count = min(self._default_count, self._max_count)
        more = any(name.partition(":")[0] in INCLUDING for name in names)
        self._shown = RESOURCE_TYPES if more or query.contained else query.types

    def take(self, query: Query, name: str, value: str) -> None:
        """Understand one parameter.

        :raises NotSupported: a modifier, a sort or an include that is not offered.
        :raises Invalid: its value means nothing.
        """
        code, _, modifier = name.partition(":")
        if code in INCLUDING:
            self._include(query, code, modifier, value)
            return
        if modifier:
            raise NotSupported(f"{code} has no modifier {modifier[:60]!r} here")
        match code:
            case "_count":
                query.count = min(_count(value), self._max_count)
            case "_elements":
                self._element(value.strip())
                before = query.show.get(code)
                query.show[code] = f"{before},{value}" if before else value
            case "_sort":
                query.sort.append(self._key(query.types, value))
                if len(query.sort) > MOST_KEYS:
                    raise Invalid(f"_sort has more than {MOST_KEYS} parameters")
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
        name = f"{code}:{modifier}".removesuffix(":")
        made = self._includes.forward if code == "_include" else self._includes.backward
        include = made(query.types, value, bool(modifier))
        self._known.offered.refuse_include(query.types, name, value)
        if include not in query.includes:
            query.includes.append(include)
        if len(query.includes) > MOST_INCLUDES:
            raise Invalid(
                f"more than {MOST_INCLUDES} _include and _revinclude: Type:* follows all"
                " references of a type"
            )

    def _element(self, value: str) -> None:
        """Refuse an element that nothing of what is shown has."""
        kind, dot, rest = value.rpartition(".")
        types = [one for one in self._shown if not dot or one == kind]
        among = map(definition, types)
        known = {name for one in among for name in (*one.elements, *one.choices)}
        if rest not in known:
            raise NotSupported(
                f"_elements: {value[:60]!r} is no element at the root of what is"
                f" searched{did_you_mean(rest, known)}"
            )

    def _key(self, types: Sequence[str], value: str) -> SortKey:
        """Understand what to sort by; types that do not have it come last."""
        name = value.removeprefix("-")
        descending = name != value
        if name in ON_THE_ROW:
            return SortKey(name, descending)
        having = [kind for kind in types if name in self._known.parameters.of(kind)]
        offered = [kind for kind in having if self._known.offered.has(kind, name)]
        found = self._known.find(offered or having or types, name)
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
