"""``_summary`` and ``_elements``."""

import pytest

from fyr.core.errors import Invalid
from fyr.core.model import json
from fyr.core.model.summary import SUBSETTED, shape

OBSERVATION = json.parse(
    b"""{"resourceType": "Observation", "id": "o",
    "meta": {"versionId": "1", "tag": [{"code": "mine"}]},
    "text": {"status": "generated", "div": "<div>x</div>"},
    "status": "final", "_status": {"id": "s"}, "code": {"text": "c"},
    "valueQuantity": {"value": 1.00},
    "note": [{"text": "n"}], "bodySite": {"text": "b"}}"""
)


def keys(summary: str | None, elements: list[str] | None = None) -> list[str]:
    return list(shape(OBSERVATION, summary, elements))


@pytest.mark.parametrize("summary", [None, "false", "count"])
def test_the_whole_resource_stays_as_it_is(summary: str | None) -> None:
    assert shape(OBSERVATION, summary, None) is OBSERVATION


def test_the_summary_holds_what_the_definition_marks() -> None:
    assert keys("true") == [
        "resourceType",
        "id",
        "meta",
        "status",
        "_status",
        "code",
        "valueQuantity",
    ]


def test_the_text_comes_with_what_is_mandatory() -> None:
    assert keys("text") == [
        "resourceType",
        "id",
        "meta",
        "text",
        "status",
        "_status",
        "code",
    ]


def test_the_data_is_all_but_the_text() -> None:
    assert keys("data") == [key for key in OBSERVATION if key != "text"]


@pytest.mark.parametrize("name", ["value", "valueQuantity", "Observation.value"])
def test_elements_are_kept_with_what_is_mandatory(name: str) -> None:
    assert keys(None, [name]) == [
        "resourceType",
        "id",
        "meta",
        "status",
        "_status",
        "code",
        "valueQuantity",
    ]


def test_what_was_cut_is_tagged_once() -> None:
    part = shape(OBSERVATION, "data", None)
    again = shape(part, "data", None)

    assert part["meta"]["tag"] == [{"code": "mine"}, SUBSETTED]
    assert again["meta"] == part["meta"]
    assert OBSERVATION["meta"]["tag"] == [{"code": "mine"}]


def test_a_resource_without_meta_gets_one() -> None:
    part = shape({"resourceType": "Patient", "id": "p", "active": True}, "true", None)

    assert list(part) == ["resourceType", "id", "meta", "active"]


def test_backbone_elements_are_summarised_too() -> None:
    patient = {
        "resourceType": "Patient",
        "link": [{"other": {"reference": "Patient/1"}, "type": "seealso"}],
        "contact": [{"gender": "male"}],
    }

    part = shape(patient, "true", None)

    assert part["link"] == patient["link"]
    assert "contact" not in part


@pytest.mark.parametrize(("summary", "elements"), [("yes", None), ("true", ["id"])])
def test_what_cannot_be_asked_for_is_refused(
    summary: str, elements: list[str] | None
) -> None:
    with pytest.raises(Invalid):
        shape(OBSERVATION, summary, elements)
