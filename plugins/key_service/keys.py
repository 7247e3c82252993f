"""The keys: made, given for a secret, listed, removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fyr.core import to_millis
from fyr.plugins.key_service.attempts import CODES, Attempt, forgive, take

if TYPE_CHECKING:
    from fyr.core import Application, Principal, Session
    from fyr.plugins.key_service.secrets import Secrets
    from fyr.plugins.key_service.settings import KeyServiceSettings

_DAY = 86_400_000
_COLUMNS = "id, issuer, owner, client, device, secret, long_secret, key, created, used"
_ADD = f"INSERT INTO key_service_key ({_COLUMNS}) VALUES ({', '.join('?' * 10)})"
_GET = f"SELECT {_COLUMNS} FROM key_service_key WHERE id = ?"
_OWNER = """
    INSERT INTO key_service_owner (issuer, owner, last) VALUES (?, ?, ?)
    ON CONFLICT (issuer, owner) DO UPDATE SET last = excluded.last
"""
_COUNT = "SELECT COUNT(*) FROM key_service_key WHERE issuer = ? AND owner = ?"
_USED = "UPDATE key_service_key SET used = ? WHERE id = ? AND used < ?"
_REHASH = "UPDATE key_service_key SET {} = ? WHERE id = ? AND {} = ?"
_DEVICES = """
    SELECT k.id, k.client, k.device, k.created, k.used,
           COALESCE(a.attempts - a.good, 0)
    FROM key_service_key k LEFT JOIN key_service_attempt a ON a.id = k.id
    WHERE k.issuer = ? AND k.owner = ? ORDER BY k.created, k.id
"""
_OWN = "SELECT 1 FROM key_service_key WHERE id = ? AND issuer = ? AND owner = ?"
_DELETE = "DELETE FROM key_service_key WHERE id = ?"
_OLD = """
    SELECT id FROM key_service_key WHERE created < ?
    UNION SELECT id FROM key_service_key WHERE used < ? LIMIT ?
"""
_DELETE_IF_OLD = (
    "DELETE FROM key_service_key WHERE id = ? AND (created < ? OR used < ?)"
)
_NO_KEY = "NOT EXISTS (SELECT 1 FROM key_service_key k WHERE k.id = a.id)"
_UNKNOWN = f"SELECT COUNT(*) FROM key_service_attempt a WHERE {_NO_KEY}"
_FORGET = f"""
    DELETE FROM key_service_attempt WHERE id IN (
        SELECT a.id FROM key_service_attempt a WHERE {_NO_KEY} ORDER BY a.last LIMIT ?)
"""
_FORGET_OLD = f"""
    DELETE FROM key_service_attempt WHERE id IN (
        SELECT a.id FROM key_service_attempt a WHERE {_NO_KEY} AND a.last < ?)
"""
_ADDRESSES = "DELETE FROM key_service_address WHERE minute < ?"
_OWNERS = """
    DELETE FROM key_service_owner WHERE last < ? AND NOT EXISTS (
        SELECT 1 FROM key_service_key k WHERE k.issuer = key_service_owner.issuer
        AND k.owner = key_service_owner.owner)
