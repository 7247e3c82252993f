"""``fyr reporting``: how the reporting index is, make it anew, compare it with the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fyr.core.cli.options import fail, opened, settings_from, with_deployment
from fyr.core.cli.waiting import wait_for
from fyr.core.clock import instant
from fyr.core.errors import FyrError, Unavailable

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.search.reporting.reporting import Reporting

#: Differences that are named of each type.
_NAMED = 20


@click.group()
def reporting() -> None:
    """Look after the index that reports are made from."""


@reporting.command()
@with_deployment
def status(config_file: Path | None, data_dir: Path | None) -> None:
    """Tell where the index is, what it has, and how far it is behind."""
    with _opened(config_file, data_dir) as (application, found):
        place = application.settings.reporting.url
        problem = found.index.health()
        click.echo(f"Index: {place}, {problem or 'answers'}")
        for one in found.generations.all():
            click.echo(
                f"Generation {one.number}: {one.state}, made {instant(one.created)},"
                f" {one.fraction:.0%} filled, {one.refused:,} refused"
            )
        if not problem:
            _tell_contents(found)


@reporting.command()
@with_deployment
@click.option("--wait", is_flag=True, help="Wait for the end, with a progress bar.")
def rebuild(config_file: Path | None, data_dir: Path | None, wait: bool) -> None:
    """Have a worker make the index anew; readers see the present one until then.

    A worker must run: `fyr serve` has one, or `fyr worker`.
    """
    with _opened(config_file, data_dir) as (application, found):
        job = application.database.write(found.generations.want)
        if wait:
            _wait(application, job)
        else:
            click.echo(f"Job {job} has been submitted: fyr reporting status")


@reporting.command()
@with_deployment
@click.option("--all", "everything", is_flag=True, help="Name all differences.")
def verify(config_file: Path | None, data_dir: Path | None, everything: bool) -> None:
    """Compare every id and version with the store; status 1 when something differs."""
    from fyr.search.reporting.verifying import verify as compared

    with _opened(config_file, data_dir) as (_, found):
        different = 0
        for one in compared(found):
            different += len(one.differences)
            click.echo(
                f"{one.type}: {one.stored:,} stored, {one.indexed:,} in the index,"
                f" {len(one.differences):,} differ, {one.waiting:,} on their way"
            )
            shown = one.differences if everything else one.differences[:_NAMED]
            for difference in shown:
                click.echo(f"  {difference}")
            if len(shown) < len(one.differences):
                click.echo(f"  and {len(one.differences) - len(shown):,} more: --all")
        if different:
            fail(
                FyrError(
                    f"{different:,} resources differ: `fyr events dead` has what the"
                    " index refused, for the others there is `fyr reporting rebuild`"
                )
            )


@contextmanager
def _opened(
    config_file: Path | None, data_dir: Path | None
) -> Iterator[tuple[Application, Reporting]]:
    from fyr.search import Search

    with opened(settings_from(config_file, data_dir=data_dir)) as application:
        search = application.plugin(Search)
        if search is not None and search.reporting:
            yield application, search.reporting
            return
        fail(FyrError("there is no such index: the setting reporting.url is empty"))


def _tell_contents(found: Reporting) -> None:
    try:
        told = found.as_of()
    except Unavailable as error:
        click.echo(f"Readers see nothing yet: {error}")
        return
    generation = found.index.shown()
    assert generation is not None
    click.echo(f"As of {told.instant}; {told.refused:,} changes were refused for good")
    for kind, count in sorted(found.index.counts(generation).items()):
        click.echo(f"{kind}: {count:,}")


def _wait(application: Application, job: str) -> None:
    found = wait_for(application, job, "Filling")
    click.echo(f"Job {job} is done: {found.result}")
