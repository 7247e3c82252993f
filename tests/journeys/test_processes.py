"""Processes: a worker that dies is replaced, a stop lets requests finish."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from fyr.core.testing.process import FyrProcess, fyr_process, is_there

SLOW = """
import threading
from fyr.core import Route, hookimpl

class Slow:
    def on_get(self, req, resp):
        open("started", "w").close()
        threading.Event().wait(1.0)
        resp.media = {"pid": __import__("os").getpid()}

@hookimpl
def register_routes():
    return [Route("/slow", Slow(), "Answers after a while.", public=True)]
"""


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for what another process does, two minutes."""
    for _ in range(6000):
        if true():
            return
        threading.Event().wait(0.02)
    pytest.fail(what)


def live(running: FyrProcess) -> bool:
    try:
        return httpx.get(f"{running.url}/health/live").status_code == 200
    except httpx.TransportError:
        return False


def test_a_stop_lets_a_running_request_finish(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "slow.py").write_text(SLOW)
    answers: list[httpx.Response] = []

    with fyr_process(tmp_path, settings={"PLUGINS__FOLDER": "plugins"}) as running:
        url = f"{running.url}/slow"
        request = threading.Thread(target=lambda: answers.append(httpx.get(url)))
        request.start()
        until((tmp_path / "started").exists, "nobody asked for it")
        status = running.stop()
        request.join()

    assert [answer.status_code for answer in answers] == [200]
    assert status == 0


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    settings = {"SERVER__WORKERS": "2", "LOG__LEVEL": "error"}
    with fyr_process(tmp_path, settings=settings) as running:
        before = set(running.children())
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        assert len(before) == 3

        def replaced() -> bool:
            now = set(running.children())
            return victim not in now and len(now) == len(before)

        until(replaced, "nobody took its place")
        assert all(live(running) for _ in range(20))


@pytest.mark.parametrize("pinned", [True, False])
def test_http_workers_stay_on_one_processor_unless_told(
    tmp_path: Path, pinned: bool
) -> None:
    settings = {"SERVER__PIN_WORKERS": str(pinned).lower(), "SERVER__WORKER": "false"}
    with fyr_process(tmp_path, settings=settings) as running:
        (worker,) = running.children()
        processors = os.sched_getaffinity(worker)

    assert len(processors) == (1 if pinned else len(os.sched_getaffinity(0)))


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with fyr_process(tmp_path) as running:
        orphans = running.children()
        running.stop(signal.SIGKILL)
        assert orphans
        until(lambda: not any(map(is_there, orphans)), f"still there: {orphans}")


def test_an_address_that_is_taken_is_said(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        with (
            pytest.raises(RuntimeError, match="already in use"),
            fyr_process(tmp_path, settings={"SERVER__PORT": port}),
        ):
            pass


def test_open_mode_is_refused_where_others_can_reach_it(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="for loopback only"),
        fyr_process(tmp_path, settings={"SERVER__HOST": "0.0.0.0"}),
    ):
        pass


def test_two_servers_do_not_share_an_address_in_silence(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()

    with fyr_process(tmp_path / "one") as first:
        port = first.url.rsplit(":", 1)[1]

        with (
            pytest.raises(RuntimeError, match="already in use"),
            fyr_process(tmp_path / "two", settings={"SERVER__PORT": port}),
        ):
            pass
