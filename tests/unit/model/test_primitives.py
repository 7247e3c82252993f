import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.model.checks.primitives import MAX_STRING, check_for
from fyr.core.model.definitions import PRIMITIVES
from fyr.core.model.resource import FhirDecimal

TYPES = sorted(PRIMITIVES.keys() - {"xhtml"})

GOOD = {
    "base64Binary": ["YQ==", "YWJj", "YWJj ZGVm\n", "YWJjZA=="],
    "boolean": [True, False],
    "canonical": ["http://example.org/a|1.0", "#local", "urn:oid:1.2"],
    "code": ["a", "a b", "a\u00a0b", "<="],
    "date": ["1970", "1970-12", "2024-02-29", "2000-02-29", "0001-01-01"],
    "dateTime": [
        "1970",
        "2024-02-29",
        "2015-02-07T13:28:17.239+02:00",
        "2015-02-07T23:59:60Z",
        "2015-02-07T13:28:17-14:00",
    ],
    "decimal": [0, -1, FhirDecimal("1.00"), FhirDecimal("1e-10"), 1.5],
    "id": ["a", "A-1.b", "a" * 64],
    "instant": ["2015-02-07T13:28:17.239+02:00", "2015-02-07T13:28:17Z"],
    "integer": [0, -(2**31), 2**31 - 1, FhirDecimal("-0")],
    "markdown": ["# a\n\nb", " "],
    "oid": ["urn:oid:1.2.3", "urn:oid:2.0"],
    "positiveInt": [1, 2**31 - 1],
    "string": ["a", "æøå", "a\tb\r\nc", "\U0001f525", "a" * MAX_STRING],
    "time": ["00:00:00", "23:59:60", "12:00:00.123"],
    "unsignedInt": [0, 2**31 - 1],
    "uri": ["urn:a", "http://example.org/æ", "a"],
    "url": ["http://example.org"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
}
BAD = {
    "base64Binary": ["", "a", "YQ=", "Y=Q=", "Y!==", "æ", 7],
    "boolean": ["true", 1, 0],
    "canonical": ["", "a b", 7],
    "code": ["", " a", "a ", "a  b", "a\tb", "a\n", "a\u0001", 7],
    "date": ["", "70", "1970-13", "1970-00", "2023-02-29", "1900-02-29", "2024-04-31"],
    "dateTime": ["2015-02-07T13:28:17", "2015-02-07T13:28Z", "2015-02-30T13:28:17Z"],
    "decimal": ["1", True, float("nan"), float("inf"), None],
    "id": ["", "a b", "a_b", "a" * 65, "æ", "a\n"],
    "instant": ["2015-02-07", "2015", "2015-02-29T13:28:17Z", "2015-02-07T13:28:17"],
    "integer": [FhirDecimal("1.0"), 2**31, -(2**31) - 1, "1", True, 1.0],
    "markdown": ["", "\u0000", "\u000b"],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02"],
    "positiveInt": [0, -1, 2**31, True],
    "string": ["", "\u0000", "\u001f", "\ud800", "a" * (MAX_STRING + 1), 7],
    "time": ["24:00:00", "12:00", "12:00:00Z"],
    "unsignedInt": [-1, 2**31, FhirDecimal("-0")],
    "uri": ["", "a b", "a\n", "\u0000"],
    "url": ["", " http://example.org"],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D", "urn:uuid:1"],
}
BAD["date"] += ["1970-1-1", "1970-01-01T00:00:00Z", "0000", "\u0661970", "1970\n", 7]
BAD["dateTime"] += ["2015-02-07 13:28:17Z", "2015-02-07T24:00:00Z"]
BAD["dateTime"] += ["2015-02-07T13:28:17+15:00", "2015-02-07T13:28:17+01"]


def cases(table):
    return [(name, value) for name, values in table.items() for value in values]


def test_each_type_has_cases():
    assert sorted(GOOD) == sorted(BAD) == TYPES


@pytest.mark.parametrize(("name", "value"), cases(GOOD), ids=lambda x: repr(x)[:40])
def test_a_good_value_is_taken(name, value):
    assert check_for(name)(value) is None


@pytest.mark.parametrize(("name", "value"), cases(BAD), ids=lambda x: repr(x)[:40])
def test_a_bad_value_is_told_of_in_a_sentence(name, value):
    problem = check_for(name)(value)

    assert problem
    assert len(problem) < 200


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("value", [None, [], ["a"], {}, {"a": 1}])
def test_no_type_takes_null_lists_or_objects(name, value):
    assert "found" in check_for(name)(value)


@pytest.mark.parametrize("name", TYPES)
@given(value=st.text() | st.integers() | st.floats() | st.booleans())
def test_any_value_is_taken_or_told_of(name, value):
    assert check_for(name)(value) is None or check_for(name)(value)


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date(day):
    assert check_for("date")(day.isoformat()) is None


@given(st.binary(min_size=1))
def test_whatever_base64_writes_is_taken(data):
    assert check_for("base64Binary")(base64.b64encode(data).decode()) is None


@pytest.mark.parametrize("name", ["code", "base64Binary", "dateTime", "uri", "oid"])
def test_long_bad_values_are_refused_as_quickly_as_short_ones(name):
    assert check_for(name)("a " * 200_000 + "\u0000")
