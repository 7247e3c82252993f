"""A server that trusts the development issuer, and the command that makes tokens."""

import json

import pytest
from click.testing import CliRunner

from fyr.plugins.access_control.development.command import dev


@pytest.fixture
def run(fyr_settings):
    """Call ``fyr dev ...`` with the settings of the server."""

    def call(*arguments):
        return CliRunner().invoke(dev, list(arguments), obj=fyr_settings)

    return call


@pytest.fixture
def tokens(run):
    """Make tokens by the command, with their refresh token."""

    def make(*arguments):
        done = run("token", "--json", *arguments)
        assert done.exit_code == 0, done.output
        return json.loads(done.output)

    return make
