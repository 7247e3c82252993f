"""``fyr config show`` and ``fyr config check``."""

import json
from pathlib import Path

import click

from fyr.core.cli.options import config_option, settings_from


@click.group()
def config() -> None:
    """Look at the settings."""


@config.command()
@config_option
def show(config_file: Path | None) -> None:
    """Print every setting as it is in force; secrets are masked."""
    settings = settings_from(config_file)
    click.echo(json.dumps(settings.model_dump(mode="json"), indent=2))


@config.command()
@config_option
def check(config_file: Path | None) -> None:
    """Name what is wrong with the settings and the plugins; status 2 when anything is."""
    settings = settings_from(config_file)
    from fyr.config.load import ConfigError
    from fyr.core.cli.options import fail
    from fyr.core.hooks.loading import load_plugins
    from fyr.core.serving.prepare import refuse_unsafe

    try:
        refuse_unsafe(settings)
        load_plugins(settings)
    except ConfigError as error:
        fail(error, 2)
    click.echo("The settings are fine.")
