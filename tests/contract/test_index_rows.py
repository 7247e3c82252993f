"""Index rows after any updates are those of the last version, on both databases."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from fyr.config.settings import Settings
from fyr.core.store import index_rows
from fyr.core.store.open import open_database
from fyr.core.store.port import Database, IndexRows, NewVersion, Session
from fyr.core.store.resources import ResourceStore
from fyr.core.store.schema import CONTAINED, INDEX_TABLES

_TEXTS = st.sampled_from(["", "a", "b", "æ'?"])
_NUMBERS = st.sampled_from([-(2**31), 0, 1, 2])
_AMOUNTS = st.sampled_from([-1e300, -0.0, 0.1, 5.0])
_VALUES = {
    "param": _NUMBERS,
    "system": st.sampled_from([-(2**63), 0, 7]),
    "low": _NUMBERS,
    "high": _NUMBERS,
    "system2": st.sampled_from([-(2**63), 0, 7]),
    **dict.fromkeys("xyz", _AMOUNTS),
}


def _rows(table: str) -> st.SearchStrategy[list[Any]]:
    amounts = {} if table == "idx_date" else {"low": _AMOUNTS, "high": _AMOUNTS}
    known = {**_VALUES, **amounts}
    columns = [known.get(column, _TEXTS) for column in INDEX_TABLES[table]]
    return st.lists(st.tuples(*columns), max_size=20, unique=True)


#: seat, table and row of what resources inside are found by
WITHIN = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 3), st.just("idx_uri"), st.tuples(_NUMBERS, _TEXTS)),
        st.tuples(
            st.sampled_from([0, 2**20 - 1]),
            st.just("idx_date"),
            st.tuples(_NUMBERS, _NUMBERS, _NUMBERS),
        ),
    ),
    max_size=6,
    unique=True,
)
ROWS = st.fixed_dictionaries(
    {}, optional={CONTAINED: WITHIN, **{table: _rows(table) for table in INDEX_TABLES}}
)
#: rows of each version, and whether those before it are known; two resources at a time
VERSIONS = st.lists(st.tuples(ROWS, ROWS, st.booleans()), min_size=1, max_size=5)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ResourceStore]:
    folder: Path = tmp_path_factory.mktemp("data")
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_database()
    database = open_database(Settings(data_dir=folder, store={"url": url}))
    yield ResourceStore(database)
    database.close()


def stored_rows(database: Database, pids: list[int]) -> list[dict[str, list[Any]]]:
    """Tell all index rows of resources; one that is there twice is told twice."""
    found = database.read(lambda session: index_rows.stored_rows(session, pids))
    return [{table: sorted(rows) for table, rows in found[pid].items()} for pid in pids]


@examples(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(versions=VERSIONS)
def test_rows_are_those_of_the_last_version(
    store: ResourceStore, versions: list[tuple[IndexRows, IndexRows, bool]]
) -> None:
    pids = [0, 0]
    before: list[IndexRows] = [{}, {}]
    names = ["a", "b"]
    first = store.count()
    for number, (one, other, known) in enumerate(versions, 1):
        new = [
            NewVersion(
                "Basic",
                f"{name}-{first}",
                number,
                number,
                "PUT",
                b"{}",
                pid,
                rows,
                before=past if known and pid else None,
            )
            for name, pid, rows, past in zip(
                names, pids, (one, other), before, strict=True
            )
        ]

        def work(session: Session, new: list[NewVersion] = new) -> list[int]:
            return [made.pid for made in store.put(session, new)]

        pids = store.database.write(work)
        before = [one, other]

    assert stored_rows(store.database, pids) == [
        {table: sorted(some) for table, some in rows.items() if some} for rows in before
    ]


def test_what_stays_is_not_written_again(store: ResourceStore) -> None:
    rows = {"idx_uri": [(n, f"urn:{n}") for n in range(30)]}
    name = f"stays-{store.count()}"
    new = NewVersion("Basic", name, 1, 1, "PUT", b"{}", index=rows)
    (made,) = store.database.write(lambda session: store.put(session, [new]))
    changed = {"idx_uri": [*rows["idx_uri"][1:], (99, "urn:99")]}
    asked: list[tuple[str, int]] = []

    class Asked:
        dialect = store.database.dialect

        def rows(self, sql: str, params: Any = ()) -> list[Any]:
            return []

        def run(self, sql: str, params: Any = ()) -> None:
            asked.append((" ".join(sql.split()[:3]), 1))

        def run_many(self, sql: str, params: Any) -> None:
            asked.append((" ".join(sql.split()[:3]), len(list(params))))

    update = NewVersion(
        "Basic", name, 2, 2, "PUT", b"{}", made.pid, changed, before=rows
    )
    store.put(Asked(), [update])

    assert [one for one in asked if "idx" in one[0]] == [
        ("DELETE FROM idx_uri", 1),
        ("INSERT INTO idx_uri", 1),
    ]
