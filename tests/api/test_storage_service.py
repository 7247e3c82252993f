"""The Storage Service API."""

import threading
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from fyr.core.app import Application
from fyr.core.blobs.sweep import Sweep
from fyr.core.context import Principal
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PATIENT, PRACTITIONER, SYSTEM_USER

CONTENT = "/storage/api/content"
EPISODE_URL = "http://localhost/fhir/EpisodeOfCare/7"
PATIENT_URL = "http://localhost/fhir/Patient/1"
OWN = {"episodeOfCareReference": EPISODE_URL, "patientReference": PATIENT_URL}
CITIZEN = replace(PATIENT, context={"patient": PATIENT_URL})
MACHINE = replace(
    SYSTEM_USER,
    privileges=frozenset({"DocumentReference.*", "Patient.*", "EpisodeOfCare.*"}),
)
PDF = b"%PDF-1.7 " + bytes(range(256)) * 300
ON_EPISODE = replace(
    PRACTITIONER, context={**PRACTITIONER.context, "episode_of_care": EPISODE_URL}
)
OTHER_PATIENT = Principal("PATIENT", "other", context={"patient": "https://p.org/x/1"})


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "storage_service"]},
        "plugin": {"storage_service": {"thumbnail_pixels": 64}},
    }


@pytest.fixture(autouse=True)
def system(fyr_client: Client) -> Client:
    client = fyr_client.acting_as(MACHINE)
    patient = {"reference": "Patient/1"}
    for one in (
        {"resourceType": "Patient", "id": "1"},
        {"resourceType": "EpisodeOfCare", "id": "7", "status": "active"},
    ):
        episode = one["resourceType"] == "EpisodeOfCare"
        answer = client.update({**one, "patient": patient} if episode else one)
        assert answer.status == 201, answer.body
    return client


def post(
    client: Client,
    content: bytes = PDF,
    kind: str = "application/pdf",
    params: dict[str, str] | None = None,
) -> Answer:
    headers = {"Content-Type": kind}
    return client.request("POST", CONTENT, body=content, params=params, headers=headers)


def put(
    client: Client,
    url: str,
    content: bytes,
    params: dict[str, str] | None = None,
    kind: str = "application/pdf",
    **headers: str,
) -> Answer:
    return client.with_headers(**headers).request(
        "PUT", url, body=content, params=params, headers={"Content-Type": kind}
    )


def stored(client: Client, *args: Any) -> str:
    answer = post(client, *args)
    assert answer.status == 201, answer.body
    return str(answer.headers["location"].removeprefix("http://localhost"))


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (200, 100), **more: Any
) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **more)
    return out.getvalue()


def drain(app: Application) -> None:
    app.worker().drain()


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


class TestReading:
    @pytest.mark.parametrize(
        ("accept", "status"),
        [
            ("application/pdf", 200),
            ("application/*", 200),
            ("*/*;q=0.1", 200),
            ("text/plain", 406),
            ("text/plain, image/*", 406),
        ],
    )
    def test_accept_covers_the_type(
        self, system: Client, accept: str, status: int
    ) -> None:
        assert system.get(stored(system), Accept=accept).status == status

    def test_ranges_and_conditions(self, system: Client) -> None:
        url = stored(system, PDF, "application/pdf", OWN)
        part = system.get(url, Range="bytes=0-4")

        assert (part.status, part.body) == (206, b"%PDF-")
        assert system.get(url, Range="bytes=999999-").status == 416
        assert system.get(url, If_None_Match='"1"').status == 304
        head = system.request("HEAD", url)
        assert (head.headers["content-length"], head.body) == (str(len(PDF)), b"")

    @pytest.mark.parametrize("content_id", ["x", "0" * 36, "%2e%2e"])
    def test_what_is_not_there_is_not_found(
        self, system: Client, content_id: str
    ) -> None:
        for answer in (
            system.get(f"{CONTENT}/{content_id}"),
            system.get(f"{CONTENT}/{content_id}/thumbnail"),
            put(system, f"{CONTENT}/{content_id}", PDF),
        ):
            assert answer.status == 404
            assert answer.json["resourceType"] == "OperationOutcome"


