"""The ``fyr`` command as a deployer types it."""

import json
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from fyr.config.settings import Settings
from fyr.core.cli import main
from fyr.core.serving.prepare import prepare

PLUGIN = """
import click
from pydantic import SecretStr
from fyr.core import Manifest, Plugin, PluginSettings, hookimpl


class Settings(PluginSettings):
    token: SecretStr = SecretStr("")
    ward: str = "3"


class Hours(Plugin):
    manifest = Manifest(settings=Settings)

    @hookimpl
    def register_commands(self):
        @click.command("{command}")
        @click.pass_obj
        def hours(settings):
            click.echo(f"ward {{self.settings.ward}} in {{settings.data_dir.name}}")

        yield hours
"""

Fyr = Callable[..., Result]


@pytest.fixture
def fyr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fyr:
    import os

    for name in [name for name in os.environ if name.startswith("FYR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FYR_DATA_DIR", str(tmp_path / "data"))
    return lambda *arguments: CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def deployment(tmp_path: Path) -> Callable[..., Path]:
    def write(settings: str = "", command: str = "ward-hours") -> Path:
        folder = tmp_path / "plugins"
        folder.mkdir()
        (folder / "hours.py").write_text(PLUGIN.format(command=command))
        file = tmp_path / "fyr.toml"
        file.write_text(f'[plugins]\nfolder = "{folder}"\n{settings}')
        return file

    return write


def test_a_plugins_command_is_a_sub_command(fyr: Fyr, deployment) -> None:
    file = deployment('[plugin.hours]\nward = "7"')

    done = fyr("--config", file, "ward-hours")

    assert (done.output, done.exit_code) == ("ward 7 in data\n", 0)


@pytest.mark.parametrize(
    ("command", "plugin"), [("demo", "demo"), ("dev", "access_control")]
)
def test_a_command_of_a_plugin_that_is_not_enabled_says_which(
    fyr: Fyr, deployment, command: str, plugin: str
) -> None:
    done = fyr("--config", deployment(), command)

    assert done.exit_code == 2
    assert f"No such command '{command}'" in done.output
    assert f"The plugin {plugin} has it: name it in plugins.enabled." in done.output
    assert "Traceback" not in done.output


def test_a_slip_of_the_finger_is_told_with_what_was_meant_and_imports_no_plugin(
    fyr: Fyr, deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fyr.core.cli.extra as extra

    monkeypatch.setattr(extra, "hint_of", None)

    done = fyr("--config", deployment(), "srve")

    assert done.exit_code == 2
    assert "No such command 'srve'; did you mean serve?" in done.output


def test_a_command_that_no_plugin_has_has_no_hint(fyr: Fyr, deployment) -> None:
    done = fyr("--config", deployment(), "dance")

    assert done.exit_code == 2
    assert "plugins.enabled" not in done.output


def test_the_variable_that_names_the_file_brings_its_commands(
    fyr: Fyr, deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FYR_CONFIG", str(deployment()))

    done = fyr("ward-hours")

    assert done.exit_code == 0


@pytest.mark.parametrize("form", ["--config {}", "--config={}"])
def test_the_file_may_be_named_behind_a_plugins_command(
    fyr: Fyr, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "dev.toml"
    file.write_text(
        '[plugins]\nenabled = ["access_control"]\n'
        "[plugin.access_control]\ndevelopment = true\n"
    )

    done = fyr("dev", "token", *form.format(file).split(), "--as", "system")
    elsewhere = fyr("dev", "token", "--config", file, "--data-dir", tmp_path / "other")

    assert (done.exit_code, done.output.count(".")) == (0, 2)
    assert elsewhere.exit_code == 0
    assert (tmp_path / "other").is_dir()


def test_a_plugins_command_works_on_the_deployment_that_is_named(
    fyr: Fyr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FYR_DATA_DIR")
    file = tmp_path / "search.toml"
    file.write_text('[plugins]\nenabled = ["search"]\n[reporting]\nurl = "embedded"\n')
    monkeypatch.chdir(tmp_path)

    done = fyr("reporting", "status", "--config", file, "--data-dir", "elsewhere")

    assert done.exit_code == 0, done.output
    assert (tmp_path / "elsewhere").is_dir()
    assert not (tmp_path / "data").exists()


def test_what_stands_behind_two_hyphens_names_no_file(fyr: Fyr, tmp_path: Path) -> None:
    done = fyr("dev", "token", "--", "--config", tmp_path / "nothing.toml")

    assert "No such command 'dev'" in done.output


def test_lists_and_tables_of_plugins_are_json_in_variables(
    fyr: Fyr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FYR_PLUGINS__ENABLED", '["access_control"]')
    name = "FYR_PLUGIN__ACCESS_CONTROL"
    issuers = '[{"issuer": "https://one.example.org", "audiences": ["fyr"]}]'
    monkeypatch.setenv(f"{name}__ISSUERS", issuers)
    monkeypatch.setenv(f"{name}__SMART__MORE", '{"jwks_uri": "https://x/keys"}')
    monkeypatch.setenv(f"{name}__SMART__ISSUER", "[text]")

    shown = json.loads(fyr("config", "show").output)["plugin"]["access_control"]

    assert shown["issuers"][0]["audiences"] == ["fyr"]
    assert shown["smart"]["more"] == {"jwks_uri": "https://x/keys"}
    assert shown["smart"]["issuer"] == "[text]"


def test_a_list_of_a_plugin_that_is_no_json_is_named(
    fyr: Fyr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FYR_PLUGINS__ENABLED", '["access_control"]')
    monkeypatch.setenv("FYR_PLUGIN__ACCESS_CONTROL__ISSUERS", "https://a.example.org")

    done = fyr("config", "check")

    assert done.exit_code == 2
    assert "plugin.access_control.issuers: Input should be a valid list" in done.output


def test_the_help_lists_plugins_commands(fyr: Fyr, deployment) -> None:
    file = deployment()

    assert "ward-hours" in fyr("--config", file, "--help").output


def test_the_help_comes_though_the_settings_are_wrong(fyr: Fyr, tmp_path: Path) -> None:
    (tmp_path / "fyr.toml").write_text("[plugins]\nenabled = ['nobody']")

    done = fyr("--config", tmp_path / "fyr.toml", "--help")

    assert "no such plugin: nobody" in done.output
    assert "serve" in done.output


def test_a_command_named_as_one_of_fyrs_own_is_refused(fyr: Fyr, deployment) -> None:
    file = deployment(command="serve")

    done = fyr("config", "check", "--config", file)

    assert (done.output, done.exit_code) == ("fyr: commands: two are named serve\n", 2)


def test_the_file_of_the_whole_command_is_that_of_its_sub_commands(
    fyr: Fyr, deployment
) -> None:
    file = deployment("[server]\nport = 7777")

    shown = json.loads(fyr("--config", file, "config", "show").output)

    assert shown["server"]["port"] == 7777


def test_secrets_of_plugins_are_masked(fyr: Fyr, deployment) -> None:
    file = deployment('[plugin.hours]\ntoken = "swordfish"')

    done = fyr("config", "show", "--config", file)

    assert "swordfish" not in done.output
    assert json.loads(done.output)["plugin"]["hours"]["ward"] == "3"


def test_all_settings_of_a_plugin_that_cannot_be_asked_are_masked(
    fyr: Fyr, deployment
) -> None:
    file = deployment(
        '[plugin.hours]\ntoken = "swordfish"\n[plugin.nobody]\nx = "tuna"'
    )

    done = fyr("config", "show", "--config", file)

    assert done.exit_code == 0
    assert not {"swordfish", "tuna"} & set(done.output.split('"'))


def test_a_password_in_the_url_of_the_store_is_masked(
    fyr: Fyr, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FYR_STORE__URL", "postgresql://me:pass:w@rd@host:5432/fyr")

    shown = json.loads(fyr("config", "show").output)

    assert shown["store"]["url"] == "postgresql://me:***@host:5432/fyr"


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
    file = Path(__file__).parents[3] / f"config/examples/{name}.toml"

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
