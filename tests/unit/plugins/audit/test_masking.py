"""No CPR number and no credential gets into the audit log, however it is written."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.plugins.audit.masking import MASK, masked, masked_all, masked_pairs

days = st.one_of(st.integers(1, 31), st.integers(61, 91))
separators = st.sampled_from(["", "-", " ", "/", "."])


@st.composite
def cpr_numbers(draw):
    day, month = draw(days), draw(st.integers(1, 12))
    year, number = draw(st.integers(0, 99)), draw(st.integers(0, 9999))
    one, two, three = draw(separators), draw(separators), draw(separators)
    return f"{day:02}{one}{month:02}{two}{year:02}{three}{number:04}"


#: What may stand around a number without being a part of it.
surroundings = st.text(
    st.characters(codec="utf-8", exclude_categories=("Nd", "No", "Nl"))
).filter(lambda text: "%" not in text)


@given(cpr_numbers(), surroundings, surroundings)
def test_a_cpr_number_is_masked_wherever_it_stands(number, before, after) -> None:
    text = masked(f"{before}{number}{after}")

    assert number not in text
    assert MASK in text


@given(cpr_numbers(), st.integers(1, 3))
def test_percent_encoding_hides_no_number(number, times) -> None:
    text = "".join(f"%{ord(letter):02X}" for letter in number)
    for _ in range(times - 1):
        text = quote(text, safe="")

    assert masked(f"identifier={text}") == f"identifier={MASK}"


@given(st.lists(cpr_numbers(), min_size=1, max_size=4))
def test_each_of_several_values_is_masked(numbers) -> None:
    (told,) = masked_pairs([("identifier", ",".join(numbers))])

    assert told == ["identifier", ",".join([MASK] * len(numbers))]


@given(st.text())
def test_masking_twice_changes_nothing_more(text) -> None:
    assert masked(masked(text)) == masked(text)


@given(st.uuids())
def test_a_users_uuid_stays(uuid) -> None:
    assert masked(f"urn:uuid:{uuid}") == f"urn:uuid:{uuid}"


@given(st.integers(0, 2**128 - 1))
def test_a_trace_id_stays(number) -> None:
    assert masked(f"{number:032x}") == f"{number:032x}"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-26T14:40:31.120+00:00",
        "ge2020-01-01",
        "1262304000000",
        "6631000016002",
        "https://organization.example.org/fhir/Organization/10357",
        "urn:oid:1.2.208.176.2.1|NPU03011",
        "5.4|http://unitsofmeasure.org|mg",
    ],
)
def test_what_is_no_cpr_number_stays(text) -> None:
    assert masked(text) == text


def test_what_the_cpr_system_identifies_is_masked_whatever_it_looks_like() -> None:
    text = "urn:oid:1.2.208.176.1.2|260320ABCD,urn:oid:1.2.3|7"

    assert masked(text) == f"urn:oid:1.2.208.176.1.2|{MASK},urn:oid:1.2.3|7"


@pytest.mark.parametrize(
    "pair",
    [
        ("access_token", "abc"),
        ("x", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"),
        ("x", "Bearer abc.def"),
        ("client-secret", "abc"),
    ],
)
def test_credentials_are_masked(pair) -> None:
    assert masked_pairs([pair]) == [[pair[0], MASK]]


def test_every_text_of_a_value_is_masked() -> None:
    value = {"a": ["2603200001", {"b": "Patient/260320-0001"}], "n": 3, "t": True}

    assert masked_all(value) == {
        "a": [MASK, {"b": f"Patient/{MASK}"}],
        "n": 3,
        "t": True,
    }
