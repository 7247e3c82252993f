"""The part of a write inside its transaction: lock, check, complete, put, tell.

Written once for one resource and for many, so that an entry of a transaction goes the
way of a single write: https://hl7.org/fhir/R4/http.html#versioning
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fyr.core.clock import to_millis
from fyr.core.errors import (
    Conflict,
    Forbidden,
    FyrError,
    Gone,
    MethodNotAllowed,
    NotFound,
)
from fyr.core.hooks.values.subjects import Use
from fyr.core.interactions import content
from fyr.core.interactions.judge import judge, judge_failing, last_body
from fyr.core.interactions.looking import Looking
from fyr.core.interactions.outcomes import joined
from fyr.core.interactions.preconditions import check
from fyr.core.interactions.receive import checked
from fyr.core.interactions.service_profiles import only_profiles, require_own
from fyr.core.interactions.stamp import with_id, with_meta
from fyr.core.interactions.state_changes import make_steps
from fyr.core.interactions.telling import made_of, tell
from fyr.core.interactions.writes import Begun, Write, Written
from fyr.core.model import json
from fyr.core.model.resource import copied
from fyr.core.store.port import IndexRows, Key, NewVersion, Session, Stored

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource


class _Judge:
    """Has plugins decide on both versions of each write."""

    def __init__(self, interactions: Interactions, session: Session) -> None:
        self._interactions = interactions
        self._session = session
        self._asked = bool(interactions.hooks.authorize_resource)

    def before(self, write: Write, head: Stored | None) -> None:
        """Judge what a write replaces, by what is stored before it.

        Whoever brings back what was deleted is judged by what it was.
        """
        if self._asked and head is not None:
            within = self._within()
            old = last_body(within, head)
            use: Use = "delete" if write.method == "DELETE" else "old"
            if old is not None:
                judge(within, write.context, old, use)

    def after(self, write: Write, stored: Stored) -> None:
        """Judge what was stored, by all that the same transaction has stored."""
        if self._asked and stored.body is not None:
            try:
                judge(self._within(), write.context, stored, "new")
            except FyrError as error:
                raise joined([(write.place, error)]) from None

    def denied(self, begun: Sequence[Begun]) -> list[tuple[str, FyrError]]:
        """Tell which writes may not be made, by what they would have stored.

        For those that fail: what is wrong with a write may tell of what it refers to,
        and is for who might have made it.
        """
        if not self._asked:
            return []
        unstored = {"/".join(one.write.key): one.new for one in begun}
        look = Looking(self._within(), unstored)
        found: list[tuple[str, FyrError]] = []
        for one in begun:
            if one.new is not None:
                try:
                    judge_failing(self._within(), one.write.context, one.new, look)
                except FyrError as error:
                    found.append((one.write.place, error))
        return found

    def _within(self) -> Interactions:
        return self._interactions.within(self._session)


def lock(
    interactions: Interactions, session: Session, writes: Iterable[Write]
) -> Mapping[Key, Stored]:
    """Keep others from changing what is to be written; tell the newest versions."""
    keys = [write.key for write in writes if not write.fresh]
    return interactions.resources.lock(session, keys) if keys else {}


def store(
    interactions: Interactions,
    session: Session,
    writes: Sequence[Write],
    heads: Mapping[Key, Stored] | None = None,
) -> list[Written]:
    """Make versions of different resources, all or none, in the transaction.

    :param heads: what :func:`lock` told, if it has been asked before.
    :raises FyrError: what stands in the way, of all writes together.
    """
    if heads is None:
        heads = lock(interactions, session, writes)
    # After the locks: who waited for another writer comes later than that writer.
    now = to_millis(interactions.clock())
    judged = _Judge(interactions, session)
    known: list[Begun] = []
    begun: dict[int, Begun] = {}
    failures: list[tuple[str, FyrError]] = []
    for number, write in enumerate(writes):
        try:
            head = heads.get(write.key)
            # Before its version, or what a patch makes of it, tells anything of it.
            if head is not None and only_profiles(write.context, head.type):
                require_own(interactions.within(session), write.context, head)
            judged.before(write, head)
            one = _begin(interactions, session, write, head, now)
            if one is not None:
                known.append(one)
                _complete(interactions, session, one)
                begun[number] = one
        except FyrError as error:
            failures.append((write.place, error))
    if interactions.machines:
        make_steps(interactions, session, list(begun.values()), failures)
    if failures:
        raise joined(_first_told(failures) or judged.denied(known) or failures)
    made = _put(interactions, session, list(begun.values()), judged)
    stored = dict(zip(begun, made, strict=True))
    done = [
        Written(write, heads.get(write.key), stored.get(number))
        for number, write in enumerate(writes)
    ]
    if interactions.hooks.answered:
        for written in done:
            _tell(interactions, session, written)
    return done


def _first_told(failures: Sequence[tuple[str, FyrError]]) -> list[tuple[str, FyrError]]:
    """Give those that say that something is not allowed."""
    return [one for one in failures if isinstance(one[1], Forbidden)]


def _tell(interactions: Interactions, session: Session, done: Written) -> None:
    """Tell of a write in its own transaction, so that neither is kept alone."""
    made = [made_of(done.before, done.stored)] if done.stored is not None else []
    status = 201 if made and made[0].how == "create" else 200
    tell(interactions, done.write.context, made, status=status, session=session)


def _put(
    interactions: Interactions, session: Session, begun: list[Begun], judged: _Judge
) -> list[Stored]:
    if not begun:
        return []
    versions = [_version(interactions, one) for one in begun]
    made = interactions.resources.put(session, versions)
    if interactions.engine is not None:
        interactions.engine.confirm(session)
    for one, version in zip(begun, versions, strict=True):
        if one.new is not None and version.body is not None:
            content.keep(interactions, session, one.new, version.body)
    for one, stored in zip(begun, made, strict=True):
        judged.after(one.write, stored)
    if interactions.hooks.stored:
        for one in begun:
            interactions.hooks.stored(
                context=one.write.context, session=session, old=one.old, new=one.new
            )
    return list(made)


def _begin(
    interactions: Interactions,
    session: Session,
    write: Write,
    head: Stored | None,
    now: int,
) -> Begun | None:
    """Check a write against what is stored, and tell what it will leave.

    :return: ``None`` when there is nothing left to delete.
    """
    check(interactions.settings, write.if_match, write.if_none_match, head)
    there = head is not None and not head.deleted
    if write.method == "DELETE" and not there:
        return None
    if write.absent and there:
        text = f"{'/'.join(write.key)} is there and does not match the criteria"
        raise Conflict(text)
    hooks, kept = interactions.hooks, interactions.machines.of(write.key[0])
    old = new = None
    if head is not None and head.body is not None:
        if write.method == "PATCH" or hooks.before_store or hooks.stored or kept:
            old = json.own(head.body)
    # Before a patch or a plugin has had a hand in it.
    before = _rows_before(interactions, write, head, old)
    if write.method != "DELETE":
        new = _content(interactions, session, write, head, old)
    if new is not None:
        # A repeated attempt must begin with what was sent.
        edited = hooks.before_store or kept
        new = with_id(copied(new) if edited else new, write.key[1])
    updated = max(now, head.updated) if head is not None else now
    number = head.version + 1 if head is not None else 1
    return Begun(write, head, old, new, before, number, updated)


def _complete(interactions: Interactions, session: Session, begun: Begun) -> None:
    """Have plugins complete what a write will leave."""
    hooks, write = interactions.hooks, begun.write
    if hooks.before_store:
        hooks.before_store(
            context=write.context, session=session, old=begun.old, new=begun.new
        )
        _require_key(write.key, begun.new)


def _require_key(key: Key, new: Resource | None) -> None:
    """Stop a plugin that has made another resource of the one that is stored.

    :raises RuntimeError: its type or id is not the one of the write.
    """
    if new is not None and (new.get("resourceType"), new.get("id")) != key:
        raise RuntimeError(
            f"before_store has changed the type or id of {'/'.join(key)}"
        )


def _content(
    interactions: Interactions,
    session: Session,
    write: Write,
    head: Stored | None,
    old: Resource | None,
) -> Resource:
    """Tell the resource that a write will leave, not yet completed."""
    name = "/".join(write.key)
    if write.patch is not None:
        if head is None:
            raise NotFound(f"no {name} to patch")
        if old is None:
            raise Gone(f"{name} has been deleted")
        from fyr.core.model.patch import apply

        patched = apply(old, write.patch)
        write.issues = checked(interactions, write.context, patched)
        # Here, as nobody knows before what the patch leaves.
        content.move_out(interactions.within(session), patched, write.pictures)
        return patched
    if write.resource is None:
        raise ValueError(f"{write.method} {name} without a resource")
    if head is None and write.method == "PUT" and not write.fresh:
        rules = write.context.service.types[write.key[0]]
        if not rules.update_create:
            text = f"no {name}, and ids are given by the server: POST to {write.key[0]}"
            raise MethodNotAllowed(text)
    return write.resource


def _version(interactions: Interactions, begun: Begun) -> NewVersion:
    """Make the version of a write that nothing stands in the way of."""
    engine, write, head = interactions.engine, begun.write, begun.head
    if begun.new is not None:
        begun.new = with_meta(begun.new, begun.number, begun.updated)
    new = begun.new
    return NewVersion(
        type=write.key[0],
        id=write.key[1],
        version=begun.number,
        updated=begun.updated,
        method=write.method,
        body=json.dump(new) if new is not None else None,
        pid=head.pid if head is not None else 0,
        index=engine.index(new) if engine is not None and new is not None else {},
        trace_id=write.context.trace_id,
        indexed=engine.generation(write.key[0]) if engine is not None else 0,
        before=begun.before,
    )


def _rows_before(
    interactions: Interactions, write: Write, head: Stored | None, old: Resource | None
) -> IndexRows | None:
    """Tell the index rows that are stored, if they are what would be taken now.

    Taken again from what is stored, which costs less than to write them all anew.
    """
    engine = interactions.engine
    if engine is None or head is None or not head.indexed:
        return None
    if head.indexed != engine.generation(write.key[0]):
        return None
    if head.body is None:
        return {}
    return engine.index(old if old is not None else json.own(head.body))
