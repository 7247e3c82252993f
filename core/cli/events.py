"""``fyr events``: what was told, who could not take it, and telling it again."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fyr.core.cli.options import in_a_line, opened, settings_from, with_deployment
from fyr.core.clock import instant
from fyr.core.observability.masking import masked

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.events import Change, DeadLetters


@contextmanager
def _application(
    config_file: Path | None, data_dir: Path | None
) -> Iterator[Application]:
    settings = settings_from(config_file, data_dir=data_dir)
    with opened(settings) as application:
        yield application


_LOCAL = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")
_ZONED = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")


@click.group()
def events() -> None:
    """Look at the outbox and at those who are told."""


@events.command()
@with_deployment
@click.option("--after", default=0, help="Position to begin after; 0: the oldest.")
@click.option("--follow", "-f", is_flag=True, help="Wait for more.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def tail(
    config_file: Path | None,
    data_dir: Path | None,
    after: int,
    follow: bool,
    as_json: bool,
) -> None:
    """Print what has been committed, in the order in which consumers are told."""
    stop = threading.Event()
    with _application(config_file, data_dir) as application:
        try:
            for change in application.outbox.tail(after, stop=stop if follow else None):
                click.echo(_as_json(change) if as_json else _as_line(change))
                sys.stdout.flush()
        except KeyboardInterrupt:
            stop.set()


@events.command()
@with_deployment
@click.argument("consumer")
@click.option("--after", type=int, help="Position to begin after again.")
@click.option(
    "--since",
    type=click.DateTime([*_LOCAL, *_ZONED]),
    help="Begin with this time: local, unless it ends with Z or an offset.",
)
@click.option(
    "--topic",
    "topics",
    multiple=True,
    help="Publish messages with this topic again, at once: ehealth-task, ehealth-task.*",
)
def replay(
    config_file: Path | None,
    data_dir: Path | None,
    consumer: str,
    after: int | None,
    since: datetime | None,
    topics: tuple[str, ...],
) -> None:
    """Tell a consumer again what it has been told already."""
    if (after is None) == (since is None):
        raise click.UsageError("give either --after or --since")
    from fyr.core.events import replay

    with _application(config_file, data_dir) as application:
        outbox = application.outbox
        position = outbox.before(since.astimezone()) if since else after or 0
        if topics:
            _publish_again(application, consumer, position, topics)
        else:
            number = replay(outbox, consumer, position)
            click.echo(f"{consumer} will be told of {number:,} events.")


def _publish_again(
    application: Application, consumer: str, after: int, topics: tuple[str, ...]
) -> None:
    left_out: list[str] = []

    def problem(told: str) -> None:
        left_out.append(told)
        click.echo(masked(told), err=True)

    number = application.publishing.again(
        application.outbox, consumer, after, topics, problem
    )
    click.echo(f"{number:,} messages of {consumer} were published again.")
    if left_out:
        raise SystemExit(1)


@events.command()
@with_deployment
@click.option("--seconds", default=1.0, help="How long the rate is counted for.")
@click.option("--json", "as_json", is_flag=True, help="As /admin/events tells it.")
def status(
    config_file: Path | None, data_dir: Path | None, seconds: float, as_json: bool
) -> None:
    """Tell how far each consumer is, and what is to be sent to others."""
    from fyr.core.events.status import Status

    with _application(config_file, data_dir) as application:
        told = Status(application)
        told.report()
        time.sleep(max(0.0, seconds))
        report = told.report()
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        for line in status_lines(report):
            click.echo(line)


def status_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Write a report for a person."""
    yield f"{report['head']} is the number of the last event"
    yield f"{'consumer':<24} {'state':<8} {'lag':>8} {'seconds':>8} {'rate/s':>8} {'dead':>5}"
    for one in report["consumers"]:
        rate = "-" if one["perSecond"] is None else f"{one['perSecond']:.1f}"
        yield (
            f"{one['name']:<24} {one['state']:<8} {_or_dash(one['lag'], ',')}"
            f" {_or_dash(one['lagSeconds'], '.1f')} {rate:>8} {one['dead']:>5,}"
        )
        if one["waiting"]:
            yield f"{'':<24} {one['waiting']:,} failed or wait behind one that did"
        if one["error"]:
            yield f"{'':<24} {in_a_line(one['error'])}"
    for one in report["outgoing"]:
        yield (
            f"{one['sender']}: {one['waiting']:,} to send, the oldest for"
            f" {one['oldestSeconds']:.0f} s; {one['dead']:,} dead;"
            f" {one['failing']:,} receivers fail"
        )


@events.command()
@with_deployment
@click.option("--consumer", default="", help="Only those of one consumer.")
@click.option("--retry", is_flag=True, help="Try them again.")
@click.option("--drop", is_flag=True, help="Give them up.")
@click.option("--position", type=int, help="With --retry or --drop: only this one.")
def dead(
    config_file: Path | None,
    data_dir: Path | None,
    consumer: str,
    retry: bool,
    drop: bool,
    position: int | None,
) -> None:
    """List the events that a consumer never took, try them again or give them up."""
    if retry and drop:
        raise click.UsageError("give either --retry or --drop")
    if position is not None and not (retry or drop):
        raise click.UsageError("--position goes with --retry or --drop")
    if (retry or drop) and not consumer:
        raise click.UsageError("name the --consumer")
    from fyr.core.events import DeadLetters

    with _application(config_file, data_dir) as application:
        letters = DeadLetters(application.outbox)
        if retry or drop:
            number = (letters.retry if retry else letters.drop)(consumer, position)
            click.echo(f"{number:,} {'will be tried again' if retry else 'given up'}.")
        else:
            _list(letters, consumer)


@events.command()
@with_deployment
@click.argument("consumer")
def forget(config_file: Path | None, data_dir: Path | None, consumer: str) -> None:
    """Forget a consumer whose plugin is not enabled any more, and its dead letters."""
    from fyr.core.events import forget_consumer

    with _application(config_file, data_dir) as application:
        if consumer in {one.name for one in application.consumers}:
            raise click.UsageError(f"{consumer} is of a plugin that is enabled here")
        forget_consumer(application.outbox, consumer, application.clock)
        click.echo(f"{consumer} is forgotten.")


def _or_dash(number: float | None, form: str) -> str:
    return f"{'-' if number is None else format(number, form):>8}"


def _list(letters: DeadLetters, only: str) -> None:
    consumer, after, found = only, 0, 0
    while page := (letters.of(only, after) if only else letters.page(consumer, after)):
        for letter in page:
            found += 1
            what = letter.change.subject if letter.change else "an event that is gone"
            click.echo(
                f"{letter.consumer}  {letter.position}  {what}"
                f"  after {letter.attempts} tries: {in_a_line(letter.error)}"
            )
        consumer, after = page[-1].consumer, page[-1].position
    if not found:
        click.echo("No dead letters.")


def _as_line(change: Change) -> str:
    at = instant(change.at)
    if change.topic != "resource":
        return f"{change.position}  {at}  {change.topic}  {json.dumps(change.payload)}"
    subject = f"{change.type}/{change.id}/_history/{change.version}"
    return f"{change.position}  {at}  {change.method}  {subject}"


def _as_json(change: Change) -> str:
    return json.dumps(
        {
            "position": change.position,
            "at": instant(change.at),
            "topic": change.topic,
            "type": change.type,
            "id": change.id,
            "version": change.version,
            "method": change.method,
            "traceId": change.trace_id,
            "payload": change.payload,
        },
        ensure_ascii=False,
    )
