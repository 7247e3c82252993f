"""An access control that is made up: systems see what is labelled with their name."""

from __future__ import annotations

from typing import Any, ClassVar

from fyr.core import (
    Forbidden,
    Plugin,
    Principal,
    RequestContext,
    Subject,
    Use,
    hookimpl,
)
from fyr.core.testing.receiver import Receiver

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/patients"
LABELS = "http://example.org/labels"
RED, BLUE = Principal("SYSTEM", "red"), Principal("SYSTEM", "blue")


def labels(resource: Any) -> set[str]:
    return {one["code"] for one in resource.get("meta", {}).get("tag", ())}


class Labels(Plugin):
    """Everybody sees what is labelled with their name."""

    #: names that may do nothing any more
    gone: ClassVar[set[str]] = set()

    @hookimpl
    def authorize(self, context: RequestContext) -> None:
        if context.principal.user_id in self.gone:
            raise Forbidden("gone")

    @hookimpl
    def narrow_search(self, context: RequestContext, params: Any) -> Any:
        name = context.principal.user_id
        if name not in ("red", "blue") or context.resource_type != "Patient":
            return None
        return [*params, ("_tag", f"{LABELS}|{name}")]

    @hookimpl
    def authorize_search(self, context: RequestContext, asked: Any) -> None:
        if ("Patient", "email") in asked.touched:
            raise Forbidden("nobody searches by email")

    @hookimpl
    def authorize_resource(
        self, context: RequestContext, subject: Subject, use: Use
    ) -> None:
        name = context.principal.user_id
        if name in ("red", "blue") and subject.type == "Patient":
            if use not in ("old", "new", "delete"):
                if name not in labels(subject.resource):
                    raise Forbidden("it is another's")

    @hookimpl
    def before_show(self, context: RequestContext, resource: Any) -> Any:
        if "name" not in resource:
            return None
        return {key: value for key, value in resource.items() if key != "name"}


def subscription(endpoint: str, content: str = "full-resource") -> dict[str, Any]:
    told = {"url": f"{BACKPORT}payload-content", "valueCode": content}
    return {
        "resourceType": "Subscription",
        "id": "s",
        "status": "requested",
        "reason": "to know",
        "criteria": TOPIC,
        "channel": {
            "type": "rest-hook",
            "endpoint": endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [told]},
        },
    }


def patient(id: str, *names: str, **more: Any) -> dict[str, Any]:
    tags = [{"system": LABELS, "code": name} for name in names]
    meta = {"meta": {"tag": tags}} if tags else {}
    return {"resourceType": "Patient", "id": id, "active": True, **meta, **more}


def begun(client: Any, work: Any, body: dict[str, Any], principal: Any = RED) -> None:
    answer = client.acting_as(principal).update(body)
    assert answer.status in (200, 201), answer.json
    work()


def told(receiver: Receiver) -> list[str]:
    """Tell the URLs of the resources that were told of."""
    return [
        entry["request"]["url"]
        for request in receiver.received
        for entry in request.json["entry"][1:]
    ]
