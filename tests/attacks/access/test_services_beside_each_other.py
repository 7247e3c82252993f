"""What one service protects is read at another, which has the same store behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fyr.plugins.access_control.decisions.table import Cell, Table, cells_of, read_table

#: service and type -> why persons see there without a demand what has one elsewhere
REASONS: dict[tuple[str, str], str] = {}


def is_of_persons(cell: Cell) -> bool:
    key = cell.key
    is_type = key.resource_type and not key.interaction.startswith("$")
    return bool(is_type and key.user_type != "SYSTEM")


def open_doors(table: Table) -> set[tuple[str, str]]:
    """Tell services and types that demand nothing where another service does."""
    cells = [one for one in table if is_of_persons(one)]
    guarded = {
        (one.key.resource_type, one.key.interaction, one.key.service)
        for one in cells
        if one.demands
    }
    return {
        (one.key.service, one.key.resource_type)
        for one in cells
        if not one.demands
        and any(
            (kind, interaction) == (one.key.resource_type, one.key.interaction)
            and service != one.key.service
            for kind, interaction, service in guarded
        )
    }


def test_no_service_gives_away_for_nothing_what_another_protects() -> None:
    assert open_doors(read_table()) == set(REASONS)


def test_a_door_beside_a_guarded_one_is_seen() -> None:
    row = {"on": "read", "by": "PRACTITIONER", "needs": "Goal.read", "source": "found"}
    guarded = cells_of("one", {"Goal": {"rules": [row | {"if": "episode"}]}})
    unguarded = cells_of("two", {"Goal": {"rules": [row]}})

    assert open_doors(Table([*guarded, *unguarded])) == {("two", "Goal")}


@pytest.mark.parametrize("path", ["Provenance/1", "Provenance?target=Observation/1"])
def test_the_provenance_of_a_measurement_is_not_read_at_another_service(
    guarded, kit, path: str
) -> None:
    system = kit.who("SYSTEM", "Practitioner/1")
    nurse = kit.who("PRACTITIONER", "Practitioner/1")
    for who in (system, nurse):
        who = replace(
            who, privileges=frozenset({"Provenance.read", "Provenance.search"})
        )
        answer = guarded.at("organization", who).get(path)

        assert answer.status == (200 if who.user_type == "SYSTEM" else 403)
