"""Where the development issuer is refused."""

from datetime import UTC, datetime

import pytest

from fyr.config.load import ConfigError
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.issuer import issuing

from .words import REALM


class TestSafety:
    def test_a_server_that_others_can_reach_does_not_start_with_it(
        self, fyr_options, tmp_path
    ) -> None:
        settings = settings_with(
            {**fyr_options, "server": {"host": "0.0.0.0"}}, tmp_path / "data"
        )

        with pytest.raises(ConfigError) as caught, application(settings, FakeClock()):
            pass
        assert "plugin.access_control.development" in str(caught.value)
        assert "server.host is 0.0.0.0" in str(caught.value)

    def test_without_it_nothing_of_it_is_there(
        self, fyr_options, fyr_settings, tokens, tmp_path
    ) -> None:
        from fyr.core.testing.applications import client_of

        token = tokens("--as", "system")["access_token"]
        options = {**fyr_options, "plugin": {"access_control": {}}}
        settings = settings_with(options, fyr_settings.data_dir)
        with application(settings, FakeClock(datetime.now(UTC))) as built:
            client = client_of(built)

            bearer = f"Bearer {token}"
            assert client.get("Patient", Authorization=bearer).status == 401
            path = f"{REALM}/protocol/openid-connect/certs"
            assert client.get(path).status == 404

    def test_the_command_says_when_it_would_be_in_vain(self, fyr_settings) -> None:
        from click.testing import CliRunner

        from fyr.plugins.access_control.development.command import dev

        settings = fyr_settings.model_copy(update={"plugin": {}})
        done = CliRunner().invoke(dev, ["token"], obj=settings)

        assert done.exit_code == 1
        assert "plugin.access_control.development" in done.output

    def test_a_realm_of_the_same_path_elsewhere_is_a_stranger(
        self, fyr_client, fyr_clock
    ) -> None:
        """Whoever listens on this machine does not become the development issuer."""
        with issuing("RS256", fyr_clock) as stranger:
            url = f"http://127.0.0.1:8080{REALM}"
            token = stranger.token(iss=url, user_type="SYSTEM")

            answer = fyr_client.get("Patient", Authorization=f"Bearer {token}")
            assert answer.status == 401
