"""``docs/notifications.md``: the table, for those who receive and those who deploy."""

from __future__ import annotations

from fyr.plugins.notifications.table import Row, read_table


def notifications_page() -> str:
    """Make the table."""
    head = [
        "| id | topic | what has happened | told when | source |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*head, *map(_line, read_table().rows)])


def _line(row: Row) -> str:
    cells = [
        str(row.id),
        f"`{row.topic}`",
        row.use,
        " ".join(filter(None, [_trigger(row), row.note])),
        row.certainty,
    ]
    return f"| {' | '.join(cells)} |"


def _trigger(row: Row) -> str:
    if row.said is not None:
        status = " or ".join(f"`{one}`" for one in sorted(row.said.status))
        told = f"an operation says `{row.said.event}` of `{row.said.topic}`"
        return f"**Not by a change of a resource:** {told}{status and ', ' + status}."
    events = " or ".join(row.events)
    name = next((name for name in row.when if name != "any"), "")
    if not name:
        return f"{row.type} {events}."
    values = ", ".join(f"`{one}`" for one in row.when.get("any", ()))
    held = f"`{row.when[name]}` {name} {values or 'a value'}"
    return f"{row.type} {events}: {held}."
