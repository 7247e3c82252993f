"""Messages published again by ``fyr events replay``, and what is refused."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from fyr.core.cli import main
from fyr.core.clock import utc_now
from fyr.core.messages.topics import is_wanted
from fyr.core.rest.app import create_wsgi
from fyr.core.testing import Client
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.embedded import running_embedded
from fyr.core.testing.ports import free_port
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


def replayed(folder: Path, *arguments: str, url: str) -> Any:
    settings = ["--data-dir", str(folder)]
    return CliRunner().invoke(
        main,
        ["events", "replay", "event_messages", "--after", "0", *arguments, *settings],
        env={
            "FYR_PLUGINS__ENABLED": '["search", "event_messages"]',
            "FYR_MESSAGES__URL": url,
            "FYR_SERVER__PUBLIC_URL": "https://fyr.example.test",
        },
    )


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A store with an event of which no message can be made between two others."""
    options = {
        "store": {"url": f"sqlite:///{tmp_path}/fyr.db"},
        "plugins": {"enabled": ["search", "event_messages"]},
    }
    with application(settings_with(options, tmp_path), utc_now) as app:
        client = Client(create_wsgi(app))
        assert client.put("Task/t1", {**TASK, "id": "t1"}).status == 201
        wrong = {"topic": "ehealth-task.mistyped", "event": "created"}
        app.database.write(
            lambda session: app.outbox.emit(session, "event_messages.told", wrong)
        )
        assert client.put("Task/t2", {**TASK, "id": "t2"}).status == 201
    return tmp_path


def test_an_event_of_which_no_message_can_be_made_is_told_in_a_line_and_left_out(
    kept: Path,
) -> None:
    with running_embedded() as broker, subscriber(broker.port) as listener:
        url = broker.url.replace("embedded", "mqtt")
        done = replayed(kept, "--topic", "ehealth-task", url=url)
        heard = listener.wait_for_count(2)

    assert done.exit_code == 1
    assert [one for one in done.stderr.splitlines() if "left out" in one] == [
        "event 2 is left out: nobody else tells created of ehealth-task.mistyped"
    ]
    assert "Traceback" not in done.output
    assert "2 messages of event_messages were published again." in done.stdout
    assert [one.body["resourceReference"][-2:] for one in heard] == ["t1", "t2"]


def test_a_broker_that_is_away_is_told_with_where_to_go_on(kept: Path) -> None:
    done = replayed(
        kept, "--topic", "ehealth-task", url=f"mqtt://127.0.0.1:{free_port()}"
    )

    assert done.exit_code == 1
    assert "fyr: the message broker cannot be reached" in done.stderr
    assert "0 messages were published: go on with --after 0" in done.stderr


def test_a_topic_that_the_source_does_not_tell_of_is_refused(kept: Path) -> None:
    done = replayed(kept, "--topic", "ehealth-task/#", url="mqtt://127.0.0.1:1")

    assert done.exit_code == 1
    assert "ehealth-task, ehealth-task.owner" in done.stderr
