"""Whatever is written, delivered, repeated or begun anew: the index ends as the store is."""

from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fyr.core.events import Change, replay
from fyr.core.jobs import Runs
from fyr.core.store.port import Stored
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.search import Search
from fyr.search.reporting.embedded import EmbeddedIndex
from fyr.search.reporting.feeding import NotTaken
from fyr.search.reporting.generations import NAME, REBUILD
from fyr.search.reporting.port import LONGEST_KEYWORD
from fyr.search.reporting.verifying import verify

IDS = st.sampled_from(["a", "b"])
STATUSES = st.sampled_from(["draft", "ready", "completed"])
#: Some are references that no index can hold.
OWNERS = st.sampled_from(["", "", "x" * (LONGEST_KEYWORD + 1)])

_CURSOR = "SELECT position FROM consumer WHERE name = ?"


class Stopped(Exception):
    """The process ends here."""


class Machine(RuleBasedStateMachine):
    """Tasks, and workers that do what a worker does and die at any point of it."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        options = {"reporting": {"url": "embedded"}, "events": {"attempts": 1}}
        made = settings_with(options, Path(self._folder.name))
        self._patch = pytest.MonkeyPatch()
        # A page is one resource, so that a worker may die between any two.
        self._patch.setattr("fyr.search.reporting.rebuilding._PAGE", 1)
        self.clock = FakeClock()
        self.stop = Event()
        self._running = application(made, self.clock)
        self.app = self._running.__enter__()
        self.client = client_of(self.app)
        (search,) = [
            one.target for one in self.app.plugins if isinstance(one.target, Search)
        ]
        assert search.reporting is not None
        self.reporting = search.reporting
        self.late: list[list[Change]] = []

    @initialize()
    def begin(self) -> None:
        self.deliver()

    @rule(id=IDS, status=STATUSES, owner=OWNERS)
    def write(self, id: str, status: str, owner: str) -> None:
        resource: dict[str, Any] = {
            "resourceType": "Task",
            "id": id,
            "status": status,
            "intent": "order",
        }
        if owner:
            resource["owner"] = {"reference": f"https://else/{owner}"}
        assert self.client.update(resource).status in (200, 201)

    @rule(id=IDS)
    def delete(self, id: str) -> None:
        self.client.delete(f"Task/{id}")

    @rule()
    def deliver(self) -> None:
        self.app.worker().drain()

    @rule(count=st.integers(1, 4))
    def put_and_die_before_that_is_noted(self, count: int) -> None:
        self.take(self.app.outbox.read(self.position(), count))

    @rule(count=st.integers(1, 3))
    def hold_changes_back(self, count: int) -> None:
        self.late.append(self.app.outbox.read(max(0, self.position() - count), count))

    @precondition(lambda self: self.late)
    @rule()
    def deliver_late(self) -> None:
        self.take(self.late.pop())

    @rule(back=st.integers(0, 10))
    def tell_again(self, back: int) -> None:
        replay(self.app.outbox, NAME, max(0, self.position() - back))

    @rule()
    def want_it_anew(self) -> None:
        self.app.database.write(self.reporting.generations.want)

    @rule(steps=st.integers(0, 3), id=IDS, status=STATUSES, deletes=st.booleans())
    def make_it_anew_and_die_after_some_steps(
        self, steps: int, id: str, status: str, deletes: bool
    ) -> None:
        """As a worker does that is killed: its job is due again when its lease is over.

        Between reading and putting, somebody is faster with something newer.
        """
        self.want_it_anew()
        left = [steps]
        put = self.reporting.index.put

        def dying(*arguments: Any) -> Any:
            if not left[0]:
                raise Stopped
            left[0] -= 1
            self.reporting.index.put = put  # type: ignore[method-assign]
            self.delete(id) if deletes else self.write(id, status, "")
            self.put_and_die_before_that_is_noted(100)
            self.reporting.index.put = dying  # type: ignore[method-assign]
            return put(*arguments)

        runs = Runs(self.app.jobs, self.app.settings.events)
        for context in runs.claim(10, self.stop):
            if context.name == REBUILD:
                self.reporting.index.put = dying  # type: ignore[method-assign]
                try:
                    self.reporting.rebuild.run(context)
                except Stopped:
                    pass
                finally:
                    self.reporting.index.put = put  # type: ignore[method-assign]
        self.clock.advance(seconds=60)

    def take(self, changes: list[Change]) -> None:
        if changes:
            try:
                self.reporting.feed.take(changes)
            except NotTaken:
                pass

    def position(self) -> int:
        return int(self.app.database.rows(_CURSOR, (NAME,))[0][0])

    def teardown(self) -> None:
        try:
            self.clock.advance(seconds=60)
            self.deliver()
            self.is_as_the_store()
        finally:
            self._patch.undo()
            self._running.__exit__(None, None, None)
            self._folder.cleanup()

    def is_as_the_store(self) -> None:
        index = self.reporting.index
        assert isinstance(index, EmbeddedIndex)
        found = index.rows('SELECT id, version, status FROM "Task"')
        documents, refused = self.reporting.projections.documents(self.heads())
        stale = {one.id: one.version for one in refused}
        assert {one for one in found if one[0] not in stale} == {
            (one.id, one.version, one.values["status"])
            for one in documents
            if one.values is not None
        }
        # Of what no index can hold there may be an older version, or none.
        assert all(at < stale[id] for id, at, _ in found if id in stale)
        differing = {d.id for one in verify(self.reporting) for d in one.differences}
        assert differing == set(stale)
        assert index.generations() == [index.shown()]

    def heads(self) -> list[Stored]:
        keys = [("Task", id) for id in "ab"]
        return self.app.database.read(
            lambda session: self.app.resources.read_many(session, keys)
        )


TestRandom = Machine.TestCase
TestRandom.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
