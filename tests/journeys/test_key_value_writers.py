"""Many writers of one key, in several processes: nobody's write is lost."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from fyr.core.testing.process import fyr_process

AREA = "/kvstore/api/ehealth/properties/app"
SETTINGS = {
    "PLUGINS__ENABLED": '["key_value_store"]',
    "PLUGIN": json.dumps({"key_value_store": {"max_client_values": 10}}),
    "SERVER__WORKERS": "3",
    "SERVER__WORKER": "false",
}
WRITERS = 8


def together(work: Callable[[int], int]) -> Counter[int]:
    """Have all writers work at the same time; count what they tell."""
    with ThreadPoolExecutor(WRITERS) as pool:
        return Counter(pool.map(work, range(WRITERS)))


def test_writers_in_several_processes_lose_nothing(
    tmp_path: Path, store_url: str
) -> None:
    settings = {**SETTINGS, "STORE__URL": store_url}
    with fyr_process(tmp_path, settings=settings) as running:
        url = f"{running.url}{AREA}"
        assert httpx.put(url).status_code == 201

        def create(number: int) -> int:
            return httpx.put(f"{url}/count", content=b"0").status_code

        def add(number: int) -> int:
            """Count up by one, five times, as often as it takes."""
            tries = 0
            with httpx.Client() as client:
                for _ in range(5):
                    while True:
                        tries += 1
                        now = client.get(f"{url}/count")
                        answer = client.put(
                            f"{url}/count",
                            content=str(int(now.text) + 1),
                            headers={**KIND, "If-Match": now.headers["etag"]},
                        )
                        if answer.status_code != 412:
                            assert answer.status_code == 200
                            break
            return tries

        def fill(number: int) -> int:
            """Add keys until there is no room."""
            done = 0
            with httpx.Client() as client:
                for one in range(5):
                    key = f"{url}/k{number}-{one}"
                    status = client.put(key, content=b"", headers=KIND).status_code
                    assert status in (201, 422)
                    done += status == 201
            return done

        untyped = together(create)
        first = together(
            lambda number: (
                httpx.put(f"{url}/count", content=b"0", headers=KIND).status_code
            )
        )
        together(add)
        counted = httpx.get(f"{url}/count").text
        kept = together(fill)
        entries = httpx.get(url).json()

    assert untyped == {415: WRITERS}
    assert first == {201: 1, 428: WRITERS - 1}
    assert counted == str(5 * WRITERS)
    assert sum(done * times for done, times in kept.items()) == 9
    assert len(entries) == 10


KIND = {"Content-Type": "text/plain"}
