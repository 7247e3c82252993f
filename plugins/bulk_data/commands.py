"""``fyr bulk-data``: exports and imports of all callers, for whoever runs the server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from fyr.core import NotFound
from fyr.core.cli.options import in_a_line, opened, settings_from, with_deployment
from fyr.core.clock import instant
from fyr.plugins.bulk_data.tasks import Listed, Tasks


@contextmanager
def _tasks(config_file: Path | None, data_dir: Path | None) -> Iterator[Tasks]:
    settings = settings_from(config_file, data_dir=data_dir)
    with opened(settings) as application:
        from fyr.plugins.bulk_data import BulkData

        found = application.plugin(BulkData)
        assert found is not None
        yield found.tasks


@click.group("bulk-data")
def bulk_data() -> None:
    """Look at exports and imports, and end those of anybody."""


@bulk_data.command()
@with_deployment
def status(config_file: Path | None, data_dir: Path | None) -> None:
    """List them, the oldest first: id, whose it is, how far it is."""
    with _tasks(config_file, data_dir) as tasks:
        found = tasks.listed()
        for one in found:
            click.echo(_as_line(one))
        if not found:
            click.echo("No exports or imports are kept.")


@bulk_data.command()
@with_deployment
@click.argument("ids", nargs=-1, required=True)
def cancel(
    config_file: Path | None, data_dir: Path | None, ids: tuple[str, ...]
) -> None:
    """End those with these IDS and remove their files, as DELETE by the caller does.

    What an import has stored by then stays.
    """
    unknown = []
    with _tasks(config_file, data_dir) as tasks:
        for task_id in ids:
            try:
                tasks.cancel(tasks.get(task_id))
                click.echo(f"{task_id} has ended, and its files are gone.")
            except NotFound as error:
                unknown.append(f"fyr: {task_id}: {error}")
    for line in unknown:
        click.echo(line, err=True)
    if unknown:
        sys.exit(1)


def _as_line(one: Listed) -> str:
    issuer, user_type, user_id = one.owner.split("\n", 2)
    who = in_a_line(" ".join(part for part in (user_type, user_id, issuer) if part))
    return (
        f"{one.id}  {one.kind} at {one.service}  {one.state}"
        f"  {one.done:,} of {one.total:,}  {instant(one.created)}  {who}"
    )
