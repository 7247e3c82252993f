"""The table of subscriptions: rows put, counted, noted as sent, and forgotten."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fyr.core import Session, Unavailable
from fyr.core.store.port import Database
from fyr.plugins.subscriptions.rows import (
    DELETED,
    Event,
    Found,
    Owner,
    Row,
    principal_json,
    principal_of,
)

if TYPE_CHECKING:
    from fyr.core.sealing import Sealer


_PUT_OWNER = """
    INSERT INTO subscription_owner (id, version, principal, service, base_url, headers)
    VALUES (?, ?, ?, ?, ?, ?)
"""
_OWNER = """
    SELECT principal, service, base_url, headers FROM subscription_owner
    WHERE id = ? AND version <= ? ORDER BY version DESC LIMIT 1
"""
_FORGET_OWNERS = """
    DELETE FROM subscription_owner WHERE id = ? AND version <
        (SELECT MAX(version) FROM subscription_owner WHERE id = ? AND version <= ?)
"""
_COUNT = """
    SELECT COUNT(*) FROM subscription_owner o
    WHERE o.principal = ? AND o.id <> ? AND NOT EXISTS
        (SELECT 1 FROM subscription_owner n WHERE n.id = o.id AND n.version > o.version)
    AND NOT EXISTS
        (SELECT 1 FROM subscription s WHERE s.id = o.id AND s.status = 'off')
"""
#: Stands before headers that are sealed.
_SEALED = "sealed:"
#: More than there are.
_NEWEST = 2**62
_COLUMNS = "id, version, status, body, since, events, sent, last_sent, failures, error"
_PUT = """
    INSERT INTO subscription (id, version, status, body, since, events, sent, last_sent,
                              failures, error)
    VALUES (?, ?, ?, ?, ?, 0, 0, ?, 0, '')
    ON CONFLICT (id) DO UPDATE SET version = excluded.version,
        status = excluded.status, body = excluded.body, since = excluded.since
    WHERE subscription.version < excluded.version
"""
_EDITIONS = "SELECT number FROM subscription_edition ORDER BY id"
_NEW_MEANING = "UPDATE subscription_edition SET number = number + 1 WHERE id = 2"
_NEXT_EDITION = "UPDATE subscription_edition SET number = number + 1 WHERE id = 1"
_LOCK = "UPDATE subscription SET events = events WHERE id = ?"
_EVENTS = "SELECT events, since FROM subscription WHERE id = ?"
_OLDEST = """
    SELECT number, position FROM subscription_event
    WHERE subscription = ? ORDER BY number LIMIT 1
"""
_THERE = """
    SELECT position FROM subscription_event
    WHERE subscription = ? AND position >= ? AND position <= ?
