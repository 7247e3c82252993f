"""All official R4 examples: read, checked and written again."""

import json as plain_json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from fyr.core.model import json
from fyr.core.model.validation import problems

PACKAGE = (
    Path(__file__).parents[4] / "shared" / "data" / "hl7.fhir.r4.examples-4.0.1.tgz"
)
pytestmark = pytest.mark.skipif(
    not PACKAGE.exists(), reason=f"{PACKAGE.name} is not at hand"
)

NO_BASE = [
    f"SearchParameter-{kind.lower()}-extensions-{kind}-{what}.json"
    for kind in ("CodeSystem", "ValueSet")
    for what in ("author", "effective", "end", "keyword", "workflow")
]
#: Examples that break the rules of R4 themselves, and where.
INVALID = {
    **{name: {"SearchParameter.base"} for name in NO_BASE},
    "DeviceMetric-example.json": {"DeviceMetric.parent"},
    "DeviceUseStatement-example.json": {"DeviceUseStatement.reasonReference[0]"},
    "ImplementationGuide-fhir.json": {
        "ImplementationGuide.name",
        "ImplementationGuide.status",
    },
    "MedicationRequest-medrx0301.json": {"MedicationRequest.dispenseRequest.performer"},
    "Observation-clinical-gender.json": {"Observation.performer[0]"},
    "SearchParameter-questionnaireresponse-extensions-"
    "QuestionnaireResponse-item-subject.json": {"SearchParameter.id"},
    "ig-r4.json": {"ImplementationGuide.name", "ImplementationGuide.status"},
}
#: An example whose items have no ``linkId``, in many places.
NO_LINK_IDS = "Questionnaire-qs1.json"


@pytest.fixture(scope="module")
def examples() -> dict[str, bytes]:
    with tarfile.open(PACKAGE) as package:
        return {
            Path(member.name).name: package.extractfile(member).read()
            for member in package
            if member.isfile() and "package/" in member.name
        }


def resources(examples: dict[str, bytes]):
    for name, data in examples.items():
        if name.endswith(".json") and name not in ("package.json", ".index.json"):
            yield name, data


def test_all_are_read_and_only_the_invalid_ones_have_problems(examples):
    found, written = {}, []
    for name, data in resources(examples):
        resource = json.parse(data)
        if not same(data, json.dump(resource)):
            written.append(name)
        places = {issue.expression[0] for issue in problems(resource)}
        if places:
            found[name] = places

    link_ids = found.pop(NO_LINK_IDS)
    assert written == []
    assert found == INVALID
    assert all(place.endswith(".linkId") for place in link_ids)


def same(data: bytes, again: bytes) -> bool:
    """Tell whether two documents hold the same, down to the digits of numbers."""

    def read(text: bytes) -> Any:
        return plain_json.loads(text, parse_float=str, parse_int=str)

    return read(data) == read(again)
