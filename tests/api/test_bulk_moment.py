"""An export is the store at one moment, whatever happens while its files are written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

import pytest

from fyr.core.app import Application
from fyr.core.context import RequestContext
from fyr.core.hooks.markers import hookimpl
from fyr.core.hooks.plugin import Plugin
from fyr.core.jobs import Runs
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.bulk import begun, done, fetched
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

COUNT = 12


class Meddler(Plugin):
    """Does something when so many resources have been shown by exports."""

    #: number -> what is done once
    todo: ClassVar[dict[int, Callable[[], None]]] = {}
    shown: ClassVar[int] = 0

    @hookimpl
    def before_show(self, context: RequestContext) -> None:
        if context.parent is None or context.parent.operation != "export":
            return
        Meddler.shown += 1
        work = self.todo.pop(Meddler.shown, None)
        if work is not None:
            work()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock
) -> Iterator[Application]:
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_schema")
    options = {
        "store": {"url": url},
        "plugins": {"enabled": ["search", "bulk_data"]},
        "plugin": {"bulk_data": {"file_bytes": 1024, "settle_seconds": 1}},
    }
    Meddler.shown = 0
    Meddler.todo.clear()
    settings = settings_with(options, tmp_path)
    with application(settings, clock, {"meddler": Meddler}) as built:
        yield built


@pytest.fixture
def http(app: Application) -> Client:
    client = client_of(app)
    for number in range(COUNT):
        kind = ("Basic", "Group", "Patient")[number % 3]
        client.update(resource(kind, f"r{number}", "first"))
    return client


def resource(kind: str, identity: str, said: str) -> dict[str, Any]:
    more: dict[str, Any] = {"Basic": {"code": {"text": "x"}}}.get(kind, {})
    if kind == "Group":
        more = {"type": "person", "actual": True}
    return {
        "resourceType": kind,
        "id": identity,
        "language": "en" if said == "first" else "da",
        **more,
    }


def test_what_is_written_meanwhile_is_not_in_it(
    app: Application, http: Client, clock: FakeClock
) -> None:
    def meddle() -> None:
        for number in range(COUNT):
            kind = ("Basic", "Group", "Patient")[number % 3]
            if number % 2:
                http.update(resource(kind, f"r{number}", "second"))
                http.update(resource(kind, f"r{number}", "third"))
            else:
                http.delete(f"{kind}/r{number}")
        http.update(resource("Patient", "new", "first"))

    Meddler.todo[1] = meddle
    clock.advance(seconds=10)
    got = done(app, http, "$export")

    told = {one["id"]: one for one in got.lines["output"]}
    assert told.keys() == {f"r{number}" for number in range(COUNT)}
    assert {one["meta"]["versionId"] for one in told.values()} == {"1"}
    assert {one["language"] for one in told.values()} == {"en"}
    assert not Meddler.todo
    assert http.get("Patient/new").status == 200


@pytest.mark.parametrize("place", range(1, COUNT + 1))
def test_a_worker_that_stops_anywhere_is_followed_by_one_that_goes_on(
    app: Application, http: Client, place: int
) -> None:
    whole = done(app, http, "$export")
    Meddler.shown = 0
    stop = Event()
    Meddler.todo[place] = stop.set
    status = begun(http, "$export")
    runs = Runs(app.jobs, app.settings.events)
    for context in runs.claim(4, stop):
        runs.run(context)
    going_on = http.get(status)
    http.update(resource("Patient", "new", "first"))

    app.worker().drain()

    got = fetched(http, status)
    assert going_on.status == (202 if place <= COUNT - 4 else 200)
    assert got.lines["output"] == whole.lines["output"]
    assert [one["count"] for one in got.manifest["output"]] == [
        one["count"] for one in whole.manifest["output"]
    ]


def test_the_next_export_begins_where_this_one_ends(
    app: Application, http: Client, clock: FakeClock
) -> None:
    clock.advance(seconds=10)
    first = done(app, http, "$export")
    http.update(resource("Patient", "same-moment", "first"))
    clock.advance(seconds=10)
    http.update(resource("Patient", "later", "first"))
    since = first.manifest["transactionTime"]

    second = done(app, http, f"$export?_since={since}")

    assert second.ids == {"Patient/same-moment", "Patient/later"}


def test_one_that_fails_again_and_again_is_given_up(
    app: Application, http: Client, clock: FakeClock
) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    Meddler.todo.update({number: fail for number in range(1, 100)})
    statuses = [begun(http, "$export") for _ in range(4)]
    refused = http.get("$export", Prefer="respond-async")
    for _ in range(25):
        clock.advance(minutes=20)
        app.worker().drain()
    Meddler.todo.clear()

    answer = http.get(statuses[0])

    assert refused.status == 429
    assert answer.status == 500
    assert "broken" not in answer.body.decode()
    assert len(done(app, http, "$export").ids) == COUNT
