"""Settings: what is read from where, and how mistakes are told."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from fyr.config.load import ConfigError, load
from fyr.config.section import Section


@pytest.fixture(autouse=True)
def _no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("FYR_")]:
        monkeypatch.delenv(name)


def write(folder: Path, text: str) -> Path:
    file = folder / "fyr.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_machine_without_a_file_has_defaults() -> None:
    settings = load()

    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8080)


def test_the_environment_stands_above_the_file(tmp_path, monkeypatch) -> None:
    file = write(tmp_path, "[server]\nport = 1111\nthreads = 3\n")
    monkeypatch.setenv("FYR_SERVER__PORT", "2222")

    settings = load(file)

    assert (settings.server.port, settings.server.threads) == (2222, 3)


def test_a_list_that_is_not_json_is_named(monkeypatch) -> None:
    monkeypatch.setenv("FYR_PLUGINS__ENABLED", "search")

    with pytest.raises(ConfigError) as caught:
        load()

    assert caught.value.problems == [
        'FYR_PLUGINS__ENABLED: is to be JSON, such as ["one", "two"]'
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[server]\npublic_url = 'fhir.example.org'",
        "[services.fhir]\npublic_url = 'a b'",
        "[store]\nurl = 'mysql://host'",
    ],
)
def test_a_url_of_no_known_form_is_refused(tmp_path, text) -> None:
    with pytest.raises(ConfigError, match="url: String should match"):
        load(write(tmp_path, text))


def test_an_option_stands_above_the_environment(monkeypatch) -> None:
    monkeypatch.setenv("FYR_SERVER__PORT", "2222")
    monkeypatch.setenv("FYR_SERVER__THREADS", "5")

    settings = load(options={"server.port": 3333})

    assert (settings.server.port, settings.server.threads) == (3333, 5)


def test_the_file_can_be_named_by_the_environment(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FYR_CONFIG", str(write(tmp_path, "demo = true")))

    assert load().demo is True


def test_a_plugins_table_is_kept_for_the_plugin(tmp_path, monkeypatch) -> None:
    file = write(tmp_path, '[plugin.greeter]\ngreeting = "Hej"\n')
    monkeypatch.setenv("FYR_PLUGIN__GREETER__LOUD", "true")

    settings = load(file)

    assert settings.plugin == {"greeter": {"greeting": "Hej", "loud": "true"}}


def test_a_secret_may_stand_in_a_file_and_is_not_shown(tmp_path) -> None:
    (tmp_path / "pw").write_text("hemmelig\n")
    file = write(tmp_path, f'[store]\npassword_file = "{tmp_path / "pw"}"\n')

    settings = load(file)

    assert settings.store.password is not None
    assert settings.store.password.get_secret_value() == "hemmelig"
    assert "hemmelig" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server]\nprot = 1", "server.prot: no such setting; did you mean port?"),
        ("[sevrer]\nport = 1", "sevrer: no such setting; did you mean server?"),
        ("[server]\nport = 'x'", "server.port: Input should be a valid integer"),
        ("[store]\npassword_file = '/no'", "password_file: cannot be read"),
        ("[server", "is not TOML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path, text, sentence) -> None:
    with pytest.raises(ConfigError) as refused:
        load(write(tmp_path, text))

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("FYR_SEVRER__PORT", "FYR_SEVRER__PORT: no such setting; did you mean server?"),
        ("FYR_SERVER__PROT", "server.prot: no such setting; did you mean port?"),
    ],
)
def test_a_mistake_in_the_environment_is_named(monkeypatch, name, sentence) -> None:
    monkeypatch.setenv(name, "1")

    with pytest.raises(ConfigError) as refused:
        load()

    assert sentence in str(refused.value)


def test_all_mistakes_are_told_at_once(tmp_path) -> None:
    file = write(tmp_path, "[server]\nport = -1\nthreads = 0\n[fhir]\nx = 1\n")

    with pytest.raises(ConfigError) as refused:
        load(file)

    assert len(refused.value.problems) == 3


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load(tmp_path / "none.toml")


def test_a_secret_file_that_is_empty_is_refused(tmp_path) -> None:
    (tmp_path / "token").write_text("\n")
    table = f"[security]\nadmin_token_file = '{tmp_path / 'token'}'"

    with pytest.raises(ConfigError, match="admin_token_file: the file is empty"):
        load(write(tmp_path, table))


def test_each_secret_of_a_plugin_may_stand_in_a_file(tmp_path) -> None:
    class Keyed(Section):
        key: SecretStr

    (tmp_path / "key").write_text("swordfish\n")

    settings = Keyed.model_validate({"key_file": str(tmp_path / "key")})

    assert settings.key.get_secret_value() == "swordfish"
