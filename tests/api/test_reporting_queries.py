"""Questions to the reporting index, over HTTP."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PATIENT, PRACTITIONER, SYSTEM_USER

QUERY = "/reporting/query"
LOINC = "http://loinc.org"
SYSTOLIC, WEIGHT, RARE = "8480-6", "29463-7", "2339-0"
#: Code, patient, day, value.
MEASURED = [
    *((SYSTOLIC, n % 7, f"2026-01-{n + 1:02}", 110 + n) for n in range(14)),
    *((SYSTOLIC, n % 6, f"2026-02-{n + 1:02}", 120 + n) for n in range(12)),
    *((WEIGHT, n % 8, f"2026-02-{n + 1:02}", 70.5 + n) for n in range(8)),
    *((RARE, n, "2026-02-01", 5.5) for n in range(2)),
]
BY_CODE = {
    "from": "Observation",
    "filter": "status=final",
    "groupBy": [{"terms": "code"}],
    "metrics": {"n": {"count": True}, "patients": {"distinct": "patient"}},
}
ANALYST = replace(PRACTITIONER, privileges=frozenset({"report-query"}))
TRUSTED = replace(
    PRACTITIONER, privileges=frozenset({"report-query", "report-non-anonymized"})
)


def observation(code: str, patient: int, day: str, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/p{patient}"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": "1"},
    }


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    options = {
        "plugins": {"enabled": ["search", "clinical", "access_control", "reporting"]},
        "plugin": {"access_control": {"issuers": []}},
        "reporting": {"url": "embedded"},
    }
    folder: Path = tmp_path_factory.mktemp("reporting")
    with application(settings_with(options, folder), FakeClock()) as built:
        client = client_of(built)
        entries = [
            {
                "resource": observation(*one),
                "request": {"method": "POST", "url": "Observation"},
            }
            for one in MEASURED
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        assert client.post("", bundle).status == 200
        built.worker().drain()
        yield built


@pytest.fixture
def anybody(app: Application) -> Client:
    """Whoever asks a server in open mode."""
    return client_of(app)


@pytest.fixture
def analyst(anybody: Client) -> Client:
    """For whom data is anonymised."""
    return anybody.acting_as(ANALYST)


@pytest.fixture
def trusted(anybody: Client) -> Client:
    """To whom all is told."""
    return anybody.acting_as(TRUSTED)


def ask(client: Client, sent: Any, query: str = "", **headers: str) -> Answer:
    headers = {"Content_Type": "application/json", **headers}
    return client.post(f"{QUERY}{query}", sent, **headers)


def told(answer: Answer) -> list[list[Any]]:
    assert answer.status == 200, answer.body
    return [list(one.values()) for one in answer.json["rows"]]


def code(name: str) -> str:
    return f"{LOINC}|{name}"


def test_groups_are_told_with_their_numbers(trusted: Client) -> None:
    answer = ask(trusted, BY_CODE)

    assert told(answer) == [
        [code(RARE), 2, 2],
        [code(WEIGHT), 8, 8],
        [code(SYSTOLIC), 26, 7],
    ]
    assert answer.json["columns"] == [
        {"name": "code", "type": "keyword", "approximate": False},
        {"name": "n", "type": "number", "approximate": False},
        {"name": "patients", "type": "number", "approximate": False},
    ]


def test_every_answer_tells_as_of_when_it_is(app: Application, trusted: Client) -> None:
    before = ask(trusted, BY_CODE)
    assert before.json["asOf"] == "2026-01-08T08:00:00.000Z"
    assert before.json["notIndexed"] == 0

    late = observation(WEIGHT, 9, "2026-05-01", 80)
    created = client_of(app).create(late)
    app.clock.advance(minutes=5)
    waiting = ask(trusted, BY_CODE)
    app.worker().drain()
    after = ask(trusted, BY_CODE)
    client_of(app).delete(f"Observation/{created.json['id']}")
    app.worker().drain()

    # One millisecond before what is not in it yet.
    assert waiting.json["asOf"] == "2026-01-08T07:59:59.999Z"
    assert told(waiting) == told(before)
    assert after.json["asOf"] == "2026-01-08T08:05:00.000Z"
    assert [code(WEIGHT), 9, 9] in told(after)
    assert told(ask(trusted, BY_CODE)) == told(before)


def test_months_are_those_of_the_time_zone(trusted: Client) -> None:
    month = {"dateHistogram": "effective", "interval": "month", "as": "month"}
    sent = {
        "from": "Observation",
        "timeZone": "Europe/Copenhagen",
        "filter": f"code={LOINC}|{SYSTOLIC}&effective=ge2026",
        "groupBy": [month],
        "metrics": {
            "n": {"count": True},
            "mean": {"avg": "value"},
            "p": {"percentiles": "value", "percents": [50]},
            "last": {"max": "effective"},
        },
    }

    assert ask(trusted, sent).json["rows"] == [
        {
            "month": "2026-01-01",
            "n": 14,
            "mean": 116.5,
            "p.50": 116.5,
            "last": "2026-01-14T00:00:00.000Z",
        },
        {
            "month": "2026-02-01",
            "n": 12,
            "mean": 125.5,
            "p.50": 125.5,
            "last": "2026-02-12T00:00:00.000Z",
        },
    ]


def test_csv_and_ndjson_are_given_by_accept_and_by_format(trusted: Client) -> None:
    expected = [
        [code(RARE), "2", "2"],
        [code(WEIGHT), "8", "8"],
        [code(SYSTOLIC), "26", "7"],
    ]
    for answer in (
        ask(trusted, BY_CODE, Accept="text/csv"),
        ask(trusted, BY_CODE, "?_format=csv"),
    ):
        assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
        rows = list(csv.reader(StringIO(answer.body.decode(), newline="")))
        assert rows == [["code", "n", "patients"], *expected]
        assert answer.headers["fyr-as-of"].startswith("2026-01-08T08:")
    for answer in (
        ask(trusted, BY_CODE, Accept="text/html, application/x-ndjson;q=0.5"),
        ask(trusted, BY_CODE, "?_format=application/fhir%2Bndjson"),
    ):
        assert answer.headers["content-type"] == "application/x-ndjson"
        lines = [json.loads(line) for line in answer.body.splitlines()]
        assert lines == ask(trusted, BY_CODE).json["rows"]
    assert ask(trusted, BY_CODE, Accept="text/html").status == 406
    assert ask(trusted, BY_CODE, "?_format=xml").status == 406


def test_whole_numbers_have_no_point_in_csv(trusted: Client) -> None:
    sent = {"from": "Observation", "select": ["id", "value"], "sort": [{"by": "id"}]}

    whole = [one["value"] for one in ask(trusted, sent).json["rows"]]
    rows = ask(trusted, sent, "?_format=csv").body.decode().splitlines()[1:]

    told = [line.rpartition(",")[2] for line in rows]
    assert [float(one) for one in filter(None, told)] == [
        one for one in whole if one is not None
    ]
    assert not any(one.endswith(".0") for one in told)
    assert any("." in one for one in told)


@pytest.mark.parametrize("format", ["json", "csv"])
def test_pages_follow_each_other_to_the_end(trusted: Client, format: str) -> None:
    sent = {"from": "Observation", "select": ["id", "value"], "count": 10}
    sent["sort"] = [{"by": "value", "order": "desc"}]
    ids, page = [], ""
    while page is not None:
        answer = ask(trusted, {**sent, "page": page}, f"?_format={format}")
        if format == "json":
            found = [one["id"] for one in answer.json["rows"]]
            page = answer.json.get("next")
        else:
            lines = answer.body.decode().splitlines()[1:]
            found = [line.partition(",")[0] for line in lines]
            page = answer.headers.get("fyr-next-page")
        assert len(found) <= 10
        ids += found

    assert len(ids) == len(set(ids)) == len(MEASURED)


def test_a_page_is_good_for_its_question_alone(
    trusted: Client, analyst: Client
) -> None:
    sent = {**BY_CODE, "count": 1}
    page = ask(trusted, sent).json["next"]

    assert ask(trusted, {**sent, "count": 2, "page": page}).status == 200
    assert ask(trusted, {**sent, "filter": "", "page": page}).status == 400
    assert ask(analyst, {**sent, "page": page}).status == 400
    assert ask(trusted, {**sent, "page": "x"}).status == 400


def test_all_problems_of_a_question_are_told_with_their_paths(trusted: Client) -> None:
    answer = ask(
        trusted,
        {
            "from": "Observation",
            "filter": "cod=1",
            "groupBy": [{"terms": "colour"}],
            "count": 0,
        },
    )

    found = {one["expression"][0]: one["diagnostics"] for one in answer.json["issue"]}
    assert answer.status == 400
    assert answer.json["resourceType"] == "OperationOutcome"
    assert set(found) == {"filter", "groupBy[0].terms", "count"}
    assert "it has id, version, lastUpdated, patient, " in found["filter"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b" " * 200_000, "application/json", 413),
    ],
)
def test_what_is_no_question_is_refused(
    trusted: Client, body: bytes, content_type: str, status: int
) -> None:
    answer = ask(trusted, body, Content_Type=content_type)

    assert answer.status == status
    assert answer.json["resourceType"] == "OperationOutcome"


def test_the_schema_is_published_and_holds_for_what_is_answered(
    anybody: Client, trusted: Client
) -> None:
    answer = anybody.get(f"{QUERY}/schema")
    validator = Draft202012Validator(answer.json)

    assert answer.headers["content-type"] == "application/schema+json"
    validator.validate(BY_CODE)
    assert not validator.is_valid({**BY_CODE, "count": 0})
    openapi = anybody.get("/openapi.json").json
    assert openapi["paths"][QUERY]["post"]["requestBody"]


def test_what_may_be_asked_about_is_listed(trusted: Client) -> None:
    listed = trusted.get("/reporting/projections").json["projections"]
    by_type = {one["type"]: one for one in listed}
    columns = {one["name"]: one for one in by_type["Observation"]["columns"]}

    assert by_type["Observation"]["patients"]
    assert columns["code"]["many"]
    assert columns["effective"]["type"] == "date"
    assert columns["effective"]["description"]


class TestWhoMayAsk:
    def test_who_has_not_the_privilege_is_refused(self, anybody: Client) -> None:
        for principal in (PRACTITIONER, PATIENT, SYSTEM_USER):
            client = anybody.acting_as(principal)
            assert ask(client, BY_CODE).status == 403
            assert client.get("/reporting/projections").status == 403

    def test_a_system_that_has_it_asks_as_a_person_does(self, anybody: Client) -> None:
        system = replace(SYSTEM_USER, privileges=ANALYST.privileges)

        assert ask(anybody.acting_as(system), BY_CODE).json["leastPatients"] == 5

    def test_anybody_may_at_a_server_in_open_mode(self, anybody: Client) -> None:
        assert len(told(ask(anybody, BY_CODE))) == 3

    def test_nobody_may_at_a_closed_server_without_saying_who_it_is(
        self, tmp_path: Path
    ) -> None:
        options = {
            "security": {"mode": "closed"},
            "plugins": {"enabled": ["search", "reporting"]},
            "reporting": {"url": "embedded"},
        }
        with application(settings_with(options, tmp_path), FakeClock()) as closed:
            assert ask(client_of(closed), BY_CODE).status == 401
            assert ask(client_of(closed).acting_as(PRACTITIONER), BY_CODE).status == 403


class TestOnePatientByAnotherName:
    """For whom data is anonymised, nothing that is one patient's own chooses them."""

    @pytest.fixture
    def appointments(self, app: Application, anybody: Client) -> Iterator[None]:
        """Six visits of one patient, and one each of six others."""
        made = []
        for patient in [*["one"] * 6, *(f"other{n}" for n in range(6))]:
            visit = {
                "resourceType": "Appointment",
                "status": "booked",
                "serviceType": [{"coding": [{"system": "urn:x", "code": "clinic"}]}],
                "participant": [
                    {
                        "status": "accepted",
                        "actor": {"reference": f"Patient/{patient}"},
                    },
                    {
                        "status": "accepted",
                        "actor": {"reference": "Location/ward"},
                    },
                ],
            }
            made.append(anybody.create(visit).json["id"])
        app.worker().drain()
        yield
        for one in made:
            anybody.delete(f"Appointment/{one}")
        app.worker().drain()

    @pytest.mark.parametrize(
        "criterion",
        [
            "participant=Patient/one",
            "participant:not=Patient/one",
            "participant=Location/ward,Patient/one",
            "participant=https://example.org/patient/fhir/Patient/one",
            "participant:contains=one",
            "participant=RelatedPerson/1",
        ],
    )
    def test_no_filter_does(
        self, analyst: Client, trusted: Client, criterion: str
    ) -> None:
        counted = {"from": "Appointment", "metrics": {"n": {"count": True}}}

        refused = ask(analyst, {**counted, "filter": criterion})
        assert refused.status == 403
        assert ask(trusted, {**counted, "filter": criterion}).status == 200

    @pytest.mark.usefixtures("appointments")
    def test_no_group_does(self, analyst: Client, trusted: Client) -> None:
        by_participant = {
            "from": "Appointment",
            "groupBy": [{"terms": "participant"}],
            "metrics": {"n": {"count": True}},
        }

        all_told = dict(told(ask(trusted, by_participant)))
        assert (all_told["Patient/one"], all_told["Location/ward"]) == (6, 12)
        for key, _ in told(ask(analyst, by_participant)):
            assert not key.startswith("Patient/")


