"""What is exported."""

from typing import Any

from fyr.core.testing.client import Client


def observation(identity: str, **more: Any) -> dict[str, Any]:
    base = {"resourceType": "Observation", "id": identity, "status": "final"}
    return {**base, "code": {"text": "pulse"}, **more}


def of(reference: str) -> dict[str, str]:
    return {"reference": reference}


def patient(identity: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": identity, "active": True, **more}


def put(http: Client, *resources: dict[str, Any]) -> None:
    for one in resources:
        answer = http.update(one)
        assert answer.status in (200, 201), answer.body


def parameters(*pairs: tuple[str, str, Any]) -> dict[str, Any]:
    given = [{"name": name, key: value} for name, key, value in pairs]
    return {"resourceType": "Parameters", "parameter": given}
