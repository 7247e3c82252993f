"""``/admin/events`` and ``/admin/outgoing``: who is behind, what was given up, and again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from fyr.core import Change, Consumer, Plugin, hookimpl
from fyr.core.app import Application
from fyr.core.errors import Unavailable
from fyr.core.outgoing import Outgoing, Sender, Undeliverable
from fyr.core.testing import Client
from fyr.core.testing.clock import FakeClock

DEAD = "/admin/events/dead-letters"


class Fragile(Plugin):
    """A consumer that fails at some, one that is cut off, and a sender nobody likes."""

    refused: frozenset[str] = frozenset()
    taken: list[str]
    is_away = False

    @hookimpl
    def register_consumers(self) -> Iterable[Consumer]:
        yield Consumer("fragile", self._take)
        yield Consumer("cut-off", self._away)

    @hookimpl
    def register_senders(self) -> Iterable[Sender]:
        yield Sender("letters", self._send)

    def _take(self, change: Change) -> None:
        if change.id in self.refused:
            raise ValueError(f"no room for {change.id}")
        self.taken.append(change.id)

    def _away(self, change: Change) -> None:
        if self.is_away:
            raise Unavailable("its disk is full")

    def _send(self, messages: Iterable[Outgoing]) -> None:
        for one in messages:
            if one.payload["id"] in self.refused:
                raise Undeliverable("410 Gone")
            self.taken.append(one.payload["id"])


@pytest.fixture
def fyr_plugins() -> dict[str, Any]:
    Fragile.refused, Fragile.taken = frozenset(), []
    Fragile.is_away = False
    return {"fragile": Fragile}


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "events": {"attempts": 1},
        "server": {"cors_origins": ["https://app.example.test"]},
    }


@pytest.fixture
def admin(fyr_client: Client) -> Client:
    return Client(fyr_client.wsgi, base="")


def write(client: Client, *ids: str) -> None:
    for id_ in ids:
        body = {"resourceType": "Device", "id": id_}
        assert client.put(f"/fhir/Device/{id_}", body).status == 201


def consumer(admin: Client, name: str) -> dict[str, Any]:
    told: dict[str, dict[str, Any]] = {
        one["name"]: one for one in admin.get("/admin/events").json["consumers"]
    }
    return told[name]


def test_each_consumer_tells_how_far_it_is(
    admin: Client, fyr_app: Application, fyr_clock: FakeClock
) -> None:
    write(admin, "d1", "d2")
    fyr_clock.advance(seconds=7)
    behind = consumer(admin, "fragile")
    fyr_app.worker().drain()
    done = consumer(admin, "fragile")

    assert (behind["state"], behind["lag"], behind["lagSeconds"]) == ("behind", 2, 7.0)
    assert (done["state"], done["lag"], done["lagSeconds"]) == ("idle", 0, 0.0)
    assert (done["delivered"], done["position"]) == (2, 2)


def test_a_consumer_that_is_cut_off_rests_and_says_why(
    admin: Client, fyr_app: Application
) -> None:
    Fragile.is_away = True
    write(admin, "d1")
    fyr_app.worker().drain()
    told = consumer(admin, "cut-off")

    assert told["state"] == "resting"
    assert told["error"] == "its disk is full"
    assert told["restsUntil"]
    assert consumer(admin, "fragile")["state"] == "idle"


def test_a_consumer_without_its_plugin_is_absent(
    admin: Client, fyr_app: Application
) -> None:
    fyr_app.relay.cursors.register([Consumer("of-old", lambda change: None)], 0)

    write(admin, "d1")
    told = consumer(admin, "of-old")
    gauges = admin.get("/metrics").body.decode()

    assert (told["state"], told["lag"], told["lagSeconds"]) == ("absent", None, None)
    assert 'fyr_consumer_absent{consumer="of-old"} 1.0' in gauges
    assert 'fyr_consumer_absent{consumer="fragile"} 0.0' in gauges
    assert 'fyr_consumer_lag_events{consumer="of-old"}' not in gauges


def test_a_dead_letter_is_told_with_its_reason_and_tried_again(
    admin: Client, fyr_app: Application
) -> None:
    Fragile.refused = frozenset({"d2", "d3"})
    write(admin, "d1", "d2", "d3")
    fyr_app.worker().drain()
    (first, second) = admin.get(DEAD).json["items"]
    Fragile.refused = frozenset()
    again = admin.post(f"{DEAD}/fragile/2/retry")
    fyr_app.worker().drain()

    assert consumer(admin, "fragile")["dead"] == 1
    assert first["error"] == "ValueError: no room for d2"
    assert first["event"]["subject"] == "Device/d2"
    assert (first["consumer"], first["position"]) == ("fragile", 2)
    assert again.json == {"retried": 1}
    assert Fragile.taken == ["d1", "d2"]
    assert admin.get(f"{DEAD}/fragile/3").json == second
    assert admin.get(f"{DEAD}/fragile/2").status == 404


def test_dead_letters_are_discarded_one_by_one_or_all(
    admin: Client, fyr_app: Application
) -> None:
    ids = [f"d{number}" for number in range(1, 6)]
    Fragile.refused = frozenset(ids)
    write(admin, *ids)
    fyr_app.worker().drain()

    assert admin.delete(f"{DEAD}/fragile/2").json == {"discarded": 1}
    assert admin.delete(f"{DEAD}/fragile/2").status == 404
    assert admin.post(f"{DEAD}/fragile/2/retry").status == 404
    assert admin.delete(f"{DEAD}/fragile").json == {"discarded": 4}
    assert admin.get(DEAD).json == {"items": []}
    assert admin.post(f"{DEAD}/fragile/retry").json == {"retried": 0}


@pytest.mark.parametrize(
    "path", [DEAD, f"{DEAD}/fragile", "/admin/outgoing/dead-letters"]
)
def test_pages_have_every_dead_letter_once(
    admin: Client, fyr_app: Application, path: str
) -> None:
    ids = [f"d{number}" for number in range(1, 6)]
    Fragile.refused = frozenset(ids)
    write(admin, *ids)
    for id_ in ids:
        put(fyr_app, id_, receiver=id_)
    fyr_app.worker().drain()
    found, url = [], f"{path}?count=2"
    while url:
        page = admin.get(url).json
        found += [one.get("position", one.get("id")) for one in page["items"]]
        url = page.get("next", "")

    assert found == [1, 2, 3, 4, 5]


def put(fyr_app: Application, *ids: str, receiver: str = "receiver") -> None:
    """Put messages into the queue of one receiver."""
    kept = [(receiver, {"id": id_}) for id_ in ids]
    fyr_app.database.write(
        lambda session: fyr_app.outgoing.put_many(session, "letters", kept)
    )


def test_what_is_sent_to_others_is_told_by_receiver(
    admin: Client, fyr_app: Application, fyr_clock: FakeClock
) -> None:
    Fragile.refused = frozenset({"b"})
    put(fyr_app, "a", "b")
    fyr_clock.advance(seconds=3)
    (before,) = admin.get("/admin/events").json["outgoing"]
    fyr_app.worker().drain()
    (receiver,) = admin.get("/admin/outgoing?sender=letters").json["items"]
    (letter,) = admin.get("/admin/outgoing/dead-letters").json["items"]

    assert (before["waiting"], before["oldestSeconds"]) == (2, 3.0)
    assert (receiver["destination"], receiver["dead"]) == ("receiver", 1)
    assert letter["error"] == "410 Gone"
    assert "payload" not in letter


def test_a_message_that_was_given_up_is_sent_again_or_discarded(
    admin: Client, fyr_app: Application
) -> None:
    Fragile.refused = frozenset({"a", "b"})
    put(fyr_app, "a", "b")
    fyr_app.worker().drain()
    one, other = admin.get("/admin/outgoing/dead-letters").json["items"]
    Fragile.refused = frozenset()
    url = "/admin/outgoing/dead-letters"

    assert admin.post(f"{url}/{one['id']}/retry").json == {"retried": 1}
    assert admin.delete(f"{url}/{other['id']}").json == {"discarded": 1}
    assert admin.delete(f"{url}/{other['id']}").status == 404
    fyr_app.worker().drain()
    assert Fragile.taken == ["a"]


@pytest.mark.parametrize("query", ["count=x", "after=-1", "since=2"])
def test_a_parameter_that_is_wrong_is_named(admin: Client, query: str) -> None:
    answer = admin.get(f"{DEAD}?{query}")

    assert answer.status == 400
    assert query.partition("=")[0] in answer.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/events"),
        ("GET", DEAD),
        ("GET", f"{DEAD}/fragile"),
        ("DELETE", f"{DEAD}/fragile"),
        ("POST", f"{DEAD}/fragile/retry"),
        ("POST", f"{DEAD}/fragile/1/retry"),
        ("GET", "/admin/outgoing"),
        ("GET", "/admin/outgoing/dead-letters"),
        ("DELETE", "/admin/outgoing/dead-letters/1"),
        ("POST", "/admin/outgoing/dead-letters/1/retry"),
    ],
)
def test_all_of_it_is_for_administrators_and_for_no_page(
    admin: Client, method: str, path: str
) -> None:
    elsewhere = admin.request(method, path, headers={"Host": "fhir.example.org"})
    page = {"Origin": "https://app.example.test"}
    of_a_page = admin.request(method, path, headers=page)

    assert elsewhere.status == 403
    assert method == "GET" or of_a_page.status == 403
    assert "access-control-allow-origin" not in of_a_page.headers


def test_prometheus_is_told_all_of_it(admin: Client, fyr_app: Application) -> None:
    Fragile.refused, Fragile.is_away = frozenset({"d2"}), True
    write(admin, "d1", "d2")
    put(fyr_app, "d2")
    fyr_app.worker().drain()
    page = admin.get("/metrics").body.decode()

    for line in (
        'fyr_consumer_lag_events{consumer="cut-off"} 2.0',
        'fyr_consumer_lag_seconds{consumer="cut-off"} 0.0',
        'fyr_consumer_resting{consumer="cut-off"} 1.0',
        'fyr_consumer_dead_letters{consumer="fragile"} 1.0',
        'fyr_consumer_retries{consumer="fragile"} 0.0',
        'fyr_consumer_delivered_total{consumer="fragile"} 1.0',
        'fyr_consumer_failures_total{consumer="fragile"} 1.0',
        "fyr_outbox_head 2.0",
        "fyr_outbox_unsequenced 0.0",
        'fyr_outgoing_dead_letters{sender="letters"} 1.0',
        'fyr_outgoing_waiting{sender="letters"} 0.0',
        'fyr_outgoing_oldest_seconds{sender="letters"} 0.0',
    ):
        assert line in page
