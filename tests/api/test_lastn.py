"""``Observation/$lastn``: the last measurements of each code, by the reporting index.

https://hl7.org/fhir/R4/observation-operation-lastn.html
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Forbidden, Plugin, hookimpl
from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

LOINC = "http://loinc.org"
PULSE, WEIGHT = "8867-4", "29463-7"


class Guard(Plugin):
    """Lets nobody search for measurements of one patient."""

    @hookimpl
    def authorize_search(self, context: Any, asked: Any, look: Any) -> None:
        if ("patient", "Patient/closed") in context.params:
            raise Forbidden("that patient is closed")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder: Path = tmp_path_factory.mktemp("lastn")
    options = {
        "reporting": {"url": "embedded"},
        "plugins": {"enabled": ["search", "reporting"]},
    }
    with application(
        settings_with(options, folder), FakeClock(), {"g": Guard}
    ) as built:
        client = client_of(built)
        for id, code, day in (
            ("p1", PULSE, "2026-01-01"),
            ("p3", PULSE, "2026-01-03"),
            ("p2", PULSE, "2026-01-02T08:00:00+01:00"),
            ("w1", WEIGHT, "2026-01-01"),
            ("w0", WEIGHT, ""),
            ("n1", "", "2026-01-05"),
        ):
            assert client.update(observation(id, code, day)).status == 201
        client.update(observation("x1", PULSE, "2026-02-01", "Patient/other"))
        client.update(observation("c1", PULSE, "2026-02-01", "Patient/closed"))
        built.worker().drain()
        yield built


@pytest.fixture
def client(app: Application) -> Client:
    return client_of(app)


def observation(
    id: str, code: str, day: str, patient: str = "Patient/1"
) -> dict[str, Any]:
    coding = {"coding": [{"system": LOINC, "code": code}]} if code else {}
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"text": "measured", **coding},
        "subject": {"reference": patient},
        **({"effectiveDateTime": day} if day else {}),
    }


def found(client: Client, query: str) -> Sequence[str]:
    answer = client.get(f"Observation/$lastn?{query}")
    assert answer.status == 200, answer.issues
    return [
        one["resource"]["id"]
        for one in answer.json["entry"]
        if one["search"]["mode"] == "match"
    ]


def test_the_last_of_each_code_are_given(client: Client) -> None:
    assert found(client, "patient=Patient/1&category=vital-signs") == ["n1", "w1", "p3"]


def test_the_last_few_of_each_code_are_given_newest_first(client: Client) -> None:
    query = "subject=Patient/1&category=vital-signs&max=2"

    assert found(client, query) == ["n1", "w1", "w0", "p3", "p2"]


@pytest.mark.parametrize("name", ["patient", "subject"])
def test_a_patient_may_be_named_by_an_own_url(client: Client, name: str) -> None:
    known = client.get(f"Observation/$lastn?patient=Patient/1&code={PULSE}")
    base = known.json["entry"][0]["fullUrl"].removesuffix("/Observation/p3")

    assert found(client, f"{name}={base}/Patient/1&code={PULSE}") == ["p3"]
    assert found(client, f"{name}=https://other.example.org/Patient/1&code=a") == []


@pytest.mark.parametrize("code", [PULSE, f"{LOINC}|{PULSE}", f"{PULSE},nothing"])
def test_codes_are_asked_for_as_in_a_search(client: Client, code: str) -> None:
    assert found(client, f"patient=Patient/1&code={code}&max=9") == ["p3", "p2", "p1"]


def test_the_answer_says_as_of_when_it_is(client: Client) -> None:
    answer = client.get(f"Observation/$lastn?patient=Patient/1&code={PULSE}")

    (outcome,) = [
        one["resource"]
        for one in answer.json["entry"]
        if one["search"]["mode"] == "outcome"
    ]
    assert outcome["issue"][0]["diagnostics"].startswith("as of 20")
    assert (answer.json["type"], answer.json["total"]) == ("searchset", 1)
    assert answer.json["entry"][0]["fullUrl"].endswith("/Observation/p3")


def test_what_is_gone_since_is_left_out(app: Application, client: Client) -> None:
    client.update(observation("g1", "gone", "2026-01-01"))
    app.worker().drain()
    client.delete("Observation/g1")

    assert found(client, "patient=Patient/1&code=gone") == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (f"code={PULSE}", "$lastn takes patient or subject"),
        ("patient=Patient/1", "$lastn takes category or code"),
        ("patient=Patient/1&code=a&max=0", "parameter max: must be a whole number"),
        ("patient=Patient/1&code=a&status=final", "status"),
    ],
)
def test_what_is_missing_or_wrong_is_refused(
    client: Client, query: str, why: str
) -> None:
    answer = client.get(f"Observation/$lastn?{query}")

    assert answer.status == 400
    assert any(why in issue for issue in answer.issues)


def test_nobody_gets_what_a_search_would_not_give(client: Client) -> None:
    answer = client.get(f"Observation/$lastn?patient=Patient/closed&code={PULSE}")

    assert (answer.status, answer.issues) == (403, ["that patient is closed"])


def test_many_are_read_in_parts(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fyr.plugins.reporting.last_measurements._AT_ONCE", 2)
    query = "subject=Patient/1&category=vital-signs&max=3"

    assert found(client, query) == ["n1", "w1", "w0", "p3", "p2", "p1"]


def test_a_server_without_an_index_says_so(tmp_path: Path) -> None:
    options = {"plugins": {"enabled": ["search", "reporting"]}}
    with application(settings_with(options, tmp_path), FakeClock()) as built:
        answer = client_of(built).get("Observation/$lastn?patient=Patient/1&code=a")

    assert answer.status == 400
    assert "no reporting index" in answer.issues[0]
