from pathlib import Path

import pytest

from fyr.config.settings import Settings
from fyr.core.errors import FyrError, Unavailable
from fyr.core.store.open import open_database
from fyr.core.store.schema import INDEX_TABLES


def test_a_file_is_in_the_data_folder_or_where_it_says(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    for url in ("sqlite:///own%20one.db", f"sqlite:///{tmp_path}/else/x.db"):
        open_database(Settings(data_dir=tmp_path / "data", store={"url": url})).close()

    assert (tmp_path / "data" / "own one.db").exists()
    assert (tmp_path / "else" / "x.db").exists()


def test_a_store_without_tables_is_refused_where_it_may_not_be_changed(
    tmp_path: Path,
) -> None:
    store = {"url": "sqlite:///fyr.db", "migrate": False}

    with pytest.raises(FyrError, match="run `fyr migrate`"):
        open_database(Settings(data_dir=tmp_path, store=store))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = Settings(data_dir=tmp_path / "file", store={"url": "sqlite:///fyr.db"})

    with pytest.raises(Unavailable, match="cannot be opened"):
        open_database(settings)


def test_the_index_tables_are_those_that_are_declared() -> None:
    database = open_database(Settings(store={"url": "sqlite://"}))
    tables = database.rows(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'idx%'"
    )
    columns = {
        name: {row[0] for row in database.rows(_COLUMNS, (name,))} for (name,) in tables
    }
    database.close()

    assert columns == {table: {"pid", *names} for table, names in INDEX_TABLES.items()}


_COLUMNS = "SELECT name FROM pragma_table_info(?)"
