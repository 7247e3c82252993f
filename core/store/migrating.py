"""Migrations: numbered SQL files that bring a schema forward, each of them once.

``0001_resources.sql`` is for both dialects; where they must differ there are
``0001_resources.sqlite.sql`` and ``0001_resources.postgresql.sql``. Statements end with
a semicolon at the end of a line. A plugin brings a folder of its own and a namespace,
its name; nothing goes backwards. Any number of processes may start at the same time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from fyr.core.clock import to_millis, utc_now
from fyr.core.errors import FyrError
from fyr.core.store.port import Database, Session

#: Namespace of the store's own migrations.
CORE = "core"

_NAME = re.compile(r"(\d{4})_(\w+)(?:\.(sqlite|postgresql))?\.sql", re.ASCII)
_STATEMENT_END = re.compile(r";\s*$", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*")

_THERE = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'schema_version'",
    "postgresql": (
        "SELECT 1 FROM information_schema.tables"
        " WHERE table_name = 'schema_version' AND table_schema = current_schema()"
    ),
}
_CREATE = """
    CREATE TABLE IF NOT EXISTS schema_version (
        namespace TEXT NOT NULL,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        applied BIGINT NOT NULL,
        checksum TEXT NOT NULL,
        PRIMARY KEY (namespace, number)
    )
"""
_ADD = """
    INSERT INTO schema_version (namespace, number, name, applied, checksum)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT (namespace, number) DO NOTHING
"""
# The row that those who migrate hold, one at a time.
_LOCK_ROW = ("", 0, "lock", 0, "")
_LOCK = "SELECT 1 FROM schema_version WHERE namespace = '' AND number = 0"
_APPLIED = """
    SELECT number, name, checksum FROM schema_version
    WHERE namespace = ? ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a schema."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """What tells whether the statements are the ones that were applied."""
        return sha256("\n".join(self.statements()).encode()).hexdigest()

    def statements(self) -> list[str]:
        """Take the file apart."""
        plain = _COMMENT.sub("", self.sql)
        return [part for part in _STATEMENT_END.split(plain) if part.strip()]


def migrations_of(dialect: str, folder: Traversable | None = None) -> list[Migration]:
    """Read the migrations of a folder, in their order.

    :param folder: the store's own when it is left out.
    :raises FyrError: a file is named otherwise, or a number is missing or there twice.
    """
    folder = folder or files("fyr.core.store.migrations")
    found = []
    for file in folder.iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise FyrError(f"{file.name}: a migration is named 0001_what.sql")
        if match[3] in (None, dialect):
            sql = file.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), match[2], sql))
    found.sort(key=lambda migration: migration.number)
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise FyrError(f"migrations must be numbered from 1 without gaps: {numbers}")
    return found


def migrate(
    database: Database,
    *,
    namespace: str = CORE,
    folder: Traversable | None = None,
    apply: bool = True,
) -> list[Migration]:
    """Bring the schema up to date, and tell what was applied.

    :param apply: ``False`` to refuse to work with a schema that is behind.
    :raises FyrError: the schema is behind, is of a later version, or was made by a
        migration that has been altered since.
    """
    migrations = migrations_of(database.dialect, folder)
    if database.rows(_THERE[database.dialect]):
        rows = database.rows(_APPLIED, (namespace,))
        if not _pending(namespace, migrations, rows):
            return []
    if not apply:
        raise FyrError(f"the schema of {namespace} is behind: run `fyr migrate`")
    database.write(_prepare)
    return database.write(lambda session: _apply(session, namespace, migrations))


def _prepare(session: Session) -> None:
    session.run(_CREATE)
    session.run(_ADD, _LOCK_ROW)


def _apply(
    session: Session, namespace: str, migrations: Sequence[Migration]
) -> list[Migration]:
    session.rows(_LOCK + (" FOR UPDATE" if session.dialect == "postgresql" else ""))
    pending = _pending(namespace, migrations, session.rows(_APPLIED, (namespace,)))
    for migration in pending:
        for statement in migration.statements():
            session.run(statement)
        applied = to_millis(utc_now())
        row = (namespace, migration.number, migration.name, applied)
        session.run(_ADD, (*row, migration.checksum))
    return pending


def _pending(
    namespace: str,
    migrations: Sequence[Migration],
    applied: Sequence[tuple[int, str, str]],
) -> list[Migration]:
    """Tell what is left to do, after a look at what was done."""
    if len(applied) > len(migrations):
        number, name, _ = applied[-1]
        raise FyrError(
            f"the schema of {namespace} is of a later version"
            f" ({number}_{name}): run that version"
        )
    for migration, (number, name, checksum) in zip(migrations, applied, strict=False):
        if migration.checksum != checksum:
            raise FyrError(
                f"migration {number}_{name} of {namespace} is not the one that was"
                " applied: a change needs a migration of its own"
            )
    return list(migrations[len(applied) :])
