"""``fyr`` commands that check a deployment, and that refuse."""

import json
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from fyr.config.settings import Settings
from fyr.core.serving.prepare import prepare

from .deployments import Fyr


def test_the_check_names_who_would_tell_nobody(
    fyr: Fyr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "FYR_PLUGINS__ENABLED", '["search", "notifications", "subscriptions"]'
    )
    monkeypatch.setenv("FYR_PLUGIN__SUBSCRIPTIONS__CHANNELS", '["email"]')

    done = fyr("config", "check")

    assert "plugin.notifications: nobody would be told" in done.output
    assert "plugin.subscriptions.smtp_url: `email` needs a mail server" in done.output
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("url", "doubtful"),
    [
        ("mqtt://broker.example.org", True),
        ("mqtts://broker.example.org", False),
        ("mqtt://127.0.0.1:1883", False),
    ],
)
def test_the_check_warns_of_a_password_in_the_open(
    fyr: Fyr, monkeypatch: pytest.MonkeyPatch, url: str, doubtful: bool
) -> None:
    monkeypatch.setenv("FYR_MESSAGES__URL", url)
    monkeypatch.setenv("FYR_MESSAGES__USERNAME", "fyr")
    monkeypatch.setenv("FYR_MESSAGES__PASSWORD", "sesame")

    done = fyr("config", "check")

    warned = "Warning: messages.url: mqtt:// sends the password" in done.output
    assert (done.exit_code, warned) == (0, doubtful)
    assert "sesame" not in done.output


def test_a_start_warns_of_a_password_in_the_open(tmp_path: Path) -> None:
    messages = {"url": "mqtt://broker.example.org", "username": "fyr"}
    settings = Settings(data_dir=tmp_path, plugins={"enabled": []}, messages=messages)
    with capture_logs() as logs:
        prepare(settings)

    (told,) = [one for one in logs if one["event"] == "settings are doubtful"]
    assert "in the open to broker.example.org" in told["problem"]


def test_the_check_names_services_that_nobody_offers(
    fyr: Fyr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FYR_SERVICES__FIHR__ENABLED", "true")

    done = fyr("config", "check")

    assert done.output == "fyr: services.fihr: no such service; did you mean fhir?\n"
    assert done.exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("migrate",),
        ("load", __file__),
        ("events", "tail"),
        ("plugins",),
        ("config", "check"),
    ],
    ids=" ".join,
)
def test_a_wrong_plugin_is_named_by_each_command(
    fyr: Fyr, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("FYR_PLUGINS__ENABLED", '["saerch"]')

    done = fyr(*arguments)

    assert done.output.startswith("fyr: plugins.enabled: no such plugin: saerch")
    assert done.exit_code in (1, 2)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            "    yield from [Operation('x', print, {'system'})] * 2",
            "two operations $x for one type and level",
        ),
        (
            "    raise LookupError('no operations')",
            "plugin it: register_operations: LookupError: no operations",
        ),
    ],
)
def test_the_check_names_what_is_wrong_with_operations(
    fyr: Fyr, tmp_path: Path, source: str, sentence: str
) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    head = "from fyr.core import Operation, hookimpl\n\n@hookimpl\n"
    (folder / "it.py").write_text(f"{head}def register_operations():\n{source}\n")
    (tmp_path / "fyr.toml").write_text(f'[plugins]\nfolder = "{folder}"')

    done = fyr("config", "check", "--config", tmp_path / "fyr.toml")

    assert (done.output, done.exit_code) == (f"fyr: {sentence}\n", 2)


