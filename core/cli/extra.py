"""Sub-commands of ``fyr`` that plugins offer by ``register_commands``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import click

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.cli.commands import COMMANDS
from fyr.core.hooks.discovery import installed
from fyr.core.hooks.loading import load_plugins
from fyr.core.hooks.pipeline import Hooks


def plugin_commands(settings: Settings) -> Mapping[str, click.Command]:
    """Ask the plugins of a deployment for their commands, by name.

    :raises ConfigError: the plugins cannot be loaded, or two commands have one name.
    """
    return commands_of(load_plugins(settings).hooks)


def commands_of(hooks: Hooks) -> Mapping[str, click.Command]:
    """Collect the commands, by name.

    :raises ConfigError: two have one name, or one has that of a command of Fyr's own.
    """
    offered = hooks.register_commands() if hooks.register_commands else []
    names = Counter([*COMMANDS, *[one.name or "" for one in offered]])
    clashes = [f"commands: two are named {name}" for name in names if names[name] > 1]
    if clashes:
        raise ConfigError(clashes)
    return {one.name or "": one for one in offered}


def hint_of(settings: Settings, command: str) -> str:
    """Tell which plugin would offer a command, if it were enabled; empty: none is known.

    That imports plugins, the one of the command's name first.
    """
    idle = [one for one in installed() if one not in settings.plugins.enabled]
    for name in sorted(idle, key=lambda one: (one != command, one)):
        plugins = settings.plugins.model_copy(update={"enabled": [name]})
        try:
            found = load_plugins(settings.model_copy(update={"plugins": plugins}))
            offered = commands_of(found.hooks)
        except ConfigError:
            # It needs more than it has here.
            offered = {}
        if command in offered:
            (summary,) = [
                one.manifest.summary for one in found.plugins if one.name == name
            ]
            return (
                f"The plugin {name} has it: name it in plugins.enabled. {summary}"
            ).rstrip()
    return ""
