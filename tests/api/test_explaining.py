"""``_explain``: what is told of a search, to whom, and what is never logged."""

from typing import Any

import pytest
import structlog

from fyr.core.context import RequestContext
from fyr.core.declarations.services import Service
from fyr.core.errors import Forbidden
from fyr.core.interactions.explaining import require_may_explain
from fyr.core.testing.applications import settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.principals import SYSTEM_USER, Principal

SEARCH = (
    "code=http://loinc.org|29463-7&subject:Patient.name=Berg&date=ge2020"
    "&_sort=-date&_include=Observation:subject&_total=accurate"
)


def told(answer: Any, name: str) -> list[Any]:
    assert answer.status == 200, answer.body
    return [
        next(value for key, value in one.items() if key != "name")
        for one in answer.json["parameter"]
        if one["name"] == name
    ]


def part(parts: list[dict[str, Any]], name: str) -> list[Any]:
    return [
        next(value for key, value in one.items() if key != "name")
        for one in parts
        if one["name"] == name
    ]


@pytest.fixture(autouse=True, scope="module")
def observation(client: Client) -> None:
    patient = {"resourceType": "Patient", "id": "explained", "name": [{"text": "Berg"}]}
    client.update(patient)
    client.update(
        {
            "resourceType": "Observation",
            "id": "explained",
            "status": "final",
            "subject": {"reference": "Patient/explained"},
            "effectiveDateTime": "2024-05-01",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        }
    )


def test_the_query_is_told_as_it_is_understood(client: Client) -> None:
    assert told(client.get(f"Observation?{SEARCH}&_explain=true"), "query") == [
        "Observation, 20 a page",
        "  Match Observation.code operands=Token(system='http://loinc.org',"
        " code='29463-7')",
        "  Chain Observation.subject types=Patient",
        "    Match Patient.name operands=Text(folded='berg', original='Berg')",
        "  Match Observation.date operands=ge 2020-01-01T00:00:00.000Z to"
        " 2020-12-31T23:59:59.999Z",
        "  sorted by date descending",
        "  Include Observation.subject",
        "  total accurate",
    ]


def test_each_statement_is_told_with_its_plan(client: Client) -> None:
    answer = client.get(f"Observation/_explain?{SEARCH}")

    for name, rows in (("page", 1), ("count", 1), ("include", 1)):
        (parts,) = told(answer, name)
        assert part(parts, "sql")[0].startswith("SELECT ")
        assert part(parts, "rows") == [rows]
        assert part(parts, "planMilliseconds")[0] >= 0
        assert part(parts, "runMilliseconds")[0] >= 0
        assert any("idx_" in line or "resource" in line for line in part(parts, "plan"))
    (parts,) = told(answer, "page")
    assert "'29463-7'" in part(parts, "values")[0]
    assert (told(answer, "matches"), told(answer, "included")) == ([1], [1])


@pytest.mark.parametrize("shared_app", ["postgresql"], indirect=True)
def test_postgresql_measures_what_it_did(client: Client) -> None:
    (parts,) = told(client.get("Observation/_explain?code=x"), "page")

    plan = "\n".join(part(parts, "plan"))
    assert "actual time=" in plan
    assert "Execution Time" in plan


def test_people_can_read_it_as_text(client: Client) -> None:
    for answer in (
        client.get("Observation/_explain?code=x", Accept="text/plain"),
        client.get("Observation/_explain?code=x&_format=text"),
    ):
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.body.startswith(
            b"Observation, 20 a page\n  Match Observation.code"
        )
        assert b"\nPAGE\nsql: SELECT " in answer.body


def test_a_search_over_all_types_or_by_a_form_is_explained(client: Client) -> None:
    everything = client.get("_explain?_id=explained")
    form = client.with_headers(Content_Type="application/x-www-form-urlencoded")
    posted = form.request("POST", "Observation/_search", body="code=x&_explain=true")

    assert told(everything, "query")[1] == "  HasId ids='explained'"
    assert told(posted, "query")[0] == "Observation, 20 a page"
    assert told(client.get("Patient/explained/Observation?_explain=true"), "query")


