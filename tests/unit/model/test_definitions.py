import importlib.util
from pathlib import Path

import pytest

from fyr.core.model.definitions import (
    DATATYPES,
    PRIMITIVES,
    RESOURCE_TYPES,
    codes_of,
    definition,
)
from fyr.core.model.definitions.types import TypeDefinition

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT.parent / "shared" / "data" / "hl7.fhir.r4.examples-4.0.1.tgz"


def inside(fields: TypeDefinition, path: str):
    """Follow JSON names through the definitions."""
    *parents, name = path.split(".")
    for parent in parents:
        fields = fields.elements[parent].children
    return fields.elements[name]


def test_all_types_of_r4_are_there():
    assert len(RESOURCE_TYPES - {"Parameters"}) == 145
    assert RESOURCE_TYPES >= {"Patient", "Parameters", "Bundle", "Binary"}
    assert DATATYPES >= {"HumanName", "Extension", "SimpleQuantity", "Dosage"}
    assert len(PRIMITIVES) == 20


def test_abstract_types_are_no_resource_types():
    assert not RESOURCE_TYPES & {"Resource", "DomainResource", "MetadataResource"}
    assert list(definition("Resource").elements) == [
        "id",
        "meta",
        "implicitRules",
        "language",
    ]


@pytest.mark.parametrize("name", sorted(RESOURCE_TYPES | DATATYPES))
def test_every_element_leads_to_what_it_holds(name):
    waiting, seen = [definition(name)], set()
    while waiting:
        fields = waiting.pop()
        seen.add(fields)
        assert fields.elements
        for element in fields.elements.values():
            assert element.primitive == (element.type_code in PRIMITIVES)
            assert element.codes is None or element.codes
            children = element.children
            if element.primitive or element.type_code == "Resource":
                assert children is None
            elif children.kind == "nested" and children not in seen:
                waiting.append(children)


def test_a_type_is_made_once():
    assert definition("Patient") is definition("Patient")


@pytest.mark.parametrize("name", ["Nothing", "string", "", "../Patient", "_types"])
def test_an_unknown_type_has_no_definition(name):
    with pytest.raises(KeyError):
        definition(name)


def test_elements_keep_the_order_of_the_definition():
    assert list(definition("Period").elements) == ["id", "extension", "start", "end"]


@pytest.mark.parametrize(
    ("path", "type_code", "is_list", "least"),
    [
        ("Patient.birthDate", "date", False, 0),
        ("Patient.id", "id", False, 0),
        ("Patient.name.given", "string", True, 0),
        ("Patient.name.id", "string", False, 0),
        ("Patient.contact", "BackboneElement", True, 0),
        ("Patient.link.other", "Reference", False, 1),
        ("Patient.link.type", "code", False, 1),
        ("Patient.text.div", "xhtml", False, 1),
        ("Patient.contained", "Resource", True, 0),
        ("Bundle.entry.resource", "Resource", False, 0),
        ("Parameters.parameter.part.resource", "Resource", False, 0),
        ("Extension.url", "uri", False, 1),
        ("Timing.repeat", "Element", False, 0),
        ("Questionnaire.item.item.item.linkId", "string", False, 1),
        ("Observation.component.referenceRange.low", "Quantity", False, 0),
        ("Bundle.entry.link.relation", "string", False, 1),
        ("ValueSet.compose.exclude.concept.code", "code", False, 1),
        ("TestScript.teardown.action.operation.method", "code", False, 0),
        ("StructureMap.group.rule.rule.source.context", "id", False, 1),
        ("ElementDefinition.defaultValueHumanName", "HumanName", False, 0),
    ],
)
def test_an_element_is_as_the_definition_says(path, type_code, is_list, least):
    type_name, _, rest = path.partition(".")
    element = inside(definition(type_name), rest)

    assert (element.type_code, element.is_list, element.min) == (
        type_code,
        is_list,
        least,
    )


def test_what_refers_to_other_content_is_the_same_content():
    observation = definition("Observation")

    assert (
        inside(observation, "component.referenceRange").children
        is observation.elements["referenceRange"].children
    )


def test_content_that_refers_to_itself_ends_nowhere():
    item = definition("Questionnaire").elements["item"].children

    assert item.elements["item"].children is item


def test_a_reference_keeps_its_own_cardinality():
    performer = inside(definition("CapabilityStatement"), "rest.searchParam")

    assert performer.is_list
    assert performer.path == "CapabilityStatement.rest.searchParam"


def test_a_choice_has_an_element_for_each_type():
    observation = definition("Observation")

    assert observation.choices["effective"] == (
        "effectiveDateTime",
        "effectivePeriod",
        "effectiveTiming",
        "effectiveInstant",
    )
    assert observation.elements["valueQuantity"].choice_of == "value"
    assert observation.elements["valueQuantity"].path == "Observation.value[x]"
    assert observation.elements["status"].choice_of is None


def test_each_type_of_a_choice_has_its_own_targets():
    elements = (
        definition("EvidenceVariable").elements["characteristic"].children.elements
    )

    assert elements["definitionReference"].targets == {"Group"}
    assert elements["definitionCodeableConcept"].targets == frozenset()


def test_targets_are_type_names():
    assert definition("Patient").elements["generalPractitioner"].targets == {
        "Organization",
        "Practitioner",
        "PractitionerRole",
    }


def test_a_simple_quantity_has_no_comparator():
    low = inside(definition("Observation"), "referenceRange.low")

    assert "comparator" not in low.children.elements
    assert "comparator" in definition("Quantity").elements


def test_required_codes_are_inlined():
    assert definition("Patient").elements["gender"].codes == {
        "male",
        "female",
        "other",
        "unknown",
    }
    assert definition("Patient").elements["language"].codes is None
    assert definition("Attachment").elements["contentType"].codes is None


def test_codes_below_others_are_codes_too():
    assert "ballot" not in codes_of("http://hl7.org/fhir/ValueSet/publication-status")
    assert {"exception", "lock-error"} <= definition("OperationOutcome").elements[
        "issue"
    ].children.elements["code"].codes


def test_summary_and_modifier_elements_are_marked():
    elements = definition("Patient").elements

    assert elements["name"].summary
    assert not elements["photo"].summary
    assert elements["active"].modifier
    assert not elements["name"].modifier


@pytest.mark.skipif(not PACKAGE.exists(), reason=f"{PACKAGE.name} is not at hand")
def test_the_script_writes_the_files_that_are_here(tmp_path):
    path = ROOT / "tools" / "build_definitions.py"
    spec = importlib.util.spec_from_file_location("build_definitions", path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    tool.main(str(PACKAGE), tmp_path)

    made = {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()}
    here = {file.name: file.read_text("utf-8") for file in tool.TARGET.glob("*.json")}
    assert made == here
