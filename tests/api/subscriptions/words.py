"""How tests write subscriptions, and read what was told of them."""

from __future__ import annotations

from typing import Any

from fyr.core.testing import Client

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/finals"


def classic(endpoint: str, **more: Any) -> dict[str, Any]:
    channel = {"type": "rest-hook", "endpoint": endpoint, **more.pop("channel", {})}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "to know",
        "criteria": "Observation?status=final",
        "channel": channel,
        **more,
    }


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"{BACKPORT}{name}", **value}


def topical(endpoint: str, content: str = "id-only", **more: Any) -> dict[str, Any]:
    filters = [
        extension("filter-criteria", valueString=one) for one in more.pop("filters", ())
    ]
    content_told = extension("payload-content", valueCode=content)
    channel = {
        "type": "rest-hook",
        "endpoint": endpoint,
        "payload": "application/fhir+json",
        "_payload": {"extension": [content_told]},
        **more.pop("channel", {}),
    }
    made = {**classic(endpoint), "criteria": TOPIC, "channel": channel, **more}
    if filters:
        made["_criteria"] = {"extension": filters}
    return made


def observation(status: str = "final", patient: str = "1") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": status,
        "code": {"text": "pulse"},
        "subject": {"reference": f"Patient/{patient}"},
    }


def put(client: Client, kind: str, id: str, body: dict[str, Any], **more: Any) -> Any:
    answer = client.put(f"/fhir/{kind}/{id}", {**body, "id": id}, **more)
    assert answer.status in (200, 201), answer.json
    return answer


def status(client: Client, id: str = "s") -> str:
    return str(client.get(f"/fhir/Subscription/{id}").json["status"])


def parameters(resource: dict[str, Any]) -> dict[str, Any]:
    """Give the values of a Parameters by name; of parts as lists."""
    return {
        one["name"]: next((v for k, v in one.items() if k.startswith("value")), None)
        for one in resource["parameter"]
    }


def numbers(bundle: dict[str, Any]) -> list[int]:
    """Give the event numbers of a notification."""
    (first, *_) = bundle["entry"]
    return [
        int(part["valueString"])
        for one in first["resource"]["parameter"]
        if one["name"] == "notification-event"
        for part in one["part"]
        if part["name"] == "event-number"
    ]


def event_ids(bundle: dict[str, Any]) -> list[str]:
    """Give the ids of the events of a notification."""
    (first, *_) = bundle["entry"]
    return [
        one["id"]
        for one in first["resource"]["parameter"]
        if one["name"] == "notification-event"
    ]


def kind(bundle: dict[str, Any]) -> str:
    return str(parameters(bundle["entry"][0]["resource"])["type"])
