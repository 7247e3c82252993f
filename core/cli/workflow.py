"""``fyr workflow``: state machines, where a resource stands in them, and timers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fyr.core.cli.options import opened, settings_from, with_deployment
from fyr.core.clock import instant, to_millis
from fyr.core.errors import NotFound

if TYPE_CHECKING:
    from fyr.core.workflow import Machines
    from fyr.core.workflow.explaining import Explained, Next, Standing
    from fyr.core.workflow.timers import TimerState


#: Types of users (:attr:`fyr.core.Principal.user_type`).
_USERS = ("PATIENT", "PRACTITIONER", "SSL", "SYSTEM")
_NONE = "no plugin of this configuration has any; name one that does with --config"


@click.group()
def workflow() -> None:
    """Look at state machines, at where a resource stands, and at timers."""


@workflow.command("list")
@with_deployment
def list_(config_file: Path | None, data_dir: Path | None) -> None:
    """List the state machines of this deployment."""
    machines = list(_machines(config_file, data_dir))
    for one in machines:
        states = ", ".join(one.states)
        click.echo(f"{one.name:<28} {one.resource_type:<22} {states}")
    if not machines:
        click.echo(f"No state machines: {_NONE}")


@workflow.command()
@with_deployment
@click.argument("machine")
@click.option("--svg", "as_svg", is_flag=True, help="A drawing, instead of Mermaid.")
def draw(
    config_file: Path | None, data_dir: Path | None, machine: str, as_svg: bool
) -> None:
    """Draw a MACHINE as a Mermaid state diagram."""
    from fyr.config.neighbours import neighbour
    from fyr.core.workflow.mermaid import mermaid
    from fyr.core.workflow.svg import svg

    machines = _machines(config_file, data_dir)
    found = machines.named(machine)
    if found is None:
        names = [one.name for one in machines]
        near = neighbour(machine, names) or ": fyr workflow list names them"
        hint = near if names else f": {_NONE}"
        raise click.UsageError(f"no machine is named {machine}{hint}")
    click.echo(svg(found) if as_svg else mermaid(found))


@workflow.command()
@with_deployment
@click.argument("reference")
@click.option(
    "--for",
    "user",
    type=click.Choice(_USERS, case_sensitive=False),
    help="Only what users of this type may do.",
)
def explain(
    config_file: Path | None, data_dir: Path | None, reference: str, user: str | None
) -> None:
    """Tell where a resource stands, such as Task/1 or its URL, and what may come next.

    That is by the tables; access control tells what it asks of whom besides.
    """
    from fyr.core.workflow.explaining import explain as explained

    users = frozenset([user] if user else _USERS)
    with opened(settings_from(config_file, data_dir=data_dir)) as application:
        for line in _explained(explained(application, reference, users)):
            click.echo(line)


@workflow.command()
@with_deployment
@click.option(
    "--failed", is_flag=True, help="Those that were given up, with the reason."
)
def timers(config_file: Path | None, data_dir: Path | None, failed: bool) -> None:
    """Count the timers that wait, are late or were given up."""
    with opened(settings_from(config_file, data_dir=data_dir)) as application:
        if failed:
            for one in application.timers.given_up():
                click.echo(f"{one.id}  {_timer(one)}")
            return
        for name, counts in application.timers.counts().items():
            click.echo(
                f"{name:<28} {counts.pending:>8,} wait, {counts.late:,} late"
                f" ({counts.late_seconds:,.0f} s), {counts.failed:,} given up"
            )


@workflow.command()
@with_deployment
@click.argument("ids", nargs=-1, required=True)
@click.option("--discard", is_flag=True, help="Forget them for good instead.")
def retry(
    config_file: Path | None, data_dir: Path | None, ids: tuple[str, ...], discard: bool
) -> None:
    """Have timers that were given up fire again: those with these IDS."""
    with opened(settings_from(config_file, data_dir=data_dir)) as application:
        do = application.timers.discard if discard else application.timers.retry
        problems = []
        for one in ids:
            try:
                do(one)
            except NotFound as error:
                problems.append(str(error))
        done = len(ids) - len(problems)
        click.echo(f"{done:,} {'forgotten' if discard else 'will fire again'}.")
        if problems:
            raise click.ClickException("; ".join(problems))


def _machines(config_file: Path | None, data_dir: Path | None) -> Machines:
    """Ask the plugins for their machines; the database is left alone."""
    from fyr.config.load import ConfigError
    from fyr.core.cli.options import fail
    from fyr.core.hooks.loading import load_plugins
    from fyr.core.workflow import Machines

    settings = settings_from(config_file, data_dir=data_dir)
    try:
        return Machines(load_plugins(settings).hooks.register_machines())
    except ConfigError as error:
        fail(error, 2)


def _explained(found: Explained) -> Iterator[str]:
    title = f" ({found.title})" if found.title else ""
    yield f"{found.reference}{title}, version {found.version}"
    for one in found.standings:
        yield from _standing(one)
    if not found.standings:
        yield "No state machine holds for it."
    yield from _access(found)
    for timer in found.timers:
        yield f"  timer         {_timer(timer)}"
    for issue in found.told:
        yield f"  {issue.severity:<13} {issue.diagnostics}"


def _access(found: Explained) -> Iterator[str]:
    """Tell who may write it by which privileges, and who may not at all."""
    allowed = [one for one in found.access if one.needs]
    alike: dict[tuple[str, str, str], list[str]] = {}
    for one in allowed:
        what = one.interaction, one.service, ", ".join(one.needs)
        alike.setdefault(what, []).append(one.user)
    for (interaction, service, needs), users in alike.items():
        yield f"  access        {interaction} at {service} by {', '.join(users)}: {needs}"
    if allowed:
        yield "                what these words mean: docs/access-control.md"
    refused = {one.user for one in found.access} - {one.user for one in allowed}
    if refused:
        yield f"  no access     {', '.join(sorted(refused))}"


def _standing(one: Standing) -> Iterator[str]:
    yield f"  {one.machine.name:<13} {one.state or 'without a state'}"
    for step in one.following:
        yield _next(step)
        yield from (
            f"                  not now: {problem}" for problem in step.problems
        )
    if not one.following:
        yield "    nothing may follow"
    for change in one.planned:
        comes = change.status or f"{'+' if change.adds else '-'}{change.team}"
        yield f"  planned       {comes} at {instant(to_millis(change.at))}"


def _next(one: Next) -> str:
    end = one.step.end or "deleted"
    return f"    may become  {end:<18} by {', '.join(one.users)}"


def _timer(one: TimerState) -> str:
    told = f"{one.name}  {one.subject}  {instant(one.scheduled)}"
    if one.failed:
        return f"{told}  given up {instant(one.failed)}: {one.error}"
    if one.error:
        return f"{told}  tried {one.attempts} times: {one.error}"
    return told
