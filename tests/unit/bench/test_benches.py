"""Each bench does on a small Fyr what it will do on a large one, or on another server."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import lives
import processes
import pytest
import queries
from http_client import Connection

from fyr.core.testing.minio import available as minio_available
from fyr.core.testing.postgres import available
from fyr.core.testing.servers import absent

from .conftest import Run

SHORT = ("--seconds", 0.05, "--warm-up", 0.01, "--repeat", 1, "--clients", 2, "--json")


@pytest.fixture(scope="module")
def server() -> Iterator[processes.Server]:
    with processes.fyr("sqlite") as server:
        yield server


@pytest.fixture
def kept() -> Iterator[Path]:
    """A folder that a database server that is not root's can reach."""
    folder = Path(tempfile.mkdtemp(prefix="fyr-kept-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def rows(printed: str) -> list[dict[str, Any]]:
    (found,) = json.loads(printed).values()
    return list(found["rows"])


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_every_search_finds_something_on_a_store_that_was_kept(
    run: Run, cache: Path, kept: Path, store: str
) -> None:
    if store == "postgresql" and (why := available()):
        absent("postgresql", why)
    made = ("--store", store, "--patients", 10, "--keep", kept, "--cache", cache)
    about = json.loads(run("prepare.py", *made))
    found = rows(run("search.py", "--data", kept / store, *SHORT))

    assert about["patients"] == 10
    assert about["resources"] == 100
    assert [row["operation"] for row in found] == list(queries.ROWS)
    assert [row for row in found if row["errors"]] == []
    counts = {row["operation"]: row["found"] for row in found}
    # These ask for any month of three years.
    nothing = {name for name, count in counts.items() if not count}
    assert nothing <= {"Observation by code and date", "Observation by date"}
    assert counts["Observation by patient"] == 2
    assert counts["Observation by patient _include"] == 3
    assert counts["Patient _revinclude Encounter"] == 20
    assert counts["Observation pages of 50"] == 20
    assert counts["Patient by identifier"] == 1


def test_a_client_goes_through_all_steps_and_begins_again(
    server: processes.Server,
) -> None:
    step, connection, chance = lives.Lives(), Connection(server.base_url), Random(1)

    names = [step(connection, chance) for _ in range(37)]

    connection.close()
    assert names == [f"{verb} {kind}" for verb, kind in [*lives.STEPS, lives.STEPS[0]]]


def test_the_steps_are_told_in_all_and_one_by_one(
    run: Run, server: processes.Server
) -> None:
    total, *steps = rows(run("lives.py", "--base-url", server.base_url, *SHORT))

    assert total["operation"] == "36 steps"
    assert total["errors"] == {}
    assert steps[0]["operation"] == "  create Organization"


@pytest.mark.parametrize("split", [(), ("--split", 3)], ids=["whole", "split"])
def test_records_are_sent_as_they_are_or_in_parts(
    run: Run, server: processes.Server, cache: Path, split: tuple[object, ...]
) -> None:
    chosen = ("--cache", cache, "--patients", 4, *split)
    (row,) = rows(
        run("transactions.py", "--base-url", server.base_url, *chosen, *SHORT)
    )

    assert row["errors"] == {}
    assert row["per_second"] > 0


def test_two_servers_are_asked_in_turn_and_compared(
    run: Run, server: processes.Server, cache: Path
) -> None:
    run("transactions.py", "--base-url", server.base_url, "--cache", cache,
        "--patients", 1, *SHORT)  # fmt: skip
    other = server.base_url.replace("127.0.0.1", "localhost")
    both = ("--base-url", server.base_url, "--base-url", other, "--only", "Patient")
    pids = ("--pid", server.pid, "--pid", server.pid)
    first, second = json.loads(run("search.py", *both, *pids, *SHORT)).values()

    assert [row["operation"] for row in first["rows"]] == [
        row["operation"] for row in second["rows"]
    ]
    assert all("of_first" not in row for row in first["rows"])


def test_the_questions_are_asked_again_of_what_was_made_once(
    run: Run, kept: Path
) -> None:
    asked = ("--questions", "--index", "embedded", "--keep", kept)
    first, second = (
        [
            json.loads(line)["row"]
            for line in run(
                "reporting.py", *asked, "--measurements", 200, "--repeat", 1
            ).splitlines()
        ]
        for _ in range(2)
    )

    assert set(first) - set(second) == {"measurements written", "index made by the job"}
    assert len(second) == 7
    assert "who measured most" in second


def test_blobs_are_put_and_got_in_turn(run: Run) -> None:
    if why := minio_available():
        absent("minio", why)
    printed = run("blobs.py", "--pairs", 1, "--megabytes", 1).splitlines()

    rows = [json.loads(line) for line in printed]
    assert [one["row"] for one in rows] == 2 * [
        "minio client",
        "store s3",
        "store s3 sealed",
    ]
    assert ["put" in one for one in rows] == [True] * 3 + [False] * 3
