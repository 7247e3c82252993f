"""A clinical day over HTTP: enrolled, measured, corrected, and nothing forgotten."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest

from fyr.core.testing.process import fyr_process

CPR = "urn:oid:1.2.208.176.1.2"
CITIZEN = "urn:uuid:8f1f2d8e-52a8-4f7b-9c3d-0c2a0f6a1d01"
EPISODE = "urn:uuid:8f1f2d8e-52a8-4f7b-9c3d-0c2a0f6a1d02"
JSON_PATCH = {"Content-Type": "application/json-patch+json"}


@pytest.fixture(scope="module")
def http(
    store_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of a server of its own."""
    folder = tmp_path_factory.mktemp("fyr")
    limits = httpx.Limits(max_connections=None)
    with (
        fyr_process(folder, settings={"STORE__URL": store_url}) as running,
        httpx.Client(base_url=running.base, timeout=60, limits=limits) as client,
    ):
        yield client


def patient(number: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": CPR, "value": number}],
        "name": [{"family": "Sørensen", "given": ["Åse"]}],
        "birthDate": "1948-05-17",
    }


def saturation(citizen: str, episode: str, value: str) -> str:
    """A home measurement, as text, so that its digits are ours to choose."""
    return (
        '{"resourceType":"Observation","status":"final",'
        '"code":{"coding":[{"system":"http://loinc.org","code":"59408-5"}]},'
        f'"subject":{{"reference":"{citizen}"}},'
        f'"encounter":{{"reference":"{episode}"}},'
        '"effectiveDateTime":"2026-01-06T07:30:00+01:00",'
        f'"valueQuantity":{{"value":{value},"unit":"%"}}}}'
    )


def entry(full_url: str, resource: dict[str, Any], condition: str = "") -> Any:
    request = {"method": "POST", "url": resource["resourceType"]}
    if condition:
        request["ifNoneExist"] = condition
    return {"fullUrl": full_url, "resource": resource, "request": request}


def enrol(http: httpx.Client, number: str) -> tuple[str, str]:
    """Enrol a citizen; tell the references of citizen and encounter."""
    encounter = {
        "resourceType": "Encounter",
        "status": "in-progress",
        "class": {"code": "HH"},
        "subject": {"reference": CITIZEN},
    }
    transaction = {
        "resourceType": "Bundle",
        "type": "transaction",
        # The encounter comes first: references may point forwards.
        "entry": [
            entry(EPISODE, encounter),
            entry(CITIZEN, patient(number), f"identifier={CPR}|{number}"),
        ],
    }
    answer = http.post("", json=transaction)
    assert answer.status_code == 200, answer.text
    episode, citizen = (
        "/".join(one["response"]["location"].split("/_history")[0].split("/")[-2:])
        for one in answer.json()["entry"]
    )
    return citizen, episode


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["resource"]["id"] for one in answer.json().get("entry", [])]


def test_a_day(http: httpx.Client) -> None:
    citizen, episode = enrol(http, "170548-1234")
    again, _ = enrol(http, "170548-1234")

    assert again == citizen
    assert http.get(f"/{episode}").json()["subject"]["reference"].endswith(citizen)

    measured = http.post(
        "/Observation",
        content=saturation(citizen, episode, "39.0"),
        headers={"Content-Type": "application/fhir+json"},
    )
    url = f"/Observation/{measured.json()['id']}"
    typed_wrong = [{"op": "replace", "path": "/valueQuantity/value", "value": 93.0}]
    corrected = http.patch(url, json=typed_wrong, headers=JSON_PATCH)

    assert measured.status_code == 201
    assert '"value":39.0,' in measured.text
    assert corrected.status_code == 200
    assert '"value":93.0,' in corrected.text

    seen = {"If-Match": corrected.headers["etag"]}
    observation = corrected.json()
    noted = {**observation, "note": [{"text": "rested for five minutes"}]}
    amended = {**observation, "status": "amended"}
    first = http.put(url, json=noted, headers=seen)
    second = http.put(url, json=amended, headers=seen)

    assert first.status_code == 200
    assert second.status_code == 412
    assert second.json()["resourceType"] == "OperationOutcome"
    assert http.get(url).json()["note"] == noted["note"]
    assert http.get(url).json()["status"] == "final"

    found = http.get("/Observation", params={"subject": citizen, "code": "59408-5"})
    of_day = http.get("/Observation", params={"subject": citizen, "date": "2026-01-06"})
    of_other = http.get(
        "/Observation", params={"subject": citizen, "date": "2026-01-07"}
    )
    by_number = http.get("/Patient", params={"identifier": f"{CPR}|170548-1234"})

    assert ids(found) == ids(of_day) == [observation["id"]]
    assert ids(of_other) == []
    assert [f"Patient/{one}" for one in ids(by_number)] == [citizen]

    deleted = http.delete(url)
    gone = http.get(url)
    missed = http.get("/Observation", params={"subject": citizen})
    history = http.get(f"{url}/_history").json()["entry"]

    assert deleted.status_code in (200, 204)
    assert gone.status_code == 410
    assert ids(missed) == []
    assert [one["request"]["method"] for one in history] == [
        "DELETE",
        "PUT",
        "PATCH",
        "POST",
    ]
    values = [one["resource"]["valueQuantity"]["value"] for one in history[1:]]
    assert values == [93.0, 93.0, 39.0]
    assert '"value":39.0,' in http.get(f"{url}/_history/1").text


def test_a_citizen_whom_many_enrol_at_once_is_enrolled_once(http: httpx.Client) -> None:
    start = Barrier(64)
    condition = {"If-None-Exist": f"identifier={CPR}|010150-9999"}

    def create(_: int) -> httpx.Response:
        start.wait()
        return http.post("/Patient", json=patient("010150-9999"), headers=condition)

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(create, range(64)))

    assert Counter(one.status_code for one in answers) == {201: 1, 200: 63}
    assert len({one.json()["id"] for one in answers}) == 1
    found = http.get("/Patient", params={"identifier": f"{CPR}|010150-9999"})
    assert len(ids(found)) == 1
