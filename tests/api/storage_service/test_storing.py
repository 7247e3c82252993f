"""The Storage Service API: what is stored, for all and for one patient, and replaced."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fyr.core.app import Application
from fyr.core.blobs.sweep import Sweep
from fyr.core.context import Principal
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PATIENT, PRACTITIONER, SYSTEM_USER

from .pictures import (
    CITIZEN,
    CONTENT,
    EPISODE_URL,
    OWN,
    PDF,
    picture,
    post,
    put,
    stored,
)

ON_EPISODE = replace(
    PRACTITIONER, context={**PRACTITIONER.context, "episode_of_care": EPISODE_URL}
)
OTHER_PATIENT = Principal("PATIENT", "other", context={"patient": "https://p.org/x/1"})


class TestGeneral:
    def test_content_is_kept_and_told(self, system: Client) -> None:
        answer = post(system)

        told = answer.json
        assert answer.status == 201
        assert answer.headers["location"] == told["url"]
        assert told["url"] == f"http://localhost{CONTENT}/{told['id']}"
        assert (told["contentType"], told["size"]) == ("application/pdf", len(PDF))
        assert len(told["sha256"]) == 64
        assert "patientReference" not in told

    def test_a_text_is_served_in_the_charset_that_it_came_in(
        self, system: Client
    ) -> None:
        text = "målt på Ærø".encode("latin-1")
        url = stored(system, text, 'text/plain; format=flowed; Charset="ISO-8859-1"')

        answer = system.get(url, Accept="text/plain")
        assert (answer.status, answer.body) == (200, text)
        assert answer.headers["content-type"] == "text/plain; charset=iso-8859-1"
        told = system.get(f"{url}/metadata").json
        assert told["contentType"] == "text/plain; charset=iso-8859-1"
        replaced = put(system, url, "målt".encode(), kind="text/plain")
        assert replaced.json["contentType"] == "text/plain"

    @pytest.mark.parametrize(
        "content_type",
        ["text/plain; charset=<b>", "text/plain; x=y", "text/plain;charset"],
    )
    def test_what_is_no_charset_is_left_out(
        self, system: Client, content_type: str
    ) -> None:
        url = stored(system, b"hello", content_type)

        assert system.get(url).headers["content-type"] == "text/plain"

    def test_a_picture_has_no_charset(self, system: Client) -> None:
        url = stored(system, picture(), "image/jpeg; charset=utf-8")

        assert system.get(url).headers["content-type"] == "image/jpeg"

    def test_everybody_who_is_known_reads_it(
        self, system: Client, fyr_client: Client
    ) -> None:
        url = stored(system)

        for principal in (PATIENT, PRACTITIONER, SYSTEM_USER):
            answer = fyr_client.acting_as(principal).get(url)
            assert (answer.status, answer.body) == (200, PDF)
            assert answer.headers["content-type"] == "application/pdf"
            assert answer.headers["etag"] == '"1"'

    def test_it_is_written_for_an_organization(self, fyr_client: Client) -> None:
        assert post(fyr_client.acting_as(PRACTITIONER)).status == 201
        assert post(fyr_client.acting_as(PATIENT)).status == 403

    def test_it_is_not_sealed(self, system: Client, fyr_app: Application) -> None:
        stored(system)
        (kept,) = fyr_app.blobs.store.walk()

        assert b"".join(fyr_app.blobs.store.read(kept.key)) == PDF


class TestPatientSpecific:
    def test_it_is_sealed(self, system: Client, fyr_app: Application) -> None:
        url = stored(system, PDF, "application/pdf", OWN)
        (kept,) = fyr_app.blobs.store.walk()

        assert b"PDF" not in b"".join(fyr_app.blobs.store.read(kept.key))
        assert system.get(url).body == PDF
        assert system.get(f"{url}/metadata").json["patientReference"] in OWN.values()

    def test_who_works_in_its_context_reads_and_writes_it(
        self, fyr_client: Client
    ) -> None:
        for principal in (CITIZEN, ON_EPISODE):
            client = fyr_client.acting_as(principal)
            url = stored(client, PDF, "application/pdf", OWN)
            assert client.get(url).body == PDF
            assert put(client, url, PDF * 2, OWN).status == 200

    def test_nobody_else_does(self, system: Client, fyr_client: Client) -> None:
        url = stored(system, PDF, "application/pdf", OWN)

        for principal in (PRACTITIONER, OTHER_PATIENT):
            client = fyr_client.acting_as(principal)
            assert client.get(url).status == 403
            assert client.request("HEAD", url).status == 403
            assert put(client, url, PDF, OWN).status == 403
            assert post(client, PDF, "application/pdf", OWN).status == 403

    @pytest.mark.parametrize(
        "params",
        [
            {"patientReference": OWN["patientReference"]},
            {"episodeOfCareReference": EPISODE_URL},
            {**OWN, "patientReference": "Patient/1"},
            {**OWN, "episodeOfCareReference": OWN["patientReference"]},
        ],
    )
    def test_both_references_are_given_once_as_absolute_urls(
        self, system: Client, params: dict[str, str]
    ) -> None:
        assert post(system, PDF, "application/pdf", params).status == 400
        twice = f"{CONTENT}?patientReference=a&patientReference=b"
        assert system.post(twice, PDF, Content_Type="application/pdf").status == 400


class TestReplacing:
    def test_the_url_stays(self, system: Client) -> None:
        url = stored(system)
        answer = put(system, url, b"hello", kind="text/plain", If_Match='"1"')

        assert (answer.status, answer.headers["etag"]) == (200, '"2"')
        assert answer.json["url"].endswith(url)
        assert system.get(url).body == b"hello"
        assert system.get(url).headers["content-type"] == "text/plain"

    def test_a_stale_writer_is_refused(self, system: Client) -> None:
        url = stored(system)
        put(system, url, PDF * 2)

        assert put(system, url, PDF * 3, If_Match='"1"').status == 412
        assert system.get(url).body == PDF * 2

    def test_general_and_patient_specific_are_never_swapped(
        self, system: Client
    ) -> None:
        general, own = stored(system), stored(system, PDF, "application/pdf", OWN)
        other = {**OWN, "episodeOfCareReference": f"{EPISODE_URL}0"}

        for url, params in ((general, OWN), (own, None), (own, other)):
            assert put(system, url, b"%PDF-other", params).status == 409
            assert system.get(url).body == PDF

    def test_what_was_replaced_or_removed_goes_after_a_while(
        self, system: Client, fyr_app: Application, fyr_clock: FakeClock
    ) -> None:
        url = stored(system)
        put(system, url, PDF * 2)
        gone = stored(system, PDF * 3)
        assert system.delete(gone).status == 204
        assert system.get(gone).status == system.delete(gone).status == 404
        assert len(list(fyr_app.blobs.store.walk())) == 3

        fyr_clock.advance(days=1)
        Sweep(fyr_app.blobs).sweep()
        assert len(list(fyr_app.blobs.store.walk())) == 1
        assert system.get(url).body == PDF * 2

    def test_writers_at_the_same_time_leave_one_whole_content(
        self, system: Client, fyr_app: Application
    ) -> None:
        url = stored(system)
        contents = [b"%PDF-" + bytes([number]) * 90_000 for number in range(6)]
        threads = [
            threading.Thread(target=put, args=(system, url, one)) for one in contents
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert system.get(url).body in contents
        assert system.get(f"{url}/metadata").json["version"] == 7
        states = fyr_app.database.rows("SELECT state FROM blob ORDER BY state")
        assert [row[0] for row in states] == ["kept"] + ["released"] * 6

    def test_only_systems_remove_and_look_behind(
        self, system: Client, fyr_client: Client
    ) -> None:
        url, client = stored(system), fyr_client.acting_as(PRACTITIONER)

        assert client.delete(url).status == 403
        assert client.get(f"{url}/metadata").status == 403
        assert system.get(f"{url}/metadata").json["size"] == len(PDF)


def test_what_is_answered_is_what_openapi_says(system: Client) -> None:
    paths = system.get("/openapi.json").json["paths"]

    def schema(path: str, method: str, status: str) -> Any:
        answers = paths[path][method]["responses"]
        return answers[status]["content"]["application/json"]["schema"]

    one = f"{CONTENT}/{{content_id}}"
    made = post(system, params=OWN)
    told = system.get(
        f"{made.headers['location'].removeprefix('http://localhost')}/metadata"
    )

    Draft202012Validator(schema(CONTENT, "post", "201")).validate(made.json)
    Draft202012Validator(schema(f"{one}/metadata", "get", "200")).validate(told.json)
    assert "application/pdf" in paths[CONTENT]["post"]["requestBody"]["content"]
    assert {"200", "206", "304", "416"} <= set(paths[one]["get"]["responses"])
