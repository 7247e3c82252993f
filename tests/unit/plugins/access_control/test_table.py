"""The decision table says something of all that services offer, and nothing twice."""

import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files

import pytest

from fyr.core.app import Application
from fyr.core.declarations.services import Service
from fyr.plugins.access_control.decisions.contexts import ON_CONTEXT
from fyr.plugins.access_control.decisions.devices import ON_DEVICE
from fyr.plugins.access_control.decisions.resources import ON_RESOURCE
from fyr.plugins.access_control.decisions.searches import ON_SEARCH
from fyr.plugins.access_control.decisions.table import (
    ANYWHERE,
    SOURCES,
    USER_TYPES,
    cells_of,
    demands_told,
    elements,
    read_table,
)
from fyr.plugins.access_control.decisions.writes import ON_WRITE

TABLE = read_table()
PRIVILEGE = re.compile(
    r"[A-Z][A-Za-z]+\.[a-z-]+|[A-Z][A-Za-z]*\$[A-Za-z-]+|\$[A-Za-z-]+|FHIR\.transaction"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Iterator[Application]:
    from fyr.core.testing.applications import application, settings_with
    from fyr.core.testing.clock import FakeClock

    enabled = ["search", "administrative", "clinical", "access_control"]
    options = {"plugins": {"enabled": enabled}}
    settings = settings_with(options, tmp_path_factory.mktemp("table"))
    with application(settings, FakeClock()) as made:
        yield made


def offered(service: Service) -> Iterator[tuple[str, str]]:
    """Go through what a service declares, named as the table names it."""
    for kind, rules in service.types.items():
        yield from ((kind, one) for one in rules.interactions)
        names = rules.operations if rules.operations is not None else ()
        yield from ((kind, f"${name}") for name in names)
    yield from (("", one) for one in service.system_interactions)
    yield from (("", f"${name}") for name in service.operations or ())


def test_what_a_service_declares_has_a_cell(built) -> None:
    services = [one for one in built.services if one.name != "fhir"]
    missing = [
        (service.name, kind, interaction)
        for service in services
        for kind, interaction in offered(service)
        if TABLE.find(service.name, kind, interaction, "SYSTEM") is None
    ]

    assert len(services) == 13
    assert not missing


def test_the_table_is_about_services_that_there_are(built) -> None:
    # What the storage service keeps is judged as documents, but is no FHIR.
    assert TABLE.services - {"storage"} <= {one.name for one in built.services}


def test_no_rule_stands_behind_another_about_the_same() -> None:
    import tomllib

    folder = files("fyr.plugins.access_control.decisions.rules")
    for file in folder.iterdir():
        if not file.name.endswith(".toml"):
            continue
        content = tomllib.loads(file.read_text())
        keys = Counter(
            cell.key
            for cell in cells_of(file.name, content)
            if cell.key.user_type != "SYSTEM"
        )
        assert [key for key, number in keys.items() if number > 1] == []


def test_what_a_cell_says_is_known() -> None:
    for cell in TABLE:
        assert cell.key.user_type in USER_TYPES
        assert cell.source in SOURCES
        assert set(cell.demands) <= demands_told().keys(), cell
        for privilege in cell.privileges:
            named = privilege.replace("{type}", "Patient")
            assert PRIVILEGE.fullmatch(named), cell


def test_every_demand_is_asked_for_and_asks_for_something() -> None:
    used = {demand for cell in TABLE for demand in cell.demands}

    assert used == set(demands_told())
    assert used == {*ON_CONTEXT, *ON_RESOURCE, *ON_DEVICE, *ON_WRITE, *ON_SEARCH}


def test_every_demand_on_a_search_says_what_it_means_there() -> None:
    on_searches = {
        demand
        for cell in TABLE
        if cell.key.interaction == "search-type"
        for demand in cell.demands
    }

    assert on_searches <= ON_SEARCH.keys()


def test_a_demand_on_the_resource_is_kept_by_a_read_and_a_write() -> None:
    """A demand that only searches knew would let everything else pass."""
    only_of_tokens = {"no-episode", "organization"}
    judged = {
        demand
        for cell in TABLE
        if cell.key.interaction in ("read", "vread", "create", "update", "patch")
        for demand in cell.demands
    }

    assert judged - only_of_tokens <= {*ON_RESOURCE, *ON_DEVICE, *ON_WRITE}


def test_system_has_no_demands_and_no_cell_that_others_have_not() -> None:
    for cell in TABLE:
        if cell.key.user_type == "SYSTEM":
            assert cell.demands == ()


def test_elements_are_named_by_what_demands_ask_for() -> None:
    keys = {key for table in elements().values() for key in table}

    assert keys == {
        *("based_on", "care_team", "device", "episode", "organization", "patient"),
        *("plan", "recipient", "recipient_team", "responsible", "search", "sender"),
        *("sender_team", "target", "user"),
    }


@pytest.mark.parametrize(
    "row",
    [
        {"on": "read", "source": "heard"},
        {"on": "read", "source": "found", "by": "NURSE"},
        {"on": "read", "source": "found", "if": "be-nice"},
        {"on": "read", "source": "found", "unless": "x"},
        {"source": "found"},
    ],
)
def test_a_row_that_says_something_unknown_is_refused(row) -> None:
    with pytest.raises(ValueError, match=r"x\.toml, \[Patient\]"):
        list(cells_of("x", {"Patient": {"rules": [row]}}))


def test_the_service_that_has_everything_is_for_systems_only() -> None:
    found = TABLE.find("fhir", "Patient", "history-instance", "SYSTEM")

    assert found is not None
    assert found.privileges == ("Patient.read",)
    for user in USER_TYPES[1:]:
        assert TABLE.find("fhir", "Patient", "read", user) is None


def test_what_stands_in_no_row_is_refused() -> None:
    assert TABLE.find("careplan", "EpisodeOfCare", "delete", "SYSTEM") is None
    assert TABLE.find("careplan", "Patient", "read", "PRACTITIONER") is None
    assert TABLE.find("organization", "Practitioner", "create", "PRACTITIONER") is None


def test_what_all_services_have_is_said_once() -> None:
    found = TABLE.find("task", "Binary", "read", "PATIENT")

    assert found is not None
    assert found.key.service == ANYWHERE
    assert found.demands == ("binary-owner",)
