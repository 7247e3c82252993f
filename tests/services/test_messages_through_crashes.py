"""A script of writes, while servers, workers and the broker die: what subscribers heard.

``FYR_TEST_CRASH_ROUNDS`` says how often something dies, ``make crashes`` has hundreds;
``FYR_TEST_CRASH_SEED`` repeats a run, ``FYR_TEST_CRASH_KINDS`` chooses. Mosquitto writes down what it acknowledges, as a
broker that may lose power has to.
"""

import json
import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from fyr.core.testing.mosquitto import (
    DURABLE,
    Mosquitto,
    mosquitto_command,
    running_mosquitto,
)
from fyr.core.testing.ports import free_port
from fyr.core.testing.postgres import Postgres, available, running_postgres
from fyr.core.testing.process import fyr_output, fyr_process
from fyr.core.testing.servers import absent
from fyr.core.testing.streams import EventSource
from fyr.core.testing.subscriber import Heard, subscriber

from .crashes import LAST, Crashes, Event, Script, person

ROUNDS = int(os.environ.get("FYR_TEST_CRASH_ROUNDS", "6"))
SEED = int(os.environ.get("FYR_TEST_CRASH_SEED", "0")) or random.randrange(1, 10**6)
WRITES_OF_A_ROUND = 30
TOPIC = "fyr/events/ehealth-relatedperson"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if mosquitto_command() is None:
        absent("mosquitto", "apt-get install mosquitto brings it")
    with running_mosquitto(tmp_path, [*DURABLE, "max_inflight_messages 0"]) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Postgres | None]:
    """A PostgreSQL, or SQLite; both give events their positions in their own way."""
    if request.param == "sqlite":
        yield None
        return
    if why := available():
        absent("postgresql", why)
    with running_postgres() as server:
        yield server


@pytest.fixture
def store_url(database: Postgres | None) -> str:
    """Where the server keeps its events."""
    return database.new_schema() if database else "sqlite:///fyr.db"


@pytest.fixture
def settings(broker: Mosquitto, store_url: str) -> dict[str, str]:
    return {
        "STORE__URL": store_url,
        "PLUGINS__ENABLED": '["search", "event_messages"]',
        "MESSAGES__URL": broker.url,
        "MESSAGES__REST_SECONDS": "0.5",
        "MESSAGES__ACK_SECONDS": "3",
        "EVENTS__LEASE_SECONDS": "2",
        "EVENTS__POLL_SECONDS": "0.05",
        "EVENTS__BACKOFF_SECONDS": "0.1",
        "EVENTS__BATCH": "20",
        "SERVER__WORKER": "false",
        "STREAMS__PORT": str(free_port()),
        "STREAMS__HEARTBEAT_SECONDS": "0.5",
        "LOG__LEVEL": "error",
    }


def event_of(heard: Heard) -> Event:
    body = heard.body
    id_ = body["resourceReference"].rpartition("/")[2]
    return id_, int(body["resourceVersion"]), body["eventType"]


def test_subscribers_hear_all_that_was_committed_and_nothing_else(
    broker: Mosquitto,
    database: Postgres | None,
    settings: dict[str, str],
    tmp_path: Path,
) -> None:
    chance = random.Random(SEED)
    print(f"FYR_TEST_CRASH_SEED={SEED}")
    with ExitStack() as stack:
        listener = stack.enter_context(subscriber(broker.port, TOPIC))
        fyr = stack.enter_context(fyr_process(tmp_path, settings=settings))
        url = f"http://127.0.0.1:{settings['STREAMS__PORT']}/events?after=0"
        source = stack.enter_context(closing(EventSource(url)))
        workers = [
            stack.enter_context(fyr_process(tmp_path, "worker", settings=settings))
            for _ in range(2)
        ]
        client = stack.enter_context(httpx.Client(base_url=fyr.base, timeout=60))
        script = Script(client, chance)
        crashes = Crashes(broker, fyr, workers, database, chance)
        for _ in range(ROUNDS):
            fatal = chance.randrange(WRITES_OF_A_ROUND)
            for number in range(WRITES_OF_A_ROUND):
                script.write()
                if number == fatal:
                    crashes.one()
        crashes.end()
        script.wait_for_server()
        script.put(LAST)
        streamed, told = (
            hearing.wait_for(
                lambda all_: LAST in (event_of(one)[0] for one in all_[-9:])
            )
            for hearing in (source, listener)
        )
        repaired = Repaired(client).all(told)

    print(f"{crashes.count} crashes, {len(script.committed)} events")
    print(f"{len(script.refused)} writes were refused")
    print(
        f"{len(repaired.missed)} that the broker had taken and lost: {repaired.missed}"
    )
    assert set(script.refused) <= {503}
    checked(streamed, script.committed)
    checked(repaired.messages, script.committed)
    # A broker loses nothing but what it had not yet written when it was killed.
    assert len(repaired.missed) <= crashes.count["kill"] * int(
        settings["EVENTS__BATCH"]
    )


