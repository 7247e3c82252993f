"""References: found, made relative, made absolute."""

from typing import Any

from fyr.core.model import json
from fyr.core.model.references import absolute, references, relative

BASE = "https://fhir.example.org/fhir"


def own(url: str) -> str | None:
    return url.removeprefix(f"{BASE}/") if url.startswith(f"{BASE}/") else None


def test_all_references_are_found_with_their_places() -> None:
    resource = json.parse(
        b"""{"resourceType": "Observation",
        "contained": [{"resourceType": "Device", "owner": {"reference": "Organization/1"}}],
        "extension": [{"url": "u", "valueReference": {"reference": "Patient/2"}}],
        "_status": {"extension": [{"url": "u", "valueReference": {"reference": "A/3"}}]},
        "subject": {"display": "nobody"},
        "performer": [{"reference": "Patient/4"}, {"reference": "#d"}]}"""
    )

    found = [(path, holder["reference"]) for path, holder in references(resource)]

    assert found == [
        ("Observation.contained[0].owner", "Organization/1"),
        ("Observation.extension[0].valueReference", "Patient/2"),
        ("Observation.status.extension[0].valueReference", "A/3"),
        ("Observation.performer[0]", "Patient/4"),
        ("Observation.performer[1]", "#d"),
    ]


def test_own_absolute_references_become_relative() -> None:
    targets = [
        f"{BASE}/Patient/1",
        "https://other.org/fhir/Patient/1",
        "Patient/1",
        "#a",
    ]
    items = [{"item": {"reference": target}} for target in targets]
    resource: dict[str, Any] = {"resourceType": "List", "entry": items}

    relative(resource, own)

    assert [holder["reference"] for _, holder in references(resource)] == [
        "Patient/1",
        "https://other.org/fhir/Patient/1",
        "Patient/1",
        "#a",
    ]


def test_relative_references_become_absolute_without_parsing() -> None:
    body = (
        b'{"a":{"reference":"Patient/1"},"b":{"type":"Task","reference":"Task/x/_history/2"},'
        b'"c":{"reference":"#x"},"d":{"reference":"Nothing/1"},'
        b'"e":{"reference":"https://other.org/Patient/1"},"f":{"reference":"Patient?name=x"}}'
    )

    done = absolute(
        body, lambda kind: f"{BASE}/" if kind == "Patient" else "https://t.org"
    )

    assert json.decode(done) == {
        "a": {"reference": f"{BASE}/Patient/1"},
        "b": {"type": "Task", "reference": "https://t.org/Task/x/_history/2"},
        "c": {"reference": "#x"},
        "d": {"reference": "Nothing/1"},
        "e": {"reference": "https://other.org/Patient/1"},
        "f": {"reference": "Patient?name=x"},
    }


def test_text_that_looks_like_a_reference_stays_as_it_is() -> None:
    body = json.dump({"text": '{"reference":"Patient/1"}', "reference2": "Patient/1"})

    assert absolute(body, lambda kind: BASE) == body


def test_there_and_back_gives_the_stored_bytes() -> None:
    stored = json.dump(
        {"resourceType": "Task", "for": {"reference": "Patient/1"}, "x": [1, "ø"]}
    )

    shown = json.parse(absolute(stored, lambda kind: BASE))
    relative(shown, own)

    assert json.dump(shown) == stored
