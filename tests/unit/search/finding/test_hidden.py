"""What a service hides from those who search."""

from typing import Any

import pytest

from fyr.core.declarations.services import ALL_TYPE_INTERACTIONS, Service, TypeRules
from fyr.core.errors import NotSupported

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
