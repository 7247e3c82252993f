"""What the server finds for itself, or for the caller of an operation.

Past what a service offers to its clients, and past access control:
https://hl7.org/fhir/R4/http.html says what a client may ask, not what comes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import orjson

from fyr.core.context import SYSTEM, RequestContext
from fyr.core.model.json import own
from fyr.core.searching import CURSOR, Extent

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource
    from fyr.core.searching import ValueSet
    from fyr.core.store.port import Key, Stored

#: Matches that are fetched at once.
_PAGE = "200"


class Finding:
    """Reads and finds, past what clients may ask for.

    What is read and found is nobody's but the caller's of these methods: a copy, with
    all digits of its decimals. It is not judged by access control.
    """

    def __init__(
        self, interactions: Interactions, cause: RequestContext | None = None
    ) -> None:
        """Take interactions, of a transaction if it is to see what that has stored.

        :param cause: what it is done for.
        """
        self.interactions = interactions
        self.cause = cause

    def own(self, url: str) -> str | None:
        """Tell the relative form of a URL of this server; ``None`` for a stranger's.

        Without a cause, only public URLs are known.
        """
        services, cause = self.interactions.services, self.cause
        service = cause.service if cause is not None else services.everything
        base = cause.base_url if cause is not None else ""
        return services.own(url, service, base)

    def read(self, reference: str) -> Resource | None:
        """Read what a resource says now; ``None``: it is not there, or deleted.

        :param reference: relative; a version in it does not count.
        """
        stored = self.interactions.resources.read(*key_of(reference))
        return own(stored.body) if stored and stored.body is not None else None

    def vread(self, reference: str) -> Resource | None:
        """Read the version that a reference names, or the current one.

        :param reference: such as ``ServiceRequest/1/_history/2``.
        """
        version = reference.rpartition("/_history/")[2]
        if version == reference:
            return self.read(reference)
        if not version.isdecimal():
            return None
        stored = self.interactions.resources.vread(*key_of(reference), int(version))
        return own(stored.body) if stored and stored.body is not None else None

    def read_each(self, references: Iterable[str]) -> dict[str, Resource | None]:
        """Read what some resources say now, all of them at once.

        :param references: relative; versions in them do not count.
        """
        keys = {one: key_of(one) for one in references}
        found = self.interactions.resources.read_each(keys.values()) if keys else {}
        bodies = {key: one.body for key, one in found.items() if one.body is not None}
        return {
            name: own(bodies[key]) if key in bodies else None
            for name, key in keys.items()
        }

    def version(self, reference: str) -> int:
        """Tell which version is the current one; 0: it is not there, or deleted."""
        stored = self.interactions.resources.read(*key_of(reference))
        return stored.version if stored and stored.body is not None else 0

    def find(self, resource_type: str, *criteria: tuple[str, str]) -> list[Resource]:
        """Find all resources that criteria are met by; without a search engine none.

        :param criteria: search parameters, such as ``("focus", "Observation/1")``.
        """
        return list(self.each(resource_type, *criteria))

    def each(
        self, resource_type: str, *criteria: tuple[str, str]
    ) -> Iterator[Resource]:
        """Go through what :meth:`find` would find, in its order, a page at a time.

        For who takes the first ones only; give ``_sort``.
        """
        found = self._matches(resource_type, criteria)
        return (own(one.body) for one in found if one.body is not None)

    def scan(
        self, resource_type: str, *criteria: tuple[str, str]
    ) -> Iterator[Resource]:
        """Go through all resources that criteria are met by, those of lower pids first.

        For thousands that are looked at and not shown: decimals are floats. They are
        those of one moment, and none is held in memory for longer than it is looked at.
        """
        interactions, engine = self.interactions, self.interactions.engine
        if engine is None:
            return
        context = self._searching(resource_type)
        pages = interactions.database.read(
            lambda session: [
                *engine.every(session, context, resource_type, criteria, Extent())
            ]
        )
        for page in pages:
            for body in interactions.resources.bodies(page):
                if body is not None:
                    yield orjson.loads(body)

    def value_sets(
        self, addresses: Iterable[str], container: Resource
    ) -> Mapping[str, ValueSet]:
        """Tell the codes of value sets by address; without a search engine of none.

        They are those that are stored here, and those of R4 that elements must be coded
        from. One that is not here, or has codes that cannot be listed, tells so.

        :param addresses: canonical URLs, with ``|version`` or without, and ``#id``.
        :param container: what names them: it contains those of ``#id``.
        """
        engine, names = self.interactions.engine, {}
        for address in addresses:
            url, bar, version = address.partition("|")
            names[address] = f"{self.own(url) or url}{bar}{version}"
        if engine is None or not names:
            return {}
        found = self.interactions.database.read(
            partial(
                engine.value_sets,
                context=self._searching("ValueSet"),
                addresses=sorted(set(names.values())),
                container=container,
            )
        )
        return {address: found[name] for address, name in names.items()}

    def _searching(self, resource_type: str) -> RequestContext:
        everything = self.interactions.services.everything
        return RequestContext(
            everything, "search-type", resource_type, principal=SYSTEM
        )

    def _matches(
        self, resource_type: str, criteria: Sequence[tuple[str, str]]
    ) -> Iterator[Stored]:
        engine = self.interactions.engine
        if engine is None:
            return
        context = self._searching(resource_type)
        wanted = [*criteria, ("_count", _PAGE)]
        asked = wanted
        while True:
            page = self.interactions.database.read(
                partial(
                    engine.search,
                    context=context,
                    resource_type=resource_type,
                    params=asked,
                )
            )
            yield from page.matches
            if page.next is None:
                return
            asked = [*wanted, (CURSOR, page.next)]


def key_of(reference: str) -> Key:
    """Tell type and id of a relative reference; a version in it does not count."""
    kind, _, identity = reference.partition("/_history/")[0].partition("/")
    return kind, identity
