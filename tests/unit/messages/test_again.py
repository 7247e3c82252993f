"""Messages published again by ``fyr events replay``, and what is refused."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from fyr.core.cli import main
from fyr.core.messages.topics import is_wanted
from fyr.core.testing.embedded import running_embedded
from fyr.core.testing.process import fyr_output, fyr_process
from fyr.core.testing.subscriber import subscriber

TASK = {
    "resourceType": "Task",
    "status": "requested",
    "intent": "order",
    "owner": {"reference": "Practitioner/1"},
}


@pytest.mark.parametrize(
    ("name", "wanted", "found"),
    [
        ("ehealth-task", [], True),
        ("ehealth-task", ["ehealth-task"], True),
        ("ehealth-task.owner", ["ehealth-task"], False),
        ("ehealth-task.owner", ["ehealth-plan", "ehealth-task.*"], True),
        ("ehealth-task", ["ehealth-task.*"], False),
        ("ehealth-task", ["*"], True),
    ],
)
def test_topics_are_chosen_by_name_or_beginning(
    name: str, wanted: list[str], found: bool
) -> None:
    assert is_wanted(name, wanted) == found


def test_messages_of_a_topic_are_published_again_and_are_the_same(
    tmp_path: Path,
) -> None:
    with running_embedded() as broker, subscriber(broker.port) as listener:
        settings = {
            "MESSAGES__URL": broker.url.replace("embedded", "mqtt"),
            "PLUGINS__ENABLED": '["search", "event_messages"]',
            "SERVER__PUBLIC_URL": "https://fyr.example.test",
        }
        with fyr_process(tmp_path, settings=settings) as fyr:
            for number in range(3):
                task = {**TASK, "id": f"t{number}"}
                httpx.put(f"{fyr.base}/Task/t{number}", json=task).raise_for_status()
            first = listener.wait_for_count(6)
            arguments = ("events", "replay", "event_messages", "--after", "1")
            topics = ("--topic", "ehealth-task.*")
            told = fyr_output(tmp_path, *arguments, *topics, settings=settings)
            again = listener.wait_for_count(8)[6:]

    assert told == "2 messages of event_messages were published again.\n"
    owners = [one for one in first if one.topic.endswith("/owner")]
    assert [(one.id, one.payload) for one in again] == [
        (one.id, one.payload) for one in owners[1:]
    ]
    # What comes among newer messages is no link of their chain.
    assert not any("previousEventNumber" in one.properties for one in again)


@pytest.mark.parametrize(
    ("consumer", "problem"),
    [
        ("nobody", "no source of messages is named nobody"),
        ("event_messages", "messages.url names no broker"),
    ],
)
def test_what_cannot_be_published_again_is_told(
    consumer: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FYR_PLUGINS__ENABLED", '["search", "event_messages"]')
    arguments: list[Any] = ["events", "replay", consumer, "--after", "0"]
    done = CliRunner().invoke(
        main, [*arguments, "--topic", "x", "--data-dir", str(tmp_path)]
    )

    assert done.exit_code == 1
    assert problem in done.output
