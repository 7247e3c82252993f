"""What the server does by itself or for the caller of an operation, in one transaction.

It goes the way of a request: plugins are asked, references are made relative, the
structure is checked, versions, index and events are written together. What a service
offers to its clients does not limit it: https://hl7.org/fhir/R4/http.html says what a
client may ask, not what comes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import orjson

from fyr.core.clock import to_millis
from fyr.core.context import SYSTEM, RequestContext
from fyr.core.errors import Conflict, FyrError
from fyr.core.interactions.admit import let_in
from fyr.core.interactions.answer import Incoming
from fyr.core.interactions.ids import new_id
from fyr.core.interactions.outcomes import joined
from fyr.core.interactions.receive import received
from fyr.core.interactions.storing import lock, store
from fyr.core.interactions.writes import Write
from fyr.core.model.json import own
from fyr.core.searching import CURSOR, Extent

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource
    from fyr.core.searching import ValueSet
    from fyr.core.store.port import Key, Session, Stored

#: Matches that are fetched at once.
_PAGE = "200"


class Acting:
    """Reads, finds and stores within a transaction, past what clients may ask for.

    What is read and found is nobody's but the caller's of these methods: a copy, with
    all digits of its decimals. It is not judged by access control. What is stored is,
    where somebody else than Fyr itself acts.
    """

    def __init__(
        self,
        interactions: Interactions,
        session: Session | None = None,
        *,
        cause: RequestContext | None = None,
        as_caller: bool = False,
    ) -> None:
        """Take interactions of a transaction; without one, it only reads and finds.

        :param cause: what it is done for: its trace id is told with the changes.
        :param as_caller: whether it is done with the rights of who asked by ``cause``,
            by the rule of the operation that this is a part of.
        :raises ValueError: ``as_caller`` without a cause.
        """
        if as_caller and cause is None:
            raise ValueError("without a cause there is no caller")
        self.interactions = interactions
        self._session = session
        self.cause = cause
        self._as_caller = as_caller
        self._fresh: set[str] = set()

    @property
    def session(self) -> Session:
        """The transaction.

        :raises ValueError: there is none, because nothing is to be stored.
        """
        if self._session is None:
            raise ValueError("nothing is stored without a transaction")
        return self._session

    @property
    def now(self) -> datetime:
        """The present, by the server's clock."""
        return self.interactions.clock()

    def new_id(self) -> str:
        """Make an id, so that others may refer to a resource before it is stored."""
        identity = new_id(to_millis(self.now))
        self._fresh.add(identity)
        return identity

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
        stored = self.interactions.resources.read(*_key(reference))
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
        stored = self.interactions.resources.vread(*_key(reference), int(version))
        return own(stored.body) if stored and stored.body is not None else None

    def read_each(self, references: Iterable[str]) -> dict[str, Resource | None]:
        """Read what some resources say now, all of them at once.

        :param references: relative; versions in them do not count.
        """
        keys = {one: _key(one) for one in references}
        found = self.interactions.resources.read_each(keys.values()) if keys else {}
        bodies = {key: one.body for key, one in found.items() if one.body is not None}
        return {
            name: own(bodies[key]) if key in bodies else None
            for name, key in keys.items()
        }

    def keep(self, known: Mapping[str, int]) -> bool:
        """Whether resources still have known versions; then they keep those for now.

        Nobody changes them before the transaction ends. Unlike with :meth:`hold`, many
        transactions keep the same resources at a time. What is not there (0) cannot be
        kept from coming.

        :param known: numbers of versions by reference.
        """
        keys = {_key(name): version for name, version in known.items()}
        found = self.interactions.resources.keep(self.session, keys) if keys else {}
        return all(found.get(key, 0) == version for key, version in keys.items())

    def version(self, reference: str) -> int:
        """Tell which version is the current one; 0: it is not there, or deleted."""
        stored = self.interactions.resources.read(*_key(reference))
        return stored.version if stored and stored.body is not None else 0

    def hold(self, *references: str) -> list[Resource | None]:
        """Read and keep others from changing it until the end of the transaction."""
        keys = [_key(one) for one in references]
        heads = self.interactions.resources.lock(self.session, keys)
        bodies = [heads[key].body if key in heads else None for key in keys]
        return [own(body) if body is not None else None for body in bodies]

    def claim(self, key: str) -> None:
        """Keep others out who claim the same, until the end of the transaction.

        For what must not be made twice: claim, look whether it is there, make it.
        """
        self.interactions.resources.claim(self.session, key)

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

    def create(self, resource: Resource) -> Resource:
        """Store a new resource, under the id in it if :meth:`new_id` made that."""
        return self.store([resource])[0]

    def update(self, resource: Resource) -> Resource:
        """Store the next version of a resource, or the first one under its id.

        :raises Conflict: ``meta.versionId`` is not that of the stored version:
            read it with :meth:`hold`.
        """
        return self.store([resource])[0]

    def store(self, resources: Sequence[Resource]) -> list[Resource]:
        """Store many resources at once, all or none; tell them as they are stored.

        Those without an id, or with one that :meth:`new_id` made, are new.

        :raises FyrError: what stands in the way, of all of them together.
        """
        stored = self.store_received(self.receive(resources))
        return [own(one.body) for one in stored if one.body is not None]

    def receive(self, resources: Iterable[Resource]) -> list[Write]:
        """Check what is to be stored, as :meth:`store` does, without a transaction.

        So that others do not wait for it, where there is much to check:
        :attr:`fyr.core.Operation.prepare`.

        :raises FyrError: what is wrong with any of them.
        """
        return self._writes(resources)

    def store_received(self, writes: Sequence[Write]) -> list[Stored]:
        """Store what was received, by this one or another of the same call.

        :raises FyrError: what stands in the way, of all of them together.
        """
        heads = lock(self.interactions, self.session, writes)
        for write in writes:
            _require_version(write, heads.get(write.key))
        written = store(self.interactions, self.session, writes, heads)
        return [one.stored for one in written if one.stored is not None]

    def delete(self, reference: str) -> None:
        """Make the version that says that a resource is gone."""
        key = _key(reference)
        context = self._context("delete", *key)
        let_in(self.interactions, context)
        store(self.interactions, self.session, [Write(context, "DELETE", key)])

    def _writes(self, resources: Iterable[Resource]) -> list[Write]:
        writes: list[Write] = []
        failures: list[tuple[str, FyrError]] = []
        for number, resource in enumerate(resources):
            try:
                writes.append(self._write(resource))
            except FyrError as error:
                failures.append((f"Bundle.entry[{number}]", error))
        if len(failures) == 1 and not writes:
            raise failures[0][1]
        if failures:
            raise joined(failures)
        return writes

    def _write(self, resource: Resource) -> Write:
        kind, identity = resource["resourceType"], resource.get("id") or self.new_id()
        fresh = identity in self._fresh
        interaction = "create" if fresh else "update"
        context = self._context(interaction, kind, None if fresh else identity)
        let_in(self.interactions, context)
        given, issues = received(self.interactions, context, Incoming(resource))
        method = "POST" if fresh else "PUT"
        key = (kind, identity)
        self._fresh.discard(identity)
        return Write(context, method, key, given, fresh=fresh, issues=issues)

    def _context(
        self, interaction: str, kind: str, identity: str | None
    ) -> RequestContext:
        cause = self.cause
        if cause is not None and self._as_caller:
            return replace(
                cause,
                interaction=interaction,
                resource_type=kind,
                resource_id=identity,
                operation=None,
                params=(),
                posted=(),
                parent=cause,
                state={},
            )
        return RequestContext(
            self.interactions.services.everything,
            interaction,
            kind,
            identity,
            principal=SYSTEM,
            trace_id=cause.trace_id if cause is not None else "",
            # So that URLs of this server are known as its own.
            base_url=cause.base_url if cause is not None else "",
            now=self.now,
        )

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


def _key(reference: str) -> Key:
    kind, _, identity = reference.partition("/_history/")[0].partition("/")
    return kind, identity


def _require_version(write: Write, head: Stored | None) -> None:
    """Refuse to store over what somebody else has stored since it was read."""
    meta = (write.resource or {}).get("meta", {})
    read = meta.get("versionId")
    if head is not None and read is not None and read != str(head.version):
        raise Conflict(f"{'/'.join(write.key)} has been changed meanwhile")
