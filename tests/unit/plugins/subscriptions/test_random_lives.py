"""Whatever happens, in whatever order: what was told is what should have been.

A model of a few lines beside a whole application: resources are written and deleted, the
subscription is written, turned off and on, its receiver fails, time goes by.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from fyr.core import SendFailed
from fyr.core.testing import FakeClock
from fyr.core.testing.applications import application, client_of, settings_with

BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-"
TOPIC = "http://example.org/topics/active"
OPTIONS: dict[str, Any] = {
    "plugins": {"enabled": ["search", "subscriptions"]},
    "outgoing": {"allow": ["loopback"], "attempts": 1000},
    "plugin": {
        "subscriptions": {
            "error_after": 2,
            "off_after": 1000,
            "topics": [{"url": TOPIC, "resource": "Patient", "current": "active=true"}],
        }
    },
}
SUBSCRIPTION = {
    "resourceType": "Subscription",
    "id": "s",
    "status": "requested",
    "reason": "to know",
    "criteria": TOPIC,
    "channel": {
        "type": "rest-hook",
        "endpoint": "http://127.0.0.1:1/hook",
        "payload": "application/fhir+json",
        "_payload": {
            "extension": [{"url": f"{BACKPORT}payload-content", "valueCode": "id-only"}]
        },
    },
}


class Lives(RuleBasedStateMachine):
    """One subscription and three patients."""

    @initialize()
    def begin(self) -> None:
        """Start an application whose hooks lead to this test."""
        self._folder = TemporaryDirectory()
        self.clock = FakeClock()
        settings = settings_with(OPTIONS, Path(self._folder.name))
        self._entered = application(settings, self.clock)
        self.app = self._entered.__enter__()
        self.client = client_of(self.app)
        self.down = False
        #: numbers and patients that the receiver took
        self.taken: list[tuple[int, str]] = []
        #: patients of the events that there should be, in their order
        self.expected: list[str] = []
        self.plugin = next(
            one for one in self.app.plugins if one.name == "subscriptions"
        ).target
        self.plugin.channels["rest-hook"].send = self._take
        self.write_subscription()

    def teardown(self) -> None:
        """Stop it."""
        if hasattr(self, "_entered"):
            self._entered.__exit__(None, None, None)
            self._folder.cleanup()

    def _take(self, notification: Any, owner: Any) -> None:
        if self.down:
            raise SendFailed("nobody is at home")
        told = orjson.loads(notification.bundle())["entry"][1:]
        for event, entry in zip(notification.events, told, strict=True):
            self.taken.append((event.number, entry["fullUrl"].rpartition("/")[2]))

    def _work(self) -> None:
        self.app.worker().drain()

    def _status(self) -> str:
        return str(self.client.get("/fhir/Subscription/s").json["status"])

    @rule(id=st.sampled_from("abc"), active=st.booleans())
    def write_patient(self, id: str, active: bool) -> None:
        """Write a patient, and have it told at once or not."""
        self._work()
        told = active and self._status() in ("active", "error")
        self.client.update({"resourceType": "Patient", "id": id, "active": active})
        self._work()
        if told:
            self.expected.append(id)

    @rule(count=st.integers(2, 5))
    def write_many(self, count: int) -> None:
        """Write some before anybody looks."""
        self._work()
        told = self._status() in ("active", "error")
        for _ in range(count):
            self.client.update({"resourceType": "Patient", "id": "a", "active": True})
        if told:
            self.expected += ["a"] * count

    @rule(id=st.sampled_from("abc"))
    def delete_patient(self, id: str) -> None:
        """Delete a patient, of which nothing is told."""
        self.client.delete(f"/fhir/Patient/{id}")

    @rule()
    def write_subscription(self) -> None:
        """Write the subscription again: what waits is left to ``$events``."""
        self._work()
        self.client.update(SUBSCRIPTION)
        self._work()

    @rule()
    def turn_off(self) -> None:
        """Turn it off."""
        self._work()
        self.client.update({**SUBSCRIPTION, "status": "off"})
        self._work()

    @rule(down=st.booleans())
    def fail(self, down: bool) -> None:
        """Have the receiver fail, or be well again."""
        self._work()
        self.down = down

    @rule(minutes=st.integers(1, 30))
    def wait(self, minutes: int) -> None:
        """Let time go by."""
        self._work()
        self.clock.advance(minutes=minutes)
        self._work()

    @invariant()
    def what_was_told_is_right(self) -> None:
        """Numbers grow without gaps, and each is of the change that it should be."""
        if not hasattr(self, "app"):
            return
        self._work()
        events = self._events()
        assert [number for number, _ in events] == list(range(1, len(events) + 1))
        assert [id_ for _, id_ in events] == self.expected
        assert set(self.taken) <= set(events)
        numbers = [number for number, _ in dict.fromkeys(self.taken)]
        assert numbers == sorted(numbers)

    @invariant()
    def what_is_well_has_told_all(self) -> None:
        """A subscription that is active and whose receiver is well has nothing waiting."""
        if not hasattr(self, "app") or self.down:
            return
        self.clock.advance(minutes=30)
        self._work()
        assert not self.app.outgoing.waits("subscriptions", "s")
        assert self._status() in ("active", "off")

    def _events(self) -> list[tuple[int, str]]:
        rows = self.app.database.rows(
            "SELECT number, id FROM subscription_event ORDER BY number"
        )
        return [(number, id_) for number, id_ in rows]


Lives.TestCase.settings = hypothesis_settings(
    max_examples=12, stateful_step_count=12, deadline=None
)
TestLives = Lives.TestCase
