"""The ValueSets and CodeSystems that are stored here, or contained, by their addresses.

https://hl7.org/fhir/R4/references.html#canonical. Of R4's own value sets those are
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
from fyr.search.terms.code_sets import Codes, CodeSet
from fyr.search.terms.code_systems import CodeSystem
from fyr.search.tree import Criterion, HasId, Match, Query
from fyr.search.understanding.known import Known
from fyr.search.understanding.operands import stored_uri

#: ValueSets and CodeSystems that are read for one question.
MOST_READ = 100
#: Versions of one canonical URL among which the newest is sought.
_MOST_VERSIONS = 100
#: Parameters of an expansion that leave codes out.
_LIMITING = frozenset({"filter", "offset", "count", "activeOnly", "property"})
_TOO_COSTLY = frozenset(
    "http://hl7.org/fhir/StructureDefinition/valueset-" + name
    for name in ("toocostly", "unclosed")
)


class Definitions:
    """Finds them; made for one question, as it remembers what it has read."""

    def __init__(self, known: Known, container: Resource | None = None) -> None:
        """Take where the resources are.

        :param container: a resource with value sets of its own, ``#id``.
        """
        self._known = known
        self._container = container or {}
        self._read: dict[tuple[str, str], Resource | None] = {}

    def code_system(self, address: str) -> CodeSystem:
        """Read the concepts of a code system.

        :raises Invalid: it is not here with all of its codes.
        """
        resource = self.find("CodeSystem", address)
        if resource is None:
            raise absent("CodeSystem", address)
        return CodeSystem(resource)

    def find(self, kind: str, address: str) -> Resource | None:
        """Find a resource by its address; of several versions the newest."""
        asked = (kind, address)
        if asked not in self._read:
            if len(self._read) >= MOST_READ:
                raise too_costly(f"more than {MOST_READ} ValueSets and CodeSystems")
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


def of_r4(address: str) -> CodeSet:
    """Tell the codes of a value set of R4's own.

    :raises Invalid: it is none, or one that elements need not be coded from.
    """
    url = address.removesuffix("|4.0.1")
    try:
        systems = codes_of(url)
    except KeyError:
        raise absent("ValueSet", address) from None
    return {system: Codes(codes) for system, codes in systems.items()}


def is_complete(expansion: Resource | None) -> bool:
    """Tell whether an expansion that is stored has all codes."""
    if not expansion or "contains" not in expansion:
        return False
    limited = {one.get("name") for one in expansion.get("parameter", ())} & _LIMITING
    costly = {one.get("url") for one in expansion.get("extension", ())} & _TOO_COSTLY
    if limited or costly or expansion.get("offset"):
        return False
    count = sum(1 for _ in _each(expansion["contains"]))
    return bool(expansion.get("total", count) == count)


def listed(contains: Iterable[Resource]) -> CodeSet:
    """Tell the codes of an expansion."""
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


def absent(kind: str, address: str) -> Invalid:
    """Say that there is no such resource."""
    text = f"there is no {kind} {address[:200]!r} here: its codes are known once it is stored"
    return Invalid([Issue("not-found", text)])


def too_costly(text: str) -> Invalid:
    """Say that it is too much to look up."""
    return Invalid([Issue("too-costly", f"too much to look up: {text}")])