def test_a_data_folder_that_cannot_be_made_is_told_in_a_sentence(
    fyr: Fyr, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")

    done = fyr("migrate", "--data-dir", tmp_path / "file" / "below")

    assert done.exit_code == 1
    assert done.output.startswith("fyr: ")


def test_what_load_could_not_read_is_named_with_the_reason(
    fyr: Fyr, tmp_path: Path
) -> None:
    (tmp_path / "a.json.gz").write_bytes(b"no gzip")

    done = fyr("load", tmp_path / "a.json.gz")

    assert done.exit_code == 1
    assert (
        f"refused: {tmp_path / 'a.json.gz'}: cannot be read: Not a gzipped file"
        in done.output
    )


def test_an_index_is_made_anew_by_a_job(fyr: Fyr, tmp_path: Path) -> None:
    file = tmp_path / "fyr.toml"
    file.write_text("[search]\nfull_text = true")

    done = fyr("--config", file, "reindex", "--full-text")

    assert done.exit_code == 0, done.output
    assert "indexes all resources anew as soon as a worker runs it" in done.output


def test_an_index_that_there_is_not_cannot_be_made_anew(fyr: Fyr) -> None:
    off = fyr("reindex", "--full-text")
    assert "search.full_text is off" in off.output
    assert off.exit_code == 1
    assert "Everything is indexed" in fyr("reindex").output


def test_a_type_is_indexed_anew_by_a_job(fyr: Fyr) -> None:
    assert "has been submitted" in fyr("reindex", "--type", "Patient").output
    # There are no patients yet.
    assert "Everything is indexed" in fyr("reindex", "--status").output
    assert "1 jobs were told to stop" in fyr("reindex", "--cancel").output


def test_a_store_of_one_process_is_no_store_of_a_server(
    fyr: Fyr, tmp_path: Path
) -> None:
    file = tmp_path / "fyr.toml"
    file.write_text('[store]\nurl = "sqlite://"\n')

    done = fyr("config", "check", "--config", file)

    assert done.exit_code != 0
    assert "name a file" in done.output


def test_error_codes_lists_what_the_plugins_refuse(fyr: Fyr, tmp_path: Path) -> None:
    file = tmp_path / "fyr.toml"
    file.write_text('[plugins]\nenabled = ["error_codes"]\n')

    told = fyr("--config", file, "error-codes", "--json").output
    some = fyr("--config", file, "error-codes", "--area", "core").output

    names = {one["name"] for one in json.loads(told)}
    assert {"GENERAL_RESOURCE_NOT_FOUND", "REPORTING_SCHEDULE_NOT_ALLOWED"} <= names
    assert "404  GENERAL_RESOURCE_NOT_FOUND  (core)" in some
    assert "REPORTING" not in some


@pytest.mark.parametrize("name", ["services", "careplan"])
def test_the_examples_of_configurations_are_fine(fyr: Fyr, name: str) -> None:
    file = Path(__file__).parents[4] / f"config/examples/{name}.toml"

    result = fyr("config", "check", "--config", str(file))

    *warned, last = result.output.splitlines()
    assert (result.exit_code, last) == (0, "The settings are fine.")
    # Whose tokens are taken is for the deployer to add.
    assert all("no plugin authenticates" in one for one in warned)


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """Settings of all plugins that come with Fyr, where one needs some."""
    names = sorted(one.name for one in entry_points(group="fyr.plugins"))
    assert {"access_control", "audit", "error_codes"} <= set(names)
    file = tmp_path / "fyr.toml"
    file.write_text(
        f"[security]\nmode = 'closed'\n[plugins]\nenabled = {names}\n"
        "[plugin.access_control]\ndevelopment = true\n"
    )
    return file


def test_all_plugins_together_pass_the_check(
    fyr: Fyr, everything: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FYR_PLUGIN__NOTIFICATIONS__FILE", "notifications.ndjson")

    result = fyr("config", "check", "--config", everything)

    assert (result.exit_code, result.output) == (0, "The settings are fine.\n")


def test_plugins_are_listed_that_were_not_started(fyr: Fyr, everything: Path) -> None:
    result = fyr("plugins", "--config", everything)

    assert result.exit_code == 0
    assert "access_control" in result.output
    assert "Traceback" not in result.output
    assert "problem()" not in result.output
