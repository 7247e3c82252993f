"""The decision table as Markdown, for ``docs/access-control.md``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fyr.plugins.access_control.decisions.table import (
    ANYWHERE,
    SOURCES,
    Cell,
    demands_told,
    elements,
    read_table,
)

_MARKS = {"found": "", "inferred": "~", "proposed": "?"}
_HEAD = "| who | may | with | if | |\n|---|---|---|---|---|"


def matrix() -> str:
    """Write all cells, a part for each service and a table for each type."""
    cells = list(read_table())
    names = sorted({one.key.service for one in cells} - {ANYWHERE})
    parts = [_section(name, cells) for name in [ANYWHERE, *names]]
    return "\n\n".join([_counted(cells), *parts])


def proposed_page() -> str:
    """Write the rules that are proposed, where the published ones say nothing."""
    cells = [one for one in read_table() if one.source == "proposed"]
    rows = ["| service | type | who | may | with | if |", "|---|---|---|---|---|---|"]
    for key in sorted({(one.key.service, one.key.resource_type) for one in cells}):
        service, kind = key
        where = "all" if service == ANYWHERE else service
        found = [
            one for one in cells if (one.key.service, one.key.resource_type) == key
        ]
        # Without the last column, which is the same for all.
        rows += [f"| {where} | {kind or '-'} {row[:-4]}" for row in _rows(found)]
    return "\n".join(rows)


def demands_page() -> str:
    """Write what each demand means."""
    rows = [f"| `{name}` | {text} |" for name, text in sorted(demands_told().items())]
    return "\n".join(["| demand | holds when |", "|---|---|", *rows])


def elements_page() -> str:
    """Write where resources say what they belong to, and by which parameters."""
    rows = ["| type | belongs to | told by | parameters |", "|---|---|---|---|"]
    for kind, table in sorted(elements().items()):
        search = table.get("search", {})
        keys = [key for key in table if key != "search"]
        for key in [*keys, *(one for one in search if one not in keys)]:
            told = _code(str(table.get(key, "")).split())
            rows.append(
                f"| {kind} | {key} | {told} | {_code(search.get(key, '').split())} |"
            )
    return "\n".join(rows)


def _counted(cells: Iterable[Cell]) -> str:
    sources = [one.source for one in cells]
    told = ", ".join(f"{sources.count(one)} {one}" for one in SOURCES)
    return f"{len(sources)} cells: {told}."


def _section(service: str, cells: Iterable[Cell]) -> str:
    mine = [one for one in cells if one.key.service == service]
    title = "All services" if service == ANYWHERE else service
    kinds = dict.fromkeys(one.key.resource_type for one in mine)
    parts = [f"### {title}"]
    for kind in kinds:
        found = [one for one in mine if one.key.resource_type == kind]
        name = {"": "(no type)", "any": "(any type)"}.get(kind, kind)
        parts.append("\n".join([f"**{name}**\n", _HEAD, *_rows(found)]))
    return "\n\n".join(parts)


def _rows(cells: Iterable[Cell]) -> Iterator[str]:
    """Write a line for what is the same for several interactions or users."""

    def rule(cell: Cell) -> tuple[object, ...]:
        system = cell.key.user_type == "SYSTEM"
        return (
            system,
            *(cell.privileges, cell.demands, cell.source),
            *(sorted(cell.reaches), sorted(cell.shows), sorted(cell.writes)),
        )

    groups: dict[str, list[Cell]] = {}
    for cell in sorted(cells, key=lambda one: one.key.user_type == "SYSTEM"):
        groups.setdefault(repr(rule(cell)), []).append(cell)
    for group in groups.values():
        yield _row(group)


def _row(cells: list[Cell]) -> str:
    first = cells[0]
    users = ", ".join(dict.fromkeys(one.key.user_type for one in cells))
    done = ", ".join(dict.fromkeys(one.key.interaction for one in cells))
    more = [
        f"{word} {_code(sorted(names))}"
        for word, names in (
            ("reaches", first.reaches),
            ("shows", first.shows),
            ("writes", first.writes),
        )
        if names and first.key.user_type != "SYSTEM"
    ]
    conditions = "; ".join(filter(None, [_code(first.demands), *more]))
    needs = " or ".join(map(_one, first.privileges)) or "any"
    return f"| {users} | {done} | {needs} | {conditions} | {_MARKS[first.source]} |"


def _code(names: Iterable[str]) -> str:
    return " ".join(map(_one, names))


def _one(name: str) -> str:
    return f"`{name}`"
