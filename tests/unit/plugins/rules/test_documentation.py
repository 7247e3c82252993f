"""The page of the rule language: its examples run, its schema is the engine's own."""

import json
import re
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from fyr.plugins.rules.language import Rules
from fyr.plugins.rules.reference import schema

from .conftest import activity, alarm, codes, run, saturation, tasks

PAGE = (Path(__file__).parents[4] / "docs" / "rules.md").read_text()
BLOCKS = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
EXAMPLES = [one for one in BLOCKS if one.get("language") == "fyr-rules/1"]


def test_the_page_has_examples_and_the_schema_of_the_engine() -> None:
    assert len(EXAMPLES) == 3
    assert schema() in PAGE


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_fits_the_schema_and_runs(example) -> None:
    jsonschema.validate(example, BLOCKS[-1])
    outcome = run(example, saturation(90), service_request=activity(alarm("RAL", 80)))

    assert not outcome.failed


def test_the_longer_example_does_what_it_says() -> None:
    history = {"Observation": [saturation(n, id=str(n)) for n in (90, 91, 99)]}
    outcome = run(EXAMPLES[1], saturation(90), history=history)

    assert codes(outcome) == ["red"]
    assert tasks(outcome) == [("MeasurementForAssessment", "urgent")]
    assert [one["resourceType"] for one in outcome.resources] == [
        "Task",
        "Communication",
    ]
    assert not run(EXAMPLES[1], saturation(95), history=history).findings


def test_the_body_mass_index_is_calculated() -> None:
    weight, height = (
        saturation(number, id=unit) | {"valueQuantity": {"value": number, "unit": unit}}
        for number, unit in ((100, "kg"), (Decimal("1.70"), "m"))
    )
    outcome = run(EXAMPLES[2], weight, height)

    assert round(outcome.output["valueDecimal"], 1) == Decimal("34.6")
    assert not outcome.problems


@pytest.mark.parametrize(
    "faulty",
    [{}, {"language": "fyr-rules/2"}, {"language": "fyr-rules/1", "rule": []}],
)
def test_schema_and_engine_refuse_the_same(faulty) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(faulty, BLOCKS[-1])
    with pytest.raises(ValueError, match="validation error"):
        Rules.model_validate(faulty)
