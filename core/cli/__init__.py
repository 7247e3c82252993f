"""The ``fyr`` command; each sub-command's module is imported when it is called.

Plugins are loaded only for a sub-command that is none of these, and for the help.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fyr.core.cli.commands import COMMANDS
from fyr.core.version import __version__

#: What tells of which deployment a command is, and the parameter that keeps it.
_DEPLOYMENT = {"--config": "config_file", "--data-dir": "data_dir"}


class _LazyGroup(click.Group):
    """Sub-commands by name, so that ``fyr version`` does not load a server."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # Which plugin offers a command only the configuration tells: so what names it
        # behind such a command is for Fyr, and the command need know nothing of it.
        if args[0] not in COMMANDS:
            args = [args[0], *_without_deployment(ctx, args[1:])]
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if hint := _hint(ctx, args[0]):
                text = error.message.rstrip(".") if hint[0] == ";" else error.message
                raise click.UsageError(f"{text}{hint}", ctx) from None
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *_plugin_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, function = COMMANDS[cmd_name]
            command: Any = getattr(importlib.import_module(module), function)
            assert isinstance(command, click.Command)
            return command
        return _plugin_commands(ctx).get(cmd_name)


def _without_deployment(ctx: click.Context, args: list[str]) -> list[str]:
    """Take ``--config`` and ``--data-dir`` out of the arguments of a plugin's command."""
    end = args.index("--") if "--" in args else len(args)
    waiting, kept = args[:end], []
    while waiting:
        one = waiting.pop(0)
        name, is_joined, path = one.partition("=")
        if name not in _DEPLOYMENT:
            kept.append(one)
            continue
        if not is_joined:
            if not waiting:
                raise click.BadOptionUsage(
                    name, f"Option {name!r} requires an argument."
                )
            path = waiting.pop(0)
        ctx.params[_DEPLOYMENT[name]] = Path(path)
    return kept + args[end:]


def _plugin_commands(ctx: click.Context) -> Mapping[str, click.Command]:
    """Ask the plugins of this deployment; says why, and gives none, when that fails."""
    from fyr.config.load import ConfigError, load
    from fyr.core.cli.extra import plugin_commands
    from fyr.core.observability.masking import masked

    try:
        folder = ctx.params.pop("data_dir", None)
        options = {"data_dir": folder} if folder is not None else {}
        settings = load(ctx.params.get("config_file"), options)
        ctx.obj = settings
        return plugin_commands(settings)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"fyr: {masked(problem)}", err=True)
        return {}


def _hint(ctx: click.Context, command: str) -> str:
    """Tell which command is meant, or which plugin has it, once settings are read."""
    from fyr.config.neighbours import neighbour
    from fyr.core.hooks.discovery import installed

    # A slip of the finger: no plugin need be imported to see that.
    if command not in installed() and (near := neighbour(command, COMMANDS)):
        return near
    if ctx.obj is None:
        return ""
    from fyr.core.cli.extra import hint_of

    hint = hint_of(ctx.obj, command)
    return f" {hint}" if hint else ""


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
