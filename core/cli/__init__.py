"""The ``fyr`` command; each sub-command's module is imported when it is called."""

import importlib
from typing import Any

import click

from fyr.core import __version__

#: Sub-command -> module and function.
_COMMANDS = {
    "serve": ("fyr.core.cli.serving", "serve"),
    "worker": ("fyr.core.cli.serving", "worker"),
    "load": ("fyr.core.cli.load", "load"),
    "plugins": ("fyr.core.cli.plugins", "plugins"),
    "migrate": ("fyr.core.cli.migrate", "migrate"),
    "config": ("fyr.core.cli.config", "config"),
    "events": ("fyr.core.cli.events", "events"),
    "version": ("fyr.core.cli.version", "version"),
}


class _LazyGroup(click.Group):
    """Sub-commands by name, so that ``fyr version`` does not load a server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS:
            module, function = _COMMANDS[cmd_name]
            command: Any = getattr(importlib.import_module(module), function)
            assert isinstance(command, click.Command)
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fyr")
def main() -> None:
    """Fyr: a FHIR R4 server built of plugins."""
