"""The sample register: what it knows, and whom it does not take."""

import pytest

from fyr.core import PluginError
from fyr.core.model.validation import problems
from fyr.plugins.sample_register.reading import SYSTEM, read_bundled, read_register

PERSON = """
[[people]]
number = "{number}"
earlier = {earlier}
given = ["Bo"]
family = "Bech"
gender = "male"
born = "1970-01-01"
"""


@pytest.fixture
def register(tmp_path):
    def read(*people):
        file = tmp_path / "people.toml"
        file.write_text("\n".join(people))
        return read_register(file)

    return read


def person(number="6101700001", earlier=()):
    return PERSON.format(number=number, earlier=list(earlier))


@pytest.mark.parametrize("number", read_bundled())
def test_everybody_in_the_bundled_register_is_a_valid_patient(number) -> None:
    patient = read_bundled()[number].patient

    assert not problems({**patient, "id": "1"}, expected_type="Patient")
    assert patient["identifier"][0]["system"] == SYSTEM


@pytest.mark.parametrize("number", read_bundled())
def test_nobody_has_a_number_of_the_bundled_register(number) -> None:
    """The day is 60 more than any day, and agrees with the day of birth."""
    patient = read_bundled()[number].patient
    year, month, day = patient["birthDate"].split("-")

    assert number[:6] == f"{int(day) + 60}{month}{year[2:]}"
    assert (int(number[-1]) % 2 == 0) == (patient["gender"] == "female")


def test_a_person_is_known_by_the_number_of_before() -> None:
    people = read_bundled()

    assert people["7211610048"] is people["7211610034"]
    assert people["7211610048"].earlier == ("7211610048",)


def test_a_number_that_may_be_somebodys_is_not_taken_and_not_told(register) -> None:
    with pytest.raises(PluginError) as refused:
        register(person(), person("0101700002"), person("6101700004", ["0202700002"]))

    text = str(refused.value)
    assert "person 1: number" in text
    assert "person 2: earlier" in text
    assert "0101700002" not in text
    assert "0202700002" not in text


def test_two_people_with_one_number_are_not_taken(register) -> None:
    with pytest.raises(PluginError, match="person 1: another one has the number"):
        register(person(), person("6202700003", ["6101700001"]))


def test_a_file_that_is_not_there_or_no_toml_is_told(register, tmp_path) -> None:
    with pytest.raises(PluginError, match="sample_register"):
        read_register(tmp_path / "missing.toml")
    with pytest.raises(PluginError, match="sample_register"):
        register("= nothing")