"""
_ADD_EVENT = """
    INSERT INTO subscription_event
        (subscription, number, position, type, id, version, method, at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_COUNTED = "UPDATE subscription SET events = ? WHERE id = ?"
_SENT = """
    UPDATE subscription SET sent = CASE WHEN sent < ? THEN ? ELSE sent END,
        last_sent = ?, failures = 0, error = '' WHERE id = ?
"""
_FAILED = "UPDATE subscription SET failures = ?, error = ? WHERE id = ?"
_WAITS = "UPDATE subscription SET error = ? WHERE id = ? AND failures = 0"
_EVENT_COLUMNS = "number, position, type, id, version, method, at"


class Table:
    """The rows, in the database that all processes share."""

    def __init__(self, database: Database, sealer: Sealer | None = None) -> None:
        """Take the database, whose schema is up to date.

        :param sealer: what seals the values of headers; without one they are kept as
            they are.
        """
        self.database = database
        self._sealer = sealer

    def put_owner(self, session: Session, id: str, version: int, owner: Owner) -> None:
        """Note who has written a version, in the transaction that writes it."""
        told = (principal_json(owner.principal), owner.service, owner.base_url)
        session.run(_PUT_OWNER, (id, version, *told, self._sealed(id, owner.headers)))

    def owner(
        self, id: str, version: int = _NEWEST, session: Session | None = None
    ) -> Owner | None:
        """Tell who wrote a subscription, as of a version.

        What is sent belongs to the endpoint of that version: headers of one that came
        after it are another's, perhaps.
        """
        rows = (session or self.database).rows(_OWNER, (id, version))
        if not rows:
            return None
        principal, service, base_url, headers = rows[0]
        return Owner(
            principal_of(principal), service, base_url, self._opened(id, headers)
        )

    def _sealed(self, id: str, headers: Sequence[tuple[str, str]]) -> str:
        plain = json.dumps(headers)
        if self._sealer is None or not headers:
            return plain
        sealed = self._sealer.seal(plain.encode(), f"Subscription/{id}")
        return _SEALED + b64encode(sealed).decode()

    def _opened(self, id: str, text: str) -> tuple[tuple[str, str], ...]:
        if text.startswith(_SEALED):
            if self._sealer is None:
                raise Unavailable("headers are sealed, and there is no master key")
            sealed = b64decode(text.removeprefix(_SEALED))
            text = self._sealer.open(sealed, f"Subscription/{id}").decode()
        return tuple((name, value) for name, value in json.loads(text))

    def count(self, session: Session, owner: Owner, but: str) -> int:
        """Tell how many others a principal has that are not off."""
        key = principal_json(owner.principal)
        return int(session.rows(_COUNT, (key, but))[0][0])

    def put(self, session: Session, row: Row) -> None:
        """Note a newer version of a subscription; an older one changes nothing."""
        told = (row.id, row.version, row.status, row.body, row.since, row.last_sent)
        session.run(_PUT, told)
        session.run(_NEXT_EDITION)

    def mean_anew(self) -> None:
        """Have every process understand all criteria anew."""
        self.database.write(lambda session: session.run(_NEW_MEANING))

    def editions(self) -> tuple[int, int]:
        """Tell two numbers: others when subscriptions are, or what they mean."""
        subscriptions, meaning = self.database.rows(_EDITIONS)
        return int(subscriptions[0]), int(meaning[0])

    def rows(self, *statuses: str) -> list[Row]:
        """Read all in some states."""
        marks = ", ".join("?" * len(statuses))
        sql = f"SELECT {_COLUMNS} FROM subscription WHERE status IN ({marks})"
        return [Row(*row) for row in self.database.rows(sql, statuses)]

    def counts(self) -> dict[str, int]:
        """Tell how many are in each state; those that were deleted are in none."""
        sql = (
            "SELECT status, COUNT(*) FROM subscription WHERE body <> ? GROUP BY status"
        )
        rows = self.database.rows(sql, (DELETED,))
        return {status: count for status, count in rows}

    def row(self, id: str, session: Session | None = None) -> Row | None:
        """Read one."""
        sql = f"SELECT {_COLUMNS} FROM subscription WHERE id = ?"
        rows = (session or self.database).rows(sql, (id,))
        return Row(*rows[0]) if rows else None

    def add(self, session: Session, id: str, found: Sequence[Found]) -> list[int]:
        """Give changes the next numbers of a subscription; tell those that are new.

        A change that has a number keeps it, and is not told: it came before, as did one
        of before the oldest that is kept, or of before the subscription was active.
        """
        session.run(_LOCK, (id,))
        counted = session.rows(_EVENTS, (id,))
        if not counted:
            return []
        ends = (found[0].position, found[-1].position)
        there = {row[0] for row in session.rows(_THERE, (id, *ends))}
        last, begins = int(counted[0][0]), int(counted[0][1])
        for number, position in session.rows(_OLDEST, (id,)):
            if number > 1:
                begins = max(begins, position)
        new = [
            one for one in found if one.position > begins and one.position not in there
        ]
        numbers = list(range(last + 1, last + len(new) + 1))
        rows = [
            (
                id,
                number,
                one.position,
                one.type,
                one.id,
                one.version,
                one.method,
                one.at,
            )
            for number, one in zip(numbers, new, strict=True)
        ]
        session.run_many(_ADD_EVENT, rows)
        session.run(_COUNTED, (last + len(new), id))
        return numbers

    def events(self, id: str, first: int, last: int, count: int) -> list[Event]:
        """Read events by their numbers, both ends included, oldest first."""
        sql = (
            f"SELECT {_EVENT_COLUMNS} FROM subscription_event WHERE subscription = ?"
            " AND number >= ? AND number <= ? ORDER BY number LIMIT ?"
        )
        rows = self.database.rows(sql, (id, first, last, count))
        return [Event(*row) for row in rows]

    def oldest(self, id: str) -> int:
        """Tell the number of the oldest event that is kept; 0: none is."""
        sql = "SELECT MIN(number) FROM subscription_event WHERE subscription = ?"
        return int(self.database.rows(sql, (id,))[0][0] or 0)

    def note_sent(self, session: Session, id: str, number: int, now: int) -> None:
        """Note that something was taken, up to the event of a number."""
        session.run(_SENT, (number, number, now, id))

    def note_failed(self, session: Session, id: str, failures: int, why: str) -> None:
        """Note how often in a row something was not taken."""
        session.run(_FAILED, (failures, why, id))

    def note_waits(self, session: Session, id: str, why: str) -> None:
        """Note why something was not taken that is no failure; those stay as they are."""
        session.run(_WAITS, (why, id))

    def put_token(
        self, session: Session, hash: str, ids: Sequence[str], expires: int
    ) -> None:
        """Keep a token by its hash."""
        sql = (
            "INSERT INTO subscription_token (hash, subscriptions, expires)"
            " VALUES (?, ?, ?)"
        )
        session.run(sql, (hash, json.dumps(list(ids)), expires))

    def token(self, hash: str, now: int) -> list[str]:
        """Tell what a token is for; nothing once its time is over."""
        sql = "SELECT subscriptions FROM subscription_token WHERE hash = ? AND expires > ?"
        rows = self.database.rows(sql, (hash, now))
        return [str(one) for one in json.loads(rows[0][0])] if rows else []

    def forget_before(
        self, session: Session, id: str, version: int, *, events: bool
    ) -> None:
        """Forget who wrote versions before the one that counts now, and their events.

        :param events: whether these go too; their numbers are not given again.
        """
        session.run(_FORGET_OWNERS, (id, id, version))
        if events:
            session.run("DELETE FROM subscription_event WHERE subscription = ?", (id,))

    def trim(self, session: Session, before: int, now: int) -> None:
        """Forget events of before a moment, and tokens whose time is over."""
        # The last one stays, so that it is known up to where all was told.
        session.run(
            "DELETE FROM subscription_event WHERE at < ? AND number <"
            " (SELECT s.events FROM subscription s"
            " WHERE s.id = subscription_event.subscription)",
            (before,),
        )
        session.run("DELETE FROM subscription_token WHERE expires <= ?", (now,))

    def remove(self, session: Session, id: str, version: int) -> None:
        """Forget a subscription that a version deletes; its numbers are not given again.

        It may have been written anew by now.
        """
        session.run("DELETE FROM subscription_event WHERE subscription = ?", (id,))
        session.run(
            "DELETE FROM subscription_owner WHERE id = ? AND version <= ?",
            (id, version),
        )
        session.run(_NEXT_EDITION)
