"""Values in their areas: rows, and blobs for those of many bytes.

A write takes the row of its area first, and so the writes in an area come one after the
other: versions are never used twice there, and no area gets more values than it may have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fyr.core import Unavailable, to_millis
from fyr.plugins.key_value_store.names import CODES, Area

if TYPE_CHECKING:
    from fyr.core import Application, Session
    from fyr.plugins.key_value_store.settings import KeyValueStoreSettings

_COLUMNS = (
    "id, realm, application, owner, key, media_type, version, size, updated, blob"
)
_OF = "realm = ? AND application = ? AND owner = ?"
_GET = f"SELECT {_COLUMNS}, content FROM key_value_store_value WHERE {_OF} AND key = ?"
_BY_ID = f"""
    SELECT {_COLUMNS}, content FROM key_value_store_value WHERE id = ? AND realm = ?
"""
_LIST = f"""
    SELECT {_COLUMNS}, NULL FROM key_value_store_value
    WHERE {_OF} AND key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ? OFFSET ?
"""
#: Beyond all characters that a key can have.
_END = "\x7f"
_AREA = f"SELECT 1 FROM key_value_store_area WHERE {_OF}"
_ADD_AREA = """
    INSERT INTO key_value_store_area
        (realm, application, owner, version, entries, created)
    VALUES (?, ?, ?, 0, 0, ?) ON CONFLICT (realm, application, owner) DO NOTHING
"""
_NEXT = f"""
    UPDATE key_value_store_area SET version = version + 1
    WHERE {_OF} RETURNING version, entries
"""
_COUNT = f"UPDATE key_value_store_area SET entries = entries + ? WHERE {_OF}"
_ADD = """
    INSERT INTO key_value_store_value
        (realm, application, owner, key, media_type, version, size, content, blob,
         updated)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
_REPLACE = """
    UPDATE key_value_store_value
    SET media_type = ?, version = ?, size = ?, content = ?, blob = ?, updated = ?
    WHERE id = ?
"""
_DELETE = "DELETE FROM key_value_store_value WHERE id = ?"
_COUNTS = """
    SELECT CASE WHEN owner = '' THEN 'client' ELSE 'user' END, COUNT(*), SUM(entries)
    FROM key_value_store_area GROUP BY 1
"""
#: How often a value is read again that was replaced while it was read.
_AGAIN = 5


