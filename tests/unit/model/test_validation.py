import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid
from fyr.core.model import json
from fyr.core.model.checks.walk import MAX_ISSUES
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.resource import FhirDecimal
from fyr.core.model.validation import problems, validate

PATIENT = {
    "resourceType": "Patient",
    "id": "anna",
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">Anna</div>',
    },
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Sygehus"}],
    "extension": [{"url": "http://example.org/x", "valueDecimal": FhirDecimal("1.0")}],
    "active": True,
    "name": [
        {
            "use": "official",
            "family": "Ægidius",
            "given": ["Anna", None],
            "_given": [None, {"extension": [{"url": "urn:a", "valueCode": "b"}]}],
        }
    ],
    "gender": "female",
    "birthDate": "1970-02-28",
    "_birthDate": {"id": "b"},
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "#o"},
    "link": [{"other": {"reference": "Patient/other"}, "type": "seealso"}],
}


def patient(**members):
    return {"resourceType": "Patient", **members}


def observation(**members):
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        **members,
    }


def told(resource, **options):
    """Give problems as short lines: code, place, text."""
    found = problems(resource, **options)
    return [f"{i.code} {' '.join(i.expression)}: {i.diagnostics}" for i in found]


def only(resource, **options):
    (line,) = told(resource, **options)
    return line


def test_a_good_resource_has_no_problems():
    assert told(PATIENT) == []


@pytest.mark.parametrize("kind", sorted(RESOURCE_TYPES))
def test_every_type_can_be_checked(kind):
    lines = told({"resourceType": kind, "id": "a", "nosuch": 1})

    assert f"structure {kind}.nosuch: {kind} has no element 'nosuch'" in lines


def test_all_problems_are_told_at_once():
    lines = told(
        patient(
            gender="f",
            birthDate="1970-02-30",
            name=[{"given": ["a", 7]}, {}],
            contact=[{"nmae": {"text": "x"}}],
        )
    )

    assert [line.split(":")[0] for line in lines] == [
        "code-invalid Patient.gender",
        "value Patient.birthDate",
        "value Patient.name[0].given[1]",
        "structure Patient.name[1]",
        "structure Patient.contact[0].nmae",
    ]


def test_an_unknown_element_is_told_with_the_nearest_name():
    line = only(patient(birthdate="1970"))

    assert line == (
        "structure Patient.birthdate: Patient has no element 'birthdate';"
        " did you mean 'birthDate'?"
    )


def test_an_unknown_nested_element_is_told_with_where_it_stands():
    line = only(patient(contact=[{"gender": "male", "names": {"text": "x"}}]))

    assert line == (
        "structure Patient.contact[0].names: Patient.contact has no element 'names';"
        " did you mean 'name'?"
    )


def test_a_choice_without_its_type_is_told_how_to_name_it():
    assert only(observation(value=1)) == (
        "structure Observation.value: Observation has no element 'value';"
        " its name says its type, such as 'valueBoolean'"
    )


@pytest.mark.parametrize("name", ["fhir_comments", "a b", "", "x" * 5000, "æ'`"])
def test_odd_names_are_unknown_elements(name):
    assert "has no element" in only({**PATIENT, name: 1})


