"""A plugin that has commands."""

from collections.abc import Callable

from click.testing import Result

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