class Repaired:
    """What a subscriber knows that asks ``/events`` whenever it has missed something.

    Mosquitto acknowledges a message a moment before it writes it down.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._numbers: set[int] = set()
        self.messages: list[Heard] = []
        self.missed: list[str] = []

    def all(self, told: list[Heard]) -> "Repaired":
        """Take messages as they came."""
        for one in told:
            before = int(one.properties.get("previousEventNumber", 0))
            if before and before not in self._numbers:
                self._ask(before)
            self._take(one)
        return self

    def _take(self, one: Heard) -> None:
        self.messages.append(one)
        self._numbers.add(int(one.properties["eventNumber"]))

    def _ask(self, number: int) -> None:
        after = max((one for one in self._numbers if one < number), default=0)
        url = f"/../events?after={after}&topic=ehealth-relatedperson"
        answer = self._client.get(url).raise_for_status()
        for line in answer.iter_lines():
            told = json.loads(line)
            if int(told["properties"]["eventNumber"]) > number:
                break
            payload = json.dumps(told["body"], separators=(",", ":")).encode()
            self._take(Heard(told["topic"], payload, told["properties"]))
            self.missed.append(told["properties"]["id"])


def checked(heard: list[Heard], committed: list[Event]) -> list[Heard]:
    """Hold what was heard against what was committed; give it without repeats."""
    firsts: dict[str, Heard] = {}
    for one in heard:
        assert firsts.setdefault(one.id, one).payload == one.payload
    events = [event_of(one) for one in firsts.values()]
    assert len(events) == len(set(events))
    assert set(events) == set(committed)
    for id_ in {id_ for id_, _, _ in events}:
        told = [event for event in events if event[0] == id_]
        assert told == [event for event in committed if event[0] == id_]
    return list(firsts.values())


def test_a_broker_that_is_away_costs_no_event_and_the_server_says_degraded(
    broker: Mosquitto, settings: dict[str, str], tmp_path: Path
) -> None:
    count = 60
    with subscriber(broker.port, TOPIC) as listener:
        broker.stop()
        with (
            fyr_process(tmp_path, settings=settings) as fyr,
            fyr_process(tmp_path, "worker", settings=settings),
            httpx.Client(base_url=fyr.url, timeout=60) as client,
        ):
            for number in range(count):
                answer = client.put(
                    f"/fhir/RelatedPerson/a{number}", json=person(f"a{number}")
                )
                answer.raise_for_status()
            health = wait_for_status(client, "degraded")
            broker.start()
            heard = listener.wait_for_count(count)
            after = wait_for_status(client, "ok")

    assert health["ports"]["messages"] == {"status": "degraded"}
    assert health["ports"]["store"]["status"] == "ok"
    assert after["ports"]["messages"] == {"status": "ok"}
    assert [event_of(one)[0] for one in heard] == [f"a{n}" for n in range(count)]
    assert dead_letters(tmp_path, settings) == "No dead letters.\n"


def test_a_broker_that_goes_away_is_missed_with_nothing_to_tell(
    broker: Mosquitto, settings: dict[str, str], tmp_path: Path
) -> None:
    """Of event messages, notifications and subscriptions, each with its own connection."""
    settings = {
        **settings,
        "PLUGINS__ENABLED": '["search", "event_messages", "notifications",'
        ' "subscriptions"]',
        "PLUGIN__NOTIFICATIONS__MQTT": "true",
        "PLUGIN__SUBSCRIPTIONS__CHANNELS": '["rest-hook", "mqtt"]',
        "PLUGIN__SUBSCRIPTIONS__TEND_SECONDS": "0.2",
    }
    with (
        fyr_process(tmp_path, settings=settings) as fyr,
        fyr_process(tmp_path, "worker", settings=settings),
        httpx.Client(base_url=fyr.url, timeout=60) as client,
    ):
        before = wait_for_publishers(client, 0)
        broker.stop()
        away = wait_for_publishers(client, 3)
        broker.start()
        after = wait_for_publishers(client, 0)

    assert before == after == ("ok", ["ok", "ok"])
    assert away == ("degraded", ["degraded", "degraded"])


AWAY = (
    'fyr_consumer_resting{consumer="event_messages"} 1',
    'fyr_consumer_resting{consumer="notifications-mqtt"} 1',
    'fyr_outgoing_away{sender="subscriptions"} 1',
)


def wait_for_publishers(client: httpx.Client, away: int) -> tuple[str, list[str]]:
    """Ask until so many have no broker; tell what the server says of itself then."""
    deadline = time.monotonic() + 180
    while True:
        told = client.get("/metrics").raise_for_status().text
        if sum(one in told for one in AWAY) == away:
            break
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    ready = client.get("/health/ready").raise_for_status().json()
    ports = [ready["ports"][one]["status"] for one in ("messages", "outgoing")]
    return ready["status"], ports


def wait_for_status(client: httpx.Client, wanted: str) -> dict[str, Any]:
    """Ask for the server's health until it is as wanted, for three minutes."""
    deadline = time.monotonic() + 180
    while True:
        answer = client.get("/health/ready")
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        if told["status"] == wanted:
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def dead_letters(folder: Path, settings: dict[str, str]) -> str:
    return fyr_output(folder, "events", "dead", settings=settings)
