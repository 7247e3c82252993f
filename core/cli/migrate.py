"""``fyr migrate``: bring the schema up to date, or only tell whether it is."""

from pathlib import Path

import click

from fyr.core.cli.options import opened, settings_from, with_deployment


@click.command()
@with_deployment
@click.option("--check", is_flag=True, help="Change nothing; status 1 when behind.")
def migrate(config_file: Path | None, data_dir: Path | None, check: bool) -> None:
    """Apply the migrations that the store has not seen yet."""
    settings = settings_from(config_file, data_dir=data_dir, store__migrate=not check)
    with opened(settings):
        pass
    click.echo("The schema is up to date.")
