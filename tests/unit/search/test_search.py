"""Queries and their answers, on both databases."""

from typing import Any

import pytest

from fyr.core.errors import Invalid, NotSupported
from fyr.core.services import ALL_TYPE_INTERACTIONS, Service, TypeRules

PATIENTS: list[dict[str, Any]] = [
    {
        "resourceType": "Patient",
        "id": "anna",
        "meta": {
            "tag": [{"system": "http://tags", "code": "vip"}],
            "profile": ["http://profiles/citizen"],
            "source": "http://source/1",
        },
        "identifier": [{"system": "urn:oid:1", "value": "0101"}],
        "active": True,
        "name": [{"family": "Sørensen", "given": ["Anna", "Marie"]}],
        "gender": "female",
        "birthDate": "1980-05-02",
        "telecom": [{"system": "phone", "value": "1234"}],
        "managingOrganization": {"reference": "Organization/north"},
        "generalPractitioner": [
            {"identifier": {"system": "urn:yderid", "value": "77"}},
        ],
    },
    {
        "resourceType": "Patient",
        "id": "bo",
        "identifier": [{"value": "0101"}],
        "name": [{"family": "Müller", "given": ["Bo"]}],
        "gender": "male",
        "birthDate": "1980",
        "deceasedDateTime": "2020",
        "managingOrganization": {"reference": "http://far.example/Organization/north"},
    },
    {"resourceType": "Patient", "id": "cy", "name": [{"text": "Cy, the 2nd"}]},
]
OTHERS: list[dict[str, Any]] = [
    {"resourceType": "Organization", "id": "north", "name": "North"},
    {
        "resourceType": "Observation",
        "id": "weight",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": "Patient/anna"},
        "effectivePeriod": {"start": "2024-01-10T08:00:00Z"},
        "valueQuantity": {
            "value": 72.5,
            "unit": "kilo",
            "system": "http://unitsofmeasure.org",
            "code": "kg",
        },
    },
    {
        "resourceType": "Observation",
        "id": "height",
        "status": "preliminary",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]},
        "subject": {"reference": "Patient/bo"},
        "effectiveDateTime": "2024-01-05",
        "valueQuantity": {"value": 180, "comparator": ">", "unit": "cm"},
    },
    {
        "resourceType": "Encounter",
        "id": "visit",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/anna"},
    },
    {
        "resourceType": "RiskAssessment",
        "id": "risk",
        "status": "final",
        "subject": {"reference": "Patient/anna"},
        "prediction": [{"probabilityDecimal": 0.25}],
    },
    {
        "resourceType": "ValueSet",
        "id": "colours",
        "status": "active",
        "url": "http://vs/colours",
        "compose": {
            "include": [{"system": "http://c", "valueSet": ["http://vs/all|2.0"]}]
        },
    },
]


