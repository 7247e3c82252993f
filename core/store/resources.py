"""The resource store: versions of resources and what they are found by.

The newest version of a resource lies in its row of ``resource``; the next one moves it
to ``version``. Why: ``docs/decisions/storage.md``.

Written once for every database, on :class:`~fyr.core.store.port.Session`. A version,
its index rows and its row of the outbox are written together or not at all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import cast

from fyr.core.model.resource import Resource
from fyr.core.store.bodies import BODIES
from fyr.core.store.index_rows import put_index, stored_rows
from fyr.core.store.many import (
    among_pids,
    flat,
    heads_of,
    many,
    parts,
    pids_where,
)
from fyr.core.store.pids import Pids
from fyr.core.store.port import (
    Database,
    IndexRows,
    Key,
    NewVersion,
    Row,
    Session,
    Stored,
)
from fyr.core.store.versions import HEAD, SUPERSEDED, content, history_sql, stored

#: More versions than there are.
_ALL = 2**31 - 1
#: The same where there is one value for each of many resources.
_MANY = 1000

_READ = f"SELECT {HEAD} FROM resource r WHERE r.type = ? AND r.id = ?"
# In one statement: to begin one takes longer than to find a row.
_READ_ALONG = f"""
    SELECT {HEAD}, (SELECT a.body FROM resource a WHERE a.type = ? AND a.id = ?)
    FROM resource r WHERE r.type = ? AND r.id = ?
"""
_CONTENT = "SELECT r.body FROM resource r WHERE r.type = ? AND r.id = ?"
_VREAD = f"""
    SELECT {HEAD} FROM resource r WHERE r.type = ? AND r.id = ? AND r.version = ?
    UNION ALL
    SELECT {SUPERSEDED} FROM resource r JOIN version v ON v.pid = r.pid
    WHERE r.type = ? AND r.id = ? AND v.version = ?
"""
_VREAD_MANY = f"""
    SELECT {HEAD} FROM w
    JOIN resource r ON r.type = w.type AND r.id = w.id AND r.version = w.version
    UNION ALL
    SELECT {SUPERSEDED} FROM w
    JOIN resource r ON r.type = w.type AND r.id = w.id
    JOIN version v ON v.pid = r.pid AND v.version = w.version
"""
_BODIES = "SELECT pid, version, body FROM resource WHERE "
_OLD_BODIES = """
    WITH w (pid, version) AS (VALUES {marks})
    SELECT v.pid, v.version, v.body FROM w
    JOIN version v ON v.pid = w.pid AND v.version = w.version
