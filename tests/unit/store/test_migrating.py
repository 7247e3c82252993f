from collections.abc import Iterator
from pathlib import Path

import pytest

from fyr.core.errors import FyrError
from fyr.core.store.migrating import migrate, migrations_of
from fyr.core.store.sqlite import SqliteDatabase


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    opened = SqliteDatabase(None)
    yield opened
    opened.close()


def write(folder: Path, **files: str) -> Path:
    """Write migrations, ``_`` in a name standing for the dot before the dialect."""
    for name, sql in files.items():
        (folder / f"{name[1:].replace('__', '.')}.sql").write_text(sql)
    return folder


def test_each_migration_is_applied_once(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    folder = write(tmp_path, _0001_a="CREATE TABLE a (x INTEGER);\n")
    first = migrate(database, namespace="p", folder=folder)
    again = migrate(database, namespace="p", folder=folder)
    write(tmp_path, _0002_b="INSERT INTO a VALUES (1);\nINSERT INTO a VALUES (2);")
    then = migrate(database, namespace="p", folder=folder)

    assert [one.name for one in first] == ["a"]
    assert again == []
    assert [one.name for one in then] == ["b"]
    assert database.rows("SELECT x FROM a ORDER BY x") == [(1,), (2,)]


def test_namespaces_do_not_see_each_other(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    for name in ("p", "q"):
        folder = tmp_path / name
        folder.mkdir()
        write(folder, _0001_a=f"CREATE TABLE {name} (x INTEGER);")
        migrate(database, namespace=name, folder=folder)

    assert database.rows(
        "SELECT namespace FROM schema_version WHERE number = 1 ORDER BY namespace"
    ) == [("p",), ("q",)]


def test_a_migration_that_fails_leaves_nothing_of_it(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    broken = "CREATE TABLE a (x INTEGER);\nINSERT INTO nowhere VALUES (1);\n"
    folder = write(tmp_path, _0001_a=broken)

    with pytest.raises(FyrError):
        migrate(database, namespace="p", folder=folder)

    assert database.rows("SELECT name FROM sqlite_master WHERE name = 'a'") == []
    assert database.rows("SELECT * FROM schema_version WHERE number = 1") == []


def test_each_dialect_has_its_own_files(tmp_path: Path) -> None:
    write(
        tmp_path,
        _0001_a__sqlite="SELECT 1;",
        _0001_a__postgresql="SELECT 2;",
        _0002_b="SELECT 3;",
    )

    assert [one.sql for one in migrations_of("sqlite", tmp_path)] == [
        "SELECT 1;",
        "SELECT 3;",
    ]
    assert [one.sql for one in migrations_of("postgresql", tmp_path)] == [
        "SELECT 2;",
        "SELECT 3;",
    ]


def test_a_schema_that_is_behind_is_refused_where_it_may_not_be_changed(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    folder = write(tmp_path, _0001_a="CREATE TABLE a (x INTEGER);")

    with pytest.raises(FyrError, match="run `fyr migrate`"):
        migrate(database, namespace="p", folder=folder, apply=False)

    assert database.rows("SELECT name FROM sqlite_master") == []


def test_a_schema_of_a_later_version_is_refused(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    folder = write(tmp_path, _0001_a="SELECT 1;", _0002_later="SELECT 2;")
    migrate(database, namespace="p", folder=folder)
    (folder / "0002_later.sql").unlink()

    with pytest.raises(FyrError, match="later version"):
        migrate(database, namespace="p", folder=folder)


def test_a_migration_that_was_altered_is_refused_but_for_its_comments(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    folder = write(tmp_path, _0001_a="-- why\nCREATE TABLE a (x INTEGER);\n")
    migrate(database, namespace="p", folder=folder)
    write(tmp_path, _0001_a="-- why, better\nCREATE TABLE a (x INTEGER);\n")
    same = migrate(database, namespace="p", folder=folder)
    write(tmp_path, _0001_a="CREATE TABLE a (x TEXT);\n")

    assert same == []
    with pytest.raises(FyrError, match="1_a of p is not the one"):
        migrate(database, namespace="p", folder=folder)


@pytest.mark.parametrize(
    "files", [{"_1_a": ""}, {"_0002_a": ""}, {"_0001_a": "", "_0001_b": ""}]
)
def test_files_that_are_numbered_wrongly_are_refused(
    tmp_path: Path, files: dict[str, str]
) -> None:
    write(tmp_path, **files)

    with pytest.raises(FyrError):
        migrations_of("sqlite", tmp_path)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_stores_own_migrations_are_in_order(dialect: str) -> None:
    found = migrations_of(dialect)

    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert all(one.statements() for one in found)
