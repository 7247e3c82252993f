"""What a database knows of its tables, brought up to date after much was written at once.

https://www.postgresql.org/docs/current/sql-analyze.html. PostgreSQL does so by itself, but
up to a minute later, and until then plans as if the tables were as small as before.
SQLite keeps no such knowledge here.
"""

from __future__ import annotations

from fyr.core.store.port import Database, Session
from fyr.core.store.schema import INDEX_TABLES


def refresh(database: Database) -> None:
    """Have the tables of resources looked at."""
    if database.dialect != "postgresql":
        return

    def work(session: Session) -> None:
        for table in ("resource", *INDEX_TABLES):
            session.run(f"ANALYZE {table}")

    database.write(work)
