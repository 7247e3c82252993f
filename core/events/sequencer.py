"""The sequencer: gives committed events their positions, one after the other.

A number drawn inside a transaction says nothing about when the transaction commits,
so it cannot be what readers remember. Positions are given after the commit, by one
process at a time, without gaps: docs/decisions/outbox.md. SQLite needs none of it.
"""

from collections.abc import Sequence
from typing import Any

from fyr.core.store.port import Database, Session

#: Rows in one turn: small enough that a turn is short, large enough for a bulk load.
WINDOW = 5000

_WAITING = "SELECT 1 FROM outbox WHERE position IS NULL LIMIT 1"
# Whoever holds this row is the sequencer; it is let go with the transaction, also
# when the process dies in the middle.
_LEASE = "SELECT position FROM outbox_head WHERE id = 1 FOR UPDATE SKIP LOCKED"
_COMMITTED = """
    SELECT seq, type, id, version FROM outbox
    WHERE position IS NULL ORDER BY seq LIMIT ?
"""
_GIVE = """
    UPDATE outbox SET position = given.position
    FROM unnest(CAST(? AS BIGINT[]), CAST(? AS BIGINT[])) AS given(seq, position)
    WHERE outbox.seq = given.seq
"""
_HEAD = "UPDATE outbox_head SET position = ? WHERE id = 1"


class Sequencer:
    """Gives positions; any number of processes may try, one at a time does."""

    def __init__(self, database: Database, *, window: int = WINDOW) -> None:
        """Take the database and how many rows a turn has at most."""
        self._database = database
        self._window = window

    def advance(self) -> int:
        """Give positions to all that is committed, and tell to how many.

        Tells 0 too while another process is at it.
        """
        if self._database.dialect == "sqlite":
            return 0
        total = 0
        while self._database.rows(_WAITING):
            given = self._database.write(self._turn)
            total += given
            if given < self._window:
                break
        return total

    def _turn(self, session: Session) -> int:
        lease = session.rows(_LEASE)
        if not lease:
            return 0
        head = lease[0][0]
        sequence = in_order(session.rows(_COMMITTED, (self._window,)))
        last = head + len(sequence)
        if sequence:
            session.run(_GIVE, (sequence, list(range(head + 1, last + 1))))
            session.run(_HEAD, (last,))
        return len(sequence)


def in_order(rows: Sequence[Sequence[Any]]) -> list[int]:
    """Order the ``seq`` of rows ``(seq, type, id, version)`` so that versions rise.

    Distributed databases hand out numbers in blocks to each node, so that the later
    version of a resource may have the smaller ``seq``. The places that one resource
    has in the sequence stay, its rows change places.
    """
    slots: dict[tuple[str, str], list[int]] = {}
    for place, (_, type_, id_, version) in enumerate(rows):
        if version is not None:
            slots.setdefault((type_, id_), []).append(place)
    sequence = [row[0] for row in rows]
    for places in slots.values():
        if len(places) > 1:
            ordered = sorted((rows[place] for place in places), key=lambda row: row[3])
            for place, row in zip(places, ordered, strict=True):
                sequence[place] = row[0]
    return sequence
