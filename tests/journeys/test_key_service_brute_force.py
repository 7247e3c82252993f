"""Somebody who has stolen a telephone guesses PINs, at all processes at the same time."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx

from fyr.core.testing.process import fyr_process

API = "/keyservice/api"
LIMITS = {
    "hash_memory_kib": 1024,
    "hash_passes": 1,
    # For all that ask at the same time: who waits is sent away after two seconds.
    "parallel_hashes": 12,
    "key_attempts": 10_000,
    "address_attempts": 10_000,
}


def settings(store_url: str) -> dict[str, str]:
    return {
        "STORE__URL": store_url,
        "BLOBS__MASTER_KEY": b64encode(bytes(32)).decode(),
        "PLUGINS__ENABLED": '["key_service"]',
        "PLUGIN": json.dumps({"key_service": LIMITS}),
        "SERVER__WORKERS": "3",
        "SERVER__WORKER": "false",
    }


def create(url: str) -> dict[str, str]:
    body = {"clientName": "app", "deviceName": "", "secret": "0042"}
    made: dict[str, str] = httpx.post(f"{url}/createKey", json=body).json()
    return made


def guess(url: str, key_id: str, secrets: Sequence[str]) -> Counter[str]:
    """Try all secrets, many at a time; a long one at the other path."""

    def one(secret: str) -> str:
        long = len(secret) == 43
        name, field = ("longKey", "longSecret") if long else ("key", "secret")
        body = {"keyId": key_id, field: secret}
        answer = httpx.post(f"{url}/{name}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["status"])

    with ThreadPoolExecutor(12) as pool:
        return Counter(pool.map(one, secrets))


def test_all_workers_together_look_at_five_guesses_and_a_restart_forgets_none(
    tmp_path: Path, store_url: str
) -> None:
    wrong = [f"{number:04d}" for number in range(30)] + ["A" * 43] * 10
    with fyr_process(tmp_path, settings=settings(store_url)) as running:
        url = f"{running.url}{API}"
        made = create(url)
        begun = create(url)
        nobody = str(uuid4())
        told = [guess(url, key_id, wrong) for key_id in (made["keyId"], nobody)]
        guess(url, begun["keyId"], wrong[:3])

    with fyr_process(tmp_path, settings=settings(store_url)) as again:
        url = f"{again.url}{API}"
        after = [
            guess(url, made["keyId"], ["0042", made["longSecret"]]),
            guess(url, nobody, ["0042", "A" * 43]),
        ]
        rest = guess(url, begun["keyId"], wrong)
        listed = httpx.get(f"{url}/devices").json()["devices"]
        locked = {one["keyId"]: one["locked"] for one in listed}

    assert told == [{"INVALID_SECRET": 5, "LOCKED": 35}] * 2
    assert after == [{"LOCKED": 2}] * 2
    assert rest == {"INVALID_SECRET": 2, "LOCKED": 38}
    assert locked[made["keyId"]]
    assert locked[begun["keyId"]]


def test_who_is_right_at_the_same_time_gets_the_key_and_undoes_no_later_guess(
    tmp_path: Path, store_url: str
) -> None:
    with fyr_process(tmp_path, settings=settings(store_url)) as running:
        url = f"{running.url}{API}"
        key_id = create(url)["keyId"]
        told = Counter[str]()
        for _ in range(6):
            told += guess(url, key_id, ["0042", "1111", "2222", "0042"])
            # Forgives the two that may have come last: no more than four are open.
            told += guess(url, key_id, ["0042"])
        end = guess(url, key_id, ["3333"] * 20)

    assert told == {"OK": 18, "INVALID_SECRET": 12}
    assert end == {"INVALID_SECRET": 5, "LOCKED": 15}


def test_no_user_makes_more_keys_than_allowed_at_the_same_time(
    tmp_path: Path, store_url: str
) -> None:
    with fyr_process(tmp_path, settings=settings(store_url)) as running:
        url = f"{running.url}{API}"
        body = {"clientName": "app", "deviceName": "", "secret": "0042"}
        for old in httpx.get(f"{url}/devices").json()["devices"]:
            httpx.delete(f"{url}/devices/{old['keyId']}")

        def one(_: int) -> int:
            return httpx.post(f"{url}/createKey", json=body, timeout=60).status_code

        with ThreadPoolExecutor(12) as pool:
            told = Counter(pool.map(one, range(40)))
        kept = httpx.get(f"{url}/devices").json()["devices"]

    assert told == {201: 20, 422: 20}
    assert len(kept) == 20
