"""The consumer: which subscriptions a change is told to, and what is put into their queues.

In the order of commits: a subscription is told from the change on that made it active.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from fyr.core import Change, Session
from fyr.core.events.change import read_ahead
from fyr.core.store.port import Stored
from fyr.plugins.subscriptions.rows import Found
from fyr.plugins.subscriptions.states import SENDER, WEBSOCKET
from fyr.plugins.subscriptions.topics import CODE

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.core.searching import Candidate, SearchEngine
    from fyr.plugins.subscriptions.directory import Directory, Subscribed
    from fyr.plugins.subscriptions.guard import Guard
    from fyr.plugins.subscriptions.table import Table

KIND = "Subscription"
#: Types on which depends what criteria mean; search parameters the engine knows itself.
_TERMS = frozenset({"CodeSystem", "ValueSet"})


class Telling:
    """Hands changes to the queues of those who are told."""

    def __init__(
        self,
        application: Application,
        table: Table,
        directory: Directory,
        guard: Guard,
        changed: Callable[[Change], None],
    ) -> None:
        """Take where subscriptions are; ``changed`` takes a version of one."""
        self._application = application
        self._table = table
        self._directory = directory
        self._guard = guard
        self._changed = changed

    def handle_many(self, changes: Sequence[Change]) -> None:
        """Take changes in their order; one that comes again is told once."""
        run: list[Change] = []
        for change in changes:
            if change.type != KIND and not _means_anew(change):
                run.append(change)
                continue
            self._tell([*run, change])
            run = []
            if change.type == KIND:
                self._changed(change)
            elif self._directory.refresh():
                self._table.mean_anew()
        self._tell(run)

    def _tell(self, changes: Sequence[Change]) -> None:
        by_type = self._directory.refresh()
        wanted = [one for one in changes if by_type.get(one.type)]
        read_ahead(wanted)
        found: dict[str, list[Found]] = defaultdict(list)
        subscribed: dict[str, Subscribed] = {}
        for change in wanted:
            for one in self._told(change, by_type[change.type]):
                subscribed[one.id] = one
                found[one.id].append(_found(change))
        if found:
            database = self._application.database
            database.write(lambda session: self._note(session, subscribed, found))
            self._application.outgoing.wake()

    def _told(
        self, change: Change, subscriptions: Iterable[Subscribed]
    ) -> list[Subscribed]:
        """Tell who is told of a change."""
        engine = self._application.search
        old, new = _version(change, before=True), _version(change)
        if engine is None or (old is None and new is None):
            return []
        interaction = _interaction(old, new)
        in_time = [
            one
            for one in subscriptions
            if not one.definition.end or change.at < one.definition.end
        ]
        needs_old = any(one.needs_old for one in in_time)
        with ExitStack() as held:
            before = _held(held, engine, old) if needs_old else None
            after = _held(held, engine, new)
            met = [one for one in in_time if one.wants(interaction, before, after)]
        return self._seen(met, new or old)

    def _seen(
        self, subscriptions: Iterable[Subscribed], stored: Stored | None
    ) -> list[Subscribed]:
        """Leave those out whose owners may not see it; each owner is asked once."""
        assert stored is not None
        known: dict[object, bool] = {}
        kept = []
        for one in subscriptions:
            key = one.owner.key
            if key not in known:
                known[key] = self._guard.may_see(one.owner, stored)
            if known[key]:
                kept.append(one)
        return kept

    def _note(
        self,
        session: Session,
        subscribed: dict[str, Subscribed],
        found: dict[str, list[Found]],
    ) -> None:
        """Give events their numbers and put them into the queues, both or neither."""
        queued: list[tuple[str, object]] = []
        # In one order, so that two transactions do not wait for each other.
        for id_ in sorted(found):
            numbers = self._table.add(session, id_, found[id_])
            if subscribed[id_].definition.channel == "websocket":
                for number in numbers:
                    told = {"subscription": id_, "number": number}
                    self._application.outbox.emit(session, WEBSOCKET, told)
            else:
                queued += [(id_, {"kind": "event", "number": n}) for n in numbers]
        self._application.outgoing.put_many(session, SENDER, queued)


def _means_anew(change: Change) -> bool:
    """Whether a change may make criteria mean something else."""
    if change.type != "Basic":
        return change.type in _TERMS
    versions = (change.old_body or b"", change.body or b"")
    return any(CODE.encode() in one for one in versions)


def _held(
    held: ExitStack, engine: SearchEngine, stored: Stored | None
) -> Candidate | None:
    return None if stored is None else held.enter_context(engine.candidate(stored))


def _interaction(old: Stored | None, new: Stored | None) -> str:
    if new is None:
        return "delete"
    return "create" if old is None else "update"


def _version(change: Change, *, before: bool = False) -> Stored | None:
    body = change.old_body if before else change.body
    if body is None:
        return None
    version = change.version - before
    return Stored(0, change.type, change.id, version, change.at, change.method, body)


def _found(change: Change) -> Found:
    # What a deleted resource was is told of by the version before.
    return Found(
        change.position,
        change.type,
        change.id,
        change.version,
        change.method,
        change.at,
    )
