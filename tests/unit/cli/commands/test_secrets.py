"""What the ``fyr`` command shows of settings, and what it masks."""

import json

import pytest

from .deployments import Fyr


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
