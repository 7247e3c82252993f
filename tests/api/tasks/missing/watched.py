"""A patient whose measurements are waited for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from ...guide import EHEALTH, EPISODE, SATURATION, concept, ext, to
from ..conftest import Case, Ward

MISSING = "ehealth-procedurerequest.measurement-missing"


def daily(start: Any, **more: Any) -> dict[str, Any]:
    """Every day for two hours, from a moment on."""
    repeat = {
        "boundsPeriod": {"start": start.isoformat()},
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
        "duration": 2,
        "durationUnit": "h",
        **more,
    }
    return {"occurrenceTiming": {"repeat": repeat}}


class Watched(Case):
    """A case whose activity is to be done daily, from in an hour on."""

    def __init__(self, ward: Ward, **more: Any) -> None:
        ward.work()
        ward.messages.new()
        self.first = ward.clock.now + timedelta(hours=1)
        self.repeat = more.pop("repeat", {})
        super().__init__(ward, **more)
        ward.work()

    def service_request(
        self, *, ranges: Any = (), status: str = "active", **more: Any
    ) -> str:
        given = {
            "status": status,
            "intent": "order",
            "subject": to(self.patient),
            "code": {"coding": [SATURATION]},
            "extension": [ext(EPISODE, valueReference=to(self.episode)), *ranges],
            **daily(self.first, **self.repeat),
            **more,
        }
        return self.ward.of("ServiceRequest", **given)

    def submit(self, day: int = 0, **more: Any) -> str:
        start = self.first + timedelta(days=day)
        parts = [
            {"url": "serviceRequestVersionId", "valueId": "1"},
            {"url": "start", "valueDateTime": start.isoformat()},
            {"url": "end", "valueDateTime": (start + timedelta(hours=2)).isoformat()},
            {"url": "type", "valueCodeableConcept": concept("Resolved")},
        ]
        return self.ward.of(
            "Observation",
            **{
                "status": "final",
                "code": {"coding": [SATURATION]},
                "subject": to(self.patient),
                "basedOn": [to(self.request)],
                "effectiveDateTime": start.isoformat(),
                "extension": [
                    ext(EPISODE, valueReference=to(self.episode)),
                    ext("resolved-timing", extension=parts),
                ],
                **more,
            },
        )

    def later(self, **by: float) -> None:
        self.ward.clock.advance(**by)
        self.ward.work()

    def tasks(self) -> list[Any]:
        return self.ward.find("Task", ("focus", self.request))

    def messages(self) -> list[Any]:
        return self.ward.written_to(self.patient)

    def events(self) -> list[Any]:
        return [
            json.loads(one.payload)
            for one in self.ward.messages.new()
            if one.topic == MISSING and self.request in str(one.payload)
        ]


def part(resource: Any, name: str) -> Any:
    (found,) = [one for one in resource["extension"] if one["url"] == EHEALTH + name]
    return next(one for key, one in found.items() if key != "url")