def test_an_explanation_is_a_resource_as_any_other(client: Client) -> None:
    answer = client.get("Observation/_explain?code=x", Accept="application/fhir+xml")

    assert b'<Parameters xmlns="http://hl7.org/fhir">' in answer.body


def test_a_search_that_is_not_explained_is_answered(client: Client) -> None:
    answer = client.get("Observation?_id=explained&_explain=false")

    assert [one["id"] for one in answer.resources] == ["explained"]


def test_what_is_wrong_with_a_search_is_told_as_ever(client: Client) -> None:
    assert client.get("Observation/_explain?nonsense=1").status == 400
    assert client.get("Observation?_explain=maybe").issues == [
        "_explain is true or false, not 'maybe'"
    ]
    assert client.get("Nonsense/_explain").status == 404


@pytest.mark.parametrize(
    ("mode", "named", "has", "passes"),
    [
        ("open", "", "", True),
        ("open", "sql", "", True),
        ("closed", "", "", False),
        ("closed", "", "sql", False),
        ("closed", "sql", "other", False),
        ("closed", "sql", "sql", True),
    ],
)
def test_a_principal_needs_the_privilege_that_the_setting_names(
    tmp_path: Any, mode: str, named: str, has: str, passes: bool
) -> None:
    options = {"security": {"mode": mode}, "search": {"explain_privilege": named}}
    privileges = frozenset({has} - {""})
    context = RequestContext(
        Service("fhir", "fhir", "all", {}),
        "search-type",
        principal=Principal("PRACTITIONER", "nurse", privileges),
    )
    settings = settings_with(options, tmp_path)

    if passes:
        require_may_explain(settings, context)
    else:
        with pytest.raises(Forbidden, match=r"search\.explain_privilege"):
            require_may_explain(settings, context)


@pytest.fixture
def fyr_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    options: dict[str, Any] = getattr(request, "param", {})
    return options


CLOSED = {"security": {"mode": "closed"}, "search": {"explain_privilege": "sql"}}


@pytest.mark.parametrize("fyr_options", [CLOSED], indirect=True)
@pytest.mark.parametrize("path", ["Patient/_explain", "Patient?_explain=true"])
def test_who_lacks_the_privilege_is_refused(fyr_client: Client, path: str) -> None:
    stranger = fyr_client.acting_as(SYSTEM_USER)
    developer = fyr_client.acting_as(
        Principal("SYSTEM", "developer", frozenset({"sql"}))
    )

    refused = stranger.get(path)
    assert refused.status == 403
    assert refused.json["issue"][0]["code"] == "forbidden"
    assert stranger.get("Patient?_explain=false").status == 200
    assert developer.get(path).status == 200


def log_of(client: Client, query: str) -> list[Any]:
    with structlog.testing.capture_logs() as lines:
        client.get(f"Patient?{query}")
        client.get(f"Patient/_explain?{query}")
    return list(lines)


@pytest.mark.parametrize(
    "fyr_options",
    [{"search": {"slow_millis": 0}}, {"log": {"level": "debug"}}],
    indirect=True,
)
def test_no_search_is_logged_that_is_quick_or_where_nobody_asks(
    fyr_client: Client,
) -> None:
    assert log_of(fyr_client, "name=secret") == []


@pytest.mark.parametrize(
    "fyr_options", [{"search": {"slow_millis": 0.0001}}], indirect=True
)
def test_a_slow_search_is_logged_by_its_shape_and_without_its_values(
    fyr_client: Client,
) -> None:
    query = "name=secret&organization.name=secret&birthdate=1980-01-01&_id=secret"

    first, second = log_of(fyr_client, query)

    assert first["event"] == "slow search"
    assert "  Match Patient.name operands=…" in first["query"]
    assert "    Match Organization.name operands=…" in first["query"]
    for line in (first, second):
        assert "secret" not in str(line)
        assert "1980" not in str(line)


def test_searches_are_counted_by_their_kind(fyr_client: Client) -> None:
    fyr_client.get("Patient")
    fyr_client.get("Patient?name=x")
    fyr_client.get("Patient?organization.name=x")

    page = fyr_client.get("/metrics").body.decode()
    for kind in ("all", "values", "chain"):
        assert f'fyr_search_duration_seconds_count{{kind="{kind}"}} 1.0' in page
