"""``_include`` and ``_revinclude``, understood.

https://hl7.org/fhir/R4/search.html#revinclude. ``Type:parameter:target``, ``Type:*`` and
``*``; ``:iterate``, and ``:recurse`` as it was called before, follow what was included too.
"""

from collections.abc import Iterable, Sequence

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.naming import did_you_mean
from fyr.search.extraction.links import by_url
from fyr.search.parameters import Parameter
from fyr.search.tree import Include, Sources, Urls
from fyr.search.understanding.known import Known, refuse_no_target
from fyr.search.understanding.offered import EVERYTHING, Offered

#: Modifiers of ``_include`` and ``_revinclude``: they mean the same.
ITERATE = ("iterate", "recurse")


class Includes:
    """Understands which references are to be followed."""

    def __init__(self, known: Known, offered: Offered = EVERYTHING) -> None:
        """Take the parameters there are, and what ``*`` means at a service."""
        self._known = known
        self._offered = offered

    def forward(self, types: Sequence[str], value: str, iterate: bool) -> Include:
        """Understand an ``_include``.

        :param types: what is searched.
        :raises NotSupported: no such type or reference.
        :raises Invalid: it begins at a type that is not searched.
        """
        if value == "*":
            return self._all_forward(types, iterate)
        kind, name, target = _parts("_include", value)
        if kind not in types and not iterate:
            raise Invalid(
                f"_include: {kind} is not what is searched; :iterate follows it"
            )
        return self._forward(self._followed(kind, name, target), target, iterate)

    def _all_forward(self, types: Sequence[str], iterate: bool) -> Include:
        among = RESOURCE_TYPES if iterate else types
        if any(map(self._offered.limits_links, among)):
            if iterate:
                raise NotSupported("_include:iterate=* is not offered here: say which")
            return self._forward(self._some_links(types), None, iterate)
        self._known.note("*", "*")
        return Include((), False, urls=self._urls(RESOURCE_TYPES), iterate=iterate)

    def _some_links(self, types: Sequence[str]) -> list[Parameter]:
        """Tell what ``*`` means where not all references are offered.

        :raises NotSupported: none is.
        """
        found = [one for kind in types for one in self._links(kind)]
        if not found:
            self._offered.refuse(types, "*")
        return found

    def _forward(
        self, followed: list[Parameter], target: str | None, iterate: bool
    ) -> Include:
        return Include(
            self._sources(followed),
            False,
            brought=_brought(followed, target),
            target=target,
            urls=self._urls([target] if target else RESOURCE_TYPES, followed),
            iterate=iterate,
        )

    def backward(self, types: Sequence[str], value: str, iterate: bool) -> Include:
        """Understand a ``_revinclude``.

        :param types: what is searched.
        :raises NotSupported: no such type or reference.
        :raises Invalid: it leads to a type that is not searched.
        """
        if value == "*":
            return self._all_backward(types, iterate)
        kind, name, target = _parts("_revinclude", value)
        if target and target not in types and not iterate:
            raise Invalid(
                f"_revinclude: {target} is not what is searched; :iterate follows it"
            )
        followed = self._followed(kind, name, target)
        return Include(
            self._sources(followed),
            True,
            brought=(kind,),
            target=target,
            urls=self._urls([target] if target else RESOURCE_TYPES, followed),
            iterate=iterate,
        )

    def _all_backward(self, types: Sequence[str], iterate: bool) -> Include:
        if iterate:
            raise NotSupported(
                "_revinclude:iterate=* would follow every reference of every resource:"
                " say which, as in _revinclude:iterate=Provenance:target"
            )
        followed = [
            one
            for kind in sorted(RESOURCE_TYPES)
            for one in self._links(kind)
            if not one.targets or not one.targets.isdisjoint(types)
        ]
        return Include(self._sources(followed), True, urls=self._urls(types, followed))

    def _followed(self, kind: str, name: str, target: str | None) -> list[Parameter]:
        """Tell the reference parameters of a type that are meant.

        :raises Invalid: none of them leads to the target.
        """
        if name == "*":
            found = self._some_links([kind])
        else:
            found = self._known.find([kind], name)
            if found[0].type != "reference":
                raise NotSupported(f"{name!r} of {kind} is no reference")
        refuse_no_target(found, target or "", name)
        return found

    def _links(self, kind: str) -> list[Parameter]:
        known = self._known.parameters.of(kind).values()
        links = [one for one in known if one.table == "idx_reference"]
        offered = self._offered
        found = [
            one
            for one in links
            if self._known.active(one)
            and (not offered.limits_links(kind) or offered.has(kind, one.name))
        ]
        for one in found:
            self._known.note([kind], one.name)
        return found

    def _sources(self, parameters: Iterable[Parameter]) -> Sources:
        """Tell where references stand, none of them twice."""
        found = dict.fromkeys(self._known.places.sources(parameters))
        # Those of one type are among those of any.
        whole = {one.number for one in found if not one.only}
        return tuple(one for one in found if not one.only or one.number not in whole)

    def _urls(
        self, targets: Iterable[str], followed: Iterable[Parameter] | None = None
    ) -> Urls | None:
        """Tell by which URLs resources are known, when a reference may be canonical."""
        if followed is not None and not any(map(by_url, followed)):
            return None
        named = [
            (known["url"], known["version"])
            for known in map(self._known.parameters.of, sorted(targets))
            if "url" in known and "version" in known and known["url"].type == "uri"
        ]
        if not named:
            return None
        return Urls(
            self._sources(url for url, _ in named),
            self._sources(version for _, version in named),
        )


def _brought(followed: Iterable[Parameter], target: str | None) -> tuple[str, ...]:
    """Tell the types that references can bring; none: it cannot be told."""
    if target:
        return (target,)
    types = [one.targets for one in followed]
    return tuple(sorted(set().union(*types))) if all(types) else ()


def _parts(code: str, value: str) -> tuple[str, str, str | None]:
    """Take ``Type:parameter:target`` apart."""
    kind, _, rest = value.partition(":")
    name, _, target = rest.partition(":")
    for one in filter(None, (kind, target)):
        if one not in RESOURCE_TYPES:
            raise NotSupported(
                f"{code}: {one[:60]!r} is not a resource type"
                + did_you_mean(one, RESOURCE_TYPES)
            )
    if not kind or not name:
        raise Invalid(f"{code} is [type]:[reference] or *, not {value[:60]!r}")
    return kind, name, target or None
