"""Requests that are small and would keep the server busy for hours."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import fyr.search
from fyr.config.settings import Settings
from fyr.core import hookimpl
from fyr.core.app import Application
from fyr.core.clock import Clock
from fyr.core.errors import TookTooLong
from fyr.core.hooks.plugin import Plugin
from fyr.core.searching import SearchEngine
from fyr.core.store.port import Database
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

FORM = "application/x-www-form-urlencoded"
COUNT = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"
    " SELECT MAX(i) FROM n"
)
ENDLESS = COUNT.format(10**12)


class Slow(Plugin):
    """A search engine whose every search asks the database for far too much."""

    @hookimpl
    def provide_search(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        search_parameters: Sequence[Any],
    ) -> SearchEngine:
        engine = fyr.search.provide_search(settings, database, clock, search_parameters)

        class Endless(type(engine)):  # type: ignore[misc]
            def search(self, session: Any, *rest: Any) -> Any:
                session.rows(ENDLESS)
                return super().search(session, *rest)

        engine.__class__ = Endless
        return engine


class TestSearches:
    @pytest.fixture(params=["sqlite", "postgresql"])
    def fyr_options(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        url = "sqlite://"
        if request.param == "postgresql":
            url = request.getfixturevalue("postgresql_url")
        return {
            "store": {"url": url, "pool_size": 1},
            "search": {"timeout_seconds": 0.2},
            "plugins": {"enabled": []},
        }

    @pytest.fixture
    def fyr_plugins(self) -> dict[str, type[Plugin]]:
        return {"slow": Slow}

    def test_a_search_that_takes_the_database_too_long_is_ended(
        self, fyr_client: Client
    ) -> None:
        for _ in range(3):
            answer = fyr_client.get("Patient?name=a")

            assert answer.status == 503
            assert answer.json["issue"][0]["code"] == "timeout"
            # Neither the connection nor the next one on it is the worse for it.
            assert fyr_client.get("Patient/none").status == 404
            assert fyr_client.get("Patient/_history").status == 200

    def test_who_gives_no_time_is_not_ended(self, fyr_app: Application) -> None:
        """The attack without its guard: it would go on for as long as it is let."""
        database = fyr_app.database
        counted = COUNT.format(1_000_000)

        assert database.read(lambda one: one.rows(counted)) == [(1_000_000,)]
        with pytest.raises(TookTooLong):
            database.read(lambda one: one.rows(ENDLESS), seconds=0.05)

    def test_a_statement_in_time_is_left_alone(self, fyr_app: Application) -> None:
        database = fyr_app.database

        for _ in range(200):
            assert database.read(lambda one: one.rows("SELECT 1"), seconds=60)


class TestBundles:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"fhir": {"bundle_seconds": 0, "max_bundle_entries": 5}}

    def bundle(self, kind: str, entries: int = 3) -> dict[str, Any]:
        entry = {"request": {"method": "GET", "url": "Patient?name=a"}}
        return {"resourceType": "Bundle", "type": kind, "entry": [entry] * entries}

    def test_entries_of_a_batch_that_come_too_late_fail_alone(
        self, fyr_client: Client
    ) -> None:
        answer = fyr_client.post("", self.bundle("batch"))

        assert answer.status == 200
        told = [entry["response"]["status"] for entry in answer.json["entry"]]
        assert [one.split()[0] for one in told] == ["503", "503", "503"]

    def test_a_transaction_that_takes_too_long_fails(self, fyr_client: Client) -> None:
        assert fyr_client.post("", self.bundle("transaction")).status == 503

    @pytest.mark.parametrize("kind", ["batch", "transaction"])
    def test_too_many_entries_are_refused_before_the_first(
        self, fyr_client: Client, kind: str
    ) -> None:
        assert fyr_client.post("", self.bundle(kind, 6)).status == 413


class TestInTime:
    def test_entries_in_time_are_answered(self, client: Client) -> None:
        bundle = TestBundles().bundle("batch")

        answer = client.post("", bundle)

        assert {one["response"]["status"] for one in answer.json["entry"]} == {"200 OK"}


MANY = {
    "criteria": "&".join(f"name=a{number}" for number in range(101)),
    "parameters": "&".join(["_total=none"] * 2001),
    "values of one": "_id=" + ",".join(f"a{number}" for number in range(1001)),
    "values of all": "&".join(["name=" + ",".join("a" * 600)] * 9),
    "sort keys": "_sort=" + ",".join(["name"] * 11),
    "links of a chain": "organization.partof" + ".partof" * 8 + "=x",
    "reversed chains": "_has:Group:member:" * 12 + "_id=x",
    "parentheses": "_filter=" + "(" * 21 + "name eq a" + ")" * 21,
    "more parentheses": "_filter=" + "(" * 50_000 + "name eq a" + ")" * 50_000,
    "negations": "_filter=" + "not(" * 5000 + "name eq a" + ")" * 5000,
    "comparisons": "_filter=" + " and ".join(["name eq a"] * 101),
    "letters": "name:contains=" + "a" * 257,
    "many letters": "name=" + "a" * 2_000_000,
    "digits": "birthdate=" + "9" * 10_000,
    "wild cards": "name:contains=" + "%25" * 5000,
}


@pytest.mark.parametrize("many", MANY)
def test_a_search_for_too_much_is_refused_before_the_database_is_asked(
    client: Client, many: str
) -> None:
    answer = client.post("Patient/_search", MANY[many], Content_Type=FORM)

    assert answer.status == 400
    assert answer.json["issue"]


def some(begin: str, many: int = 1000) -> str:
    return ",".join(f"{begin}{number}" for number in range(many))


def days(prefix: str) -> str:
    return ",".join(f"{prefix}20{n % 90 + 10}-01-{1 + n // 90:02}" for n in range(1000))


LARGEST = {
    "criteria": ("Patient", "&".join(f"name=a{number}" for number in range(100))),
    "ids": ("Patient", "&".join(["_id=" + some("a")] * 5)),
    "texts": ("Patient", "&".join(["name=" + some("b")] * 5)),
    "exact": ("Patient", "name:exact=" + some("b")),
    "tokens": ("Patient", "identifier=" + some("s|b")),
    "negated": ("Patient", "identifier:not=" + some("s|b")),
    "dates": ("Patient", "birthdate=" + days("")),
    "other dates": ("Patient", "birthdate=" + days("ne")),
    "references": ("Patient", "general-practitioner=" + some("Practitioner/b")),
    "chained": ("Patient", "general-practitioner:Practitioner.name=" + some("b")),
    "quantities": ("Observation", "value-quantity=" + some("5.4||mg") + "0"),
    "numbers": ("RiskAssessment", "probability=" + some("1")),
    "composites": ("Observation", "code-value-quantity=" + some("c$1")),
    "urls": ("ValueSet", "url:below=" + some("http://c")),
    "had": (
        "Patient",
        "&".join(f"_has:Observation:subject:code={number}" for number in range(100)),
    ),
    "parentheses": ("Patient", "_filter=" + "(" * 20 + "name eq a" + ")" * 20),
    "comparisons": (
        "Patient",
        "_filter=" + " or ".join(f"name eq a{number}" for number in range(100)),
    ),
    "wild cards": ("Patient", "name:contains=" + "%25" * 255),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def either(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    folder = tmp_path_factory.mktemp("largest")
    settings = settings_with({"store": {"url": url}}, folder)
    with application(settings, FakeClock()) as built:
        yield client_of(built)


class TestLargest:
    """So that what is refused above is the number, and what is taken never fails.

    Before they were joined in groups, each of those with 1000 values was a 500 on SQLite.
    """

    @pytest.mark.parametrize("largest", LARGEST)
    def test_the_largest_search_that_is_taken_is_answered(
        self, either: Client, largest: str
    ) -> None:
        kind, text = LARGEST[largest]

        answer = either.post(f"{kind}/_search", text, Content_Type=FORM)

        assert answer.status == 200, answer.issues


def test_includes_are_taken_once_each_and_not_too_many(client: Client) -> None:
    same = "&".join(["_include=Observation:subject"] * 1500)
    other = "&".join(f"_include:iterate={kind}:*" for kind in sorted(KINDS))

    repeated = client.post("Observation/_search", same, Content_Type=FORM)
    different = client.post("Observation/_search", other, Content_Type=FORM)

    assert repeated.status == 200
    assert different.status == 400


KINDS = """Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment
    AppointmentResponse AuditEvent Basic BodyStructure CarePlan CareTeam ChargeItem Claim
    ClaimResponse ClinicalImpression Communication CommunicationRequest Composition
    Condition Consent Contract Coverage DetectedIssue Device DeviceRequest
    DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference Encounter
    Endpoint EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory Flag Goal Group
    ImagingStudy Immunization Invoice Library List Location Measure MeasureReport Media
    Medication MedicationAdministration MedicationDispense MedicationRequest
    MedicationStatement MolecularSequence NutritionOrder Observation""".split()