@pytest.fixture
def filled(library: Any) -> Any:
    library.put(*PATIENTS, *OTHERS, updated=1_700_000_000_000)
    return library


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "anna bo cy"),
        ("_id=anna,cy", "anna cy"),
        ("_tag=http://tags|vip", "anna"),
        ("_profile=http://profiles/citizen", "anna"),
        ("_source=http://source/1", "anna"),
        ("_lastUpdated=2023-11-14", "anna bo cy"),
        ("_lastUpdated=gt2023-11-14", ""),
        ("_lastUpdated=ge2023-11-14T22:13:20Z", "anna bo cy"),
        ("identifier=0101", "anna bo"),
        ("identifier=urn:oid:1|0101", "anna"),
        ("identifier=urn:oid:1|", "anna"),
        ("identifier=|0101", "bo"),
        ("identifier=0101,x&gender=male", "bo"),
        ("gender=male,female", "anna bo"),
        ("gender=http://hl7.org/fhir/administrative-gender|male", "bo"),
        ("gender:not=male", "anna cy"),
        ("gender:missing=true", "cy"),
        ("gender:missing=false", "anna bo"),
        ("active=true", "anna"),
        ("deceased=true", "bo"),
        ("deceased=false", "anna cy"),
        ("phone=1234", "anna"),
        ("telecom=phone|1234", "anna"),
        ("email=1234", ""),
        ("family=søren", "anna"),
        ("family=soren", ""),
        ("family=MULL", "bo"),
        ("family:exact=Müller", "bo"),
        ("family:exact=Muller", ""),
        ("family:contains=ller", "bo"),
        ("name=anna&name=marie", "anna"),
        (r"name=cy\, the", "cy"),
        ("birthdate=1980", "anna bo"),
        ("birthdate=1980-05", "anna"),
        ("birthdate=lt1980-05-02", "bo"),
        ("birthdate=gt1980-05-02", "bo"),
        ("birthdate=le1980-05-02", "anna bo"),
        ("birthdate=ne1980", ""),
        ("birthdate=sa1979", "anna bo"),
        ("birthdate=eb1981-01", "anna bo"),
        ("birthdate=ap1981", "anna bo"),
        ("organization=north", "anna"),
        ("organization=Organization/north", "anna"),
        ("organization=http://here/fhir/Organization/north", "anna"),
        ("organization=http://far.example/Organization/north", "bo"),
        ("organization:Organization=north", "anna"),
        ("organization:missing=true", "cy"),
        ("general-practitioner:identifier=urn:yderid|77", "anna"),
        ("general-practitioner:missing=false", "anna"),
        ("organization.name=nor", "anna"),
        ("organization:Organization.name=nor", "anna"),
        ("_has:Observation:subject:code=29463-7", "anna"),
        ("_has:Encounter:patient:class=AMB", "anna"),
        ("_has:Observation:subject:_id=height&gender=male", "bo"),
    ],
)
def test_patients_are_found(filled: Any, query: str, found: str) -> None:
    assert filled.ids("Patient", query) == found.split()


@pytest.mark.parametrize(
    ("kind", "query", "found"),
    [
        ("Observation", "patient=anna", "weight"),
        ("Observation", "subject:Patient.family=søren", "weight"),
        ("Observation", "patient.organization.name=north", "weight"),
        ("Observation", "patient._has:Encounter:subject:class=AMB", "weight"),
        ("Observation", "value-quantity=72.5", "weight"),
        ("Observation", "value-quantity=72", ""),
        ("Observation", "value-quantity=7e1||kg", "weight"),
        ("Observation", "value-quantity=72.5||kilo", "weight"),
        ("Observation", "value-quantity=72.5|http://unitsofmeasure.org|kg", "weight"),
        ("Observation", "value-quantity=gt500", "height"),
        ("Observation", "value-quantity=lt100", "weight"),
        ("Observation", "value-quantity=ap75", "weight"),
        ("Observation", "date=ge2024-06", "weight"),
        ("Observation", "date=lt2024-01-08", "height"),
        ("Observation", "combo-code=8302-2", "height"),
        ("RiskAssessment", "probability=0.25", "risk"),
        ("RiskAssessment", "probability=gt0.25", ""),
        ("RiskAssessment", "probability=ge0.25", "risk"),
        ("RiskAssessment", "probability=ne0.3", ""),
        ("RiskAssessment", "probability=ne0.4", "risk"),
        ("ValueSet", "url=http://vs/colours", "colours"),
        ("ValueSet", "reference=http://c", "colours"),
    ],
)
def test_other_types_are_found(filled: Any, kind: str, query: str, found: str) -> None:
    assert filled.ids(kind, query) == found.split()


def test_all_types_are_searched_together(filled: Any) -> None:
    assert filled.ids(None, "_id=anna,north,weight") == ["anna", "north", "weight"]
    assert filled.ids(None, "_type=Organization,Encounter") == ["north", "visit"]
    assert filled.ids(None, "_tag=vip") == ["anna"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("_id", "anna bo cy"),
        ("-_id", "cy bo anna"),
        ("family", "bo anna cy"),
        ("-family", "anna bo cy"),
        ("birthdate", "bo anna cy"),
        ("-birthdate", "anna bo cy"),
        ("gender,-_id", "anna bo cy"),
        ("-_lastUpdated,_id", "anna bo cy"),
    ],
)
def test_matches_are_sorted_and_missing_values_come_last(
    filled: Any, sort: str, order: str
) -> None:
    pages = filled.all_pages("Patient", f"_sort={sort}&_count=1")

    assert [one.id for page in pages for one in page] == order.split()
    assert filled.ids("Patient", f"_sort={sort}") == order.split()