class TestChecks:
    @pytest.mark.parametrize(
        ("kind", "content", "status"),
        [
            ("application/pdf", b"MZ\x90 no pdf", 422),
            ("image/png", PDF, 422),
            ("image/png", b"\x89PNG\r\n\x1a\n broken", 422),
            ("text/plain", b"a\x00b", 422),
            ("text/plain", "blåbærgrød".encode(), 201),
            ("text/html", b"<script>", 415),
            ("image/svg+xml", b"<svg/>", 415),
            ("application/pdf", b"", 422),
        ],
    )
    def test_content_is_what_it_says(
        self, system: Client, kind: str, content: bytes, status: int
    ) -> None:
        assert post(system, content, kind).status == status

    def test_a_small_file_with_a_huge_picture_is_refused(self, system: Client) -> None:
        bomb = picture("PNG", (9000, 9000))

        answer = post(system, bomb, "image/png")

        assert answer.status == 422
        assert "more than 40000000" in answer.issues[0]

    def test_what_a_picture_tells_beside_itself_is_left_out(
        self, system: Client
    ) -> None:
        exif = Image.Exif()
        exif[0x010E] = "Åse Berg, Skolegade 7"
        exif.get_ifd(0x8825)[1] = "N"
        for kind, more in (
            ("JPEG", {"exif": exif, "comment": b"Skolegade"}),
            ("PNG", {"exif": exif}),
            ("GIF", {"comment": b"Skolegade 7"}),
        ):
            sent = picture(kind, **more)
            assert b"Skolegade" in sent
            body = system.get(stored(system, sent, f"image/{kind.lower()}")).body

            assert b"Skolegade" not in body
            assert not Image.open(BytesIO(body)).getexif()
            assert Image.open(BytesIO(body)).size == (200, 100)

    def test_a_picture_stays_turned_the_right_way(self, system: Client) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        url = stored(system, picture(exif=exif), "image/jpeg")

        assert Image.open(BytesIO(system.get(url).body)).size == (100, 200)


class TestThumbnails:
    @pytest.mark.parametrize("params", [None, OWN])
    def test_a_thumbnail_is_made_after_the_commit(
        self, system: Client, fyr_app: Application, params: dict[str, str] | None
    ) -> None:
        answer = post(system, picture(), "image/jpeg", params)
        url = answer.headers["location"].removeprefix("http://localhost")
        assert answer.json["thumbnail"] == "requested"
        assert system.get(f"{url}/thumbnail").status == 404

        drain(fyr_app)
        made = system.get(f"{url}/thumbnail")
        assert made.headers["content-type"] == "image/png"
        assert Image.open(BytesIO(made.body)).size == (64, 32)
        assert system.get(f"{url}/metadata").json["thumbnail"] == "present"
        assert system.get(f"{url}/thumbnail", Accept="image/jpeg").status == 406

    def test_it_is_that_of_the_content_that_is_there(
        self, system: Client, fyr_app: Application, fyr_clock: FakeClock
    ) -> None:
        url = stored(system, picture(), "image/jpeg")
        put(system, url, picture("PNG", (100, 200)), kind="image/png")
        drain(fyr_app)
        assert Image.open(BytesIO(system.get(f"{url}/thumbnail").body)).size == (32, 64)

        put(system, url, PDF)
        assert system.get(f"{url}/thumbnail").status == 404
        fyr_clock.advance(days=1)
        Sweep(fyr_app.blobs).sweep()
        assert len(list(fyr_app.blobs.store.walk())) == 1

    def test_other_content_has_none(self, system: Client, fyr_app: Application) -> None:
        url = stored(system)
        drain(fyr_app)

        assert system.get(f"{url}/thumbnail").status == 404
        assert "thumbnail" not in system.get(f"{url}/metadata").json


class TestClosed:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "security": {"mode": "closed"},
            "plugins": {"enabled": ["search", "storage_service"]},
        }

    def test_who_is_not_known_reads_nothing(
        self, fyr_client: Client, system: Client
    ) -> None:
        assert fyr_client.get(stored(system)).status == 401


class TestBehindAccessControl:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "security": {"mode": "closed"},
            "plugins": {"enabled": ["search", "access_control", "storage_service"]},
        }

    def test_the_service_decides_itself_by_the_content(
        self, fyr_client: Client, system: Client
    ) -> None:
        general, own = stored(system), stored(system, PDF, "application/pdf", OWN)

        may = frozenset({"DocumentReference.read"})
        nurse = fyr_client.acting_as(replace(PRACTITIONER, privileges=may))
        assert (nurse.get(general).status, nurse.get(own).status) == (200, 403)
        citizen = fyr_client.acting_as(replace(CITIZEN, privileges=may))
        assert citizen.get(own).body == PDF


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
