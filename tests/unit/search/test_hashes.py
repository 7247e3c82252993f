from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.hashes import hash64, param_id
from fyr.search.parameters import Parameters


def test_no_two_parameters_have_one_number() -> None:
    parameters = Parameters()
    names = {
        (kind, name + suffix)
        for kind in RESOURCE_TYPES
        for name in parameters.of(kind)
        for suffix in ("", ":identifier")
    }

    assert len({param_id(*name) for name in names}) == len(names)


def test_numbers_are_the_same_on_every_machine() -> None:
    numbers = param_id("Patient", "name"), hash64("http://loinc.org")

    assert numbers == (PATIENT_NAME, LOINC)


def test_numbers_fit_their_columns() -> None:
    assert all(-(2**63) <= hash64(str(n)) < 2**63 for n in range(100))
    assert all(-(2**31) <= param_id("Patient", str(n)) < 2**31 for n in range(100))


PATIENT_NAME = -23963185
LOINC = 4281956892100354830