@pytest.mark.parametrize(
    ("members", "line"),
    [
        (
            {"name": {"text": "x"}},
            "structure Patient.name: must be a list, found an object",
        ),
        (
            {"name": ["x"]},
            "structure Patient.name[0]: must be an object, found 'x'",
        ),
        (
            {"name": [None]},
            "structure Patient.name[0]: must be an object, found null",
        ),
        (
            {"gender": ["male"]},
            "structure Patient.gender: one value is allowed here, found a list",
        ),
        (
            {"gender": {"code": "male"}},
            "structure Patient.gender: must be a string (code), found an object",
        ),
        (
            {"active": "true"},
            "value Patient.active: must be true or false, found 'true'",
        ),
        (
            {"maritalStatus": [{"text": "x"}]},
            "structure Patient.maritalStatus: one object is allowed here, found a list",
        ),
        (
            {"birthDate": None},
            "structure Patient.birthDate: must be a string (date), found null",
        ),
        ({"name": []}, "structure Patient.name: a list must not be empty"),
        (
            {"name": [{"given": []}]},
            "structure Patient.name[0].given: a list must not be empty",
        ),
        ({"name": [{}]}, "structure Patient.name[0]: an object must not be empty"),
        (
            {"name": [{"id": "a"}]},
            "structure Patient.name[0]: has an id and nothing else",
        ),
        (
            {"name": [{"text": ""}]},
            "value Patient.name[0].text: must not be empty",
        ),
        (
            {"name": [{"text": "a\u0007"}]},
            "value Patient.name[0].text: 'a\\x07' is not a valid string:"
            " text without control characters",
        ),
        (
            {"link": [{"type": "seealso"}]},
            "required Patient.link[0].other: other is required",
        ),
        (
            {"deceasedBoolean": True, "deceasedDateTime": "2020"},
            "structure Patient.deceased: deceased[x] may be given once,"
            " found deceasedBoolean and deceasedDateTime",
        ),
        (
            {
                "deceasedBoolean": True,
                "_deceasedDateTime": {"extension": [{"url": "a", "valueCode": "b"}]},
            },
            "structure Patient.deceased: deceased[x] may be given once,"
            " found deceasedBoolean and deceasedDateTime",
        ),
        (
            {"multipleBirthInteger": FhirDecimal("1.0")},
            "value Patient.multipleBirth: must be a whole number"
            " (integer, -2147483648 to 2147483647), found 1.0",
        ),
        (
            {"gender": "Male"},
            "code-invalid Patient.gender: 'Male' is not allowed here;"
            " allowed are female, male, other, unknown",
        ),
        (
            {"id": "a b"},
            "value Patient.id: 'a b' is not a valid id: 1 to 64 of A-Z a-z 0-9 - .",
        ),
        (
            {"extension": [{"valueCode": "a"}]},
            "required Patient.extension[0].url: url is required",
        ),
        (
            {"extension": [{"url": "urn:a"}]},
            "invariant Patient.extension[0]: an extension has either a value or"
            " extensions, found none",
        ),
    ],
)
def test_a_problem_is_told_in_one_line(members, line):
    assert only(patient(**members)) == line


def test_required_elements_of_the_resource_itself_are_asked_for():
    assert told({"resourceType": "Observation"}) == [
        "required Observation.status: status is required",
        "required Observation.code: code is required",
    ]


def test_a_required_choice_takes_any_of_its_types():
    use = {
        "resourceType": "DeviceRequest",
        "intent": "order",
        "subject": {"display": "x"},
    }

    assert only(use) == "required DeviceRequest.code: code is required"
    assert told({**use, "codeCodeableConcept": {"text": "x"}}) == []


def test_extensions_stand_for_a_required_primitive():
    absent = {"extension": [{"url": "urn:absent", "valueCode": "unknown"}]}

    assert (
        told({"resourceType": "Observation", "_status": absent, "code": {"text": "x"}})
        == []
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ({"given": ["a", None]}, ["Patient.name[0].given[1]"]),
        ({"given": [None], "_given": [None]}, ["Patient.name[0].given[0]"] * 2),
        ({"given": ["a", "b"], "_given": [{"id": "x"}]}, ["Patient.name[0].given"]),
        ({"_given": [{"id": "x"}]}, ["Patient.name[0].given[0]"]),
        ({"_family": {"id": "x"}}, ["Patient.name[0].family"]),
        ({"_given": [None]}, ["Patient.name[0].given[0]"]),
        ({"_given": {"id": "a"}}, ["Patient.name[0].given"]),
        ({"_given": ["a"]}, ["Patient.name[0].given[0]"]),
        ({"_family": [{"id": "x"}]}, ["Patient.name[0].family"]),
        ({"_family": {}}, ["Patient.name[0].family"]),
        ({"family": "a", "_family": {"value": 1}}, ["Patient.name[0].family.value"]),
        ({"text": "x", "_period": {"id": "x"}}, ["Patient.name[0].period"]),
        ({"text": "x", "_id": {"id": "x"}}, ["Patient.name[0].id"]),
    ],
)
def test_what_stands_beside_primitives_must_fit(name, expected):
    found = problems(patient(name=[name]))

    assert [place for issue in found for place in issue.expression] == expected


