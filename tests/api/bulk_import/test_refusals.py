"""Imports that are refused."""

import gzip
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.bulk import asked, path_of
from fyr.core.testing.client import Client
from fyr.core.testing.principals import PRACTITIONER, SYSTEM_USER

from .imports import ndjson, parameters, patient, send


class TestRefusals:
    def test_an_upload_says_what_it_is(self, http: Client) -> None:
        assert send(http, b"{}", **{"Content-Type": "text/plain"}).status == 415

    @pytest.mark.parametrize(
        ("query", "told"),
        [
            ("?type=Patiend", "'Patiend' is not a resource type"),
            ("?matchBy=name", "matchBy is id or identifier"),
            ("?mode=x", "unknown parameter: mode"),
        ],
    )
    def test_what_is_wrong_with_an_upload_is_named(
        self, http: Client, query: str, told: str
    ) -> None:
        answer = send(http, b"{}", query)

        assert answer.status == 400
        assert told in answer.issues[0]

    def test_a_bomb_is_not_taken(self, app: Application, http: Client) -> None:
        bomb = gzip.compress(b" " * 5_000_000)

        answer = send(http, bomb, **{"Content-Encoding": "gzip"})

        assert answer.status == 413
        assert list(app.blobs.store.walk()) == []

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ({"resourceType": "Parameters"}, "parameter input is missing"),
            (parameters(("Patient", "x"), inputFormat="csv"), "inputFormat 'csv'"),
            (parameters(("Patiend", "x")), "'Patiend' is not a resource type"),
            (parameters(("Patient", "x"), matchBy="x"), "matchBy is id or identifier"),
            (parameters(("Patient", "x"), mode="x"), "unknown parameter: mode"),
        ],
    )
    def test_what_is_wrong_with_a_call_is_named(
        self, http: Client, body: Any, told: str
    ) -> None:
        answer = asked(http, "$import", body)

        assert answer.status == 400
        assert told in answer.issues[0]

    def test_all_that_is_wrong_with_a_call_is_named_at_once(self, http: Client) -> None:
        body = parameters(("Patiend", "urn:x"), inputFormat="csv", matchBy="x")

        answer = asked(http, "$import", body)

        assert answer.status == 400
        assert [one.partition(":")[0] for one in answer.issues] == [
            "matchBy is id or identifier, not 'x'",
            "'Patiend' is not a resource type",
            "inputFormat 'csv'",
            "urn",
        ]

    def test_what_is_unknown_or_missing_hides_nothing_else(self, http: Client) -> None:
        body = parameters(("Patiend", "urn:x"), mode="x", matchBy="y")
        without = {"name": "type", "valueString": "Patient"}
        body["parameter"] += [
            {"name": "input", "part": [without]},
            {"name": "inputFormat", "valueInteger": 1},
            {"name": "storageDetail", "part": [{"name": "type", "valueString": "s3"}]},
        ]

        answer = asked(http, "$import", body)

        assert answer.status == 400
        told = "\n".join(answer.issues)
        for one in (
            "unknown parameter: mode",
            "parameter url is missing",
            "parameter inputFormat is to be of type string",
            "'Patiend' is not a resource type",
            "matchBy is id or identifier, not 'y'",
            "storageDetail 's3': only https and http",
            "urn:x: it is not one that this deployment fetches from",
        ):
            assert told.count(one) == 1

    @pytest.mark.parametrize(
        "given",
        [
            {"name": "input"},
            {"name": "input", "valueString": "x"},
            {"name": "matchBy", "resource": {"resourceType": "Patient"}},
            {"name": "storageDetail", "part": [{"name": "type", "valueInteger": 1}]},
            {"name": "inputFormat", "part": [{"name": "x", "valueInteger": 1}]},
        ],
    )
    def test_whatever_is_not_as_declared_is_refused(
        self, http: Client, given: dict[str, Any]
    ) -> None:
        body = parameters(("Patient", "urn:x"))
        body["parameter"].append(given)

        answer = asked(http, "$import", body)

        assert answer.status == 400
        assert any("urn:x: " in one for one in answer.issues)

    def test_it_is_called_by_post_and_asynchronously(self, http: Client) -> None:
        body = parameters(("Patient", "https://x.org/"))

        assert asked(http, "$import").status == 405
        assert http.post("$import", body).status == 400

    def test_one_that_is_cancelled_goes_no_further(
        self, app: Application, http: Client
    ) -> None:
        answer = send(http, ndjson(patient("a")))
        status = path_of(answer.headers["content-location"])
        http.delete(status)
        app.worker().drain()

        assert http.get(status).status == 404
        assert http.get("Patient/a").status == 404

    def test_nobody_else_sees_an_import(self, app: Application, http: Client) -> None:
        mine, other = http.acting_as(SYSTEM_USER), http.acting_as(PRACTITIONER)
        answer = send(mine, b"x\n")
        app.worker().drain()
        status = path_of(answer.headers["content-location"])
        (file,) = mine.get(status).json["error"]

        assert other.get(status).status == 404
        assert other.delete(status).status == 404
        assert other.get(path_of(file["url"])).status == 404
        assert mine.get(path_of(file["url"])).status == 200