@dataclass(frozen=True, slots=True)
class Value:
    """One value; times in milliseconds since 1970, UTC."""

    #: of all values of the deployment, and never given again
    id: int
    area: Area
    key: str
    media_type: str
    #: larger with each write in the area
    version: int
    size: int
    updated: int
    blob: str
    #: ``None`` when the bytes are in the blob, or were not asked for
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What a write depends on; versions as ETags name them, ``*`` for any."""

    if_match: Sequence[str] | None = None
    if_none_match: Sequence[str] | None = None
    #: whether a value that is there must be named
    careful: bool = True

    def check(self, old: Value | None) -> None:
        """Let a write pass.

        :raises fyr.core.FyrError: 412, 428 or 409: it may not be made.
        """
        if self.if_match is not None:
            if old is None:
                raise CODES["KEY_VALUE_STORE_NO_VERSION"].error()
            if not {"*", str(old.version)} & set(self.if_match):
                raise CODES["KEY_VALUE_STORE_VERSION_CONFLICT"].error(old.version)
        if old is None:
            return
        if not self.careful:
            raise CODES["KEY_VALUE_STORE_KEY_EXISTS"].error()
        if {"*", str(old.version)} & set(self.if_none_match or ()):
            raise CODES["KEY_VALUE_STORE_VERSION_CONFLICT"].error(old.version)
        if self.if_match is None:
            raise CODES["KEY_VALUE_STORE_IF_MATCH_NEEDED"].error()


class Values:
    """The values of a deployment."""

    def __init__(
        self, application: Application, settings: KeyValueStoreSettings
    ) -> None:
        """Take where they are kept."""
        self._clock = application.clock
        self._database = application.database
        self._blobs = application.blobs
        self._settings = settings

    def make_area(self, area: Area) -> bool:
        """Make the area of a client; tell whether it was not there."""

        def work(session: Session) -> bool:
            there = bool(session.rows(_AREA, _place(area)))
            session.run(_ADD_AREA, (*_place(area), self._now()))
            return not there

        return self._database.write(work)

    def require_area(self, area: Area) -> None:
        """Let pass whose client has an area.

        :raises fyr.core.NotFound: it has none.
        """
        place = (area.realm, area.application, "")
        if not self._database.rows(_AREA, place):
            raise CODES["KEY_VALUE_STORE_AREA_NOT_FOUND"].error()

    def listed(
        self, area: Area, prefix: str, after: str, offset: int, limit: int
    ) -> list[Value]:
        """List values in the order of their keys, without their bytes.

        :param after: only keys behind this one.
        """
        where = (*_place(area), after, prefix, prefix + _END)
        rows = self._database.rows(_LIST, (*where, limit, offset))
        return [_value(row) for row in rows]

    def get(self, area: Area, key: str) -> Value:
        """Give a value with its bytes.

        :raises fyr.core.NotFound: there is none.
        """
        for _ in range(_AGAIN):
            rows = self._database.rows(_GET, (*_place(area), key))
            if not rows:
                raise CODES["KEY_VALUE_STORE_VALUE_NOT_FOUND"].error()
            if (whole := self._whole(_value(rows[0]))) is not None:
                return whole
        raise Unavailable("the value changes too quickly: ask again")

    def by_id(self, realm: str, value_id: int) -> Value | None:
        """Give a value, without the bytes of a blob; ``None``: there is none."""
        rows = self._database.rows(_BY_ID, (value_id, realm))
        return _value(rows[0]) if rows else None

    def put(
        self, area: Area, key: str, media_type: str, content: bytes, terms: Terms
    ) -> tuple[Value, bool]:
        """Keep a value; tell whether the key had none.

        :raises fyr.core.FyrError: the terms do not hold, or the area is full.
        """
        blob = self._blob(content, media_type)
        kept = None if blob else content

        def work(session: Session) -> tuple[Value, bool]:
            version, entries = self._taken(session, area)
            old = _found(session, area, key)
            terms.check(old)
            now = self._now()
            given = (media_type, version, len(content), kept, blob)
            if old is None:
                self._require_room(area, entries)
                session.run(_COUNT, (1, *_place(area)))
                rows = session.rows(_ADD, (*_place(area), key, *given, now))
                number = rows[0][0]
            else:
                number, now = old.id, max(now, old.updated)
                session.run(_REPLACE, (*given, now, number))
                self._release(session, old)
            if blob:
                self._blobs.refer(session, blob, f"key_value_store/{number}")
            new = Value(
                number, area, key, media_type, version, len(content), now, blob, kept
            )
            return new, old is None

        return self._database.write(work)

    def delete(self, area: Area, key: str, terms: Terms) -> None:
        """Remove a value; its version is not given to the next one.

        :raises fyr.core.FyrError: there is none, or the terms do not hold.
        """

        def work(session: Session) -> None:
            self._taken(session, area)
            old = _found(session, area, key)
            if old is None:
                raise CODES["KEY_VALUE_STORE_VALUE_NOT_FOUND"].error()
            terms.check(old)
            session.run(_DELETE, (old.id,))
            session.run(_COUNT, (-1, *_place(area)))
            self._release(session, old)

        self._database.write(work)

    def counts(self) -> list[tuple[str, int, int]]:
        """Tell how many areas and values there are, of ``client`` and of ``user``."""
        rows = self._database.rows(_COUNTS)
        return [(whose, areas, int(values)) for whose, areas, values in rows]

    def _blob(self, content: bytes, media_type: str) -> str:
        """Put many bytes where blobs are; they go again unless they are referred to."""
        if len(content) <= self._settings.inline_bytes:
            return ""
        return self._blobs.put([content], content_type=media_type).id

    def _whole(self, value: Value) -> Value | None:
        """Give a value with its bytes; ``None`` when they have just been replaced."""
        if not value.blob:
            return value
        blob = self._blobs.find(value.blob)
        if blob is None:
            return None
        content = b"".join(self._blobs.read(blob))
        own = (value.id, value.area, value.key, value.media_type, value.version)
        return Value(*own, value.size, value.updated, value.blob, content)

    def _taken(self, session: Session, area: Area) -> tuple[int, int]:
        """Take an area for this transaction: its next version, its number of values."""
        if area.owner:
            if not session.rows(_AREA, (area.realm, area.application, "")):
                raise CODES["KEY_VALUE_STORE_AREA_NOT_FOUND"].error()
            session.run(_ADD_AREA, (*_place(area), self._now()))
        rows = session.rows(_NEXT, _place(area))
        if not rows:
            raise CODES["KEY_VALUE_STORE_AREA_NOT_FOUND"].error()
        return rows[0][0], rows[0][1]

    def _require_room(self, area: Area, entries: int) -> None:
        settings = self._settings
        most = settings.max_user_values if area.owner else settings.max_client_values
        if entries >= most:
            raise CODES["KEY_VALUE_STORE_TOO_MANY_VALUES"].error(most)

    def _release(self, session: Session, value: Value) -> None:
        if value.blob:
            self._blobs.release(session, value.blob)

    def _now(self) -> int:
        return to_millis(self._clock())


def _place(area: Area) -> tuple[str, str, str]:
    return (area.realm, area.application, area.owner)


def _found(session: Session, area: Area, key: str) -> Value | None:
    rows = session.rows(_GET, (*_place(area), key))
    return _value(rows[0]) if rows else None


def _value(row: Sequence[Any]) -> Value:
    number, realm, application, owner, key, media_type, version, size = row[:8]
    updated, blob, content = row[8:]
    area = Area(realm, application, owner)
    kept = None if content is None else bytes(content)
    return Value(number, area, key, media_type, version, size, updated, blob, kept)
