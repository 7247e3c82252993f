"""Blobs with their rows: what they are, whose, for what, and when they may go.

A blob is ``pending`` when its bytes are on their way; ``kept`` by the transaction that
refers to it; ``released`` by the one that no longer does; ``deleting`` while its bytes
are removed. Rows may share bytes that are the same, of unsealed blobs only. The order,
and why no write loses its blob to a sweep: ``docs/decisions/blobs.md``.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

from fyr.core.blobs.hashing import Hashing
from fyr.core.blobs.port import BlobStore, Chunks, nothing
from fyr.core.blobs.sealing import content_key, place, seal, unseal
from fyr.core.clock import Clock, to_millis
from fyr.core.errors import Conflict, Unavailable
from fyr.core.store.port import Database, Row, Session

if TYPE_CHECKING:
    from fyr.config.blobs import BlobSettings
    from fyr.core.blobs.keys import OwnerKeys
    from fyr.core.blobs.spool import Spool
    from fyr.core.store.resources import ResourceStore

_COLUMNS = "id, key, size, sha256, content_type, owner, sealed, state, subject, created"
_ADD = f"""
    INSERT INTO blob ({_COLUMNS}, due) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', '', ?, ?)
"""
_GOING = "SELECT 1 FROM blob WHERE key = ? AND state = 'deleting'"
_FIND = f"SELECT {_COLUMNS} FROM blob WHERE id = ? AND state IN ('pending', 'kept')"
_REFER = """
    UPDATE blob SET state = 'kept', subject = ?, due = NULL
    WHERE id = ? AND state = 'pending'
"""
_RELEASE = """
    UPDATE blob SET state = 'released', due = ? WHERE id = ? AND state = 'kept'
"""


@dataclass(frozen=True, slots=True)
class Blob:
    """What is known of one blob; ``size`` and ``sha256`` are those of its content."""

    id: str
    #: what its bytes are kept under
    key: str
    size: int
    sha256: str
    content_type: str
    #: whose key it is sealed with, if it is
    owner: str
    sealed: bool
    #: ``pending`` or ``kept``
    state: str
    #: what refers to it, such as ``Binary/123``
    subject: str
    #: milliseconds since 1970, UTC
    created: int


class Blobs:
    """The blobs of a deployment; safe to share between threads."""

    def __init__(
        self,
        *,
        database: Database,
        resources: ResourceStore,
        store: BlobStore,
        spool: Spool,
        keys: OwnerKeys,
        settings: BlobSettings,
        clock: Clock,
    ) -> None:
        """Take where bytes and rows are kept, and what seals them."""
        self.database = database
        self.resources = resources
        self.store = store
        self.spool = spool
        self.keys = keys
        self.settings = settings
        self.clock = clock
        self._grace = int(settings.grace_seconds * 1000)

    def put(
        self,
        chunks: Iterable[bytes],
        *,
        content_type: str,
        owner: str = "",
        plain: bool = False,
        database: Database | None = None,
    ) -> Blob:
        """Keep a stream; it goes again unless a transaction refers to it in time.

        Sealed when there is a master key, unless ``plain``.

        :param owner: whose key seals it; empty for the deployment's own.
        :param database: that of a transaction which this is part of.
        :raises Unavailable: the store cannot be reached, or is just removing the same
            bytes; nothing is left of it.
        """
        blob_id = uuid4().hex
        sealed = self.keys.there and not plain
        content: _Counted | None = None
        stream = chunks
        if sealed:
            key = self.keys.of(owner, database)
            content = _Counted(chunks)
            stream = seal(content_key(key, blob_id), content)
        with self.spool.gather(stream) as spooled:
            blob = Blob(
                blob_id,
                spooled.key,
                content.size if content else spooled.size,
                content.sha256 if content else spooled.sha256,
                content_type,
                owner,
                sealed,
                "pending",
                "",
                self._now(),
            )
            # The row comes first: a sweep that finds bytes without one may take them.
            (database or self.database).write(lambda session: self._add(session, blob))
            self.store.keep(spooled)
        return blob

    def refer(self, session: Session, blob_id: str, subject: str) -> None:
        """Keep a blob for as long as this transaction's commit holds.

        :param subject: what refers to it; the same may do so again, nobody else.
        :raises Conflict: it has been swept, or belongs to something else.
        """
        session.run(_REFER, (subject, blob_id))
        rows = session.rows(_FIND, (blob_id,))
        if not rows or rows[0][7:9] != ("kept", subject):
            raise Conflict("the content is no longer there: send it again")

    def release(self, session: Session, blob_id: str) -> None:
        """Let a blob go once this transaction is committed, and readers have read."""
        session.run(_RELEASE, (self._now() + self._grace, blob_id))

    def find(self, blob_id: str, session: Session | None = None) -> Blob | None:
        """Tell about a blob, within a transaction if there is one."""
        rows = (session or self.database).rows(_FIND, (blob_id,))
        return _blob(rows[0]) if rows else None

    def read(
        self,
        blob: Blob,
        start: int = 0,
        length: int | None = None,
        *,
        database: Database | None = None,
    ) -> Chunks:
        """Read the content, or ``length`` bytes of it from ``start``.

        :param database: that of a transaction which may have stored the blob.
        :raises BlobMissing: its bytes are gone.
        :raises BlobDamaged: while it is read: they are not what was stored.
        :raises Unavailable: the store cannot be reached, now or while it is read.
        """
        if not blob.sealed:
            whole = start == 0 and (length is None or length == blob.size)
            return self.store.read(blob.key, start, None if whole else length)
        if length is None:
            length = blob.size - start
        if length <= 0 < blob.size:
            return nothing()
        key = content_key(self.keys.of(blob.owner, database), blob.id)
        # Asked for by its place, and so not hashed: its frames are checked by their seals.
        sealed = self.store.read(blob.key, *place(blob.size, start, length))
        return unseal(key, blob.size, start, length, sealed)

    def link(self, blob: Blob) -> str | None:
        """Make a URL of the store's own, where the settings allow it.

        Never of a sealed blob: the store has only what nobody can read.
        """
        seconds = self.settings.link_seconds
        if blob.sealed or not seconds:
            return None
        return self.store.link(blob.key, seconds, blob.content_type)

    def _add(self, session: Session, blob: Blob) -> None:
        self.resources.claim(session, f"blob {blob.key}")
        if session.rows(_GOING, (blob.key,)):
            raise Unavailable("the same content is just being removed: try again")
        due = blob.created + self._grace
        given = (blob.id, blob.key, blob.size, blob.sha256, blob.content_type)
        session.run(_ADD, (*given, blob.owner, int(blob.sealed), blob.created, due))

    def _now(self) -> int:
        return to_millis(self.clock())


class _Counted:
    """A stream that is hashed and measured while it passes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._digest = sha256()
        self.size = 0

    def __iter__(self) -> Generator[bytes, None, None]:
        hashing = Hashing(self._digest)
        for chunk in self._chunks:
            hashing.update(chunk)
            self.size += len(chunk)
            yield chunk
        hashing.end()

    @property
    def sha256(self) -> str:
        """Tell the hash, once all has passed."""
        return self._digest.hexdigest()


def _blob(row: Row) -> Blob:
    key, size, digest, content_type, owner = row[1:6]
    sealed, (state, subject, created) = bool(row[6]), row[7:]
    given = (row[0], key, size, digest, content_type, owner, sealed)
    return Blob(*given, state, subject, created)
