"""Text that would be SQL if it were ever put into a statement."""

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pytest

from fyr.core.store.sqlite import SqliteDatabase, SqliteSession
from fyr.core.testing.client import Client

INJECTIONS = [
    "' OR '1'='1",
    "x'; DROP TABLE resource; --",
    'x"; DROP TABLE resource; --',
    "1) OR 1=1 --",
    "x' UNION SELECT secret, 1, 1, 1 FROM search_link_key --",
    "\\'; SELECT pg_sleep(9); --",
    "$$; DROP TABLE resource; $$",
    "?; DROP TABLE resource",
    "%' OR 1=1 --",
    "x' AND randomblob(1000000000) --",
    "\u02bc; DROP TABLE resource; --",
]
PATHS = [
    "Patient?name={}",
    "Patient?name:contains={}",
    "Patient?name:exact={}",
    "Patient?_id={}",
    "Patient?identifier={}|{}",
    "Patient?identifier:of-type={}|{}|{}",
    "Patient?birthdate={}",
    "Patient?_lastUpdated={}",
    "Patient?general-practitioner={}",
    "Patient?general-practitioner:Practitioner.name={}",
    "Patient?_has:Observation:subject:code={}",
    "Patient?_sort={}",
    "Patient?_count={}",
    "Patient?_include={}",
    "Patient?_elements={}",
    "Patient?_cursor={}",
    "Patient?_filter={}",
    'Patient?_filter=name eq "{}"',
    "Patient?_type={}",
    "Patient?{}=1",
    "Observation?value-quantity={}|{}|{}",
    "Observation?code-value-quantity={}${}",
    "ValueSet?url:below={}",
    "Location?near={}|{}|{}",
    "Patient/{}",
    "Patient/kept/_history/{}",
    "Patient/_history?_since={}",
    "{}/kept",
    "Patient/kept/{}",
    "_history?_at={}",
]


@pytest.fixture(scope="module")
def kept(client: Client) -> dict[str, Any]:
    stored: dict[str, Any] = client.put(
        "Patient/kept", {"resourceType": "Patient", "id": "kept"}
    ).json
    return stored


@pytest.mark.parametrize("injection", INJECTIONS)
@pytest.mark.parametrize("path", PATHS)
def test_no_value_becomes_a_part_of_a_statement(
    client: Client, kept: dict[str, Any], path: str, injection: str
) -> None:
    answer = client.get(path.replace("{}", quote(injection, safe="")))

    assert answer.status in (200, 400, 404, 422), answer.body
    if answer.status == 200:
        assert answer.json["resourceType"] == "Bundle"
        found = [one.get("id") for one in answer.resources]
        assert kept["id"] not in found or path.startswith(("_history", "Patient/_hist"))
    assert client.get("Patient/kept").json == kept


@pytest.mark.parametrize("injection", INJECTIONS)
def test_no_text_of_a_resource_becomes_a_part_of_a_statement(
    client: Client, kept: dict[str, Any], injection: str
) -> None:
    resource = {
        "resourceType": "Patient",
        "language": injection,
        "name": [{"family": injection, "given": [injection]}],
        "identifier": [{"system": injection, "value": injection}],
        "managingOrganization": {"reference": injection, "display": injection},
    }

    made = client.create(resource)

    assert made.status in (201, 400), made.body
    if made.status == 201:
        assert made.json["name"] == json.loads(json.dumps(resource["name"]))
    assert client.get("Patient/kept").json == kept


@pytest.mark.parametrize("injection", INJECTIONS)
def test_no_header_becomes_a_part_of_a_statement(
    client: Client, kept: dict[str, Any], injection: str
) -> None:
    sent = injection.encode("ascii", "ignore").decode()
    for headers in (
        {"If_None_Exist": f"name={quote(sent)}"},
        {"If_None_Exist": sent},
        {"X_Request_Id": sent},
        {"Prefer": sent},
    ):
        answer = client.create(
            {"resourceType": "Basic", "code": {"text": "x"}}, **headers
        )

        assert answer.status in (200, 201, 400, 412), answer.body
    assert client.get("Patient/kept").json == kept


def written_into(sql: str, params: Sequence[Any]) -> str:
    """Write values into a statement, as nobody should."""
    values = iter(params)

    def literal(_mark: re.Match[str]) -> str:
        value = next(values)
        if isinstance(value, bytes):
            return f"x'{value.hex()}'"
        return f"'{value}'" if isinstance(value, str) else str(value)

    return re.sub(r"\?", literal, sql)


class TestWithoutParameters:
    """The attacks without their guard: each value is a part of its statement."""

    @pytest.fixture
    def naive(self, fyr_client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
        fyr_client.update(
            {
                "resourceType": "Patient",
                "id": "kept",
                "name": [{"family": "Kept"}],
                "generalPractitioner": [{"reference": "Practitioner/1"}],
            }
        )
        for kind in (SqliteDatabase, SqliteSession):
            rows = kind.rows

            def naively(
                self: Any, sql: str, params: Sequence[Any] = (), rows=rows, **more: Any
            ) -> Any:
                return rows(self, written_into(sql, params), (), **more)

            monkeypatch.setattr(kind, "rows", naively)
        return fyr_client

    @pytest.mark.parametrize(
        "path",
        [
            "Patient?name={}",
            "Patient?name:exact={}",
            "Patient?_id={}",
            "Patient?general-practitioner={}",
        ],
    )
    def test_a_value_finds_what_it_does_not_name(
        self, naive: Client, path: str
    ) -> None:
        answer = naive.get(path.replace("{}", quote(INJECTIONS[0], safe="")))

        assert [one["id"] for one in answer.resources] == ["kept"]

    def test_a_value_ends_the_statement(self, naive: Client) -> None:
        broken = [
            injection
            for injection in INJECTIONS
            if naive.get(f"Patient?name={quote(injection, safe='')}").status == 500
        ]

        assert len(broken) >= 5

    def test_a_header_finds_what_it_does_not_name(self, naive: Client) -> None:
        criteria = f"name={quote(INJECTIONS[0])}"

        answer = naive.create({"resourceType": "Patient"}, If_None_Exist=criteria)

        assert answer.status == 200
        assert answer.json["id"] == "kept"

    def test_a_text_of_a_resource_ends_the_statement(
        self, naive: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = SqliteSession.run
        monkeypatch.setattr(
            SqliteSession,
            "run",
            lambda self, sql, params=(): run(self, written_into(sql, params)),
        )

        def status(language: str) -> int:
            return naive.create(
                {
                    "resourceType": "Patient",
                    "managingOrganization": {"reference": language},
                }
            ).status

        assert status("Organization/1") == 201
        assert status("urn:x'x") == 500
