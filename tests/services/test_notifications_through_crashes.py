"""A script of writes, while workers are killed and a receiver is moody: what it was sent.

``FYR_TEST_CRASH_ROUNDS`` says how often something dies; ``FYR_TEST_CRASH_SEED`` repeats a
run.
"""

import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from fyr.core.testing.postgres import available, running_postgres
from fyr.core.testing.process import FyrProcess, fyr_process
from fyr.core.testing.receiver import Received, Receiver, Reply, receiving
from fyr.core.testing.servers import absent

ROUNDS = int(os.environ.get("FYR_TEST_CRASH_ROUNDS", "6"))
SEED = int(os.environ.get("FYR_TEST_CRASH_SEED", "0")) or random.randrange(1, 10**6)
WRITES_OF_A_ROUND = 20
WORKERS = 2
STATUSES = ("draft", "active", "on-hold", "revoked", "completed")
ENDED = frozenset({"revoked", "completed"})

#: care plan, version and number of one notification
Told = tuple[str, str, int]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield "sqlite:///fyr.db"
        return
    if why := available():
        absent("postgresql", why)
    with running_postgres() as server:
        yield server.new_schema()


@pytest.fixture
def chance() -> random.Random:
    return random.Random(SEED)


@pytest.fixture
def webhook(chance: random.Random) -> Iterator[Receiver]:
    """A receiver that refuses every fifth message for now, and takes some twice so."""
    moods = random.Random(chance.random())
    with receiving() as made:
        made.answers = lambda request: Reply(503 if moods.random() < 0.2 else 200)
        yield made


def settings(store_url: str, webhook: Receiver) -> dict[str, str]:
    own = {"webhook": {"url": webhook.url, "attempts": 10_000}}
    return {
        "STORE__URL": store_url,
        "PLUGINS__ENABLED": '["search", "notifications"]',
        "PLUGIN": json.dumps({"notifications": own}),
        "OUTGOING__ALLOW": '["loopback"]',
        "OUTGOING__BACKOFF_SECONDS": "0.02",
        "OUTGOING__BACKOFF_MAX_SECONDS": "0.1",
        "EVENTS__LEASE_SECONDS": "2",
        "EVENTS__POLL_SECONDS": "0.05",
        "EVENTS__BATCH": "20",
        "SERVER__WORKER": "false",
        "SERVER__PUBLIC_URL": "https://fyr.example.test",
        "LOG__LEVEL": "error",
    }


class Script:
    """Writes care plans at random, and what that has to tell."""

    def __init__(self, client: httpx.Client, chance: random.Random) -> None:
        self._client = client
        self._chance = chance
        self._status: dict[str, str] = {}
        self.due: list[Told] = []

    def write(self) -> None:
        id_ = f"p{self._chance.randrange(6)}"
        status = self._chance.choice(STATUSES)
        if self._chance.random() < 0.2:
            self._roll_back(id_, status)
            return
        answer = self._client.put(f"/CarePlan/{id_}", json=plan(id_, status))
        version = answer.raise_for_status().json()["meta"]["versionId"]
        before = self._status.get(id_)
        self.due.append((id_, version, 7 if before else 6))
        if before and status in ENDED and status != before:
            self.due.append((id_, version, 8))
        self._status[id_] = status

    def _roll_back(self, id_: str, status: str) -> None:
        missing = {"method": "PATCH", "url": "CarePlan/nobody"}
        put = {"method": "PUT", "url": f"CarePlan/{id_}"}
        patch = {"resourceType": "Parameters", "parameter": []}
        entries = [
            {"resource": plan(id_, status), "request": put},
            {"resource": patch, "request": missing},
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        assert self._client.post("", json=bundle).status_code >= 400


def plan(id_: str, status: str) -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "id": id_,
        "status": status,
        "intent": "plan",
        "subject": {"reference": "Patient/12"},
    }


def told(request: Received) -> Told:
    said = request.json
    id_ = said["resourceReference"].rpartition("/")[2]
    return id_, said["resourceVersion"], said["eventId"]


def kill_one(workers: list[FyrProcess], chance: random.Random) -> None:
    """Kill what a worker's supervisor has started; it starts another."""
    children = chance.choice(workers).children()
    if children:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(children), signal.SIGKILL)


def test_whatever_dies_all_that_was_committed_is_sent_in_order_and_nothing_else(
    tmp_path: Path, store_url: str, webhook: Receiver, chance: random.Random
) -> None:
    options = settings(store_url, webhook)
    with ExitStack() as stack:
        server = stack.enter_context(fyr_process(tmp_path, settings=options))
        workers = [
            stack.enter_context(fyr_process(tmp_path, "worker", settings=options))
            for _ in range(WORKERS)
        ]
        client = stack.enter_context(httpx.Client(base_url=server.base, timeout=60))
        script = Script(client, chance)
        for _ in range(ROUNDS):
            for _ in range(WRITES_OF_A_ROUND // 2):
                script.write()
            kill_one(workers, chance)
            for _ in range(WRITES_OF_A_ROUND // 2):
                script.write()
        due = set(script.due)
        came = webhook.wait_for(lambda all_: due <= {told(one) for one in all_})

    assert list(dict.fromkeys(map(told, came))) == script.due, f"seed {SEED}"
    bodies: dict[str, bytes] = {}
    for one in came:
        assert bodies.setdefault(one.json["id"], one.body) == one.body
    assert len(bodies) == len(script.due)
