"""Which codes a ValueSet or a hierarchy means, by the resources that are stored here.

https://hl7.org/fhir/R4/valueset.html#compositions. Of R4's own value sets those are
known without being stored that elements must be coded from.
"""

import re
from collections.abc import Iterable, Sequence

from fyr.core.errors import Invalid, Issue, NotSupported
from fyr.core.model import json
from fyr.core.model.definitions import codes_of
from fyr.core.model.resource import Resource
from fyr.core.store.port import Stored
from fyr.search.finding.pages import read_page
from fyr.search.finding.plans import Sizes
from fyr.search.references import target_of
from fyr.search.terms.code_sets import (
    ALL,
    Codes,
    CodeSet,
    difference,
    intersection,
    size,
    union,
)
from fyr.search.terms.code_systems import CodeSystem
from fyr.search.tree import Criterion, HasId, Match, Query
from fyr.search.understanding.known import Known
from fyr.search.understanding.operands import stored_uri

#: Codes that one criterion may mean.
MOST_CODES = 10_000
#: ValueSets and CodeSystems that are read for one criterion.
MOST_READ = 100
#: ValueSets that import each other, one in the other.
_DEEPEST = 20
#: Versions of one canonical URL among which the newest is sought.
_MOST_VERSIONS = 100
#: Parameters of an expansion that leave codes out.
_LIMITING = frozenset({"filter", "offset", "count", "activeOnly", "property"})
_TOO_COSTLY = frozenset(
    "http://hl7.org/fhir/StructureDefinition/valueset-" + name
    for name in ("toocostly", "unclosed")
)


class Terminology:
    """Tells the codes of one criterion; made for it, as it remembers what it has read."""

    def __init__(
        self, known: Known, container: Resource | None = None, *, listed: bool = False
    ) -> None:
        """Take where the resources are.

        :param container: a resource with value sets of its own, ``#id``.
        :param listed: whether all of a code system are those that it lists, where it is
            here with all of them. What was recorded may have others, and is found.
        """
        self._known = known
        self._container = container or {}
        self._is_listed = listed
        self._read: dict[tuple[str, str], Resource | None] = {}
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
        concepts = self._code_system(system)
        found = concepts.above(code) if above else concepts.below(code)
        _refuse_many(f"{system}|{code}", len(found))
        return found

    def _value_set(self, address: str, inside: tuple[str, ...]) -> CodeSet:
        if address in inside:
            way = " -> ".join([*inside[inside.index(address) :], address])
            raise Invalid(f"a ValueSet is made of itself: {way[:300]}")
        if len(inside) > _DEEPEST:
            raise Invalid(
                f"ValueSet {inside[0][:100]!r} is made of others more than"
                f" {_DEEPEST} deep"
            )
        if address not in self._expanded:
            found = self._expand(address, (*inside, address))
            _refuse_many(address, size(found))
            self._expanded[address] = found
        return self._expanded[address]

    def _expand(self, address: str, inside: tuple[str, ...]) -> CodeSet:
        resource = self._find("ValueSet", address)
        if resource is None:
            return _of_r4(address)
        if _is_complete(resource.get("expansion")):
            return _listed(resource["expansion"]["contains"])
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
                raise _absent("ValueSet", f"{inside[-1]}{one}")
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
            return self._whole(address) if self._is_listed else ALL
        concepts = self._code_system(address)
        chosen = [concepts.chosen(one) for one in part["filter"]]
        return Codes(frozenset.intersection(*chosen))

    def _whole(self, address: str) -> Codes:
        resource = self._find("CodeSystem", address)
        if resource is None or resource.get("content") != "complete":
            return ALL
        return Codes(frozenset(CodeSystem(resource).concepts))

    def _code_system(self, address: str) -> CodeSystem:
        resource = self._find("CodeSystem", address)
        if resource is None:
            raise _absent("CodeSystem", address)
        return CodeSystem(resource)

    def _find(self, kind: str, address: str) -> Resource | None:
        """Find a resource by its address; of several versions the newest."""
        asked = (kind, address)
        if asked not in self._read:
            if len(self._read) >= MOST_READ:
                raise _too_costly(f"more than {MOST_READ} ValueSets and CodeSystems")
            self._read[asked] = self._look_up(kind, address)
        return self._read[asked]

    def _look_up(self, kind: str, address: str) -> Resource | None:
        if address.startswith("#"):
            return self._contained(kind, address[1:])
        url, _, version = address.partition("|")
        target, identity = target_of(self._known.operands.relative(url))
        if target == kind:
            for one in self._stored(kind, HasId((identity,))):
                if version in ("", one.get("version")):
                    return one
        found = self._known.find([kind], "url")
        same = Match(self._known.places.sources(found), (stored_uri(url),))
        resources = [
            one
            for one in self._stored(kind, same)
            if one.get("url") == url and version in ("", one.get("version"))
        ]
        return _newest(resources)

    def _contained(self, kind: str, identity: str) -> Resource | None:
        contained: Sequence[Resource] = self._container.get("contained", ())
        for one in contained:
            if (one.get("resourceType"), one.get("id")) == (kind, identity):
                return one
        return None

    def _stored(self, kind: str, criterion: Criterion) -> list[Resource]:
        session = self._known.session
        if session is None:
            raise NotSupported("no ValueSet or CodeSystem can be read here")
        query = Query((kind,), [criterion], count=_MOST_VERSIONS)
        matches: Sequence[Stored] = read_page(session, query, None, Sizes()).matches
        return [json.own(one.body) for one in matches if one.body]


def _of_r4(address: str) -> CodeSet:
    url = address.removesuffix("|4.0.1")
    try:
        systems = codes_of(url)
    except KeyError:
        raise _absent("ValueSet", address) from None
    return {system: Codes(codes) for system, codes in systems.items()}


def _is_complete(expansion: Resource | None) -> bool:
    """Tell whether an expansion that is stored has all codes."""
    if not expansion or "contains" not in expansion:
        return False
    limited = {one.get("name") for one in expansion.get("parameter", ())} & _LIMITING
    costly = {one.get("url") for one in expansion.get("extension", ())} & _TOO_COSTLY
    if limited or costly or expansion.get("offset"):
        return False
    count = sum(1 for _ in _each(expansion["contains"]))
    return bool(expansion.get("total", count) == count)


def _listed(contains: Iterable[Resource]) -> CodeSet:
    found: dict[str, set[str]] = {}
    for one in _each(contains):
        if "code" in one and not one.get("abstract"):
            found.setdefault(one.get("system", ""), set()).add(one["code"])
    return {system: Codes(frozenset(codes)) for system, codes in found.items()}


def _each(contains: Iterable[Resource]) -> Iterable[Resource]:
    waiting = list(contains)
    while waiting:
        one = waiting.pop()
        yield one
        waiting += one.get("contains", ())


def _newest(resources: Iterable[Resource]) -> Resource | None:
    """Choose by version, number by number, and by the date of publication."""
    return max(
        resources,
        key=lambda one: (
            [int(part) for part in re.findall(r"\d{1,18}", one.get("version", ""))],
            one.get("date", ""),
        ),
        default=None,
    )


def _refuse_many(address: str, count: int) -> None:
    if count > MOST_CODES:
        raise _too_costly(f"{address[:100]!r} has {count} codes, of {MOST_CODES}")


def _absent(kind: str, address: str) -> Invalid:
    text = f"there is no {kind} {address[:200]!r} here: its codes are known once it is stored"
    return Invalid([Issue("not-found", text)])


def _too_costly(text: str) -> Invalid:
    return Invalid([Issue("too-costly", f"too much to look up: {text}")])