class TestAnonymised:
    def test_small_groups_are_not_told_nor_what_they_follow_from(
        self, analyst: Client
    ) -> None:
        """RARE has two patients; with all others it would be had by subtraction."""
        answer = ask(analyst, BY_CODE)

        assert told(answer) == [[code(WEIGHT), 8, 8]]
        assert answer.json["leastPatients"] == 5

    def test_a_total_of_few_is_not_told_either(self, analyst: Client) -> None:
        few = {"from": "Observation", "metrics": {"n": {"count": True}}}

        assert told(ask(analyst, {**few, "filter": f"code={RARE}"})) == []
        assert told(ask(analyst, {**few, "filter": "code=nothing"})) == []
        assert told(ask(analyst, few)) == [[len(MEASURED)]]

    def test_conditions_on_groups_see_only_what_is_told(self, analyst: Client) -> None:
        having = {"not": {"metric": "n", "gt": 5}}

        assert told(ask(analyst, {**BY_CODE, "having": having})) == []

    @pytest.mark.parametrize(
        "changed",
        [
            {"select": ["id"], "groupBy": [], "metrics": {}},
            {"filter": "patient=p1"},
            {"filter": "patient:not=p1"},
        ],
    )
    def test_no_single_patient_can_be_asked_about(
        self, analyst: Client, changed: dict[str, Any]
    ) -> None:
        assert ask(analyst, {**BY_CODE, **changed}).status == 403


