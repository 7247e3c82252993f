"""``fyr outgoing`` as an operator types it, over a queue that a sender has worked on."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fyr.core import Outgoing, Plugin, Sender, Undeliverable, hookimpl
from fyr.core.cli import main
from fyr.core.clock import utc_now
from fyr.core.testing.applications import application, client_of, settings_with

Fyr = Callable[..., Result]
SENT: list[str] = []


class Paper(Plugin):
    """Takes what is good, and refuses what is bad unless it is told to take all."""

    takes_all = False

    @hookimpl
    def register_senders(self) -> Iterator[Sender]:
        yield Sender("paper", self._send)

    def _send(self, messages: Sequence[Outgoing]) -> None:
        (message,) = messages
        if message.payload.startswith("bad") and not Paper.takes_all:
            raise Undeliverable("out of ink")
        SENT.append(message.payload)


@pytest.fixture
def send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Put some into the queue, have all sent, and tell what was."""
    options = {"store": {"url": "sqlite:///fyr.db"}}

    def work(*payloads: str, takes_all: bool = False) -> list[str]:
        SENT.clear()
        monkeypatch.setattr(Paper, "takes_all", takes_all)
        settings = settings_with(options, tmp_path / "data")
        with application(settings, utc_now, {"paper": Paper}) as built:
            built.database.write(
                lambda session: built.outgoing.put_many(
                    session, "paper", [("desk", one) for one in payloads]
                )
            )
            built.worker().drain()
        return list(SENT)

    return work


@pytest.fixture
def fyr(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fyr:
    for name in [name for name in os.environ if name.startswith("FYR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FYR_DATA_DIR", str(tmp_path / "data"))
    return lambda *arguments: CliRunner().invoke(
        main, ["outgoing", *(str(one) for one in arguments)]
    )


def ids(listed: Result) -> list[str]:
    return [line.split()[0] for line in listed.output.splitlines()]


def test_dead_letters_are_listed_with_their_reason_and_sent_again_by_id(
    fyr: Fyr, send: Any
) -> None:
    assert send("good", "bad one", "bad two", "fine") == ["good", "fine"]
    listed = fyr("dead")
    first, second = listed.output.splitlines()

    assert first.split()[1:3] == ["paper", "desk"]
    assert first.endswith("after 1 tries: out of ink")
    assert "desk  2 sent, 0 waiting, 2 dead" in fyr("status").output

    again = fyr("retry", second.split()[0])
    assert again.output == "1 will be sent again.\n"
    assert send(takes_all=True) == ["bad two"]
    assert ids(fyr("dead")) == [first.split()[0]]


def test_all_of_a_sender_are_sent_again(fyr: Fyr, send: Any) -> None:
    send("bad one", "bad two")

    assert fyr("retry", "--sender", "paper").output == "2 will be sent again.\n"
    assert "2 waiting, 0 dead; failed 2 times" in fyr("status").output
    assert send(takes_all=True) == ["bad one", "bad two"]
    assert "2 sent, 0 waiting, 0 dead\n" in fyr("status").output


def test_dead_letters_are_forgotten_by_id(fyr: Fyr, send: Any) -> None:
    send("bad one")
    (id_,) = ids(fyr("dead"))

    assert fyr("discard", id_).output == "1 forgotten.\n"
    assert fyr("dead").output == "No dead letters.\n"


def test_a_queue_that_nobody_used_is_said_to_be_one(fyr: Fyr) -> None:
    assert fyr("status").output == "Nothing was ever sent.\n"
    assert fyr("dead", "--sender", "paper").output == "No dead letters.\n"


@pytest.mark.parametrize("command", ["retry", "discard"])
@pytest.mark.parametrize("arguments", [(), (1, "--sender", "paper")])
def test_what_is_to_be_retried_or_forgotten_is_named(
    fyr: Fyr, command: str, arguments: tuple[Any, ...]
) -> None:
    done = fyr(command, *arguments)

    assert done.exit_code == 2
    assert "give either ids or a --sender" in done.output


def test_an_id_that_no_dead_letter_has_is_told(fyr: Fyr) -> None:
    done = fyr("retry", 4711)

    assert done.exit_code == 1
    assert "no dead letter has the id 4711" in done.output


def test_the_host_of_a_receiver_is_shown_and_nothing_else_of_its_url(
    fyr: Fyr, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = ["search", "subscriptions"]
    options = {"store": {"url": "sqlite:///fyr.db"}, "plugins": {"enabled": plugins}}
    endpoint = "https://hooks.example.org/secret?key=1234"
    with application(settings_with(options, tmp_path / "data"), utc_now) as built:
        made = client_of(built).post(
            "/fhir/Subscription",
            {
                "resourceType": "Subscription",
                "status": "requested",
                "reason": "to know",
                "criteria": "Patient?active=true",
                "channel": {"type": "rest-hook", "endpoint": endpoint},
            },
        )
        built.worker().drain()
        id_ = made.json["id"]
        built.database.write(
            lambda session: built.outgoing.put(session, "subscriptions", id_, {})
        )
    monkeypatch.setenv("FYR_PLUGINS__ENABLED", json.dumps(plugins))
    shown = fyr("status").output

    assert f"{id_} (hooks.example.org)  0 sent, 1 waiting" in shown
    assert "1234" not in shown
    assert "secret" not in shown