def test_a_total_is_counted_when_asked_for(filled: Any) -> None:
    assert filled.page("Patient", "_count=1&_total=accurate").total == 3
    assert filled.page("Patient", "_count=1&_total=estimate").total == 3
    assert filled.page("Patient", "_count=1").total is None
    assert filled.page("Patient", "").total == 3
    assert filled.page("Patient", "_total=none").total is None


@pytest.mark.parametrize("query", ["_summary=count", "_count=0"])
def test_only_the_number_is_told_when_only_that_is_asked(
    filled: Any, query: str
) -> None:
    page = filled.page("Patient", f"gender=male&{query}")

    assert (page.total, page.matches) == (1, ())


@pytest.mark.parametrize(
    ("query", "included"),
    [
        ("_include=Observation:subject", ["anna"]),
        ("_include=Observation:subject:Patient", ["anna"]),
        ("_include=Observation:subject:Group", []),
        ("_include=Observation:*", ["anna"]),
        ("_include=*", ["anna"]),
    ],
)
def test_what_a_match_refers_to_is_included_once(
    filled: Any, query: str, included: list[str]
) -> None:
    page = filled.page("Observation", f"_id=weight&{query}&{query}")

    assert [one.id for one in page.included] == included


def test_what_refers_to_a_match_is_included(filled: Any) -> None:
    page = filled.page(
        "Patient", "_id=anna&_revinclude=Observation:subject&_revinclude=Encounter:*"
    )

    assert [(one.type, one.id) for one in page.included] == [
        ("Observation", "weight"),
        ("Encounter", "visit"),
    ]


def test_a_deleted_resource_is_not_found(library: Any) -> None:
    (stored,) = library.put({"resourceType": "Patient", "id": "x", "active": True})
    library.change(None, stored)

    assert library.ids("Patient", "active=true") == []
    assert library.ids("Patient", "active:missing=true") == []
    assert library.ids("Patient", "_id=x") == []


def test_a_changed_resource_is_found_by_its_new_values(library: Any) -> None:
    (stored,) = library.put({"resourceType": "Patient", "id": "x", "gender": "male"})
    library.change({"resourceType": "Patient", "id": "x", "gender": "other"}, stored)

    assert library.ids("Patient", "gender=male") == []
    assert library.ids("Patient", "gender=other") == ["x"]


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


def test_all_problems_of_a_query_are_told_together(library: Any) -> None:
    with pytest.raises(NotSupported) as refused:
        library.page("Patient", "gendr=male&nme=x&birthdate=x")

    assert len(refused.value.issues) == 3


def test_a_lenient_search_says_what_it_ignored(filled: Any) -> None:
    page = filled.page("Patient", "gendr=male&_id=bo", handling="lenient")

    assert [one.id for one in page.matches] == ["bo"]
    assert page.used == (("_id", "bo"),)
    assert [issue.severity for issue in page.issues] == ["warning"]


def test_a_lenient_search_does_not_guess_at_values(filled: Any) -> None:
    with pytest.raises(Invalid):
        filled.page("Patient", "birthdate=x", handling="lenient")


def test_criteria_find_at_most_two(filled: Any) -> None:
    def found(query: str) -> int:
        return len(
            filled.database.read(
                lambda session: filled.engine.criteria(
                    session, filled.context("Patient"), "Patient", query
                )
            )
        )

    assert [found(f"_id={ids}") for ids in ("x", "bo", "bo,cy", "anna,bo,cy")] == [
        0,
        1,
        2,
        2,
    ]
    for query in ("", "_count=1&_id=bo", "_cursor=x"):
        with pytest.raises((Invalid, NotSupported)):
            found(query)


def test_very_long_values_are_kept_and_found(library: Any) -> None:
    long = "å" * 5000
    library.put(
        {
            "resourceType": "Patient",
            "id": "x",
            "identifier": [{"value": long}],
            "name": [{"family": long}],
            "generalPractitioner": [{"reference": f"http://far/{long}"}],
        }
    )

    assert library.ids("Patient", f"identifier={long}") == ["x"]
    assert library.ids("Patient", f"identifier={long}a") == []
    assert library.ids("Patient", f"family={long[:100]}") == ["x"]
    assert library.ids("Patient", f"general-practitioner=http://far/{long}") == ["x"]


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


