"""Generated records, cut to size or to their last years."""

import json

import bundles
import pytest
import thin

from .conftest import record


def urls(entries: list[bundles.Entry]) -> set[str]:
    return {entry["fullUrl"] for entry in entries}


@pytest.mark.parametrize("size", [1, 3, 100])
def test_no_part_refers_to_a_later_one(size: int) -> None:
    entries = record(1)["entry"]
    parts = list(bundles.parts(entries, size))

    assert sum(map(len, parts)) == len(entries)
    seen: set[str] = set()
    for part in parts:
        assert len(part) <= size
        seen |= urls(part)
        assert {one for one in bundles.references(part) if one not in seen} == set()


def test_what_was_stored_before_is_referred_to_by_its_place() -> None:
    (first, *_), (second, *_) = list(bundles.parts(record(1)["entry"], 1))[:2]
    answer = {"entry": [{"response": {"location": "http://a/fhir/X/7/_history/1"}}]}
    known = bundles.places([first], json.dumps(answer).encode())
    sent = bundles.encoded([second], {"urn:uuid:none": "Y/1", **known}).decode()

    assert known == {first["fullUrl"]: "X/7"}
    assert first["fullUrl"] not in sent


def test_the_last_years_keep_the_patient_and_what_is_referred_to() -> None:
    whole = record(1)
    recent = thin.recent(whole, 3)

    left_out = urls(whole["entry"]) - urls(recent["entry"])
    assert len(left_out) == 1
    assert set(bundles.references(recent)) <= urls(recent["entry"])
