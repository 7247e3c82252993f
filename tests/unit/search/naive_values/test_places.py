"""Searches for places find what a look at each resource finds."""

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from .looks import SETTINGS, Criterion, Resource, check

LATITUDES = st.sampled_from([-90.0, -89.9, -45.5, 0.0, 0.5, 55.7, 89.95, 90.0])
LONGITUDES = st.sampled_from([-180.0, -179.9, -12.5, 0.0, 0.25, 12.5, 179.95, 180.0])
POINT = st.fixed_dictionaries({"latitude": LATITUDES, "longitude": LONGITUDES})
DISTANCES = [0.001, 1.0, 30.0, 60.0, 500.0, 5000.0, 15000.0, 21000.0]


def kilometres(one: dict[str, float], other: dict[str, float]) -> float:
    """The haversine formula."""
    north, south = math.radians(one["latitude"]), math.radians(other["latitude"])
    east = math.radians(one["longitude"] - other["longitude"])
    squared = (
        math.sin((north - south) / 2) ** 2
        + math.cos(north) * math.cos(south) * math.sin(east / 2) ** 2
    )
    return 2 * 6371.0088 * math.asin(min(1, math.sqrt(squared)))


@st.composite
def nears(draw: st.DrawFn) -> Criterion:
    point, distance = draw(POINT), draw(st.sampled_from(DISTANCES))
    unit, size = draw(
        st.sampled_from([("", 1), ("|km", 1), ("|m", 1000), ("|cm", 100000)])
    )
    value = f"{point['latitude']}|{point['longitude']}|{distance * size!r}{unit}"

    def test(resource: Resource) -> bool:
        if "position" not in resource:
            return False
        # A centimetre more: what is rounded may go either way.
        return kilometres(point, resource["position"]) <= distance + 1e-5

    return "near", value, test


@SETTINGS
@given(
    st.lists(st.fixed_dictionaries({}, optional={"position": POINT}), max_size=8),
    st.lists(st.lists(nears(), min_size=1, max_size=2), min_size=1, max_size=6),
)
def test_places_are_found_as_a_look_at_each_finds_them(
    library: Any, contents: list[Resource], queries: list[list[Criterion]]
) -> None:
    check(library, "Location", contents, queries)
