"""Server-sent events over real connections."""

from __future__ import annotations

import json

import httpx
import pytest

from fyr.core.app import Application
from fyr.core.testing import PATIENT, Client
from fyr.core.testing.principals import authorization
from fyr.core.testing.streams import ServerSentEvent, Streaming

from .wards import listening, put, told


def resources(events: list[ServerSentEvent]) -> list[str]:
    bodies = [json.loads(one.data)["body"] for one in events]
    return [body["resourceReference"].rpartition("/fhir/")[2] for body in bodies]


def test_events_are_told_as_they_happen(streams: Streaming, fyr_client: Client) -> None:
    put(fyr_client, "before")
    with listening(streams) as events:
        next(events)
        put(fyr_client, "d1", "d2")
        found = told(events, 2)

    assert resources(found) == ["Device/d1", "Device/d2"]
    assert [one.id for one in found] == ["2", "3"]


def test_a_message_is_the_same_as_on_a_page(
    streams: Streaming, fyr_client: Client
) -> None:
    put(fyr_client, "d1", "d2")
    page = Client(fyr_client.wsgi, base="").get("/events").body.splitlines()
    with listening(streams, "?after=0") as events:
        found = told(events, 2)

    assert [json.loads(one.data) for one in found] == [json.loads(one) for one in page]


def test_who_comes_back_goes_on_after_what_it_heard_last(
    streams: Streaming, fyr_client: Client
) -> None:
    ids = [f"d{number}" for number in range(450)]
    put(fyr_client, *ids)
    with listening(streams, "?after=0") as events:
        first = told(events, 200)
    headers = {"Last-Event-ID": first[-1].id}
    with listening(streams, "?after=0", headers) as events:
        rest = told(events, 250)

    assert resources(first + rest) == [f"Device/{id_}" for id_ in ids]


def test_only_the_last_event_of_a_change_has_its_number(
    streams: Streaming, fyr_client: Client
) -> None:
    plan = {
        "resourceType": "CarePlan",
        "id": "1",
        "status": "draft",
        "intent": "plan",
        "subject": {"reference": "Patient/1"},
    }
    with listening(streams) as events:
        next(events)
        fyr_client.put("CarePlan/1", plan)
        found = told(events, 2)

    assert [json.loads(one.data)["topic"] for one in found] == [
        "ehealth-careplan",
        "ehealth-careplan.subject",
    ]
    assert [one.id for one in found] == ["", "1"]


def test_only_topics_that_were_chosen_are_told_and_silence_tells_how_far_it_is(
    streams: Streaming, fyr_client: Client
) -> None:
    with listening(streams, "?topic=ehealth-patient&topic=ehealth-q*") as events:
        next(events)
        put(fyr_client, "d1")
        put(fyr_client, "p1", type_="Patient")
        (found,) = told(events, 1)
        put(fyr_client, "d2")
        beats = (one for one in events if one.comment and one.id == "3")
        beat = next(beats)

    assert resources([found]) == ["Patient/p1"]
    assert found.id == "2"
    assert beat.data == ""


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("?after=x", 400, "after"),
        ("?since=1", 400, "since"),
        ("?count=5", 400, "count"),
        ("?after=%zz", 400, "percent"),
    ],
)
def test_a_request_that_is_wrong_is_refused_with_an_outcome(
    streams: Streaming, query: str, status: int, says: str
) -> None:
    answer = httpx.get(f"{streams.url}/events{query}")

    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert says in answer.json()["issue"][0]["diagnostics"]
    assert answer.headers["server"] == "fyr"


def test_persons_are_told_nothing(streams: Streaming) -> None:
    headers = {"Authorization": authorization(PATIENT)}

    assert httpx.get(f"{streams.url}/events", headers=headers).status_code == 403


def test_a_path_without_a_stream_is_not_found(streams: Streaming) -> None:
    answer = httpx.get(f"{streams.url}/nowhere")

    assert answer.status_code == 404
    assert answer.json()["issue"][0]["code"] == "not-found"
    assert httpx.post(f"{streams.url}/events").status_code == 405
    assert httpx.get(f"{streams.url}/health/live").json()["status"] == "ok"


def test_a_stream_that_is_told_on_websockets_only_says_so(streams: Streaming) -> None:
    answer = httpx.get(f"{streams.url}/ward")

    assert answer.status_code == 406
    assert "websocket" in answer.json()["issue"][0]["diagnostics"]


def test_events_that_were_removed_are_gone(
    streams: Streaming, fyr_client: Client, fyr_app: Application
) -> None:
    put(fyr_client, "d1", "d2", "d3")
    sql = "UPDATE outbox_head SET trimmed = 2 WHERE id = 1"
    fyr_app.database.write(lambda session: session.run(sql, ()))
    answer = httpx.get(f"{streams.url}/events?after=1")

    assert answer.status_code == 410
    assert "go on after 2" in answer.json()["issue"][0]["diagnostics"]
    with listening(streams, "?after=2") as events:
        assert resources(told(events, 1)) == ["Device/d3"]


def test_a_page_of_an_origin_that_is_named_may_listen_and_no_other(
    streams: Streaming,
) -> None:
    url = f"{streams.url}/events"
    preflight = {
        "Origin": "https://app.example.test",
        "Access-Control-Request-Method": "GET",
    }
    allowed = httpx.options(url, headers=preflight)
    named = {"Origin": "https://app.example.test"}
    with httpx.stream("GET", url, headers=named) as answer:
        own = answer.headers["access-control-allow-origin"]
    with httpx.stream("GET", url, headers={"Origin": "https://other.test"}) as answer:
        other = answer.headers.get("access-control-allow-origin")

    assert allowed.status_code == 204
    assert "Authorization" in allowed.headers["access-control-allow-headers"]
    assert own == "https://app.example.test"
    assert other is None


def test_a_name_that_leads_to_an_open_server_is_refused(streams: Streaming) -> None:
    answer = httpx.get(f"{streams.url}/events", headers={"Host": "rebound.test"})

    assert answer.status_code == 403
