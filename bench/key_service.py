"""Whether the time of an answer tells a key that is there from one that is not.

Wrong secrets for keys that are there, and secrets for ids without a key, in a random order,
over HTTP to a server in a process of its own. Told are the medians, the difference of the
means with its 99 % interval (bootstrap), and the chance that a guess by time is right
(the area under the ROC curve, 0.5 for none) with the z of Mann and Whitney; beyond 3 the
two can be told apart with so many answers. The last line tells what difference this run
would have seen: by how much one of the two has to be slower for z to pass 3.

    python bench/key_service.py --keys 60 --store sqlite
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from uuid import uuid4

import httpx

from fyr.core.testing.postgres import running_postgres
from fyr.core.testing.process import fyr_process

API = "/keyservice/api"
#: Attempts at one id: the fifth locks.
TRIES = 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--keys", type=int, default=60, help="ids of each kind")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--memory-kib", type=int, default=65_536)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = "sqlite:///fyr.db"
        if options.store == "postgresql":
            server = stack.enter_context(running_postgres(durable=True))
            url = server.new_database()
        limits = {
            "hash_memory_kib": options.memory_kib,
            "max_devices": options.keys,
            "key_attempts": 10_000,
            "address_attempts": 1_000_000,
        }
        settings = {
            "STORE__URL": url,
            "PLUGINS__ENABLED": '["key_service"]',
            "PLUGIN": json.dumps({"key_service": limits}),
            "SERVER__WORKERS": "1",
            "SERVER__WORKER": "false",
        }
        running = stack.enter_context(fyr_process(folder, settings=settings))
        client = stack.enter_context(httpx.Client(base_url=running.url, timeout=60))
        wrong, unknown = measured(client, options.keys, chance)
    report(wrong, unknown, chance)


def measured(
    client: httpx.Client, keys: int, chance: random.Random
) -> tuple[list[float], list[float]]:
    """Ask for keys with wrong secrets; give milliseconds of known and unknown ids."""
    body = {"clientName": "bench", "deviceName": "", "secret": "0042"}
    known = [
        client.post(f"{API}/createKey", json=body).json()["keyId"] for _ in range(keys)
    ]
    ids = [(one, True) for one in known] + [(str(uuid4()), False) for _ in range(keys)]
    plan = ids * TRIES
    chance.shuffle(plan)
    times: dict[bool, list[float]] = {True: [], False: []}
    for key_id, there in plan:
        asked = {"keyId": key_id, "secret": "0000"}
        began = perf_counter()
        answer = client.post(f"{API}/key", json=asked)
        times[there].append((perf_counter() - began) * 1000)
        assert answer.json() == {"status": "INVALID_SECRET"}, answer.text
    return times[True], times[False]


def report(
    wrong: Sequence[float], unknown: Sequence[float], chance: random.Random
) -> None:
    """Print what the two tell."""
    low, high = interval(wrong, unknown, chance)
    area, z = told_apart(wrong, unknown)
    print(f"answers              {len(wrong)} wrong, {len(unknown)} unknown")
    for name, times in (("wrong", wrong), ("unknown", unknown)):
        middle, spread = statistics.median(times), statistics.pstdev(times)
        print(f"{name:<20} median {middle:.2f} ms, deviation {spread:.2f} ms")
    difference = statistics.mean(wrong) - statistics.mean(unknown)
    print(
        f"difference of means  {difference:+.3f} ms, 99 % in [{low:+.3f}, {high:+.3f}]"
    )
    print(f"right by time        {area:.3f} of guesses, z {z:+.2f}")
    print("told apart           " + ("YES" if abs(z) > 3 else "no"))
    print(f"would be seen        from {visible(wrong, unknown):.2f} ms")


def interval(
    one: Sequence[float], other: Sequence[float], chance: random.Random
) -> tuple[float, float]:
    """Tell between what the difference of the means lies, at 99 %."""
    found = sorted(
        statistics.fmean(chance.choices(one, k=len(one)))
        - statistics.fmean(chance.choices(other, k=len(other)))
        for _ in range(2000)
    )
    return found[10], found[-11]


def visible(one: Sequence[float], other: Sequence[float]) -> float:
    """Tell by how many milliseconds one has to be slower to be told apart."""
    more = 0.0
    while abs(told_apart([time + more for time in one], other)[1]) <= 3:
        more = more * 1.1 + 0.01
    return more


def told_apart(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Tell the area under the ROC curve, and the z of Mann and Whitney."""
    ranked = sorted([(time, 1) for time in one] + [(time, 0) for time in other])
    ranks = sum(rank for rank, (_, mine) in enumerate(ranked, 1) if mine)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    deviation = math.sqrt(n * m * (n + m + 1) / 12)
    return u / (n * m), (u - n * m / 2) / deviation


if __name__ == "__main__":
    main()
