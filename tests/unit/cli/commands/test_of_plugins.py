"""Commands of plugins."""

import json
from pathlib import Path

import pytest

from .deployments import Fyr


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
