"""Places: found by how far they are."""

from typing import Any

import pytest

from .words import LOCATIONS


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("55.6761|12.5683", "copenhagen malmoe"),
        ("55.6761|12.5683|20|km", "copenhagen"),
        ("55.6761|12.5683|20", "copenhagen"),
        ("55.6761|12.5683|29", "copenhagen malmoe"),
        ("55.6761|12.5683|18|[mi_us]", "copenhagen malmoe"),
        ("55.6761|12.5683|17|[mi_us]", "copenhagen"),
        ("55.6761|12.5683|1|m", "copenhagen"),
        ("55.6761|12.5683|0", "copenhagen"),
        ("55.6762|12.5683|11|m", ""),
        ("55.6762|12.5683|12|m", "copenhagen"),
        ("-16.85|179.99|5|km", "taveuni beyond"),
        ("-16.85|-179.99|5|km", "taveuni beyond"),
        ("90|77|2|km", "pole across"),
        ("89.99|90|2|km", "pole across"),
        ("55.6761|12.5683|20,-16.85|179.97|1", "copenhagen taveuni"),
        ("0|0|30000|km", "copenhagen malmoe taveuni beyond pole across"),
    ],
)
def test_places_are_found_by_how_far_they_are(
    library: Any, query: str, found: str
) -> None:
    library.put(*LOCATIONS)

    assert library.ids("Location", f"near={query}") == found.split()


def test_places_without_a_position_are_told_apart(library: Any) -> None:
    library.put(*LOCATIONS)

    assert library.ids("Location", "near:missing=true") == ["nowhere"]


def test_composites_and_near_are_told_to_clients(library: Any) -> None:
    def told(kind: str) -> dict[str, str]:
        return {one.name: one.type for one in library.engine.parameters(kind)}

    assert told("Observation")["combo-code-value-quantity"] == "composite"
    assert told("MolecularSequence")["chromosome-variant-coordinate"] == "composite"
    assert told("Location")["near"] == "special"
