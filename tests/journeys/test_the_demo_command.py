"""``fyr demo`` where something is in its way, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from fyr.config.load import load
from fyr.core.app import build
from fyr.core.testing.mosquitto import mosquitto_command, running_mosquitto
from fyr.core.testing.ports import free_port
from fyr.core.testing.servers import absent
from fyr.plugins.demo.thrown_away import thrown_away

EXAMPLE = Path(__file__).parents[2] / "config/examples/demo.toml"
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'fyr_demo%'"


def demo(folder: Path, **options: str) -> subprocess.Popen[str]:
    """Begin the story in a folder of its own."""
    command = [Path(sys.executable).with_name("fyr"), "demo", "--config", EXAMPLE]
    own = {"FYR_SERVER__PORT": str(free_port()), "TMPDIR": str(folder), **options}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Less than a story says: one that nobody reads does not come to its end.
        pipesize=4096,
        text=True,
        env={**os.environ, **own},
    )


def line_with(text: str, process: subprocess.Popen[str]) -> str:
    """Read until a line has a text, and no byte more."""
    assert process.stdout is not None
    line = b""
    while text.encode() not in line or not line.endswith(b"\n"):
        line = b"" if line.endswith(b"\n") else line
        byte = os.read(process.stdout.fileno(), 1)
        assert byte, f"it has ended without {text}"
        line += byte
    return line.decode()


def refusal(folder: Path, **options: str) -> str:
    """Tell why the story does not begin; it leaves nothing."""
    with demo(folder, **options) as process:
        told, why = process.communicate()

    assert process.returncode == 1
    assert "[ 1/" not in told
    assert not [*folder.glob("fyr-demo-*")]
    return why


def test_a_broker_that_forbids_what_the_story_needs_is_told_with_it(
    tmp_path: Path,
) -> None:
    if mosquitto_command() is None:
        absent("mosquitto", "apt-get install mosquitto brings it")
    rights = tmp_path / "rights"
    rights.write_text("topic readwrite fyr/#\n")
    with running_mosquitto(tmp_path, (f"acl_file {rights}",)) as broker:
        why = refusal(tmp_path, FYR_MESSAGES__URL=broker.url)

    assert broker.url in why
    assert "Not authorized" in why
    assert "writes to fyr-demo/" in why


def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    url = f"mqtt://127.0.0.1:{free_port()}"

    assert f"the broker {url} (messages.url): " in refusal(
        tmp_path, FYR_MESSAGES__URL=url
    )


def test_a_port_that_another_server_has_is_named(tmp_path: Path) -> None:
    with demo(tmp_path) as other:
        port = line_with("http://", other).split(":")[-1].split()[0]
        (tmp_path / "second").mkdir()

        why = refusal(tmp_path / "second", FYR_SERVER__PORT=port)

        other.send_signal(signal.SIGTERM)
        other.communicate()
    assert f"127.0.0.1 port {port}: Address already in use" in why


def test_an_index_that_is_down_is_told_before_the_story_begins(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"

    why = refusal(tmp_path, FYR_REPORTING__URL=url)

    assert "the reporting index: Elasticsearch cannot be reached" in why


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_story_that_is_interrupted_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    with demo(tmp_path) as process:
        line_with("[ 2/", process)
        assert [*tmp_path.glob("fyr-demo-*")]
        process.send_signal(number)
        process.communicate()

    assert process.returncode == 1
    assert not [*tmp_path.glob("fyr-demo-*")]


def test_a_database_has_nothing_of_the_story_afterwards(
    tmp_path: Path, postgresql
) -> None:
    url = postgresql.new_schema()
    settings = load(EXAMPLE, {"data_dir": tmp_path})
    store = settings.store.model_copy(update={"url": url})
    theirs = settings.model_copy(update={"store": store})

    with thrown_away(theirs) as own, psycopg.connect(url, autocommit=True) as looking:
        build(own).close()
        ((name,),) = looking.execute(SCHEMAS).fetchall()
        tables = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = %s"
        ((count,),) = looking.execute(tables, [name]).fetchall()
        assert count > 0

    with psycopg.connect(url) as looking:
        assert not looking.execute(SCHEMAS).fetchall()
        assert looking.execute("SELECT to_regclass('resource')").fetchall() == [(None,)]


def test_a_file_that_a_deployment_keeps_is_not_touched(tmp_path: Path) -> None:
    kept = tmp_path / "fyr.db"
    settings = load(EXAMPLE, {"data_dir": tmp_path})
    store = settings.store.model_copy(update={"url": f"sqlite:///{kept}"})

    with thrown_away(settings.model_copy(update={"store": store})) as own:
        build(own).close()

    assert not kept.exists()
