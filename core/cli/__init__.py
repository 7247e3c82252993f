"""The ``fyr`` command; each sub-command's module is imported when it is called.

Plugins are loaded only for a sub-command that is none of these, and for the help.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fyr.core import __version__

#: Sub-command -> module and function.
COMMANDS = {
    "serve": ("fyr.core.cli.serving", "serve"),
    "worker": ("fyr.core.cli.serving", "worker"),
    "load": ("fyr.core.cli.load", "load"),
    "plugins": ("fyr.core.cli.plugins", "plugins"),
    "migrate": ("fyr.core.cli.migrate", "migrate"),
    "config": ("fyr.core.cli.config", "config"),
    "events": ("fyr.core.cli.events", "events"),
    "blobs": ("fyr.core.cli.blobs", "blobs"),
    "version": ("fyr.core.cli.version", "version"),
}


class _LazyGroup(click.Group):
    """Sub-commands by name, so that ``fyr version`` does not load a server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *_plugin_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, function = COMMANDS[cmd_name]
            command: Any = getattr(importlib.import_module(module), function)
            assert isinstance(command, click.Command)
            return command
        return _plugin_commands(ctx).get(cmd_name)


def _plugin_commands(ctx: click.Context) -> Mapping[str, click.Command]:
    """Ask the plugins of this deployment; says why, and gives none, when that fails."""
    from fyr.config.load import ConfigError, load
    from fyr.core.cli.extra import plugin_commands
    from fyr.core.masking import masked

    try:
        settings = load(ctx.params.get("config_file"))
        ctx.obj = settings
        return plugin_commands(settings)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"fyr: {masked(problem)}", err=True)
        return {}


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fyr")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    is_eager=True,
    help="TOML file with the settings, for sub-commands that are given none.",
)
def main(config_file: Path | None) -> None:
    """Fyr: a FHIR R4 server built of plugins."""
