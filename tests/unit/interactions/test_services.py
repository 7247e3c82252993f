import pytest

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.declarations.services import ALL_TYPE_INTERACTIONS, Service, TypeRules
from fyr.core.hooks.markers import hookimpl
from fyr.core.hooks.pipeline import Hooks
from fyr.core.interactions import Incoming
from fyr.core.interactions.services import registered_services
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.references import absolute

RULES = TypeRules(ALL_TYPE_INTERACTIONS)


class Areas:
    """Offers two services, one of them with absolute references."""

    @hookimpl
    def register_services(self, settings):
        yield Service(
            "patient",
            "patient/fhir",
            "Patients",
            {"Patient": RULES},
            absolute_references=True,
        )
        yield Service("organization", "/organization/fhir", "", {"Organization": RULES})


def services(**options):
    return registered_services(Settings(**options), Hooks({"areas": Areas()}))


def test_the_service_that_has_everything_comes_first() -> None:
    assert [one.name for one in services()] == ["fhir", "patient", "organization"]
    assert set(services().default.types) == RESOURCE_TYPES


def test_a_service_may_be_switched_off_and_have_a_public_url() -> None:
    found = services(
        services={
            "fhir": {"enabled": False},
            "patient": {"public_url": "https://patient.example.org/fhir/"},
        }
    )

    assert [one.name for one in found] == ["patient", "organization"]
    assert found.default.public_base == "https://patient.example.org/fhir"


def test_the_url_of_the_server_stands_before_the_paths_of_services() -> None:
    found = services(server={"public_url": "https://fyr.example.org/"})

    assert [one.public_base for one in found] == [
        "https://fyr.example.org/fhir",
        "https://fyr.example.org/patient/fhir",
        "https://fyr.example.org/organization/fhir",
    ]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"pateint": {}}, "services.pateint: no such service; did you mean patient?"),
        (
            {name: {"enabled": False} for name in ("fhir", "patient", "organization")},
            "services: none is enabled",
        ),
    ],
)
def test_a_mistake_in_the_configuration_is_named(table, told) -> None:
    with pytest.raises(ConfigError) as caught:
        services(services=table)

    assert caught.value.problems == [told]


def test_two_services_with_one_path_stop_the_server() -> None:
    class Clash:
        @hookimpl
        def register_services(self, settings):
            return [Service("other", "fhir", "", {})]

    with pytest.raises(ConfigError, match="path 'fhir'"):
        registered_services(Settings(), Hooks({"clash": Clash()}))


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("https://here.example.org/fhir/Patient/1", "Patient/1"),
        ("https://here.example.org/patient/fhir/Patient/1", "Patient/1"),
        ("https://o.example.org/fhir/Organization/1", "Organization/1"),
        ("https://here.example.org/fhir/Patient/1/_history/2", "Patient/1/_history/2"),
        ("https://here.example.org/fhir/Nothing/1", None),
        ("https://here.example.org/fhir/Patient?name=x", None),
        ("https://here.example.org/fhirPatient/1", None),
        ("https://there.example.org/fhir/Patient/1", None),
    ],
)
def test_urls_of_this_deployment_are_known(url, local) -> None:
    found = services(
        services={"organization": {"public_url": "https://o.example.org/fhir"}}
    )

    assert found.own(url, found.default, "https://here.example.org/fhir") == local


def test_urls_that_a_service_had_before_are_still_its_own() -> None:
    found = services(
        services={"patient": {"former_urls": ["https://old.example.org/"]}}
    )

    url = "https://old.example.org/Patient/1"
    assert found.own(url, found.default, "https://here.example.org/fhir") == "Patient/1"


@pytest.mark.parametrize(("said", "absolute"), [(None, True), (False, False)])
def test_a_deployment_decides_about_absolute_references(said, absolute) -> None:
    found = services(services={"patient": {"absolute_references": said}})

    assert [one.absolute_references for one in found] == [False, absolute, False]


def test_references_are_written_out_for_a_service_that_wants_it(build) -> None:
    world = build(
        plugins={"areas": Areas()},
        services={"organization": {"public_url": "https://o.example.org/fhir"}},
    )
    patients = next(one for one in world.interactions.services if one.name == "patient")
    base = "https://here.example.org/patient/fhir"
    patient = {
        "resourceType": "Patient",
        "id": "a",
        "managingOrganization": {
            "reference": "https://o.example.org/fhir/Organization/1"
        },
        "link": [
            {"type": "seealso", "other": {"reference": f"{base}/Patient/b"}},
            {"type": "seealso", "other": {"reference": "RelatedPerson/c"}},
        ],
    }
    context = world.context("update", "Patient", "a", service=patients, base_url=base)

    shown = world.interactions.update(context, Incoming(patient)).resource()
    kept = world.read("Patient", "a").resource()

    def references(resource):
        links = [one["other"]["reference"] for one in resource["link"]]
        return [resource["managingOrganization"]["reference"], *links]

    assert references(kept) == ["Organization/1", "Patient/b", "RelatedPerson/c"]
    assert references(shown) == [
        "https://o.example.org/fhir/Organization/1",
        f"{base}/Patient/b",
        "https://here.example.org/fhir/RelatedPerson/c",
    ]


def test_a_service_that_others_serve_is_known_by_its_url() -> None:
    found = services(
        services={
            "fhir": {"enabled": False},
            "organization": {
                "enabled": False,
                "public_url": "https://organization.example.org/fhir",
            },
            "patient": {"path": "fhir"},
        }
    )
    here = "http://here/fhir"
    patients = found.default

    assert [one.path for one in found] == ["fhir"]
    assert found.base_of("Patient", patients, here) == here
    away = found.base_of("Organization", patients, here)
    assert away == "https://organization.example.org/fhir"
    assert found.own(f"{away}/Organization/1", patients, here) == "Organization/1"


def test_where_a_type_is_at_home_can_be_told_without_a_request() -> None:
    found = services(services={"patient": {"public_url": "https://p.example.org/fhir"}})

    assert found.home_of("Patient", "http://here") == "https://p.example.org/fhir"
    assert found.home_of("Organization", "http://here") == (
        "http://here/organization/fhir"
    )
    assert found.home_of("Task", "http://here", "patient") == "http://here/fhir"
    assert found.home_of("Patient", "http://here", "fhir") == "http://here/fhir"


def test_no_reference_leads_to_a_service_that_lacks_the_type() -> None:
    found = services(services={"fhir": {"enabled": False}})
    here = "http://here/organization/fhir"
    body = b'{"a":{"reference":"Patient/1"},"b":{"reference":"Task/1"}}'
    organizations = next(one for one in found if one.name == "organization")

    shown = absolute(body, lambda kind: found.base_of(kind, organizations, here))

    assert shown == (
        b'{"a":{"reference":"http://here/patient/fhir/Patient/1"},'
        b'"b":{"reference":"Task/1"}}'
    )


def test_the_service_that_has_everything_is_there_for_the_deployment_itself() -> None:
    found = services(services={"fhir": {"enabled": False}})

    assert found.default.name == "patient"
    assert set(found.everything.types) == RESOURCE_TYPES
    assert found.own("https://else.example.org/Patient/1", found.everything, "") is None
