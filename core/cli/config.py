"""``fyr config show`` and ``fyr config check``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.cli.options import config_option, fail, settings_from
from fyr.core.observability.masking import masked

if TYPE_CHECKING:
    from fyr.core.hooks.registry import PluginRegistry

_MASK = "**********"


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
@config_option
def show(config_file: Path | None) -> None:
    """Print every setting as it is in force; secrets are masked."""
    settings = settings_from(config_file)
    shown = settings.model_dump(mode="json")
    shown["store"]["url"] = settings.store.shown_url
    shown["plugin"] = _plugin_tables(settings)
    # Passwords in URLs too, of whatever setting.
    click.echo(masked(json.dumps(shown, indent=2, ensure_ascii=False)))


@config.command()
@config_option
@click.option(
    "--reach",
    is_flag=True,
    help="Ask those whom the settings name too: database, broker, S3 and others.",
)
def check(config_file: Path | None, reach: bool) -> None:
    """Name what is wrong with the settings and the plugins; status 2 when anything is.

    What may not have been meant is told as well, and changes no status; what --reach finds
    amiss with others gives 1. Nothing is opened or started: what a plugin finds only then
    is told by the start.
    """
    settings = settings_from(config_file)
    from fyr.core.app import registered_operations
    from fyr.core.cli.extra import commands_of
    from fyr.core.hooks.loading import load_plugins
    from fyr.core.interactions.services import registered_services
    from fyr.core.serving.cautions import cautions
    from fyr.core.serving.prepare import doubts, refuse_unsafe

    try:
        refuse_unsafe(settings)
        plugins = load_plugins(settings)
        if missing := list(plugins.missing(settings)):
            raise ConfigError(missing)
        hooks = plugins.hooks
        registered_services(settings, hooks)
        registered_operations(hooks)
        # Not routes: plugins make theirs of what they have once they are started.
        commands_of(hooks)
        told = list(cautions(settings, plugins))
    except ConfigError as error:
        fail(error, 2)
    for doubt in (*doubts(settings), *told):
        click.echo(f"Warning: {doubt}", err=True)
    if reach and (unreached := list(_unreached(settings, plugins))):
        fail(ConfigError(unreached), 1)
    click.echo("The settings are fine.")


def _unreached(settings: Settings, plugins: PluginRegistry) -> Iterator[str]:
    """Tell what this server and its plugins miss of others."""
    from fyr.core.blobs import open as blobs
    from fyr.core.hooks.plugin import Plugin
    from fyr.core.messages import publishing
    from fyr.core.store import open as store

    for own in (store, publishing, blobs):
        yield from own.unreached(settings)
    for one in plugins:
        if isinstance(one.target, Plugin):
            for sentence in one.target.reach(settings):
                yield f"plugin {one.name}: {sentence}"


def _plugin_tables(settings: Settings) -> dict[str, dict[str, Any]]:
    """Tell the plugins' settings, defaults included.

    Which of them are secret is known to the plugin alone: of one that does not take
    part, or cannot be loaded, all values are masked.
    """
    from fyr.core.hooks.loading import load_plugins

    tables: dict[str, dict[str, Any]] = {
        name: dict.fromkeys(table, _MASK) for name, table in settings.plugin.items()
    }
    try:
        loaded = load_plugins(settings)
    except ConfigError:
        return tables
    return tables | {one.name: one.settings.model_dump(mode="json") for one in loaded}
