"""``fyr reindex``: have resources indexed anew, and see how far that is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fyr.core.cli.options import fail, opened, settings_from, with_deployment
from fyr.core.cli.waiting import wait_for
from fyr.core.clock import to_millis
from fyr.core.errors import FyrError
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.engine import Engine
from fyr.search.full_text import index as fulltext
from fyr.search.indexing.job import NAME, Reindex

if TYPE_CHECKING:
    from fyr.core.app import Application


@click.command()
@with_deployment
@click.option(
    "--type",
    "types",
    multiple=True,
    type=click.Choice(sorted(RESOURCE_TYPES)),
    metavar="TYPE",
    help="Index all resources of this type anew; may be given again.",
)
@click.option("--all", "everything", is_flag=True, help="Index all resources anew.")
@click.option(
    "--full-text", is_flag=True, help="Only the words for _text and _content."
)
@click.option("--wait", is_flag=True, help="Wait for the end, with a progress bar.")
@click.option("--status", is_flag=True, help="Only tell how far it is.")
@click.option("--cancel", is_flag=True, help="Stop; what is not indexed stays unsaid.")
def reindex(
    config_file: Path | None,
    data_dir: Path | None,
    types: tuple[str, ...],
    everything: bool,
    full_text: bool,
    wait: bool,
    status: bool,
    cancel: bool,
) -> None:
    """Have a worker index what is not indexed by the parameters in force.

    A worker must run: `fyr serve` has one, or `fyr worker`.
    """
    settings = settings_from(config_file, data_dir=data_dir)
    with opened(settings) as application:
        engine = application.search
        if not isinstance(engine, Engine):
            raise click.ClickException("this server has another search engine")
        work = Reindex(
            engine.sets, application.database, application.clock, settings.search
        )
        if full_text:
            _words(application)
        elif cancel:
            _cancel(application, work)
        elif status:
            _status(work)
        else:
            _start(application, work, types, everything, wait)


def _start(
    application: Application,
    work: Reindex,
    types: tuple[str, ...],
    everything: bool,
    wait: bool,
) -> None:
    wanted = sorted(RESOURCE_TYPES) if everything else types
    if not wanted and not work.pending(work.sets.current(at_once=True)):
        click.echo("Everything is indexed by the parameters in force.")
        return
    job = application.database.write(lambda session: work.force(session, wanted))
    if not wait:
        click.echo(f"Job {job} has been submitted: fyr reindex --status")
        return
    _wait(application, job)


def _words(application: Application) -> None:
    if not application.settings.search.full_text:
        fail(FyrError("there is no such index: the setting search.full_text is off"))
    database, clock = application.database, application.clock
    job = database.write(lambda session: fulltext.submit(session, database, clock))
    click.echo(f"Job {job} indexes all resources anew as soon as a worker runs it.")


def _wait(application: Application, job: str) -> None:
    found = wait_for(application, job, "Indexing")
    anew = sum(json.loads(found.result or "{}").values())
    click.echo(f"Job {job} is done: its last run indexed {anew} resources anew.")


def _status(work: Reindex) -> None:
    waiting = work.waiting()
    for kind in waiting:
        click.echo(f"{kind}: {work.progress(kind).told(to_millis(work.clock()))}")
    if not waiting:
        click.echo("Everything is indexed by the parameters in force.")


def _cancel(application: Application, work: Reindex) -> None:
    found = application.database.write(
        lambda session: [
            application.jobs.cancel(session, one.id)
            for one in application.jobs.states(NAME)
            if one.finished is None
        ]
    )
    click.echo(f"{len(found)} jobs were told to stop.")
