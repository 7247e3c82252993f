"""``fyr bulk-data``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fyr.core.app import Application
from fyr.core.cli import main
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.bulk import begun
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import SYSTEM_USER


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    options = {
        "store": {"url": f"sqlite:///{tmp_path}/fyr.db"},
        "plugins": {"enabled": ["search", "bulk_data"]},
    }
    with application(settings_with(options, tmp_path), FakeClock()) as built:
        yield built


@pytest.fixture
def caller(app: Application) -> Client:
    client = client_of(app).acting_as(SYSTEM_USER)
    made = client.create({"resourceType": "Patient", "active": True})
    assert made.status == 201
    return client


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "fyr.toml"
    file.write_text(
        f'data_dir = "{tmp_path}"\n[store]\nurl = "sqlite:///{tmp_path}/fyr.db"\n'
        '[plugins]\nenabled = ["search", "bulk_data"]\n[log]\nlevel = "error"\n'
    )
    return file


def run(config: Path, *args: str) -> Result:
    command = ["--config", str(config), "bulk-data", *args]
    return CliRunner().invoke(main, command, catch_exceptions=False)


def id_of(status: str) -> str:
    return status.rpartition("/")[2]


def test_an_export_is_listed_with_whose_it_is(caller: Client, config: Path) -> None:
    assert run(config, "status").output == "No exports or imports are kept.\n"

    task = id_of(begun(caller, "/fhir/$export"))
    (line,) = run(config, "status").output.splitlines()

    assert line.startswith(f"{task}  export at fhir  active  0 of ")
    assert f"SYSTEM {SYSTEM_USER.user_id}" in line


def test_what_goes_on_is_ended_without_its_caller(
    app: Application, caller: Client, config: Path
) -> None:
    status = begun(caller, "/fhir/$export")

    ended = run(config, "cancel", id_of(status))

    assert ended.exit_code == 0
    assert ended.output == f"{id_of(status)} has ended, and its files are gone.\n"
    assert caller.get(status).status == 404
    app.worker().drain()
    assert caller.get(status).status == 404
    assert [one.state for one in app.jobs.states("bulk-export")] == ["cancelled"]


def test_files_of_what_has_ended_are_removed(
    app: Application, caller: Client, config: Path
) -> None:
    status = begun(caller, "/fhir/$export")
    app.worker().drain()
    (file,) = caller.get(status).json["output"]
    path = file["url"].removeprefix("http://localhost")
    assert caller.get(path).status == 200

    assert run(config, "cancel", id_of(status)).exit_code == 0
    assert caller.get(path).status == 404


def test_an_id_that_is_not_there_is_told_and_the_others_are_ended(
    caller: Client, config: Path
) -> None:
    status = begun(caller, "/fhir/$export")

    ended = run(config, "cancel", "nothing", id_of(status))

    assert ended.exit_code == 1
    assert "nothing: there is no such export or import" in ended.stderr
    assert caller.get(status).status == 404
