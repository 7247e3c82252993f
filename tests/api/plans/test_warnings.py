"""What authors of activities are warned of when they store them."""

import pytest

from ..guide import SATURATION, concept
from .conftest import APPROVAL, activity, role

NPU = "urn:oid:1.2.208.176.2.1"


@pytest.fixture
def warnings(guarded):
    """Store an activity; tell what it was warned of, each with its place."""

    def told(**more):
        client = guarded.at("ActivityDefinition")
        answer = client.create(activity(**more), Prefer="return=OperationOutcome")
        assert answer.status == 201, answer.body
        return [
            (one["diagnostics"], *one["expression"])
            for one in answer.json["issue"]
            if one["severity"] == "warning"
        ]

    return told


def test_who_writes_an_activity_with_a_code_that_nobody_watches_is_told(
    warnings,
) -> None:
    ((text, place),) = warnings(code=concept("NPU27408", NPU))

    assert text == (
        "nobody is told when a measurement is missing, nor reminded of one: the code"
        f" ({NPU}|NPU27408) is none of those that are watched"
    )
    assert place == "ActivityDefinition.code"


@pytest.mark.parametrize(
    "code",
    [
        # what is watched, beside a code of somebody else
        {"coding": [*concept("mine")["coding"], SATURATION]},
        # where nothing is measured
        concept("229057006", "http://snomed.info/sct"),
        {"text": "in words"},
    ],
)
def test_an_activity_that_the_maps_know_gives_no_warning(warnings, code) -> None:
    known = SATURATION in code.get("coding", ())
    more = {"extension": [role(1, "owner"), APPROVAL]} if known else {}

    assert warnings(code=code, **more) == []
