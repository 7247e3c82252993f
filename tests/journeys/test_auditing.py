"""A server that is killed while it answers: what its audit log still knows."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import httpx

from fyr.core.clock import utc_now
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.process import fyr_process

PATIENT = {"resourceType": "Patient", "id": "ada"}
#: Anonymous callers of an open server are of the type SYSTEM.
AUDIT = {"user_types": ["SYSTEM"]}


def settings(store_url: str) -> dict[str, str]:
    return {
        "STORE__URL": store_url,
        "SERVER__WORKER": "false",
        "PLUGINS__ENABLED": '["search", "audit"]',
        "PLUGIN": json.dumps({"audit": AUDIT}),
    }


def traces_told_after_restart(folder: Path, store_url: str) -> Iterator[str]:
    """Run a worker on what is left, and tell the trace ids of its AuditEvents."""
    options = {
        "store": {"url": store_url},
        "plugins": {"enabled": ["search", "audit"]},
        "plugin": {"audit": AUDIT},
    }
    with application(settings_with(options, folder / "data"), utc_now) as restarted:
        restarted.worker().drain()
    for line in (folder / "data" / "audit.jsonl").read_text().splitlines():
        for entity in json.loads(line)["entity"]:
            if entity["role"]["code"] == "21":
                yield entity["what"]["identifier"]["value"]


def test_whatever_was_answered_before_a_kill_is_in_the_audit_log(
    tmp_path: Path, store_url: str
) -> None:
    answered: list[str] = []
    uncut = Lock()

    with fyr_process(tmp_path, settings=settings(store_url)) as running:
        base = running.base
        with httpx.Client() as client:
            client.put(f"{base}/Patient/ada", json=PATIENT).raise_for_status()

        def ask(number: int) -> None:
            with httpx.Client() as client:
                while True:
                    try:
                        if number % 2:
                            answer = client.get(f"{base}/Patient/ada")
                        else:
                            answer = client.put(f"{base}/Patient/ada", json=PATIENT)
                    except httpx.TransportError:
                        return
                    if answer.status_code == 200:
                        answered.append(answer.headers["x-request-id"])
                    # Of those who see so many one cuts, whoever counted the fortieth.
                    if len(answered) >= 40 and uncut.acquire(blocking=False):
                        running.cut()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(4)))

    told = set(traces_told_after_restart(tmp_path, store_url))
    assert len(answered) >= 40
    assert set(answered) <= told
