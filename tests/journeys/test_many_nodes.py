"""Three servers and three workers share one PostgreSQL; some are killed; nothing is lost."""

import itertools
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from fyr.core.testing.postgres import Postgres
from fyr.core.testing.process import FyrProcess, fyr_process

SYSTEM = "urn:example:token"
BASED_ON = "urn:example:based-on"
CLIENTS = 6
#: written by all clients, each version on top of the one before
SHARED = [f"shared-{number}" for number in range(4)]
#: created by all clients, on condition that nobody else did
UNIQUE = [f"unique-{number}" for number in range(60)]
#: acknowledged writes, as each of which the next thing breaks
BREAKS_AT = (100, 200, 300, 400)
ENOUGH = 550

CONSUMER = """
import os
from pathlib import Path

from fyr.core import hookimpl

HEARD = os.open({heard!r}, os.O_CREAT | os.O_APPEND | os.O_WRONLY)


@hookimpl
def deliver(change):
    line = f"{{change.position}} {{change.type}}/{{change.id}} {{change.version}}\\n"
    os.write(HEARD, line.encode())
"""


@dataclass
class Ledger:
    """What the servers have acknowledged, and what they should never answer."""

    #: (id, version, token) of each write that was acknowledged
    written: list[tuple[str, int, str]] = field(default_factory=list)
    #: identifier -> what was answered to its conditional creates: status, id
    created: dict[str, list[tuple[int, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    _more: threading.Condition = field(default_factory=threading.Condition)

    def note(self, identity: str, version: int, token: str) -> None:
        """Write down an acknowledged version."""
        self.written.append((identity, version, token))
        self.wake(None)

    def wait_for(self, number: int, writers: list[Future[None]]) -> None:
        """Wait until so many writes were acknowledged, or a writer failed."""

        def done() -> bool:
            return len(self.written) >= number or any(one.done() for one in writers)

        with self._more:
            assert self._more.wait_for(done, 600), (
                f"{len(self.written)} of {number} writes; {self.statuses}"
            )
        for one in writers:
            if one.done():
                one.result()

    def wake(self, _: object) -> None:
        """Have those look who wait."""
        with self._more:
            self._more.notify_all()

    @property
    def full(self) -> bool:
        """Whether clients may stop."""
        return len(self.written) >= ENOUGH


@dataclass
class Nodes:
    """The processes of a deployment on one database."""

    folder: Path
    store_url: str
    _stack: ExitStack
    serving: list[FyrProcess] = field(default_factory=list)
    working: list[FyrProcess] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def heard(self) -> Path:
        """The file into which the consumer writes, in whichever process."""
        return self.folder / "heard"

    def start(self, command: str) -> None:
        """Start one more."""
        folder = self.folder / f"{command}-{next(self._numbers)}"
        folder.mkdir()
        settings = {
            "STORE__URL": self.store_url,
            "PLUGINS__FOLDER": str(self.folder / "plugins"),
            "SERVER__WORKER": "false",
            "EVENTS__LEASE_SECONDS": "1.5",
            "EVENTS__POLL_SECONDS": "0.05",
            "EVENTS__BATCH": "20",
            "LOG__LEVEL": "error",
        }
        running = self._stack.enter_context(
            fyr_process(folder, command, settings=settings)
        )
        (self.serving if command == "serve" else self.working).append(running)

    def drop_connections(self) -> None:
        """Have PostgreSQL end every connection to the database."""
        with psycopg.connect(self.store_url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        assert rows


@pytest.fixture
def nodes(postgresql: Postgres, tmp_path: Path) -> Iterator[Nodes]:
    """Three of each."""
    (tmp_path / "plugins").mkdir()
    with ExitStack() as stack:
        started = Nodes(tmp_path, postgresql.new_database(), stack)
        consumer = CONSUMER.format(heard=str(started.heard))
        (tmp_path / "plugins" / "listener.py").write_text(consumer)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(started.start, ["serve", "worker"] * 3))
        yield started


class Writer:
    """A client that knows several servers, and goes to the next when one is gone."""

    def __init__(self, number: int, nodes: Nodes, ledger: Ledger) -> None:
        """Take a number, so that clients begin at different places."""
        self._turn = itertools.count(number)
        self._nodes = nodes
        self._ledger = ledger
        self._http = httpx.Client(timeout=60)

    def run(self, number: int) -> None:
        """Write until there is enough."""
        names = itertools.cycle([*SHARED, f"own-{number}"])
        unique = itertools.cycle(UNIQUE)
        with self._http:
            while not self._ledger.full:
                self._update(next(names))
                self._create(next(unique))

    def _send(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response | None:
        """Send to one of the servers; ``None`` when nobody knows what became of it."""
        serving = self._nodes.serving
        base = serving[next(self._turn) % len(serving)].base
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            answer = self._http.request(
                method, f"{base}/{path}", json=body, headers=sent
            )
        except httpx.TransportError:
            self._ledger.lost += 1
            return None
        self._ledger.statuses[answer.status_code] += 1
        return answer

    def _update(self, identity: str) -> None:
        """Read a version, write the next one on top of it, if nobody was faster."""
        read = self._send("GET", f"Basic/{identity}")
        if read is None or read.status_code not in (200, 404):
            return
        etag = read.headers.get("etag")
        based_on = int(etag[3:-1]) if etag else 0
        token = uuid.uuid4().hex
        condition = {"If_Match": etag} if etag else {"If_None_Match": "*"}
        answer = self._send(
            "PUT", f"Basic/{identity}", basic(identity, token, based_on), **condition
        )
        if answer is not None and answer.status_code in (200, 201):
            version = int(answer.headers["etag"][3:-1])
            assert version == based_on + 1
            self._ledger.note(identity, version, token)

    def _create(self, value: str) -> None:
        """Create what must be there once."""
        body = basic(None, value, 0)
        query = f"identifier={SYSTEM}|{value}"
        answer = self._send("POST", "Basic", body, If_None_Exist=query)
        if answer is not None and answer.status_code in (200, 201):
            identity = answer.json()["id"]
            self._ledger.created[value].append((answer.status_code, identity))
            if answer.status_code == 201:
                self._ledger.note(identity, 1, value)


def basic(identity: str | None, token: str, based_on: int) -> dict[str, Any]:
    return {
        "resourceType": "Basic",
        **({"id": identity} if identity else {}),
        "identifier": [{"system": SYSTEM, "value": token}],
        "code": {"coding": [{"system": BASED_ON, "code": str(based_on)}]},
    }


def versions(url: str) -> dict[str, dict[int, tuple[str, int]]]:
    """Go through the history of the type: id -> version -> token, what it is based on."""
    found: dict[str, dict[int, tuple[str, int]]] = defaultdict(dict)
    page: str | None = f"{url}/Basic/_history?_count=200"
    while page:
        bundle = httpx.get(page).raise_for_status().json()
        for entry in bundle.get("entry", []):
            resource = entry["resource"]
            version = int(resource["meta"]["versionId"])
            token = resource["identifier"][0]["value"]
            based_on = int(resource["code"]["coding"][0]["code"])
            assert version not in found[resource["id"]]
            found[resource["id"]][version] = (token, based_on)
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        page = links.get("next")
    return found


def heard(file: Path) -> list[tuple[str, int]]:
    """What the consumer was told so far: subject and version, in that order."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [(subject, int(version)) for _, subject, version in map(str.split, lines)]


def wait_until(done: Callable[[], bool], seconds: float) -> bool:
    """Look again and again at what no event tells of."""
    for _ in range(int(seconds / 0.05)):
        if done():
            return True
        threading.Event().wait(0.05)
    return done()


def test_nothing_is_lost_when_nodes_are_killed(nodes: Nodes) -> None:
    ledger = Ledger()
    breaks = [
        # Clients go on to ask it, too.
        lambda: nodes.serving[0].cut(),
        lambda: nodes.working[0].cut(),
        nodes.drop_connections,
        lambda: nodes.working[1].cut(),
    ]

    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [
            pool.submit(Writer(number, nodes, ledger).run, number)
            for number in range(CLIENTS)
        ]
        for one in running:
            one.add_done_callback(ledger.wake)
        for number, break_something in zip(BREAKS_AT, breaks, strict=True):
            ledger.wait_for(number, running)
            break_something()
        for one in running:
            one.result()

    kept = versions(nodes.serving[-1].base)
    expected = {
        (f"Basic/{identity}", version)
        for identity, chain in kept.items()
        for version in chain
    }
    told = wait_until(lambda: expected <= set(heard(nodes.heard)), 600)

    assert ledger.lost > 0
    assert set(ledger.statuses) <= {200, 201, 404, 409, 412, 503}
    assert acknowledged_but_gone(ledger, kept) == []
    assert [chain for chain in kept.values() if not is_one_chain(chain)] == []
    assert doubled_tokens(kept) == []
    for value, answers in ledger.created.items():
        assert len({identity for _, identity in answers}) == 1, value
        assert Counter(status for status, _ in answers)[201] <= 1, value
    assert told, f"not told: {sorted(expected - set(heard(nodes.heard)))[:10]}"
    assert set(heard(nodes.heard)) == expected
    assert out_of_order(heard(nodes.heard)) == []


def acknowledged_but_gone(ledger: Ledger, kept: Any) -> list[tuple[str, int, str]]:
    return [
        (identity, version, token)
        for identity, version, token in ledger.written
        if kept.get(identity, {}).get(version, ("",))[0] != token
    ]


def is_one_chain(chain: dict[int, tuple[str, int]]) -> bool:
    """Tell whether versions have no gaps, and each was made knowing the one before."""
    return sorted(chain) == list(range(1, len(chain) + 1)) and all(
        based_on == version - 1 for version, (_, based_on) in chain.items()
    )


def doubled_tokens(kept: dict[str, dict[int, tuple[str, int]]]) -> list[str]:
    tokens = Counter(token for chain in kept.values() for token, _ in chain.values())
    return [token for token, number in tokens.items() if number > 1]


def out_of_order(events: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Find events that came before the version before them; repeats are allowed."""
    newest: dict[str, int] = defaultdict(int)
    early = []
    for subject, version in events:
        if version > newest[subject] + 1:
            early.append((subject, version))
        newest[subject] = max(newest[subject], version)
    return early


def test_the_checks_see_what_they_look_for() -> None:
    ledger = Ledger(written=[("a", 1, "x"), ("a", 2, "y")])
    kept = {"a": {1: ("x", 0), 3: ("x", 1)}}

    assert acknowledged_but_gone(ledger, kept) == [("a", 2, "y")]
    assert doubled_tokens(kept) == ["x"]
    assert not is_one_chain(kept["a"])
    assert not is_one_chain({1: ("x", 0), 2: ("y", 0)})
    assert is_one_chain({1: ("x", 0), 2: ("y", 1)})
    assert out_of_order([("a", 1), ("a", 3)]) == [("a", 3)]
    assert out_of_order([("a", 1), ("a", 2), ("a", 1), ("a", 2), ("b", 1)]) == []