"""
_HEADS = f"SELECT {HEAD} FROM resource r WHERE "
_LOCKING = " ORDER BY r.type, r.id FOR UPDATE OF r"
_SHARING = " ORDER BY r.type, r.id FOR SHARE OF r"
_VERSION = "r.type, r.id, CASE WHEN r.deleted = 0 THEN r.version ELSE 0 END"

_ADD_HEAD = """
    INSERT INTO resource
        (pid, updated, version, indexed, deleted, type, id, method, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
# With the number that the writer has seen: where another has been faster, that version
# is there already and the database refuses this one.
_KEEP_HEAD = """
    INSERT INTO version (pid, updated, version, type, method, body)
    SELECT pid, updated, ?, type, method, body FROM resource WHERE pid = ?
"""
_MOVE_HEAD = """
    UPDATE resource
    SET updated = ?, version = ?, indexed = ?, deleted = ?, method = ?, body = ?
    WHERE pid = ?
"""
_MARK_INDEXED = "UPDATE resource SET indexed = ? WHERE pid = ?"
_ADD_EVENT = """
    INSERT INTO outbox (topic, type, id, version, method, trace_id, at)
    VALUES ('resource', ?, ?, ?, ?, ?, ?)
"""
_CLAIM = "INSERT INTO unique_claim (key) VALUES (?)"
_UNCLAIM = "DELETE FROM unique_claim WHERE key = ?"
_COUNTS = "SELECT type, COUNT(*) FROM resource WHERE deleted = 0 GROUP BY type"


#: Type, id and version.
VersionKey = tuple[str, str, int]


class ResourceStore:
    """The resources of one database; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        """Take the database, whose schema is up to date."""
        self.database = database
        self._pids = Pids()

    def read(self, type: str, id: str) -> Stored | None:
        """Read the newest version, which may say that the resource is deleted."""
        for row in self.database.rows(_READ, (type, id)):
            return stored(row)
        return None

    def read_along(
        self, type: str, id: str, other: str
    ) -> tuple[Stored | None, Resource | None]:
        """Read the newest version, and as :meth:`parsed` does what is there with it.

        :param other: a relative reference.
        """
        kind, _, identity = other.partition("/")
        for row in self.database.rows(_READ_ALONG, (kind, identity, type, id)):
            kept = row[-1]
            return stored(row[:-1]), content(kept) if kept is not None else None
        return None, None

    def parsed(self, type: str, id: str) -> Resource | None:
        """Read what a resource says now; ``None``: it is not there, or deleted.

        To decide by: decimals are floats, and it is never to be altered.
        """
        for (kept,) in self.database.rows(_CONTENT, (type, id)):
            return content(kept) if kept is not None else None
        return None

    def vread(self, type: str, id: str, version: int) -> Stored | None:
        """Read one version."""
        asked = (type, id, version)
        for row in self.database.rows(_VREAD, asked * 2):
            return stored(row)
        return None

    def vread_many(self, wanted: Iterable[VersionKey]) -> dict[VersionKey, Stored]:
        """Read some versions at once; those that are not there are left out."""
        found: dict[VersionKey, Stored] = {}
        for part in parts(list(wanted)):
            marks = ", ".join(["(?, ?, ?)"] * len(part))
            sql = f"WITH w (type, id, version) AS (VALUES {marks}) {_VREAD_MANY}"
            values = [value for key in part for value in key]
            for row in self.database.rows(sql, values):
                one = stored(row)
                found[one.type, one.id, one.version] = one
        return found

    def bodies(self, keys: Sequence[tuple[int, int]]) -> Iterator[bytes | None]:
        """Read versions by pid and number: what each holds, in the order of the asking.

        ``None`` for one that is a delete, or is not there.
        """
        found: dict[tuple[int, int], bytes] = {}
        wanted = set(keys)
        for part in parts([pid for pid, _ in keys], _MANY):
            where, values = pids_where(self.database.dialect, part)
            for pid, version, body in self.database.rows(_BODIES + where, values):
                found[pid, version] = body
        # Asked after the newest ones, so that none moves there meanwhile.
        for part in parts(sorted(wanted - found.keys())):
            sql = _OLD_BODIES.format(marks=", ".join(["(?, ?)"] * len(part)))
            values = [value for key in part for value in key]
            for pid, version, body in self.database.rows(sql, values):
                found[pid, version] = body
        unpacked = BODIES.unpacked
        return (unpacked(found.get(key)) for key in keys)

    def read_many(
        self, session: Session, wanted: Sequence[int] | Sequence[Key]
    ) -> list[Stored]:
        """Read the newest versions of some resources, in the order of the asking.

        :param wanted: pids, or types with ids; one that is not there is left out.
        """
        if not wanted:
            return []
        if isinstance(wanted[0], int):
            pids = cast(Sequence[int], wanted)
            by_pid = {one.pid: one for one in self._heads_of_pids(session, pids)}
            return [by_pid[pid] for pid in pids if pid in by_pid]
        keys = cast(Sequence[Key], wanted)
        by_key = {(one.type, one.id): one for one in self._heads_of_keys(session, keys)}
        return [by_key[key] for key in keys if key in by_key]

    def read_each(self, keys: Iterable[Key]) -> dict[Key, Stored]:
        """Read the newest versions of some resources at once, in no transaction.

        Those that are deleted are told as such; those that are not there are left out.
        """
        found = self._heads_of_keys(self.database, list(dict.fromkeys(keys)))
        return {(one.type, one.id): one for one in found}

    def history(
        self,
        *,
        type: str | None = None,
        id: str | None = None,
        since: int | None = None,
        at: tuple[int, int] | None = None,
        before: tuple[int, int, int] | None = None,
        count: int = 20,
    ) -> list[Stored]:
        """Read versions, newest first: of one resource, of a type, or of all.

        :param since: only what was made at this moment or later, in milliseconds.
        :param at: only what was the newest at some time between these two moments.
        :param before: ``updated``, ``pid`` and ``version`` of the last one that was
            read, to go on behind it.
        """
        sql, params = history_sql(type, id, since, at, before, count)
        return [stored(row) for row in self.database.rows(sql, params)]

    def count_history(
        self,
        *,
        type: str | None = None,
        id: str | None = None,
        since: int | None = None,
        at: tuple[int, int] | None = None,
    ) -> int:
        """Count the versions that :meth:`history` would read, were there no end of it."""
        sql, params = history_sql(type, id, since, at, None, _ALL)
        return int(self.database.rows(f"SELECT COUNT(*) FROM ({sql}) c", params)[0][0])

    def lock(self, session: Session, keys: Iterable[Key]) -> dict[Key, Stored]:
        """Let nobody else change some resources until the transaction ends.

        Tells their newest versions, of deleted ones too; a resource that has never
        been there is left out, and cannot be locked.
        """
        # In one order, so that nobody waits in a ring. On PostgreSQL a row that was
        # waited for is given as the other transaction has left it; SQLite's one writer
        # holds everything.
        locking = "" if session.dialect == "sqlite" else _LOCKING
        found = self._heads_of_keys(session, sorted(set(keys)), locking)
        return {(one.type, one.id): one for one in found}

    def keep(self, session: Session, keys: Iterable[Key]) -> dict[Key, int]:
        """Let nobody change some resources until the transaction ends, but many keep them.

        Tells the numbers of their newest versions; one that is deleted, or has never been
        there, is left out.
        """
        sharing = "" if session.dialect == "sqlite" else _SHARING
        return {
            (type, id): version
            for part in parts(sorted(set(keys)))
            for type, id, version in session.rows(
                heads_of(part, _VERSION) + sharing, flat(part)
            )
            if version
        }

    def put(self, session: Session, versions: Sequence[NewVersion]) -> list[Stored]:
        """Store versions of different resources, with all that belongs to them.

        Who gives the next version of a resource has locked it. When two do so at the
        same time, one of them is refused by the database and runs again.
        """
        fresh = [one for one in versions if not one.pid]
        given = iter(self._pids.take(session, len(fresh)) if fresh else ())
        pids = [one.pid or next(given) for one in versions]
        self._put_heads(session, pids, versions)
        put_index(session, pids, versions, many)
        many(
            session,
            _ADD_EVENT,
            [
                (one.type, one.id, one.version, one.method, one.trace_id, one.updated)
                for one in versions
            ],
        )
        return [
            Stored(
                pid,
                one.type,
                one.id,
                one.version,
                one.updated,
                one.method,
                one.body,
                one.indexed,
            )
            for pid, one in zip(pids, versions, strict=True)
        ]

    def reindex(
        self,
        session: Session,
        pids: Sequence[int],
        index: Callable[[Stored], IndexRows],
        generation: int,
    ) -> int:
        """Bring what some resources are found by to what is taken from them now.

        Their rows are compared with those that are there, and the difference is
        written; versions and events stay as they are.

        :param pids: at most 200; those of deleted resources are passed over.
        :return: how many resources there were.
        """
        locking = "" if session.dialect == "sqlite" else _LOCKING
        heads = [
            one
            for one in self._heads_of_pids(session, pids, locking)
            if not one.deleted
        ]
        if not heads:
            return 0
        found = [one.pid for one in heads]
        before = stored_rows(session, found)
        versions = [
            NewVersion(
                one.type,
                one.id,
                one.version,
                one.updated,
                one.method,
                None,
                one.pid,
                index(one),
                before=before[one.pid],
            )
            for one in heads
        ]
        put_index(session, found, versions, many)
        marked = [one.pid for one in heads if one.indexed != generation]
        many(session, _MARK_INDEXED, [(generation, pid) for pid in marked])
        return len(found)

    def claim(self, session: Session, key: str) -> None:
        """Let one transaction at a time go on with a key; the others wait for its end.

        Nothing stays behind: the row is taken back by the transaction that makes it.
        """
        if session.dialect == "sqlite":
            return
        digest = blake2b(key.encode(), digest_size=16).hexdigest()
        session.run(_CLAIM, (digest,))
        session.run(_UNCLAIM, (digest,))

    def counts(self) -> dict[str, int]:
        """Count the resources of each type that are not deleted; reads all heads."""
        return dict(cast(Sequence[tuple[str, int]], self.database.rows(_COUNTS)))

    def count(self) -> int:
        """Count all resources that are not deleted."""
        return sum(self.counts().values())

    def _put_heads(
        self, session: Session, pids: Sequence[int], versions: Sequence[NewVersion]
    ) -> None:
        heads: list[Row] = []
        kept: list[Row] = []
        moves: list[Row] = []
        for pid, one in zip(pids, versions, strict=True):
            deleted = int(one.body is None)
            made = (one.updated, one.version, one.indexed, deleted)
            body = BODIES.packed(one.body)
            if one.pid:
                kept.append((one.version - 1, pid))
                moves.append((*made, one.method, body, pid))
            else:
                heads.append((pid, *made, one.type, one.id, one.method, body))
        many(session, _ADD_HEAD, heads)
        many(session, _KEEP_HEAD, kept)
        many(session, _MOVE_HEAD, moves)

    def _heads_of_keys(
        self, session: Session | Database, keys: Sequence[Key], locking: str = ""
    ) -> list[Stored]:
        return [
            stored(row)
            for part in parts(keys)
            for row in session.rows(heads_of(part) + locking, flat(part))
        ]

    def _heads_of_pids(
        self, session: Session, pids: Sequence[int], locking: str = ""
    ) -> list[Stored]:
        return [
            stored(row)
            for part in parts(pids)
            for row in session.rows(_HEADS + among_pids(part) + locking, part)
        ]
