"""``docs/events.md``: the table for those who subscribe."""

from __future__ import annotations

from collections.abc import Iterable

from fyr.plugins.event_messages.table import CONTEXT, REFERENCE, Row, read_table


def events_page() -> str:
    """Make one table for each service."""
    rows = read_table().rows
    services = dict.fromkeys(row.service for row in rows)
    return "\n\n".join(
        _table(name, [row for row in rows if row.service == name]) for name in services
    )


def _table(service: str, rows: Iterable[Row]) -> str:
    head = [
        "| topic | message | events | told when | source |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([f"### {service}", "", *head, *map(_line, rows)])


def _line(row: Row) -> str:
    cells = [
        f"`{row.topic}`",
        row.message,
        ", ".join(row.events),
        " ".join(filter(None, [_trigger(row), row.note])),
        row.certainty,
    ]
    return f"| {' | '.join(cells)} |"


def _trigger(row: Row) -> str:
    if row.needs:
        return f"**Not by a change of a resource:** needs {row.needs}."
    of = f"{row.type}{_kinds(row)}"
    if row.message == REFERENCE:
        return f"{of}: what `{'` or `'.join(row.paths)}` refers to."
    if row.message == CONTEXT:
        name, path = next(iter(row.when.items()))
        values = ", ".join(f"`{one}`" for one in row.when.get("any", ()))
        return f"{of}: `{path}` {name} {values}".rstrip() + "."
    return f"{of}."


def _kinds(row: Row) -> str:
    if row.profiles:
        return f" with the profile {' or '.join(sorted(row.profiles))}"
    return f" without the profile {' or '.join(sorted(row.but))}" if row.but else ""
