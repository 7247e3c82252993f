"""``fyr reindex``: have what is stored already taken into an index."""

import click

from fyr.config.settings import Settings
from fyr.core.cli.options import fail, opened
from fyr.core.errors import FyrError
from fyr.search import fulltext


@click.command()
@click.option("--full-text", is_flag=True, help="The words for _text and _content.")
@click.pass_obj
def reindex(settings: Settings, full_text: bool) -> None:
    """Submit a job that indexes all resources anew; a worker runs it."""
    if not full_text:
        raise click.UsageError("say what: --full-text")
    if not settings.search.full_text:
        fail(FyrError("there is no such index: the setting search.full_text is off"))
    with opened(settings) as application:
        database, clock = application.database, application.clock
        job = database.write(lambda session: fulltext.submit(session, database, clock))
    click.echo(f"Job {job} indexes all resources anew as soon as a worker runs it.")
