"""The embedded adapter: a SQLite file beside the store, for one machine.

A generation has a table for each type, with the columns that have one value, and one for
each column that may have many; words lie in FTS5 (https://sqlite.org/fts5.html). Readers
ask views, which are made anew in one transaction when they are to see another generation.
A deleted resource keeps a row without values, so that nothing older brings it back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fyr.core.declarations.projections import Column, Projection
from fyr.core.store.port import Row, Session
from fyr.core.store.sqlite import SqliteDatabase
from fyr.search.reporting.port import Document, NoSuchGeneration, Refusal
from fyr.search.reporting.tables import Table, columns_from, columns_to

T = TypeVar("T")

#: Ids and versions that are read at a time.
_PAGE = 5_000

_PREPARE = """
    CREATE TABLE IF NOT EXISTS generation (
        number INTEGER PRIMARY KEY,
        shown INTEGER NOT NULL,
        types TEXT NOT NULL
    )
"""
_ALL = "SELECT number, shown, types FROM generation ORDER BY number"
_ONE = "SELECT types FROM generation WHERE number = ?"
_ADD = "INSERT INTO generation (number, shown, types) VALUES (?, 0, ?)"
_SHOW = "UPDATE generation SET shown = (number = ?)"
_DROP = "DELETE FROM generation WHERE number = ?"
_VIEWS = "SELECT name FROM sqlite_master WHERE type = 'view'"


class EmbeddedIndex:
    """Documents in a file of this machine; safe to share between threads and processes."""

    kind = "embedded"

    def __init__(self, path: Path | None) -> None:
        """Open the file, which is made when it is not there.

        :param path: ``None`` for one that is thrown away when it is closed.
        """
        self.database = SqliteDatabase(path)
        self.database.write(lambda session: session.run(_PREPARE))
        self._tables: dict[tuple[int, str], Mapping[str, Table]] = {}

    def rows(
        self, sql: str, params: Sequence[Any] = (), *, seconds: float = 0.0
    ) -> list[Row]:
        """Ask the views of the generation that is shown.

        :param seconds: it is ended after that time; 0: never.
        :raises fyr.core.errors.TookTooLong: it was.
        """
        return self.database.read(lambda s: s.rows(sql, params), seconds=seconds)

    def create(self, generation: int, projections: Mapping[str, Projection]) -> None:
        """Make the tables of a generation."""
        types = {kind: columns_to(one.columns) for kind, one in projections.items()}

        def work(session: Session) -> None:
            if session.rows(_ONE, (generation,)):
                return
            session.run(_ADD, (generation, json.dumps(types)))
            for table in _tables_of(generation, types).values():
                for statement in table.create():
                    session.run(statement)

        self.database.write(work)

    def put(self, generation: int, documents: Sequence[Document]) -> list[Refusal]:
        """Keep documents, in one transaction."""
        newest: dict[tuple[str, str], Document] = {}
        for one in sorted(documents, key=lambda one: one.version):
            newest[one.type, one.id] = one
        return self.database.write(
            partial(self._put, generation, list(newest.values()))
        )

    def show(self, generation: int) -> None:
        """Make the views of a generation."""

        def work(session: Session) -> None:
            tables = self._of(session, generation)
            session.run(_SHOW, (generation,))
            for (name,) in session.rows(_VIEWS):
                session.run(f'DROP VIEW "{name}"')
            for table in tables.values():
                for statement in table.views():
                    session.run(statement)

        self.database.write(work)

    def shown(self) -> int | None:
        """Tell which generation the views are of."""
        found = [number for number, shown, _ in self.database.rows(_ALL) if shown]
        return found[0] if found else None

    def generations(self) -> list[int]:
        """Tell all that are there."""
        return [row[0] for row in self.database.rows(_ALL)]

    def drop(self, generation: int) -> None:
        """Remove the tables of a generation, and views of them."""

        def work(session: Session) -> None:
            found = session.rows(_ONE, (generation,))
            if not found:
                return
            shown = {number for number, shown, _ in session.rows(_ALL) if shown}
            session.run(_DROP, (generation,))
            for table in _tables_of(generation, json.loads(found[0][0])).values():
                for statement in table.drop(views=generation in shown):
                    session.run(statement)

        self.database.write(work)
        self._tables = {
            key: one for key, one in self._tables.items() if key[0] != generation
        }

    def refresh(self) -> None:
        """Do nothing: what is committed is seen."""

    def counts(self, generation: int) -> dict[str, int]:
        """Count the documents of each type."""
        return self._read(
            generation,
            lambda session, tables: {
                kind: int(session.rows(one.count)[0][0]) for kind, one in tables.items()
            },
        )

    def versions(self, generation: int, type: str) -> Iterator[tuple[str, int]]:
        """Give ids and versions, page by page."""
        after = ""
        while True:
            page = self._read(
                generation,
                lambda session, tables, after=after: (
                    session.rows(tables[type].page, (after, _PAGE))
                    if type in tables
                    else []
                ),
            )
            yield from ((id, version) for id, version in page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def health(self) -> str:
        """Tell what is wrong, if anything is."""
        return self.database.health()

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def _read(self, generation: int, ask: Callable[..., T]) -> T:
        return self.database.read(
            lambda session: ask(session, self._of(session, generation))
        )

    def _of(self, session: Session, generation: int) -> Mapping[str, Table]:
        found = session.rows(_ONE, (generation,))
        if not found:
            raise NoSuchGeneration(f"there is no generation {generation}")
        key = (generation, found[0][0])
        if key not in self._tables:
            self._tables[key] = _tables_of(generation, json.loads(key[1]))
        return self._tables[key]

    def _put(
        self, generation: int, documents: Sequence[Document], session: Session
    ) -> list[Refusal]:
        tables = self._of(session, generation)
        refused: list[Refusal] = []
        by_type: dict[str, list[Document]] = {}
        for one in documents:
            table = tables.get(one.type)
            reason = (
                f"there is no table of {one.type}"
                if table is None
                else table.objection(one.values or {})
            )
            if reason:
                refused.append(Refusal(one.type, one.id, one.version, reason))
            else:
                by_type.setdefault(one.type, []).append(one)
        for kind, chosen in by_type.items():
            tables[kind].put(session, chosen)
        return refused


def _tables_of(
    generation: int, types: Mapping[str, Sequence[Sequence[Any]]]
) -> dict[str, Table]:
    return {
        kind: Table(kind, generation, _columns(declared))
        for kind, declared in types.items()
    }


def _columns(declared: Sequence[Sequence[Any]]) -> Sequence[Column]:
    return columns_from(declared)
