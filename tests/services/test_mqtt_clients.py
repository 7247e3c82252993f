"""Subscribers that others have made, on the embedded broker of a fresh server."""

import json
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fyr.core.testing.ports import free_port
from fyr.core.testing.process import FyrProcess, fyr_process
from fyr.core.testing.servers import absent
from fyr.core.testing.subscriber import subscriber

SCRIPT = Path(__file__).parent / "clients" / "mqtt.mjs"
DEFAULT = Path(__file__).parents[2] / "config" / "default.toml"
TASK = {"resourceType": "Task", "status": "requested", "intent": "order"}


@dataclass
class Server:
    process: FyrProcess
    port: int


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What ``config/default.toml`` starts, on free ports."""
    port = free_port()
    settings = {"MESSAGES__URL": f"embedded://127.0.0.1:{port}"}
    folder = tmp_path_factory.mktemp("fyr")
    config = ("--config", str(DEFAULT))
    with fyr_process(folder, "serve", *config, settings=settings) as running:
        yield Server(running, port)


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        absent("node", "install Node.js with npm to run MQTT.js")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"type": "module"}')
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "mqtt@5"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300
    )
    if done.returncode:
        absent("node", f"npm could not install mqtt: {done.stderr[-300:]}")
    shutil.copy(SCRIPT, folder)
    return folder


def test_the_default_has_a_broker_where_clients_look_for_one() -> None:
    said = tomllib.loads(DEFAULT.read_text())

    assert said["messages"]["url"] == "embedded://127.0.0.1:1883"


def write(server: Server, id_: str) -> None:
    httpx.put(
        f"{server.process.base}/Task/{id_}", json={**TASK, "id": id_}
    ).raise_for_status()


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_paho_hears_what_is_written(server: Server, version: str) -> None:
    with subscriber(server.port, "fyr/events/ehealth-task", version=version) as paho:
        write(server, f"paho-{version}")
        (heard,) = paho.wait_for_count(1)

    assert heard.body["resourceReference"] == (
        f"{server.process.base}/Task/paho-{version}"
    )
    assert ("id" in heard.properties) == (version == "5")


@contextmanager
def program(*command: str, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    started = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert started.stdout is not None
    try:
        yield started
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


def line_of(started: "subprocess.Popen[str]") -> str:
    assert started.stdout is not None
    return started.stdout.readline()


@pytest.mark.parametrize("version", ["5", "4"])
def test_mqtt_js_hears_what_is_written(
    server: Server, node_folder: Path, version: str
) -> None:
    url = f"mqtt://127.0.0.1:{server.port}"
    command = ("node", SCRIPT.name, url, "fyr/events/ehealth-task", version)
    with program(*command, folder=node_folder) as started:
        assert line_of(started) == "subscribed\n"
        write(server, f"js-{version}")
        told: dict[str, Any] = json.loads(line_of(started))

    assert told["topic"] == "fyr/events/ehealth-task"
    assert told["body"]["resourceReference"].endswith(f"/Task/js-{version}")
    properties = told["properties"]
    assert properties.get("resourceProfile") == (
        "ehealth-task" if version == "5" else None
    )


@pytest.mark.parametrize("version", ["mqttv5", "mqttv311"])
def test_mosquitto_sub_hears_what_is_written(
    server: Server, tmp_path: Path, version: str
) -> None:
    if shutil.which("mosquitto_sub") is None:
        absent("mosquitto", "apt-get install mosquitto-clients brings mosquitto_sub")
    command = ("mosquitto_sub", "-V", version, "-p", str(server.port), "-W", "300")
    topics = ("-t", "fyr/events/+", "-q", "1", "-F", "%t %p", "-C", "1")
    with program(*command, *topics, folder=tmp_path) as started:
        # It does not say when it has subscribed: we write until it has heard one.
        number = 0
        while started.poll() is None:
            number += 1
            write(server, f"{version}-{number}")
            with suppress(subprocess.TimeoutExpired):
                started.wait(timeout=0.2)
        topic, payload = line_of(started).split(" ", 1)

    assert topic == "fyr/events/ehealth-task"
    assert json.loads(payload)["eventType"] == "created"


def test_a_port_that_is_taken_does_not_keep_a_server_from_its_start(
    server: Server, tmp_path: Path
) -> None:
    settings = {
        "MESSAGES__URL": f"embedded://127.0.0.1:{server.port}",
        "PLUGINS__ENABLED": '["search", "event_messages"]',
    }
    with fyr_process(tmp_path, settings=settings) as other:
        assert other.process.stdout is not None
        lines = iter(other.process.stdout.readline, "")
        told = next(line for line in lines if line.startswith("  messages"))
        _, _, port = told.split()[1].rpartition(":")
        with subscriber(int(port), "fyr/events/ehealth-task") as paho:
            write(Server(other, int(port)), "other")
            (heard,) = paho.wait_for_count(1)

    assert int(port) != server.port
    assert heard.body["resourceReference"].endswith("/Task/other")
    log = (tmp_path / "serve.log").read_text()
    assert "the embedded broker takes a free port" in log
