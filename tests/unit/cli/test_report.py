"""``fyr report query``."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fyr.core.cli import main
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock

BY_STATUS = {
    "from": "Observation",
    "groupBy": [{"terms": "status"}],
    "metrics": {"n": {"count": True}},
    "count": 1,
}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("report")
    options: dict[str, Any] = {
        "store": {"url": f"sqlite:///{folder}/fyr.db"},
        "plugins": {"enabled": ["search", "reporting"]},
        "reporting": {"url": "embedded"},
    }
    with application(settings_with(options, folder), FakeClock()) as built:
        client = client_of(built)
        for number in range(6):
            created = client.create(
                {
                    "resourceType": "Observation",
                    "status": "final" if number else "amended",
                    "code": {"text": "x"},
                    "subject": {"reference": f"Patient/{number}"},
                }
            )
            assert created.status == 201
        built.worker().drain()
    file = folder / "fyr.toml"
    file.write_text(
        f'data_dir = "{folder}"\n[store]\nurl = "sqlite:///{folder}/fyr.db"\n'
        '[plugins]\nenabled = ["search", "reporting"]\n[reporting]\nurl = "embedded"\n'
        '[log]\nlevel = "error"\n'
    )
    return file


def run(config: Path, question: Any, *args: str, **options: Any) -> Result:
    sent = question if isinstance(question, str) else json.dumps(question)
    command = ["--config", str(config), "report", "query", sent, *args]
    return CliRunner().invoke(main, command, catch_exceptions=False, **options)


def test_an_answer_is_csv_and_what_is_known_of_it_goes_to_standard_error(
    config: Path,
) -> None:
    done = run(config, BY_STATUS)

    assert done.exit_code == 0, done.output
    assert done.stdout_bytes == b"status,n\r\namended,1\r\n"
    assert "fyr-as-of: 20" in done.stderr
    assert "fyr-next-page: " in done.stderr


def test_all_pages_are_joined(config: Path) -> None:
    done = run(config, BY_STATUS, "--all")
    lines = run(config, BY_STATUS, "--all", "--format", "ndjson").stdout.splitlines()

    assert done.stdout_bytes == b"status,n\r\namended,1\r\nfinal,5\r\n"
    assert [json.loads(line)["n"] for line in lines] == [1, 5]
    assert run(config, BY_STATUS, "--all", "--format", "json").exit_code == 2


def test_a_question_may_stand_in_a_file_or_come_on_standard_input(
    config: Path, tmp_path: Path
) -> None:
    file = tmp_path / "question.json"
    file.write_text(json.dumps(BY_STATUS))
    of_file = run(config, str(file), "--format", "json")
    of_input = run(config, "-", "--format", "json", input=json.dumps(BY_STATUS))

    assert json.loads(of_file.stdout)["rows"] == [{"status": "amended", "n": 1}]
    assert json.loads(of_input.stdout)["rows"] == json.loads(of_file.stdout)["rows"]
    assert run(config, str(tmp_path / "none.json")).exit_code == 2


def test_small_groups_are_left_out_when_that_is_asked_for(config: Path) -> None:
    whole = {**BY_STATUS, "groupBy": [], "count": 10}

    assert run(config, BY_STATUS, "--anonymized").stdout_bytes == b"status,n\r\n"
    assert run(config, whole, "--anonymized").stdout_bytes == b"n\r\n6\r\n"


def test_what_is_wrong_is_told_with_its_path(config: Path) -> None:
    done = run(config, {**BY_STATUS, "groupBy": [{"terms": "colour"}]})

    assert done.exit_code == 1
    assert "fyr: groupBy[0].terms: Observation has no column 'colour'" in done.stderr
