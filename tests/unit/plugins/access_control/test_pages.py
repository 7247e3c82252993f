"""What the documentation shows of the decision table."""

from fyr.plugins.access_control.decisions.matrix import proposed_page
from fyr.plugins.access_control.decisions.table import ANYWHERE, Cell, read_table


def _stands(cell: Cell, rows: list[list[str]]) -> bool:
    key = cell.key
    where = "all" if key.service == ANYWHERE else key.service
    return any(
        (service, kind) == (where, key.resource_type or "-")
        and key.user_type in users.split(", ")
        and key.interaction in done.split(", ")
        for service, kind, users, done, *_ in rows
    )


def test_rules_to_be_reviewed_are_those_that_are_proposed_and_no_others() -> None:
    lines = proposed_page().splitlines()[2:]
    rows = [[one.strip() for one in line.strip("|").split("|")] for line in lines]

    for cell in read_table():
        assert _stands(cell, rows) == (cell.source == "proposed"), cell.key
