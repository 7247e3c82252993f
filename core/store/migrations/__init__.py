"""Migrations: numbered SQL files, applied forward once each, under a lock.

``NNNN_name.sql`` is for both dialects, ``NNNN_name.sqlite.sql`` for one. A plugin has a
folder of its own and its name as namespace.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from importlib.resources import files

from fyr.core.errors import Unavailable
from fyr.core.store.port import Database, Session

_TABLE = """
    CREATE TABLE IF NOT EXISTS schema_version (
        namespace TEXT NOT NULL,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        checksum TEXT NOT NULL,
        applied BIGINT NOT NULL,
        PRIMARY KEY (namespace, number)
    )
"""
_FILE = re.compile(r"(\d{4})_(\w+?)(?:\.(sqlite|postgresql))?\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of SQL."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Tell whether a file was changed after it was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()[:16]


def migrations_of(package: str, dialect: str) -> list[Migration]:
    """Read the migrations of a package for one dialect, in their order."""
    found = []
    for file in files(package).iterdir():
        match = _FILE.fullmatch(file.name)
        if match and match[3] in (None, dialect):
            found.append(Migration(int(match[1]), match[2], file.read_text("utf-8")))
    return sorted(found, key=lambda one: one.number)


def migrate(database: Database, namespace: str, package: str, *, apply: bool) -> int:
    """Bring a namespace's tables up to date, or only check that they are.

    :returns: how many migrations were applied.
    :raises Unavailable: the schema is behind and ``apply`` is false, it is ahead of
        this version, or an applied migration has been changed since.
    """
    wanted = migrations_of(package, database.dialect)

    def work(session: Session) -> int:
        session.run(_TABLE)
        if session.dialect == "postgresql":
            session.run("LOCK TABLE schema_version IN EXCLUSIVE MODE")
        sql = "SELECT number, checksum FROM schema_version WHERE namespace = ?"
        applied = dict(session.rows(sql, (namespace,)))
        _check(namespace, wanted, applied)
        missing = [one for one in wanted if one.number not in applied]
        if missing and not apply:
            raise Unavailable(
                f"the schema of {namespace} is {len(missing)} migrations behind:"
                " run `fyr migrate`"
            )
        for one in missing:
            _apply(session, namespace, one)
        return len(missing)

    return database.write(work)


def _check(namespace: str, wanted: list[Migration], applied: dict[int, str]) -> None:
    known = {one.number: one.checksum for one in wanted}
    ahead = sorted(set(applied) - set(known))
    if ahead:
        raise Unavailable(f"the schema of {namespace} is of a newer version: {ahead}")
    changed = [n for n, checksum in applied.items() if known[n] != checksum]
    if changed:
        raise Unavailable(f"migrations of {namespace} were changed: {changed}")


def _apply(session: Session, namespace: str, migration: Migration) -> None:
    for statement in migration.sql.split(";"):
        if statement.strip():
            session.run(statement)
    session.run(
        "INSERT INTO schema_version (namespace, number, name, checksum, applied)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            namespace,
            migration.number,
            migration.name,
            migration.checksum,
            int(time.time() * 1000),
        ),
    )
