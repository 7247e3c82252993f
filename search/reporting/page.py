"""The columns of projections, as ``docs/reporting.md`` lists them."""

from collections.abc import Iterable, Iterator

from fyr.core.declarations.projections import COMMON, Column, Projection, joined


def columns_page(declared: Iterable[Projection]) -> str:
    """Write what plugins declare as Markdown."""
    parts = [_table("all types", "", COMMON)]
    for one in joined(declared).values():
        patient = "itself" if one.patient == "$this" else f"`{one.patient}`"
        told = f" (patient: {patient})" if one.patient else " (no patient)"
        parts.append(_table(one.type, told, one.columns))
    return "\n".join(parts)


def _table(title: str, told: str, columns: Iterable[Column]) -> str:
    head = [f"**{title}**{told}", "", "| column | type | what it is |", "|---|---|---|"]
    return "\n".join([*head, *map(_row, columns), ""])


def _row(one: Column) -> str:
    return f"| `{one.name}` | {' '.join(_type(one))} | {_about(one)} |"


def _type(one: Column) -> Iterator[str]:
    yield one.type
    if one.many:
        yield "*"


def _about(one: Column) -> str:
    return (
        f"{one.description} Personal: {one.personal}"
        if one.personal
        else (one.description)
    )
