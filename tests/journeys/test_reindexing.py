"""A worker that indexes is killed, clients go on writing, and nothing is missed."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from fyr.core.testing.process import fyr_output, fyr_process

URL = "http://example.org/eye-colour"
PARAMETER = {
    "resourceType": "SearchParameter",
    "id": "eye-colour",
    "url": "http://example.org/SearchParameter/eye-colour",
    "name": "EyeColour",
    "status": "active",
    "description": "Colour of the eyes.",
    "code": "eye-colour",
    "base": ["Patient"],
    "type": "token",
    "expression": f"Patient.extension.where(url='{URL}').value as Coding",
}
#: patients before the parameter
BEFORE = 600
#: Ten minutes of work, a page at once and then one each ten seconds: whoever looks, and
#: however late, finds the worker in the middle.
SLOWLY = {"SEARCH__REINDEX_PAGE": "10", "SEARCH__REINDEX_PER_SECOND": "1"}
#: So long that no worker is taken for dead that only stands still for some seconds.
LEASE = {"EVENTS__LEASE_SECONDS": "8"}
PATIENCE_SECONDS = 180


def patient(number: int) -> dict[str, Any]:
    extension = {"url": URL, "valueCoding": {"code": "blue"}}
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "extension": [extension],
    }


def put(base: str, resource: dict[str, Any]) -> None:
    path = f"{resource['resourceType']}/{resource['id']}"
    answer = httpx.put(f"{base}/{path}", json=resource, timeout=60)
    assert answer.status_code in (200, 201), answer.text


def load(base: str, count: int) -> None:
    entries = [
        {
            "resource": patient(number),
            "request": {"method": "PUT", "url": f"Patient/p{number}"},
        }
        for number in range(count)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert httpx.post(base, json=bundle, timeout=60).status_code == 200


def state(base: str) -> dict[str, Any]:
    answer = httpx.get(f"{base}/SearchParameter/eye-colour/$status", timeout=60)
    return {
        one["name"]: next(value for key, value in one.items() if key != "name")
        for one in answer.json()["parameter"]
    }


def until(base: str, told: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not told(found := state(base)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def total(base: str) -> int:
    query = "Patient?eye-colour=blue&_summary=count"
    answer = httpx.get(f"{base}/{query}", timeout=60)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])


class Writing:
    """Stores patients, one after the other, until it is told to stop."""

    def __init__(self, base: str) -> None:
        self.written = 0
        self._stop = threading.Event()
        self._failed: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, args=(base,))
        self._thread.start()

    def _run(self, base: str) -> None:
        try:
            while not self._stop.is_set():
                put(base, patient(BEFORE + self.written))
                self.written += 1
        except BaseException as error:
            self._failed.append(error)

    def stop(self) -> int:
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        assert not self._failed, self._failed
        return self.written


def test_a_killed_worker_is_followed_and_no_write_is_missed(
    tmp_path: Path, store_url: str
) -> None:
    settings = {**LEASE, "STORE__URL": store_url, "SERVER__WORKER": "false"}
    slow = {**settings, **SLOWLY}
    with (
        fyr_process(tmp_path, settings=settings) as one,
        fyr_process(tmp_path, settings=settings) as other,
        fyr_process(tmp_path, "worker", settings=slow) as workers,
    ):
        load(one.base, BEFORE)
        writing = Writing(other.base)
        put(one.base, PARAMETER)
        until(one.base, lambda found: found.get("progress", 0) > 0)
        (worker,) = workers.children()
        os.kill(worker, signal.SIGKILL)
        killed_at = state(one.base)["progress"]
        search = f"{other.base}/Patient?eye-colour=blue"
        assert httpx.get(search, timeout=60).status_code == 400
        seen: list[float] = []

        def further(found: dict[str, Any]) -> bool:
            seen.append(found["progress"])
            return bool(seen[-1] > killed_at)

        def active(found: dict[str, Any]) -> bool:
            if found["state"] != "active":
                seen.append(found["progress"])
            return bool(found["state"] == "active")

        until(other.base, further)
        # One that is in no way slow brings it to its end, after a second death.
        workers.cut()
        with fyr_process(tmp_path, "worker", settings=settings):
            until(other.base, active)
            written = writing.stop()

        # It goes on where it was, and does not begin again.
        assert killed_at > 0
        assert min(seen) >= killed_at
        assert max(seen) > killed_at
        assert total(one.base) == total(other.base) == BEFORE + written


def test_a_command_waits_for_the_end_of_the_job(tmp_path: Path, store_url: str) -> None:
    settings = {"STORE__URL": store_url}
    with fyr_process(tmp_path, settings=settings) as one:
        load(one.base, 30)
        told = fyr_output(tmp_path, "reindex", "--all", "--wait", settings=settings)
        state = fyr_output(tmp_path, "reindex", "--status", settings=settings)

    assert "Indexing" in told
    assert re.search(r"is done: its last run indexed \d+ resources anew\.\n", told)
    assert state == "Everything is indexed by the parameters in force.\n"


def test_a_command_that_waits_tells_of_a_cancel(tmp_path: Path, store_url: str) -> None:
    settings = {
        "STORE__URL": store_url,
        "SEARCH__REINDEX_PAGE": "1",
        "SEARCH__REINDEX_PER_SECOND": "1",
        **LEASE,
    }
    with fyr_process(tmp_path, settings=settings) as one:
        # One a second: it is not done before somebody cancels it, who comes ten minutes
        # late.
        load(one.base, BEFORE)
        failed: list[str] = []

        def wait() -> None:
            try:
                fyr_output(tmp_path, "reindex", "--all", "--wait", settings=settings)
            except RuntimeError as error:
                failed.append(str(error))

        waiting = threading.Thread(target=wait)
        waiting.start()
        for _ in range(600):
            told = fyr_output(tmp_path, "reindex", "--status", settings=settings)
            if "Patient: " in told:
                break
        cancelled = fyr_output(tmp_path, "reindex", "--cancel", settings=settings)
        waiting.join(PATIENCE_SECONDS)
        assert not waiting.is_alive()
        told = fyr_output(tmp_path, "reindex", "--status", settings=settings)

    assert cancelled == "1 jobs were told to stop.\n"
    assert "cancelled" in failed[0]
    assert "Patient: " in told
