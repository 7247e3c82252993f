"""Content of the Storage Service, and how it is sent."""

from dataclasses import replace
from io import BytesIO
from typing import Any

from PIL import Image

from fyr.core.testing.client import Answer, Client
from fyr.core.testing.principals import PATIENT

CONTENT = "/storage/api/content"
EPISODE_URL = "http://localhost/fhir/EpisodeOfCare/7"
PATIENT_URL = "http://localhost/fhir/Patient/1"
OWN = {"episodeOfCareReference": EPISODE_URL, "patientReference": PATIENT_URL}
CITIZEN = replace(PATIENT, context={"patient": PATIENT_URL})
PDF = b"%PDF-1.7 " + bytes(range(256)) * 300


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
