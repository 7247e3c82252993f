"""Where references lead, and resources within others."""

import pytest

from fyr.core.model.validation import problems

from .words import PATIENT, only, patient, told


@pytest.mark.parametrize(
    ("reference", "good"),
    [
        ("Practitioner/1", True),
        ("PractitionerRole/1/_history/2", True),
        ("http://example.org/fhir/Organization/1", True),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", True),
        ("https://example.org/doctors?id=7", True),
        ("Practitioner?identifier=urn:a|b", True),
        ("Patient/1", False),
        ("http://example.org/fhir/Device/1", False),
        ("Device/1/_history/2", False),
        ("Patient?identifier=1", False),
        ("Doctor/1", False),
    ],
)
def test_a_reference_leads_to_an_allowed_type(reference, good):
    lines = told(patient(generalPractitioner=[{"reference": reference}]))

    assert (lines == []) is good


def test_a_reference_to_a_wrong_type_says_which_are_right():
    line = only(patient(generalPractitioner=[{"reference": "Patient/1"}]))

    assert line == (
        "value Patient.generalPractitioner[0]: must refer to Organization,"
        " Practitioner, PractitionerRole, found Patient"
    )


def test_the_type_that_a_reference_names_counts_too():
    practitioner = {"type": "Device", "identifier": {"value": "7"}}

    assert "found Device" in only(patient(generalPractitioner=[practitioner]))


def test_a_reference_that_may_lead_anywhere_does():
    task = {"resourceType": "Task", "status": "draft", "intent": "order"}

    assert told({**task, "focus": {"reference": "Device/1"}}) == []


def test_a_local_reference_leads_to_what_is_contained():
    device = {"resourceType": "Device", "id": "d"}
    lines = told(
        patient(
            contained=[device],
            managingOrganization={"reference": "#d"},
            generalPractitioner=[{"reference": "#none"}],
        )
    )

    assert lines == [
        "value Patient.managingOrganization: must refer to Organization, found Device",
        "value Patient.generalPractitioner[0].reference: nothing contained here has"
        " the id 'none'",
    ]


def test_a_contained_resource_may_refer_to_its_container():
    provenance = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "#"},
    }

    assert told(patient(contained=[provenance])) == []


def test_a_contained_resource_contains_no_others():
    inner = {"resourceType": "Device", "id": "d"}
    outer = {"resourceType": "Patient", "id": "p", "contained": [inner]}

    assert only(patient(contained=[outer])) == (
        "structure Patient.contained[0].contained: a contained resource must not"
        " contain others"
    )


def test_resources_in_a_bundle_are_checked_where_they_stand():
    entries = [
        {"resource": PATIENT},
        {"resource": patient(gender="x", managingOrganization={"reference": "#o"})},
        {"resource": {"resourceType": "Nothing"}},
        {"resource": {"id": "a"}},
    ]
    found = problems({"resourceType": "Bundle", "type": "collection", "entry": entries})

    assert [issue.expression[0] for issue in found] == [
        "Bundle.entry[1].resource.gender",
        "Bundle.entry[1].resource.managingOrganization.reference",
        "Bundle.entry[2].resource",
        "Bundle.entry[3].resource",
    ]


def test_resources_in_parameters_are_checked_where_they_stand():
    part = {"name": "a", "part": [{"name": "b", "resource": patient(gender="x")}]}
    found = problems({"resourceType": "Parameters", "parameter": [part]})

    assert [issue.expression[0] for issue in found] == [
        "Parameters.parameter[0].part[0].resource.gender"
    ]
