"""Times and their limits, and rows of what is gone."""

from typing import Any

import pytest

from fyr.core.store.schema import INDEX_TABLES

from .words import LOCATIONS, PRESSURES, observation

TIMINGS: list[dict[str, Any]] = [
    {
        "resourceType": "ServiceRequest",
        "id": name,
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "occurrenceTiming": timing,
    }
    for name, timing in {
        "events": {"event": ["2024-05-03T08:00:00Z", "2024-05-01T08:00:00Z"]},
        "bounds": {"repeat": {"boundsPeriod": {"start": "2024-05-02"}, "period": 1}},
        "often": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
    }.items()
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("2024-05", "events"),
        ("2024-05-01", ""),
        ("ge2024-05-02", "events bounds"),
        ("gt2024-05-04", "bounds"),
        ("lt2024-05-02", "events"),
        ("le2024-05-03", "events bounds"),
        ("sa2024-05-01", "bounds"),
        ("eb2024-05-04", "events"),
    ],
)
def test_a_timing_is_its_outer_limits(library: Any, query: str, found: str) -> None:
    library.put(*TIMINGS)

    assert library.ids("ServiceRequest", f"occurrence={query}") == found.split()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("2024-05-01T10:00:00Z", "second fraction"),
        ("2024-05-01T10:00:00.250Z", "fraction"),
        ("2024-05-01T10:00:00.25Z", "fraction"),
        ("2024-05-01T10:00:00.2509Z", "fraction"),
        ("2024-05-01T10:00:00", "second fraction"),
        ("2024-05-01T12:00:00%2B02:00", "second fraction"),
        ("2024-05-01T10:00Z", "second fraction minute"),
        ("2024-05-01", "second fraction minute day"),
        ("gt2024-05-01T10:00:00Z", "minute day year"),
        ("gt2024-05-01T10:00:30Z", "minute day year"),
        ("ge2024-05-01T10:00:00Z", "second fraction minute day year"),
        ("lt2024-05-01T10:00:00.250Z", "second minute day year"),
        ("ne2024-05-01", "year"),
        ("sa2024-04", "second fraction minute day"),
        ("eb2025", "second fraction minute day year"),
        ("ap2023", "year"),
        ("ap2024-05-01", "second fraction minute day year"),
    ],
)
def test_times_are_as_exact_as_they_are_written(
    library: Any, query: str, found: str
) -> None:
    for name, moment in {
        "second": "2024-05-01T10:00:00Z",
        "fraction": "2024-05-01T12:00:00.250+02:00",
        "minute": "2024-05-01T10:00Z",
        "day": "2024-05-01",
        "year": "2024",
    }.items():
        library.put(observation(name, effectiveDateTime=moment))

    assert library.ids("Observation", f"date={query}") == found.split()


@pytest.mark.parametrize("table", ["idx_composite", "idx_position"])
def test_rows_of_what_is_gone_are_gone(library: Any, table: str) -> None:
    assert table in INDEX_TABLES
    stored = library.put(PRESSURES[0], LOCATIONS[0])
    for one in stored:
        library.change(None, one)

    assert library.database.rows(f"SELECT pid FROM {table}") == []
