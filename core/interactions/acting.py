"""What the server does by itself or for the caller of an operation, in one transaction.

It goes the way of a request: plugins are asked, references are made relative, the
structure is checked, versions, index and events are written together. What a service
offers to its clients does not limit it: https://hl7.org/fhir/R4/http.html says what a
client may ask, not what comes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from fyr.core.clock import to_millis
from fyr.core.context import SYSTEM, RequestContext
from fyr.core.errors import Conflict, FyrError
from fyr.core.interactions.admit import let_in
from fyr.core.interactions.answer import Incoming
from fyr.core.interactions.finding import Finding, key_of
from fyr.core.interactions.ids import new_id
from fyr.core.interactions.outcomes import joined
from fyr.core.interactions.receive import received
from fyr.core.interactions.storing import lock, store
from fyr.core.interactions.writes import Write
from fyr.core.model.json import own

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Session, Stored


class Acting(Finding):
    """Reads, finds and stores within a transaction, past what clients may ask for.

    What is read and found is not judged by access control. What is stored is, where
    somebody else than Fyr itself acts.
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
        super().__init__(interactions, cause)
        self._session = session
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

    def keep(self, known: Mapping[str, int]) -> bool:
        """Whether resources still have known versions; then they keep those for now.

        Nobody changes them before the transaction ends. Unlike with :meth:`hold`, many
        transactions keep the same resources at a time. What is not there (0) cannot be
        kept from coming.

        :param known: numbers of versions by reference.
        """
        keys = {key_of(name): version for name, version in known.items()}
        found = self.interactions.resources.keep(self.session, keys) if keys else {}
        return all(found.get(key, 0) == version for key, version in keys.items())

    def hold(self, *references: str) -> list[Resource | None]:
        """Read and keep others from changing it until the end of the transaction."""
        keys = [key_of(one) for one in references]
        heads = self.interactions.resources.lock(self.session, keys)
        bodies = [heads[key].body if key in heads else None for key in keys]
        return [own(body) if body is not None else None for body in bodies]

    def claim(self, key: str) -> None:
        """Keep others out who claim the same, until the end of the transaction.

        For what must not be made twice: claim, look whether it is there, make it.
        """
        self.interactions.resources.claim(self.session, key)

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
        key = key_of(reference)
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


def _require_version(write: Write, head: Stored | None) -> None:
    """Refuse to store over what somebody else has stored since it was read."""
    meta = (write.resource or {}).get("meta", {})
    read = meta.get("versionId")
    if head is not None and read is not None and read != str(head.version):
        raise Conflict(f"{'/'.join(write.key)} has been changed meanwhile")
