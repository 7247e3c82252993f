"""``fyr report``: questions to the reporting index on the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import orjson

from fyr.core import FyrError
from fyr.core.cli.options import opened, settings_from, with_deployment
from fyr.core.observability.masking import masked
from fyr.plugins.reporting.asking import Questions
from fyr.search.reporting.asking.desk import Caller, Told
from fyr.search.reporting.asking.writing import FORMATS, Format, headers, written


@click.group()
def report() -> None:
    """Ask the reporting index."""


@report.command()
@with_deployment
@click.argument("question")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="csv",
    show_default=True,
    help="How the answer is written.",
)
@click.option("--all", "everything", is_flag=True, help="All pages, one after another.")
@click.option(
    "--anonymized", is_flag=True, help="As for a caller for whom data is anonymised."
)
def query(
    config_file: Path | None,
    data_dir: Path | None,
    question: str,
    format_: Format,
    everything: bool,
    anonymized: bool,
) -> None:
    """Answer QUESTION: JSON, or a file that holds it, or `-` for standard input.

    Rows go to standard output, what is known of the whole to standard error.
    """
    if everything and format_ == "json":
        raise click.UsageError("--all is for csv and ndjson, whose pages can be joined")
    data = _read(question)
    settings = settings_from(config_file, data_dir=data_dir)
    with opened(settings) as application:
        from fyr.plugins.reporting import ReportingPlugin

        found = application.plugin(ReportingPlugin)
        assert found is not None
        caller = found.questions.of_operator(anonymized=anonymized)
        try:
            for number, told in enumerate(_pages(found.questions, data, caller)):
                _write(told, format_, later=number > 0)
                if not everything:
                    break
        except FyrError as error:
            _fail(error)


def _read(question: str) -> bytes:
    if question == "-":
        return sys.stdin.buffer.read()
    if question.lstrip().startswith("{"):
        return question.encode()
    try:
        return Path(question).read_bytes()
    except OSError as error:
        raise click.BadParameter(
            f"{question} cannot be read: {error.strerror}"
        ) from None


def _pages(questions: Questions, data: bytes, caller: Caller) -> Iterator[Told]:
    while True:
        told = questions.answer(data, caller)
        yield told
        if told.answer.next is None:
            return
        # It was read without a problem, so it is an object.
        data = orjson.dumps({**orjson.loads(data), "page": told.answer.next})


def _write(told: Told, format_: Format, *, later: bool) -> None:
    data = written(told, format_)
    if later and format_ == "csv":
        data = data.partition(b"\r\n")[2]
    click.echo(data, nl=format_ == "json")
    if format_ != "json" and not later:
        for name, value in headers(told).items():
            click.echo(f"{name}: {value}", err=True)


def _fail(error: FyrError) -> None:
    """End with the paths of what is wrong."""
    for one in error.issues:
        where = f"{one.expression[0]}: " if one.expression else ""
        click.echo(f"fyr: {masked(where + one.diagnostics)}", err=True)
    sys.exit(1)
