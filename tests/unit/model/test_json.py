import copy
import json as plain_json
import pickle
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid
from fyr.core.model import json
from fyr.core.model.json import Limits
from fyr.core.model.resource import FhirDecimal

NUMBERS = st.from_regex(
    r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | NUMBERS.map(json.number),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=30,
)


def refusal(data: bytes, limits: Limits = json.DEFAULT_LIMITS) -> str:
    with pytest.raises(Invalid) as caught:
        json.parse(data, limits)
    assert caught.value.issues
    return str(caught.value)


def test_a_resource_comes_back_byte_by_byte():
    data = (
        b'{"resourceType":"Observation","valueQuantity":{"value":1.00,"unit":"\xc3\xa6"},'
        b'"component":[{"valueQuantity":{"value":1e-10}},{"valueQuantity":{"value":-0}}],'
        b'"note":[{"text":"12345678901234567890"}],"id":"a"}'
    )

    assert json.dump(json.parse(data)) == data


@given(NUMBERS)
def test_a_number_keeps_its_text(text):
    data = f'{{"resourceType":"Basic","x":{text}}}'.encode()

    assert json.dump(json.parse(data)) == data


@given(VALUES)
def test_what_is_written_is_read_again(value):
    assert json.dump(json.decode(json.dump(value))) == json.dump(value)


@given(st.binary())
def test_any_bytes_are_read_or_refused(data):
    with suppress(Invalid):
        json.decode(data)


@given(st.text(alphabet='{}[]",:0123456789eE+-.\\u dtrfalsn', max_size=60))
def test_what_looks_like_json_is_read_or_refused(text):
    with suppress(Invalid):
        json.decode(text.encode())


def test_a_number_is_a_decimal_too():
    value = json.decode(b"[1.50]")[0]

    assert value == Decimal("1.5")
    assert value.text == "1.50"


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy])
def test_a_copied_number_is_the_number_itself(made):
    value = FhirDecimal("1.00")

    assert made(value) is value


def test_a_pickled_number_keeps_its_text():
    assert pickle.loads(pickle.dumps(FhirDecimal("1.00"))).text == "1.00"


def test_small_whole_numbers_are_plain():
    assert [type(n) for n in json.decode(b"[0,-7,999999999999999]")] == [int] * 3


def test_whole_numbers_that_a_double_cannot_hold_keep_their_text():
    assert json.decode(b"[1234567890123456]")[0].text == "1234567890123456"


def test_a_decimal_of_a_plugin_is_written():
    assert json.dump({"value": Decimal("1.20")}) == b'{"value":1.20}'


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_json_has_no_form_for_is_not_written(value):
    with pytest.raises(TypeError):
        json.dump({"value": value})


def test_a_byte_order_mark_is_read_over():
    assert json.parse(b'\xef\xbb\xbf{"resourceType":"Patient"}') == {
        "resourceType": "Patient"
    }


def test_pretty_printing_keeps_numbers():
    assert json.pretty(b'{"a":[1.00]}') == b'{\n  "a": [\n    1.00\n  ]\n}'


def test_a_name_given_twice_is_refused_wherever_it_stands():
    text = refusal(b'{"resourceType":"Patient","id":"a","id":"b","x":{"y":1,"y":2}}')

    assert "'id' is given twice" in text
    assert "'y' is given twice" in text


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not JSON"),
        (b'{"resourceType":"Patient"', "line 1, column 26"),
        (b'{"resourceType":"Patient"} x', "Extra data"),
        (b'{"a":1,"a":2', "not JSON"),
        (b"\xff\xfe", "not UTF-8: the byte at 0"),
        (b'{"resourceType":"Patient","id":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"resourceType":"Patient","id":"\\ud800"}', "surrogate"),
        (b'{"resourceType":"Patient","\\ud800":1}', "surrogate"),
        (b'{"resourceType":"Patient","x":NaN}', "NaN is not a number"),
        (b'{"resourceType":"Patient","x":-Infinity}', "not a number"),
        (b'{"resourceType":"Patient","id":"a\nb"}', "control character"),
        (b"[]", "a resource is a JSON object, found an empty list"),
        (b'"Patient"', "found 'Patient'"),
        (b"null", "found null"),
        (b"{}", "resourceType is missing"),
        (b'{"resourceType":7}', "7 is not a resource type"),
        (b'{"resourceType":["Patient"]}', "a list is not a resource type"),
        (b'{"resourceType":"patient"}', "did you mean 'Patient'?"),
        (b'{"resourceType":"DomainResource"}', "is not a resource type of R4"),
        (b'{"resourceType":"HumanName"}', "is not a resource type of R4"),
    ],
)
def test_what_is_no_resource_is_refused_with_the_reason(data, problem):
    assert problem in refusal(data)


@pytest.mark.parametrize("depth", [7, 60, 900, 100_000])
def test_deep_nesting_is_refused(depth):
    data = b'{"resourceType":"Patient","x":' + b"[" * depth + b"]" * depth + b"}"

    assert "deeper than the 6 levels" in refusal(data, Limits(max_depth=6))


def test_nesting_up_to_the_limit_is_read():
    assert json.decode(b"[" * 8 + b"]" * 8, Limits(max_depth=8))


@pytest.mark.parametrize(
    "text", ["1" * 65, "0." + "1" * 65, "1e1000", "1E-99999999999"]
)
def test_numbers_beyond_the_limits_are_refused(text):
    problem = refusal(b'{"resourceType":"Basic","x":%b}' % text.encode())

    assert "64 are taken" in problem or "beyond 999" in problem


def test_the_longest_number_is_settable():
    data = b'{"resourceType":"Basic","x":%b}' % (b"1" * 100)

    assert json.dump(json.parse(data, Limits(max_number_digits=100))) == data


def test_ordinary_json_is_read_as_everywhere():
    data = b'{"resourceType":"Basic","a":[1,2.5,true,null,"x\\u00e6\\ud83d\\ude00"]}'

    assert json.parse(data) == plain_json.loads(data)