HIDDEN = {
    "a criterion": ("gender=male", "'gender' for Patient"),
    "a special one": ("_list=1", "'_list' for Patient"),
    "a sort key": ("_sort=name,-gender", "'gender' for Patient"),
    "a filter": ("_filter=name eq x and gender eq male", "'gender' for Patient"),
    "a step of a filter": ("_filter=organization.name eq x", "for Organization"),
    "a filter in a step": (
        "_filter=organization[name eq x].active eq true",
        "for Organization",
    ),
    "a chain": ("organization.name=x", "'name' for Organization"),
    "a typed chain": ("organization:Organization.name=x", "'name' for Organization"),
    "the begin of a chain": ("general-practitioner.name=x", "'general-practitioner'"),
    "an id at the end of a chain": ("organization._id=x", "'_id' for Organization"),
    "a link of _has": ("_has:Observation:subject:status=final", "'subject' for Obs"),
    "the end of _has": ("_has:Observation:patient:code=x", "'code' for Observation"),
    "an include": ("_include=Patient:link", "Patient:link"),
    "a revinclude": ("_revinclude=Observation:subject", "Observation:subject"),
}


@pytest.fixture
def small(library: Any) -> Any:
    """A service that offers little."""
    offered = {
        "Patient": {"name", "organization", "_filter", "_has"},
        "Organization": {"active"},
        "Observation": {"patient", "status"},
    }
    types = {
        kind: TypeRules(ALL_TYPE_INTERACTIONS, frozenset(names))
        for kind, names in offered.items()
    }
    library.service = Service("small", "small", "small", types)
    library.put(
        {
            "resourceType": "Patient",
            "id": "p",
            "name": [{"family": "x"}],
            "managingOrganization": {"reference": "Organization/o"},
            "link": [{"other": {"reference": "Patient/q"}}],
        },
        {"resourceType": "Patient", "id": "q"},
        {"resourceType": "Organization", "id": "o", "active": True, "name": "x"},
        {
            "resourceType": "Observation",
            "id": "v",
            "status": "final",
            "subject": {"reference": "Patient/p"},
        },
    )
    return library


@pytest.mark.parametrize("name", HIDDEN)
def test_what_a_service_hides_is_refused_wherever_it_stands(
    small: Any, name: str
) -> None:
    query, says = HIDDEN[name]

    with pytest.raises(NotSupported, match="small offers no") as refused:
        small.page("Patient", query)
    lenient = small.page("Patient", query, handling="lenient")

    assert says in str(refused.value)
    assert "ignored: small offers no" in lenient.issues[0].diagnostics
    assert lenient.used == ((("_sort", "name"),) if "_sort" in query else ())


@pytest.mark.parametrize(
    "query",
    [
        "name=x&_sort=-name",
        "organization.active=true",
        "_filter=organization.active eq true and name eq x",
        "_has:Observation:patient:status=final",
    ],
)
def test_what_a_service_offers_is_answered(small: Any, query: str) -> None:
    assert small.ids("Patient", query) == ["p"]


def test_everything_that_is_included_is_what_a_service_offers(small: Any) -> None:
    for query in ("_include=*", "_include=Patient:*", "_include=Patient:organization"):
        page = small.page("Patient", f"name=x&{query}")
        assert [one.id for one in page.included] == ["o"], query
    back = small.page("Patient", "name=x&_revinclude=*")
    assert [one.id for one in back.included] == ["v"]
    with pytest.raises(NotSupported, match="say which"):
        small.page("Patient", "name=x&_include:iterate=*")


def test_what_a_plugin_narrows_by_need_not_be_offered(small: Any) -> None:
    pairs = [("name", "x"), ("organization.name", "x"), ("gender:missing", "true")]
    context = small.context("Patient", params=(("name", "x"),))

    page = small.database.read(
        lambda session: small.engine.search(session, context, "Patient", pairs)
    )

    assert [one.id for one in page.matches] == ["p"]


def test_a_parameter_that_a_service_leaves_out_is_refused(library: Any) -> None:
    library.offer("Patient", {"name"})

    assert library.ids("Patient", "name=x") == []
    with pytest.raises(NotSupported, match="gender"):
        library.page("Patient", "gender=male")


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
