"""``fyr outgoing``: what is still to be sent to receivers outside, and what was given up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fyr.core.cli.options import in_a_line, opened, settings_from, with_deployment
from fyr.core.clock import instant

if TYPE_CHECKING:
    from fyr.core.outgoing import DestinationState, Outgoing, OutgoingQueue

_sender = click.option("--sender", default="", help="Only those of one sender.")


@contextmanager
def _queue(config_file: Path | None, data_dir: Path | None) -> Iterator[OutgoingQueue]:
    settings = settings_from(config_file, data_dir=data_dir)
    with opened(settings) as application:
        yield application.outgoing


@click.group()
def outgoing() -> None:
    """Look at the queues of messages to receivers outside, and at dead letters."""


@outgoing.command()
@with_deployment
@_sender
def status(config_file: Path | None, data_dir: Path | None, sender: str) -> None:
    """List the receivers, and how much waits for each."""
    settings = settings_from(config_file, data_dir=data_dir)
    with opened(settings) as application:
        found = list(_destinations(application.outgoing, sender))
        for one in found:
            host = application.dispatcher.host(one.sender, one.destination)
            click.echo(_as_line(one, host))
        if not found:
            click.echo("Nothing was ever sent.")


@outgoing.command()
@with_deployment
@_sender
def dead(config_file: Path | None, data_dir: Path | None, sender: str) -> None:
    """List the messages that were given up, each with its id and the reason."""
    with _queue(config_file, data_dir) as queue:
        found = list(_dead(queue, sender))
        for one in found:
            click.echo(
                f"{one.id}  {one.sender}  {one.destination}  {instant(one.changed)}"
                f"  after {one.attempts} tries: {in_a_line(one.error)}"
            )
        if not found:
            click.echo("No dead letters.")


@outgoing.command()
@with_deployment
@_sender
@click.argument("ids", nargs=-1, type=int)
def retry(
    config_file: Path | None, data_dir: Path | None, sender: str, ids: tuple[int, ...]
) -> None:
    """Have dead letters sent again: those with these IDS, or all of a sender."""
    with _queue(config_file, data_dir) as queue:
        number = _each(queue, sender, ids, queue.retry)
        click.echo(f"{number:,} will be sent again.")


@outgoing.command()
@with_deployment
@_sender
@click.argument("ids", nargs=-1, type=int)
def discard(
    config_file: Path | None, data_dir: Path | None, sender: str, ids: tuple[int, ...]
) -> None:
    """Forget dead letters for good: those with these IDS, or all of a sender."""
    with _queue(config_file, data_dir) as queue:
        number = _each(queue, sender, ids, queue.discard)
        click.echo(f"{number:,} forgotten.")


def _each(
    queue: OutgoingQueue, sender: str, ids: tuple[int, ...], do: Callable[[int], None]
) -> int:
    if bool(sender) == bool(ids):
        raise click.UsageError("give either ids or a --sender")
    chosen = ids or [one.id for one in _dead(queue, sender)]
    for id_ in chosen:
        do(id_)
    return len(chosen)


def _dead(queue: OutgoingQueue, sender: str) -> Iterator[Outgoing]:
    after = 0
    while page := queue.dead(after, sender=sender):
        yield from page
        after = page[-1].id


def _destinations(queue: OutgoingQueue, sender: str) -> Iterator[DestinationState]:
    after = ("", "")
    while page := queue.destinations(after, sender=sender):
        yield from page
        after = (page[-1].sender, page[-1].destination)


def _as_line(state: DestinationState, host: str) -> str:
    where = f"{state.destination} ({host})" if host else state.destination
    said = (
        f"{state.sender}  {where}  {state.sent:,} sent,"
        f" {state.waiting:,} waiting, {state.dead:,} dead"
    )
    if not state.failures:
        return said
    again = f", tried again {instant(state.due)}" if state.waiting else ""
    return f"{said}; failed {state.failures} times{again}: {in_a_line(state.error)}"
