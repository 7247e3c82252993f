"""``fyr version``."""

import platform

import click

from fyr.core.version import __version__


@click.command()
def version() -> None:
    """Tell the version of Fyr and of Python."""
    click.echo(f"fyr {__version__} (Python {platform.python_version()})")
