import pytest

from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.extraction.places import Places
from fyr.search.hashes import hash64, param_id
from fyr.search.parameters import Parameters


def test_no_two_places_have_one_number(monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[int, set[str]] = {}

    def recorded(kind: str, name: str) -> int:
        number = param_id(kind, name)
        names.setdefault(number, set()).add(f"{kind}.{name}")
        return number

    monkeypatch.setattr("fyr.search.extraction.places.param_id", recorded)
    for kind in RESOURCE_TYPES:
        Places(Parameters()).of(kind)

    assert len(names) > 1500
    assert [found for found in names.values() if len(found) > 1] == []


def test_numbers_are_the_same_on_every_machine() -> None:
    numbers = param_id("Patient", "name"), hash64("http://loinc.org")

    assert numbers == (PATIENT_NAME, LOINC)


def test_numbers_fit_their_columns() -> None:
    assert all(-(2**63) <= hash64(str(n)) < 2**63 for n in range(100))
    assert all(-(2**31) <= param_id("Patient", str(n)) < 2**31 for n in range(100))


PATIENT_NAME = -23963185
LOINC = 4281956892100354830
