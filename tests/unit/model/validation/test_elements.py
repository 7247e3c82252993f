"""Which elements there are, how many of them, and how they are written."""

import pytest

from fyr.core.errors import Invalid
from fyr.core.model.checks.walk import MAX_ISSUES
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.resource import FhirDecimal
from fyr.core.model.validation import problems, validate

from .words import PATIENT, observation, only, patient, told


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
