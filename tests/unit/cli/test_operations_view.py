"""``fyr events status`` and ``fyr events dead``, as somebody types them who runs a server."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from fyr.config.settings import Settings
from fyr.core.app import Application, build
from fyr.core.cli import main
from fyr.core.events import Consumer
from fyr.core.testing.applications import client_of
from fyr.core.testing.process import fyr_command

Fyr = Callable[..., str]

PLUGIN = """
from fyr.core import hookimpl
from fyr.core.outgoing import Sender, Undeliverable

@hookimpl
def deliver(change):
    raise ValueError(f"no room for {change.id}\\n\\x1b[31mat all " + "x" * 4000)

@hookimpl
def register_senders():
    def send(messages):
        raise Undeliverable("410 Gone")

    yield Sender("letters", send)
"""


@pytest.fixture
def options(tmp_path: Path) -> dict[str, object]:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "narrow.py").write_text(PLUGIN)
    return {
        "data_dir": tmp_path / "data",
        "security": {"mode": "open"},
        "plugins": {"enabled": [], "folder": folder},
        "events": {"attempts": 1},
    }


@pytest.fixture
def application(options: dict[str, object]) -> Iterator[Application]:
    """A server that has written three devices and put one message into a queue."""
    built = build(Settings(**options))
    client = client_of(built)
    for id_ in ("d1", "d2", "d3"):
        client.put(f"Device/{id_}", {"resourceType": "Device", "id": id_})
    built.database.write(
        lambda session: built.outgoing.put(session, "letters", "her", {"id": "1"})
    )
    yield built
    built.close()


@pytest.fixture
def fyr(
    application: Application,
    options: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> Fyr:
    monkeypatch.setenv("FYR_PLUGINS__FOLDER", str(options["plugins"]["folder"]))
    monkeypatch.setenv("FYR_PLUGINS__ENABLED", "[]")

    def call(*arguments: str, status: int = 0) -> str:
        more = ("--data-dir", str(options["data_dir"]))
        done: Result = CliRunner().invoke(main, [*arguments, *more])
        assert done.exit_code == status, done.output
        return done.output

    return call


def test_status_tells_of_consumers_and_of_what_is_to_be_sent(
    fyr: Fyr, application: Application
) -> None:
    before = fyr("events", "status", "--seconds", "0")
    application.worker().drain()
    after = json.loads(fyr("events", "status", "--seconds", "0", "--json"))

    assert "narrow                   behind          3" in before
    assert "letters: 1 to send" in before
    (consumer,) = after["consumers"]
    assert (consumer["name"], consumer["dead"], consumer["lag"]) == ("narrow", 3, 0)
    assert after["outgoing"][0]["dead"] == 1


def test_a_consumer_without_its_plugin_is_told_as_absent_and_forgotten(
    fyr: Fyr, application: Application
) -> None:
    gone = Consumer("of-old", lambda change: None)
    application.relay.cursors.register([gone], 0)
    before = fyr("events", "status", "--seconds", "0")
    held = fyr("events", "forget", "narrow", status=2)
    forgotten = fyr("events", "forget", "of-old")
    unknown = fyr("events", "forget", "of-old", status=1)

    assert "of-old                   absent          -        -" in before
    assert "narrow is of a plugin that is enabled here" in held
    assert forgotten == "of-old is forgotten.\n"
    assert "no consumer is named of-old" in unknown
    assert "of-old" not in fyr("events", "status", "--seconds", "0")


def test_dead_letters_of_a_consumer_are_listed_tried_again_and_dropped(
    fyr: Fyr, application: Application
) -> None:
    application.worker().drain()

    assert "narrow  2  Device/d2  after 1 tries: ValueError: no room for d2" in (
        fyr("events", "dead")
    )
    assert "1 will be tried again." in (
        fyr("events", "dead", "--consumer", "narrow", "--retry", "--position", "2")
    )
    assert "2 given up." in fyr("events", "dead", "--consumer", "narrow", "--drop")


def test_a_reason_is_one_line_and_moves_nothing_on_a_terminal(
    fyr: Fyr, application: Application
) -> None:
    application.worker().drain()
    first, *others = fyr("events", "dead").splitlines()

    assert "no room for d1 [31mat all xxx" in first
    assert first.isprintable()
    assert len(first) < 400
    assert len(others) == 2


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ("--consumer narow", 1, "no consumer is named narow"),
        ("--consumer narow --retry", 1, "no consumer is named narow"),
        ("--consumer narow --drop", 1, "no consumer is named narow"),
        ("--consumer narrow --retry --position 7", 1, "no dead letter at 7"),
        ("--consumer narrow --drop --position 7", 1, "no dead letter at 7"),
        ("--consumer narrow --retry --drop", 2, "either --retry or --drop"),
        ("--consumer narrow --position 2", 2, "goes with --retry or --drop"),
        ("--retry", 2, "name the --consumer"),
    ],
)
def test_dead_letters_that_cannot_be_meant_are_told(
    fyr: Fyr, application: Application, arguments: str, status: int, told: str
) -> None:
    application.worker().drain()

    assert told in fyr("events", "dead", *arguments.split(), status=status)
    assert len(fyr("events", "dead").splitlines()) == 3


def test_a_reader_that_has_read_enough_ends_a_list_without_a_word(
    application: Application, options: dict[str, object]
) -> None:
    listing = subprocess.Popen(
        [fyr_command(), "events", "tail", "--data-dir", str(options["data_dir"])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert listing.stdout is not None
    listing.stdout.close()
    assert listing.stderr is not None
    with listing.stderr as said:
        assert said.read() == b""
    assert listing.wait(timeout=60) == 1
