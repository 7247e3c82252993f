#!/usr/bin/env python
"""Thirty-six steps: nine resources are created, read, updated and deleted.

    python bench/lives.py                                Fyr on SQLite, then on PostgreSQL
    python bench/lives.py --base-url URL --pid 12,34     a server that runs already

Each client goes through the steps with resources of its own, which refer to each other,
and begins again. CPU is told for a step on average; ``bench/crud.py`` tells it by kind.
"""

import argparse
import random
from dataclasses import dataclass, field

import crud
import measuring
import nine
import resources
from http_client import Connection, Reply
from measuring import Row, Target

_KINDS = list(nine.RESOURCES)
#: Interaction and type of each step; what refers to others is deleted before them.
STEPS = [
    *(("create", kind) for kind in _KINDS),
    *(("read", kind) for kind in _KINDS),
    *(("update", kind) for kind in _KINDS),
    *(("delete", kind) for kind in reversed(_KINDS)),
]


@dataclass
class Life:
    """How far a client has come, and the ids of what it has made."""

    step: int = 0
    ids: dict[str, str] = field(default_factory=dict)


class Lives:
    """The steps as an operation, one at each call."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lives: dict[int, Life] = {}

    def __call__(self, connection: Connection, _chance: random.Random) -> str:
        """Take the next step of this client; after one that fails it begins anew."""
        life = self._lives.pop(id(connection), None) or Life()
        verb, kind = STEPS[life.step]
        take(connection, verb, kind, life.ids)
        life.step += 1
        if life.step < len(STEPS):
            self._lives[id(connection)] = life
        return f"{verb} {kind}"


def take(connection: Connection, verb: str, kind: str, ids: dict[str, str]) -> None:
    """Make one interaction, and note the id of what it creates."""
    if verb == "create":
        body = resources.encode(nine.body(kind, ids))
        reply = connection.request("POST", f"/{kind}", body)
        crud.expect(reply.status, 201)
        ids[kind] = _id(reply, kind)
        return
    path = f"/{kind}/{ids[kind]}"
    if verb == "read":
        crud.expect(connection.request("GET", path).status, 200)
    elif verb == "update":
        body = resources.encode(nine.body(kind, ids, changed=True))
        crud.expect(connection.request("PUT", path, body).status, 200)
    else:
        crud.expect(connection.request("DELETE", path).status, 200, 202, 204)


def _id(reply: Reply, kind: str) -> str:
    return reply.headers["location"].split(f"/{kind}/")[1].split("/")[0]


def bench(servers: list[Target], options: argparse.Namespace) -> dict[str, list[Row]]:
    """Go through the steps on each server in turn."""
    runs: dict[str, list[measuring.Run]] = {one.name: [] for one in servers}
    for one in servers:
        measuring.timed(Lives(), one, options, options.warm_up, 1)
    for repeat in range(options.repeat):
        for one in servers:
            run = measuring.timed(Lives(), one, options, options.seconds, repeat + 2)
            runs[one.name].append(run)
    rows = measuring.rows_of("36 steps", runs)
    return {name: [row, *measuring.steps_of(runs[name])] for name, row in rows.items()}


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Thirty-six steps.")
    measuring.arguments(parser)
    measuring.starting(parser)
    measuring.run(bench, parser.parse_args())


if __name__ == "__main__":
    main()
