"""``fyr blobs``: wrap keys anew, and remove what nothing refers to, without waiting."""

from pathlib import Path

import click

from fyr.core.cli.options import opened, settings_from, with_deployment


@click.group()
def blobs() -> None:
    """Look after the bytes that are not in the database."""


@blobs.command()
@with_deployment
def rewrap(config_file: Path | None, data_dir: Path | None) -> None:
    """Wrap all owners' keys by blobs.master_key; a worker does so each hour.

    After that blobs.former_master_key is not needed any more.
    """
    with opened(settings_from(config_file, data_dir=data_dir)) as application:
        number = application.blobs.keys.rewrap()
    click.echo(f"{number:,} keys were wrapped anew.")


@blobs.command()
@with_deployment
def sweep(config_file: Path | None, data_dir: Path | None) -> None:
    """Remove blobs whose time is over; a worker does so every five minutes."""
    from fyr.core.blobs.sweep import Sweep

    with opened(settings_from(config_file, data_dir=data_dir)) as application:
        number = Sweep(application.blobs).sweep()
    click.echo(f"{number:,} blobs were removed.")
