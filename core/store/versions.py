"""Versions as they are read: the newest in ``resource``, all before it in ``version``.

https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Sequence
from typing import Any

import orjson

from fyr.core.model.resource import Resource
from fyr.core.store.bodies import BODIES
from fyr.core.store.port import Stored

#: How many parsed bodies are kept, and the length of the longest of them, in bytes.
_MOST, _LONGEST = 1000, 4096
_contents: dict[bytes, Resource] = {}

#: What :func:`stored` takes, of a row of ``resource`` called r.
HEAD = "r.pid, r.type, r.id, r.version, r.updated, r.method, r.body, r.indexed"
#: The same of a superseded version: a row of ``version`` called v, with its resource r.
SUPERSEDED = "r.pid, r.type, r.id, v.version, v.updated, v.method, v.body, 0"


def stored(row: Sequence[Any]) -> Stored:
    """Make a version from what was read of it, columns as ``HEAD`` has them.

    :raises FyrError: its body cannot be unpacked.
    """
    pid, type, id, version, updated, method, kept, indexed = row
    body = BODIES.unpacked(kept)
    return Stored(pid, type, id, version, updated, method, body, indexed)


def content(kept: bytes) -> Resource:
    """Parse a body as it lies in the database, to decide by; never to be altered.

    The same bytes give the same object while it is remembered. That is what the bytes
    say and not what a resource is now, so nothing can make it wrong.

    :raises FyrError: it cannot be unpacked.
    """
    found = _contents.get(kept)
    if found is None:
        body = BODIES.unpacked(kept)
        found = orjson.loads(body)
        # By the length unpacked: little can be made of much.
        if len(body) <= _LONGEST:
            if len(_contents) >= _MOST:
                _contents.clear()
            _contents[kept] = found
    return found


def history_sql(
    type: str | None,
    id: str | None,
    since: int | None,
    at: tuple[int, int] | None,
    before: tuple[int, int, int] | None,
    count: int,
) -> tuple[str, list[Any]]:
    """Tell the statement that reads versions, newest first, and its parameters.

    Each of both tables gives at most ``count`` rows by an index of its own, so that a
    page costs the same wherever it begins.

    :param type: of this type, and with ``id`` of this resource; ``None``: of all.
    :param before: goes on behind the version of this moment, pid and number.
    """
    heads, head_values = _part("r", type, id, since, at, before)
    older, older_values = _part("v", type, id, since, at, before)
    order = "version DESC" if id is not None else "updated DESC, pid DESC, version DESC"
    sql = f"""
        SELECT * FROM (
            SELECT {HEAD} FROM resource r WHERE {heads}
            ORDER BY {_prefixed("r", order)} LIMIT ?
        ) h UNION ALL SELECT * FROM (
            SELECT {SUPERSEDED} FROM version v JOIN resource r ON r.pid = v.pid
            WHERE {older} ORDER BY {_prefixed("v", order)} LIMIT ?
        ) s ORDER BY {order} LIMIT ?
    """
    return sql, [*head_values, count, *older_values, count, count]


def _part(
    row: str,
    type: str | None,
    id: str | None,
    since: int | None,
    at: tuple[int, int] | None,
    before: tuple[int, int, int] | None,
) -> tuple[str, list[Any]]:
    """Tell which rows of one of both tables are asked for."""
    where: list[str] = []
    values: list[Any] = []

    def limit(condition: str, *given: Any) -> None:
        where.append(condition)
        values.extend(given)

    if id is not None:
        limit("r.type = ? AND r.id = ?", type, id)
    elif type is not None:
        limit(f"{row}.type = ?", type)
    if since is not None:
        limit(f"{row}.updated >= ?", since)
    if at is not None:
        limit(f"{row}.updated <= ?", at[1])
        if row == "v":
            limit(f"{_SUPERSEDED_AT} > ?", at[0])
    if before is not None and id is not None:
        limit(f"{row}.version < ?", before[2])
    elif before is not None:
        limit(f"({row}.updated, {row}.pid, {row}.version) < (?, ?, ?)", *before)
    return " AND ".join(where) or "1 = 1", values


#: When the version after this one was made; that one may be the newest.
_SUPERSEDED_AT = """COALESCE((
    SELECT n.updated FROM version n WHERE n.pid = v.pid AND n.version = v.version + 1
), r.updated)"""


def _prefixed(row: str, order: str) -> str:
    return ", ".join(f"{row}.{part}" for part in order.split(", "))
