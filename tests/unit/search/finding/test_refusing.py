"""What cannot be asked for, or means nothing."""

from typing import Any

import pytest

from fyr.core.errors import Invalid, NotSupported


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("gendr=male", "did you mean 'gender'"),
        ("gender:nott=male", "did you mean 'not'"),
        ("name:text=x", "supported: :missing, :exact, :contains"),
        ("phonetic=x", "'phonetic'"),
        ("organization.nme=x", "'nme'"),
        ("gender.name=x", "no reference"),
        ("_has:Observation:subjct:code=x", "did you mean 'subject'"),
        ("_has:Observaton:subject:code=x", "did you mean 'Observation'"),
        ("_sort=nme", "did you mean 'name'"),
        ("_include:iterat=Patient:organization", "supported: :iterate, :recurse"),
        ("_revinclude:iterate=*", "say which"),
        ("_include=Patiet:organization", "did you mean 'Patient'"),
        ("_include=Patient:organisation", "did you mean 'organization'"),
        ("_text=x", "_text"),
        ("_type=Observation", "Observation"),
    ],
)
def test_what_is_not_offered_is_named(library: Any, query: str, says: str) -> None:
    with pytest.raises(NotSupported, match=says):
        library.page("Patient", query)


@pytest.mark.parametrize(
    "query",
    [
        "birthdate=x",
        "gender=",
        "gender:missing=maybe",
        "_count=-1",
        "_count=many",
        "_total=some",
        "_id=a,,b",
        "family=%00",
        "family=" + "x" * 300,
        "family:contains=" + "x" * 300,
        "organization:Organization=Patient/1",
        "organization:Patient=x",
        "organization:Patient.name=x",
        "_lastUpdated=2024-02-29T24:00Z",
        "birthdate=2024-02-29T10:00%2B99:00",
        "_include=Observation:subject",
        "_has:Observation=x",
        "_lastUpdated=today",
        "_cursor=x",
    ],
)
def test_a_value_that_means_nothing_is_refused(library: Any, query: str) -> None:
    with pytest.raises(Invalid):
        library.page("Patient", query)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("gendr=male", "no type that is searched has a search parameter 'gendr'; did"),
        ("gender=male", "'gender' (Account, ActivityDefinition, AdverseEvent and"),
        ("_typ=Patient", "there is no search parameter '_typ'"),
        ("_sort=nme", "no type that is searched has a search parameter 'nme'"),
    ],
)
def test_of_all_types_no_single_one_is_named(
    library: Any, query: str, says: str
) -> None:
    with pytest.raises(NotSupported) as refused:
        library.page(None, query)

    assert says in str(refused.value)


def test_what_sounds_alike_is_refused_as_that(library: Any) -> None:
    with pytest.raises(NotSupported, match="compares by sound"):
        library.page("Patient", "phonetic=x")


def test_what_has_no_parts_is_refused_as_that(library: Any) -> None:
    with pytest.raises(NotSupported, match="no parts of each other"):
        library.page("Library", "depends-on:below=Location/1")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("patient=Patient/1", ["near"]),
        ("patient=1", ["near"]),
        ("patient=http://far/fhir/Patient/1", ["far"]),
        ("patient:missing=false", ["near", "far"]),
        ("patient:missing=true", ["group", "device"]),
        ("subject=http://far/fhir/Device/1", ["device"]),
        ("subject=Group/1", ["group"]),
        ("patient=Group/1", []),
        ("patient:Patient=1", ["near"]),
    ],
)
def test_a_patient_is_a_subject_that_is_one(
    library: Any, query: str, found: list[str]
) -> None:
    subjects = {
        "near": "Patient/1",
        "far": "http://far/fhir/Patient/1",
        "group": "Group/1",
        "device": "http://far/fhir/Device/1",
    }
    for name, reference in subjects.items():
        subject = {"reference": reference}
        library.put({"resourceType": "Observation", "id": name, "subject": subject})

    assert library.ids("Observation", query) == found


@pytest.mark.parametrize(
    ("kind", "query"),
    [
        ("QuestionnaireResponse", "questionnaire.status=active"),
        ("QuestionnaireResponse", "questionnaire:Questionnaire._id=1"),
        ("Questionnaire", "_has:QuestionnaireResponse:questionnaire:status=completed"),
        ("QuestionnaireResponse", "_filter=questionnaire.status eq active"),
    ],
)
def test_a_chain_through_urls_is_refused_and_not_empty(
    library: Any, kind: str, query: str
) -> None:
    with pytest.raises(NotSupported, match="by their URL"):
        library.page(kind, query)


def test_a_chain_through_what_no_path_reads_is_answered(library: Any) -> None:
    assert library.ids("Bundle", "composition.status=final") == []


def test_a_plus_sign_that_became_a_space_is_told(library: Any) -> None:
    with pytest.raises(Invalid, match=r"write \+ as %2B"):
        library.page("Observation", "date=2024-03-15T10:00:00+01:00")