def test_who_has_asked_about_what_is_in_the_audit_log(tmp_path: Path) -> None:
    options = {
        "plugins": {"enabled": ["search", "audit", "reporting"]},
        "plugin": {"audit": {"flush_seconds": 0.01}},
        "reporting": {"url": "embedded"},
    }
    with application(settings_with(options, tmp_path), FakeClock()) as audited:
        client = client_of(audited)
        client.create(observation(WEIGHT, 1, "2026-01-01", 80))
        audited.worker().drain()
        assert ask(client.acting_as(TRUSTED), BY_CODE).status == 200
        audited.plugins.stop()
        audited.worker().drain()
        lines = (tmp_path / "audit.jsonl").read_text().splitlines()

    events = [json.loads(line) for line in lines]
    (event,) = [one for one in events if "report-query" in json.dumps(one)]
    assert event["agent"][0]["who"]["identifier"]["value"] == TRUSTED.user_id


class TestCosts:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "plugins": {"enabled": ["search", "reporting"]},
            "plugin": {
                "reporting": {
                    "max_groups": 3,
                    "max_page": 5,
                    "at_once": 1,
                    "wait_seconds": 0,
                }
            },
            "reporting": {"url": "embedded"},
        }

    def filled(self, app: Application) -> Client:
        client = client_of(app)
        for number in range(4):
            client.create(observation(WEIGHT, number, "2026-01-01", number))
        app.worker().drain()
        return client

    def test_too_many_groups_are_refused_with_what_to_do(
        self, fyr_app: Application
    ) -> None:
        client = self.filled(fyr_app)
        found = ask(client, {"from": "Observation", "groupBy": [{"terms": "value"}]})

        assert (found.status, found.json["issue"][0]["code"]) == (422, "too-costly")
        assert "narrow the filter" in found.issues[0]

    def test_a_question_beside_as_many_as_may_be_at_once_is_to_come_later(
        self, fyr_app: Application
    ) -> None:
        client = self.filled(fyr_app)
        (plugin,) = [one.target for one in fyr_app.plugins if one.name == "reporting"]
        few = {"from": "Observation", "metrics": {"n": {"count": True}}}
        with plugin.questions.desk().place():
            turned_away = ask(client, few)

        assert turned_away.status == 429
        assert turned_away.headers["retry-after"] == "5"
        assert ask(client, few).status == 200

    def test_too_large_a_page_is_refused(self, fyr_app: Application) -> None:
        found = ask(client_of(fyr_app), {**BY_CODE, "count": 6})

        assert (found.status, found.json["issue"][0]["code"]) == (400, "too-costly")


def test_a_server_without_an_index_says_so(tmp_path: Path) -> None:
    options = {"plugins": {"enabled": ["search", "reporting"]}}
    with application(settings_with(options, tmp_path), FakeClock()) as without:
        answer = ask(client_of(without), BY_CODE)
        problems = without.plugins.problems()

    assert (answer.status, answer.issues) == (
        400,
        ["this server has no reporting index: the setting reporting.url is empty"],
    )
    assert set(problems) == {"reporting"}


def test_an_index_that_is_not_made_yet_is_waited_for(tmp_path: Path) -> None:
    options = {
        "plugins": {"enabled": ["search", "reporting"]},
        "reporting": {"url": "embedded"},
    }
    with application(settings_with(options, tmp_path), FakeClock()) as fresh:
        answer = ask(client_of(fresh), BY_CODE)

    assert answer.status == 503
    assert answer.issues == ["the reporting index is being made"]
