"""Many resources are found by type and id without a look at all that are stored."""

from pathlib import Path

import pytest

from fyr.config.settings import Settings
from fyr.core.store.many import heads_of
from fyr.core.store.open import open_database


@pytest.mark.parametrize("count", [1, 2, 200])
def test_resources_are_found_by_keys_without_a_scan(count: int, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, store={"url": "sqlite://"})
    keys = [("Patient", str(number)) for number in range(count)]
    database = open_database(settings)
    try:
        plan = database.rows(
            f"EXPLAIN QUERY PLAN {heads_of(keys)}",
            [part for key in keys for part in key],
        )
    finally:
        database.close()

    steps = [row[3] for row in plan]
    assert "SCAN r" not in steps
    assert any(one.startswith("SEARCH r USING INDEX") for one in steps)