def test_a_primitive_may_have_extensions_only():
    name = {"_family": {"extension": [{"url": "urn:a", "valueString": "x"}]}}

    assert told(patient(name=[name])) == []


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


@pytest.mark.parametrize(
    ("concept", "good"),
    [
        ({"coding": [{"system": "S", "code": "active"}]}, True),
        (
            {
                "coding": [
                    {"system": "urn:x", "code": "1"},
                    {"system": "S", "code": "active"},
                ]
            },
            True,
        ),
        ({"coding": [{"system": "S", "code": "sleeping"}]}, False),
        ({"coding": [{"system": "urn:x", "code": "active"}]}, False),
        ({"coding": [{"code": "active"}]}, False),
        ({"text": "active"}, False),
    ],
)
def test_a_required_concept_has_a_code_of_its_value_set(concept, good):
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    concept = copy.deepcopy(concept)
    for coding in concept.get("coding", ()):
        if coding.get("system") == "S":
            coding["system"] = system
    subject = {"reference": "Patient/1"}
    condition = {
        "resourceType": "Condition",
        "subject": subject,
        "clinicalStatus": concept,
    }

    assert (told(condition) == []) is good


def test_a_code_of_many_is_told_with_the_nearest_one():
    search = {
        "resourceType": "GraphDefinition",
        "name": "a",
        "status": "draft",
        "start": "Pateint",
    }

    assert "did you mean 'Patient'?" in only(search)


def test_a_simple_quantity_takes_no_comparator():
    low = {"value": 1, "comparator": "<"}

    assert "SimpleQuantity has no element 'comparator'" in only(
        observation(referenceRange=[{"low": low}])
    )


def test_another_type_than_expected_is_a_problem():
    line = only(patient(), expected_type="Observation")

    assert line == "invalid Patient.resourceType: must be Observation, found 'Patient'"


@pytest.mark.parametrize(
    "value", [None, [], "x", 7, {}, {"resourceType": 7}, {"resourceType": "x y"}]
)
def test_what_is_no_resource_is_a_problem(value):
    assert len(told(value)) == 1


def test_endless_problems_are_cut():
    found = problems(patient(name=[{}] * 10_000))

    assert len(found) == MAX_ISSUES + 1
    assert "more problems" in found[-1].diagnostics


def test_nesting_that_cannot_be_followed_is_a_problem():
    extension = {"url": "urn:a", "valueCode": "a"}
    for _ in range(3000):
        extension = {"url": "urn:a", "extension": [extension]}

    assert "nested too deeply" in only(patient(extension=[extension]))


def test_validate_refuses_with_all_problems():
    with pytest.raises(Invalid) as caught:
        validate(patient(gender="x", birthDate="x"))

    assert len(caught.value.issues) == 2


def test_validate_lets_good_resources_pass():
    assert validate(PATIENT, "Patient") is None


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just(FhirDecimal("1e3")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "resourceType id extension url _url valueCode div _given given"
                " reference coding contained x".split()
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


def places(value, path=()):
    """Give the place of everything inside of a value."""
    yield path
    items = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else items:
        yield from places(item, (*path, key))


PLACES = [place for place in places(PATIENT) if place]


@given(st.sampled_from(PLACES), ANYTHING)
def test_whatever_stands_anywhere_is_only_told_of(place, value):
    resource = copy.deepcopy(PATIENT)
    holder = resource
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value

    for issue in problems(resource):
        assert issue.expression
        assert issue.severity == "error"


@given(ANYTHING)
def test_whatever_comes_as_a_resource_is_only_told_of(value):
    assert isinstance(problems(value), list)


def test_reading_and_checking_leave_the_resource_alone():
    before = json.dump(PATIENT)

    problems(PATIENT)

    assert json.dump(PATIENT) == before
