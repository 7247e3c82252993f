"""The tables of one type in one generation of the embedded index, and their SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fyr.core.declarations.projections import Column
from fyr.core.store.port import Row, Session
from fyr.search.reporting.port import LONGEST_KEYWORD, Document, too_long

#: Columns of the type's own table that every type has, after ``doc``.
_FIRST = "id TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL"
#: Those of them that stand in a document's values.
_VALUES = ('"lastUpdated" INTEGER', '"patient" TEXT')
_TYPES = {"keyword": "TEXT", "number": "REAL", "date": "INTEGER", "boolean": "INTEGER"}
#: What a value of a column is, in Python.
_KINDS: Mapping[str, tuple[type, ...]] = {
    "keyword": (str,),
    "text": (str,),
    "number": (int, float),
    "date": (int,),
    "boolean": (bool,),
}
_COMMON = {"lastUpdated": "date", "patient": "keyword"}

#: Name, type and whether it may have many values: what is kept of a column.
Kept = Sequence[Any]


def columns_to(columns: Sequence[Column]) -> list[Kept]:
    """Write down what the tables are made of."""
    return [[one.name, one.type, one.many] for one in columns]


def columns_from(kept: Sequence[Kept]) -> list[Column]:
    """Read what :func:`columns_to` has written."""
    return [Column(name, type_, "", "", many) for name, type_, many in kept]


class Table:
    """The table of one type's single values, and those beside it."""

    def __init__(self, kind: str, generation: int, columns: Sequence[Column]) -> None:
        """Take the columns that the generation was made with."""
        self._kind = kind
        self._name = f"{kind}_{generation}"
        self._single = [one for one in columns if not one.many and one.type != "text"]
        self._many = [one for one in columns if one.many and one.type != "text"]
        self._texts = [one for one in columns if one.type == "text"]
        self._types = {**_COMMON, **{one.name: one.type for one in columns}}
        self._lists = {one.name for one in columns if one.many}
        own = self._quoted()
        names = ["lastUpdated", "patient", *(one.name for one in self._single)]
        marks = ", ".join("?" * (len(names) + 4))
        sets = ", ".join(f'"{name}" = excluded."{name}"' for name in names)
        listed = ", ".join(f'"{name}"' for name in names)
        self._names = names
        #: how many are there
        self.count = f"SELECT COUNT(*) FROM {own} WHERE deleted = 0"
        #: id and version of the next ones after an id
        self.page = f"""
            SELECT id, version FROM {own}
            WHERE id > ? AND deleted = 0 ORDER BY id LIMIT ?
        """
        self._known = f"""
            SELECT id, doc, version FROM {own}
            WHERE id IN (SELECT value FROM json_each(?))
        """
        self._last = f"SELECT COALESCE(MAX(doc), 0) FROM {own}"
        self._put = f"""
            INSERT INTO {own} (doc, id, version, deleted, {listed}) VALUES ({marks})
            ON CONFLICT (doc) DO UPDATE SET
                version = excluded.version, deleted = excluded.deleted, {sets}
        """

    def create(self) -> Iterator[str]:
        """Tell the statements that make the tables."""
        columns = [f'"{one.name}" {_TYPES[one.type]}' for one in self._single]
        own = self._quoted()
        listed = ", ".join((_FIRST, *_VALUES, *columns))
        yield f"CREATE TABLE {own} (doc INTEGER PRIMARY KEY, {listed})"
        yield f"CREATE UNIQUE INDEX {self._quoted('#id')} ON {own} (id)"
        yield f"CREATE INDEX {self._quoted('#patient')} ON {own} (patient)"
        for one in self._many:
            beside = self._quoted(f".{one.name}")
            yield (
                f"CREATE TABLE {beside} (doc INTEGER NOT NULL,"
                f" value {_TYPES[one.type]} NOT NULL,"
                " PRIMARY KEY (doc, value)) WITHOUT ROWID"
            )
            yield f"CREATE INDEX {self._quoted(f'#{one.name}')} ON {beside} (value)"
        for one in self._texts:
            # Words come apart by spaces, and are letters and digits only.
            yield (
                f"CREATE VIRTUAL TABLE {self._quoted(f'.{one.name}')}"
                " USING fts5(value, tokenize = 'unicode61 remove_diacritics 0')"
            )

    def views(self) -> Iterator[str]:
        """Tell the statements that let readers see the tables."""
        names = ["id", "version", *self._names]
        listed = ", ".join(["doc", *(f'"{name}"' for name in names)])
        yield (
            f'CREATE VIEW "{self._kind}" AS SELECT {listed}'
            f" FROM {self._quoted()} WHERE deleted = 0"
        )
        for one in self._many:
            yield (
                f'CREATE VIEW "{self._kind}.{one.name}" AS'
                f" SELECT doc, value FROM {self._quoted(f'.{one.name}')}"
            )
        for one in self._texts:
            yield (
                f'CREATE VIEW "{self._kind}.{one.name}" AS'
                f" SELECT rowid AS doc, value FROM {self._quoted(f'.{one.name}')}"
            )

    def drop(self, *, views: bool) -> Iterator[str]:
        """Tell the statements that remove the tables.

        :param views: readers see them; they will see nothing.
        """
        beside = [f".{one.name}" for one in (*self._many, *self._texts)]
        if views:
            for end in ("", *beside):
                yield f'DROP VIEW IF EXISTS "{self._kind}{end}"'
        for end in ("", *beside):
            yield f"DROP TABLE IF EXISTS {self._quoted(end)}"

    def objection(self, values: Mapping[str, Any]) -> str:
        """Tell why values cannot be kept; empty: they can."""
        for name, value in values.items():
            type_ = self._types.get(name)
            if type_ is None:
                return f"there is no column {name}"
            if isinstance(value, list) != (name in self._lists):
                return f"{name} is {'not ' if name in self._lists else ''}a list"
            for one in value if isinstance(value, list) else (value,):
                if not _is(one, type_):
                    return f"{name} is no {type_}"
                if type_ == "keyword" and too_long(one):
                    return f"{name} is longer than {LONGEST_KEYWORD:,} bytes"
        return ""

    def put(self, session: Session, documents: Sequence[Document]) -> None:
        """Keep documents of different resources, where nothing newer is there."""
        ids = json.dumps([one.id for one in documents])
        known = {id: (doc, at) for id, doc, at in session.rows(self._known, (ids,))}
        last = session.rows(self._last)[0][0]
        rows: list[Row] = []
        gone: list[Row] = []
        beside: dict[str, list[Row]] = {}
        for one in documents:
            doc, version = known.get(one.id, (0, 0))
            if version > one.version:
                continue
            if doc:
                gone.append((doc,))
            else:
                last += 1
                doc = last
            rows.append(self._row(doc, one))
            self._beside(doc, one.values or {}, beside)
        self._forget(session, gone)
        session.run_many(self._put, rows)
        for name, added in beside.items():
            column = "rowid" if self._types[name] == "text" else "doc"
            session.run_many(
                f"INSERT INTO {self._quoted(f'.{name}')} ({column}, value) VALUES (?, ?)",
                added,
            )

    def _row(self, doc: int, one: Document) -> Row:
        values = one.values or {}
        taken = (values.get(name) for name in self._names)
        return (doc, one.id, one.version, int(one.values is None), *taken)

    def _beside(
        self, doc: int, values: Mapping[str, Any], found: dict[str, list[Row]]
    ) -> None:
        for one in self._many:
            if one.name in values:
                distinct = dict.fromkeys(values[one.name])
                found.setdefault(one.name, []).extend((doc, item) for item in distinct)
        for one in self._texts:
            if one.name in values:
                text = values[one.name]
                joined = " ".join(text) if isinstance(text, list) else text
                found.setdefault(one.name, []).append((doc, joined))

    def _forget(self, session: Session, docs: Sequence[Row]) -> None:
        """Remove what lies beside rows that are written anew."""
        if not docs:
            return
        for one in self._many:
            beside = self._quoted(f".{one.name}")
            session.run_many(f"DELETE FROM {beside} WHERE doc = ?", docs)
        for one in self._texts:
            beside = self._quoted(f".{one.name}")
            session.run_many(f"DELETE FROM {beside} WHERE rowid = ?", docs)

    def _quoted(self, end: str = "") -> str:
        return f'"{self._name}{end}"'


def _is(value: Any, type_: str) -> bool:
    if isinstance(value, bool) != (type_ == "boolean"):
        return False
    return isinstance(value, _KINDS[type_])
