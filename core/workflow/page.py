"""The page of a machine, and the list of all, made from their tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from fyr.core.errors.catalogue import BROKEN_RULE, ErrorCode
from fyr.core.workflow.machine import Machine, Refusal, Step, codes_of
from fyr.core.workflow.mermaid import mermaid
from fyr.core.workflow.words import called, ends, explained, users

if TYPE_CHECKING:
    from fyr.core.workflow.machines import Machines

_ACCESS = (
    "Access control decides too, and before: who may write such a resource at all, by which"
    " privilege and for whom, stands in [access-control.md](../access-control.md)."
)


def machines_table(machines: Machines) -> str:
    """List all machines, each with a link to its page."""
    rows = [
        f"| [{one.name}]({one.name}.md) | {one.resource_type} | {len(one.states)} |"
        f" {len(one.steps)} | {one.what} |"
        for one in sorted(machines, key=lambda one: one.name)
    ]
    return "\n".join(
        ["| machine | of | states | rows | |", "|---|---|---|---|---|", *rows]
    )


def machine_page(machine: Machine) -> str:
    """Describe a machine: what it is about, its drawing, its rows, what is kept."""
    return "\n".join(_parts(machine)).rstrip()


def _parts(machine: Machine) -> Iterator[str]:
    about = f"Resources of the type {machine.resource_type}"
    if machine.holds is not None:
        about += f", those of which it is true: {explained(machine.holds)}"
    yield f"{machine.what} {about.removesuffix('.')}.".strip() + "\n"
    yield f"```mermaid\n{mermaid(machine)}\n```\n"
    yield "| from | to | who | if | then | else | |\n|---|---|---|---|---|---|---|"
    yield from (_row(machine, step) for step in machine.steps)
    yield ""
    yield _answer(machine) + "\n"
    yield _ACCESS + "\n"
    yield from _always(machine)
    yield from _kept(machine)
    yield from _meanings(machine)


def _row(machine: Machine, step: Step) -> str:
    start, end = ends(step)
    cells = (
        start,
        end,
        users(step.by),
        ", ".join(called(one) for one in step.when),
        ", ".join(called(one) for one in step.then),
        _refusal(step.refused) if step.refused is not None else "",
        f"{step.what} Not planned ahead." if step.by_hand else step.what,
    )
    return f"| {' | '.join(cells)} |"


def _answer(machine: Machine) -> str:
    refused = machine.refused
    told = (
        _refusal(refused)
        if refused is not None
        else f"`{BROKEN_RULE}`, with a sentence"
    )
    free = "A write that leaves the state as it is needs no row where none is listed."
    return f"What is not listed is refused: {told.removesuffix('.')}. {free}"


def _refusal(refused: Refusal) -> str:
    if isinstance(refused, ErrorCode):
        return f"`{refused.name}`"
    told, codes = explained(refused), codes_of(refused)
    return f"{told.removesuffix('.')} ({_named(codes)})" if codes else told


def _named(codes: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in codes)


def _always(machine: Machine) -> Iterator[str]:
    for title, functions in (("asks", machine.when), ("does", machine.then)):
        if functions:
            names = ", ".join(called(one) for one in functions)
            yield f"Each write {title}: {names}.\n"


def _kept(machine: Machine) -> Iterator[str]:
    history, schedule = machine.history, machine.schedule
    if history is not None:
        kept = [one for one in (history.status, history.team) if one]
        yield f"The server keeps {_urls(kept)}; what a client sends there does not count.\n"
    if schedule is not None:
        planned = [one for one in (schedule.status, schedule.team) if one]
        yield (
            f"Changes are planned ahead in {_urls(planned)}; when its time has come, an"
            " entry is carried out by the server and goes.\n"
        )


def _urls(urls: Iterable[str]) -> str:
    return " and ".join(f"`{url}`" for url in urls)


def _meanings(machine: Machine) -> Iterator[str]:
    """Explain the guards and effects that say more than their names."""
    functions = [*machine.when, *machine.then]
    for step in machine.steps:
        functions += [*step.when, *step.then]
    told = {called(one): (explained(one), codes_of(one)) for one in functions}
    for name, (meaning, codes) in sorted(told.items()):
        parts = [meaning] if meaning != name else []
        if codes:
            parts.append(f"Refused with {_named(codes)}.")
        if parts:
            yield f"- *{name}*: {' '.join(parts)}"


def known_machines() -> Machines:
    """Give the machines of all plugins that come with Fyr, for its documentation."""
    from importlib.metadata import distribution

    from fyr.config.settings import Settings
    from fyr.core.hooks.loading import load_plugins
    from fyr.core.workflow.machines import Machines

    offered = distribution("fyr").entry_points.select(group="fyr.plugins")
    enabled = [one.name for one in offered]
    settings = Settings(store={"url": "sqlite://"}, plugins={"enabled": enabled})
    return Machines(load_plugins(settings).hooks.register_machines())


def new_page(machine: Machine) -> str:
    """Write the page of a machine for the first time; the rest is generated."""
    return (
        f"# {machine.name}\n\n<!-- [[[" + "cog\n"
        "from fyr.core.workflow.page import known_machines, machine_page\n"
        f'print(machine_page(known_machines().named("{machine.name}")))\n'
        "]]] -->\n<!-- [[[end]]] -->\n"
    )