"""
#: Keys that are removed in one transaction.
_STEP = 200

OK, INVALID, LOCKED, EXPIRED = "OK", "INVALID_SECRET", "LOCKED", "EXPIRED"
#: Answer to who deletes what is not there, or not theirs.
UNKNOWN = "UNKNOWN_KEY"


@dataclass(frozen=True, slots=True)
class Made:
    """A new key and its secret of many letters, told this once."""

    id: str
    key: str
    long_secret: str


@dataclass(frozen=True, slots=True)
class Device:
    """A key as its owner sees it; times in milliseconds since 1970, UTC."""

    id: str
    client: str
    device: str
    created: int
    used: int
    locked: bool


@dataclass(frozen=True, slots=True)
class _Key:
    id: str
    issuer: str
    owner: str
    client: str
    device: str
    secret: str
    long_secret: str
    key: str
    created: int
    used: int


#: Told of what was done, in its transaction, with the status that it would have as a
#: request of its own.
Notice = Callable[["Session", int], None]


class Keys:
    """The keys of a deployment."""

    def __init__(
        self, application: Application, secrets: Secrets, settings: KeyServiceSettings
    ) -> None:
        """Take where they are kept, and what hashes and seals."""
        self._database = application.database
        self._clock = application.clock
        self._secrets = secrets
        self._settings = settings

    def create(
        self,
        principal: Principal,
        client: str,
        device: str,
        secret: str,
        notice: Callable[[Session, str], None],
    ) -> Made:
        """Make a key for who is logged in.

        :param notice: told of the key's id, in the transaction.
        :raises fyr.core.Refused: they have too many.
        """
        owner = (principal.issuer, principal.user_id)
        self._require_room(self._database.rows(_COUNT, owner))
        key_id, long_secret = str(uuid4()), token_urlsafe(32)
        with self._secrets.turn():
            kept = (
                self._secrets.hashed(secret, f"{key_id} secret"),
                self._secrets.hashed(long_secret, f"{key_id} long_secret"),
            )
        key, sealed = self._secrets.new_key(key_id)
        now = self._now()

        def work(session: Session) -> None:
            session.run(_OWNER, (*owner, now))
            self._require_room(session.rows(_COUNT, owner))
            session.run(_ADD, (key_id, *owner, client, device, *kept, sealed, now, now))
            notice(session, key_id)

        self._database.write(work)
        return Made(key_id, key, long_secret)

    def get(
        self, key_id: str, field: str, secret: str, remote: str, notice: Notice
    ) -> tuple[str, str]:
        """Give a key for a secret: the answer's status, and the key if that is OK.

        The same is done whether there is a key or not.

        :param field: ``secret`` or ``long_secret``.
        :raises fyr.core.TooManyRequests: too many attempts in a minute.
        """
        with self._secrets.turn():
            now = self._now()

            def begin(session: Session) -> tuple[Attempt, _Key | None]:
                attempt = take(session, self._settings, key_id, remote, now)
                if attempt.locked:
                    # Of these there are as many as somebody likes: no row, no time.
                    return attempt, None
                rows = session.rows(_GET, (key_id,))
                return attempt, _Key(*rows[0]) if rows else None

            attempt, found = self._database.write(begin)
            about = f"{key_id} {field}"
            kept = getattr(found, field) if found else None
            right = not attempt.locked and self._secrets.holds(kept, secret, about)
            again = None
            if right and kept and self._secrets.is_dated(kept, about):
                again = self._secrets.hashed(secret, about)
        status = self._status(attempt, found if right else None, now)

        def end(session: Session) -> None:
            if right:
                forgive(session, attempt)
            if status == OK:
                session.run(_USED, (now, key_id, now))
            if again is not None:
                session.run(_REHASH.format(field, field), (again, key_id, kept))
            notice(session, 200 if status == OK else 403)

        self._database.write(end)
        if status != OK or found is None:
            return status, ""
        return status, self._secrets.key(found.key, key_id)

    def devices(self, principal: Principal) -> list[Device]:
        """List the keys of somebody, the oldest first."""
        rows = self._database.rows(_DEVICES, (principal.issuer, principal.user_id))
        most = self._settings.max_attempts
        return [
            Device(key_id, client, device, created, used, wrong >= most)
            for key_id, client, device, created, used, wrong in rows
        ]

    def delete(self, principal: Principal, key_id: str, notice: Notice) -> str:
        """Remove a key of somebody's own; tell the answer's status.

        The attempts at it stay, so that nobody sees by them that it is gone.
        """
        owner = (principal.issuer, principal.user_id)

        def work(session: Session) -> str:
            there = bool(session.rows(_OWN, (key_id, *owner)))
            if there:
                session.run(_DELETE, (key_id,))
            notice(session, 200 if there else 404)
            return OK if there else UNKNOWN

        return self._database.write(work)

    def count(self) -> int:
        """Tell how many keys there are."""
        rows = self._database.rows("SELECT COUNT(*) FROM key_service_key")
        return int(rows[0][0])

    def clean_up(self, progress: Callable[[float], None]) -> dict[str, int]:
        """Remove what is too old; tell how many keys and attempts went."""
        now = self._now()
        keys = 0
        while ids := self._old(now):
            keys += self._remove(ids, now)
            progress(0.5)
        attempts = self._forget(now)
        self._database.write(lambda session: session.run(_OWNERS, (now - _DAY,)))
        progress(1.0)
        return {"keys": keys, "attempts": attempts}

    def _old(self, now: int) -> list[str]:
        rows = self._database.rows(_OLD, (*self._limits(now), _STEP))
        return [row[0] for row in rows]

    def _remove(self, ids: Sequence[str], now: int) -> int:
        rows = [(one, *self._limits(now)) for one in ids]
        self._database.write(lambda session: session.run_many(_DELETE_IF_OLD, rows))
        return len(ids)

    def _forget(self, now: int) -> int:
        """Forget attempts at what is no key: after the age of keys, or when too many."""
        before = now - int(self._settings.max_age_days * _DAY)

        def work(session: Session) -> int:
            first = session.rows(_UNKNOWN)[0][0]
            session.run(_FORGET_OLD, (before,))
            many = session.rows(_UNKNOWN)[0][0] - self._settings.max_unknown
            session.run(_FORGET, (max(many, 0),))
            session.run(_ADDRESSES, (now // 60_000,))
            return int(first - session.rows(_UNKNOWN)[0][0])

        return self._database.write(work)

    def _status(self, attempt: Attempt, opened: _Key | None, now: int) -> str:
        if attempt.locked:
            return LOCKED
        if opened is None:
            return INVALID
        created, used = self._limits(now)
        return EXPIRED if opened.created < created or opened.used < used else OK

    def _limits(self, now: int) -> tuple[int, int]:
        """Tell before when keys were made, or used last, that are too old."""
        settings = self._settings
        oldest = now - int(settings.max_age_days * _DAY)
        return oldest, now - int(settings.idle_days * _DAY)

    def _require_room(self, rows: Sequence[Any]) -> None:
        if rows[0][0] >= self._settings.max_devices:
            raise CODES["KEY_SERVICE_TOO_MANY_DEVICES"].error(rows[0][0])

    def _now(self) -> int:
        return to_millis(self._clock())
