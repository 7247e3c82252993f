"""Mosquitto killed: what it keeps for a subscriber that is away, and how to get the rest."""

import json
import signal
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from fyr.core.testing.mosquitto import (
    DURABLE,
    mosquitto_command,
    running_mosquitto,
)
from fyr.core.testing.process import FyrProcess, fyr_process
from fyr.core.testing.servers import absent
from fyr.core.testing.subscriber import Heard, subscriber

TASK = {"resourceType": "Task", "status": "requested", "intent": "order"}
TOPIC = "fyr/events/ehealth-task"
WARD = "ward-7"
_PATIENCE_SECONDS = 180


def write(fyr: FyrProcess, *ids: str) -> None:
    for id_ in ids:
        told = httpx.put(f"{fyr.base}/Task/{id_}", json={**TASK, "id": id_}, timeout=60)
        told.raise_for_status()


def task_of(reference: str) -> str:
    return reference.rpartition("/")[2]


def wait_until_acknowledged(fyr: FyrProcess) -> None:
    """Wait until the broker has taken all, and the server has noted that."""
    deadline = monotonic() + _PATIENCE_SECONDS
    line = 'fyr_consumer_lag_events{consumer="event_messages"} 0'
    while not any(
        one.startswith(line) for one in httpx.get(f"{fyr.url}/metrics").text.split("\n")
    ):
        assert monotonic() < deadline, "the broker did not take all"
        sleep(0.05)


def caught_up(fyr: FyrProcess, after: str) -> list[tuple[str, str]]:
    """Ask for what was told after a number, page by page: ids, and Tasks."""
    found, url = [], f"/events?after={after}&topic=ehealth-task&count=2"
    while True:
        page = httpx.get(fyr.url + url, timeout=60).raise_for_status()
        for line in page.iter_lines():
            told = json.loads(line)
            reference = told["body"]["resourceReference"]
            found.append((told["properties"]["id"], task_of(reference)))
        if page.headers["Fyr-Events-After"] == page.headers["Fyr-Events-Head"]:
            return found
        url = page.links["next"]["url"]


@pytest.mark.parametrize("is_durable", [False, True])
def test_what_a_killed_broker_lost_shows_as_a_gap_and_is_caught_up_with(
    tmp_path: Path, is_durable: bool
) -> None:
    if mosquitto_command() is None:
        absent("mosquitto", "apt-get install mosquitto brings it")
    heard: list[Heard] = []
    with running_mosquitto(tmp_path, DURABLE if is_durable else ()) as broker:
        settings = {
            "MESSAGES__URL": broker.url,
            "MESSAGES__REST_SECONDS": "0.5",
            "PLUGINS__ENABLED": '["search", "event_messages"]',
        }
        with fyr_process(tmp_path, settings=settings) as fyr:
            with subscriber(broker.port, TOPIC, client_id=WARD) as ward:
                write(fyr, "t1", "t2")
                heard += ward.wait_for_count(2)
            # An end in order writes down that there is such a subscriber.
            broker.stop()
            broker.start()
            write(fyr, "t3", "t4", "t5")
            wait_until_acknowledged(fyr)
            if is_durable:
                # It is written down a second after it was acknowledged.
                wait_until_written(tmp_path / "mosquitto.db", b"Task/t5")
            broker.stop(signal.SIGKILL)
            broker.start()
            with subscriber(broker.port, TOPIC, client_id=WARD) as ward:
                write(fyr, "t6")
                heard += ward.wait_for(
                    lambda all_: any(task(one) == "t6" for one in all_)
                )
                assert ward.resumed == [True]
            seen, newest = heard[1].properties, heard[-1].properties
            again = caught_up(fyr, seen["eventNumber"])
    # The broker may repeat what it had not been told was taken.
    names = list(dict.fromkeys(map(task, heard)))
    gap = newest["previousEventNumber"] not in {
        one.properties["eventNumber"] for one in heard
    }

    assert names == [f"t{n}" for n in ((1, 2, 3, 4, 5, 6) if is_durable else (1, 2, 6))]
    assert gap == (not is_durable)
    # What came twice has the same id, so that all are there, once, and in their order.
    all_of_them = {one.id: task(one) for one in heard[:2]} | dict(again)
    assert list(all_of_them.values()) == [f"t{n}" for n in range(1, 7)]
    assert {one.id for one in heard} <= set(all_of_them)


def task(heard: Heard) -> str:
    return task_of(heard.body["resourceReference"])


def wait_until_written(file: Path, text: bytes) -> None:
    deadline = monotonic() + _PATIENCE_SECONDS
    while not file.exists() or text not in file.read_bytes():
        assert monotonic() < deadline, "the broker wrote nothing down"
        sleep(0.05)
