"""What is kept by writes is what would be taken anew, and a job can take it anew."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from fyr.config.settings import EventSettings
from fyr.core.jobs import Jobs, Runs
from fyr.core.model import json
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.store.schema import INDEX_TABLES
from fyr.search.indexing.job import NAME, Reindex

from .test_generation import NICKNAME, PATIENTS, Writer


def rows(library: Any) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(
            library.database.rows(f"SELECT pid, {', '.join(columns)} FROM {table}")
        )
        for table, columns in INDEX_TABLES.items()
    }


class Pauses(Event):
    """A stop that never comes: it notes how long it was waited for, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self.meanwhile: Callable[[Runs], None] = lambda runs: None
        self.runs: Runs | None = None

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        assert self.runs is not None
        self.meanwhile(self.runs)
        return False


def reindex(
    writer: Writer, *types: str, stop: Pauses | None = None, **settings: Any
) -> Any:
    """Run the job, on this thread, and tell its state."""
    library = writer.library
    stop = stop or Pauses()
    work = work_of(writer, **settings)
    job = library.database.write(lambda session: work.force(session, types))
    jobs = Jobs(library.database, [work.job()], clock=library.clock)
    stop.runs = runs = Runs(jobs, EventSettings())
    for context in runs.claim(4, stop):
        runs.run(context)
    return jobs.state(job)


@pytest.fixture
def three(library: Any, tmp_path: Path) -> Writer:
    """A store with three patients."""
    writer = Writer(library, tmp_path)
    for identity in "123":
        patient = {"resourceType": "Patient", "id": identity, "gender": "male"}
        writer.update(patient)
    return writer


def work_of(writer: Writer, **settings: Any) -> Reindex:
    known = writer.interactions.settings.search.model_copy(update=settings)
    library = writer.library
    return Reindex(writer.engine.sets, library.database, library.clock, known)


def test_a_slow_job_waits_for_so_many_resources_as_it_has_done(three: Writer) -> None:
    stop = Pauses()

    state = reindex(three, "Patient", stop=stop, reindex_page=2, reindex_per_second=0.5)

    assert state.state == "done", state.error
    assert sum(stop.seconds) == pytest.approx(3 / 0.5)
    # In steps, to hear of a cancel.
    assert max(stop.seconds) <= 0.5


def test_a_job_that_is_not_slowed_waits_for_nothing(three: Writer) -> None:
    stop = Pauses()

    assert reindex(three, "Patient", stop=stop).state == "done"

    assert stop.seconds == []


def test_a_running_job_is_cancelled_and_another_one_ends_it(three: Writer) -> None:
    library, stop = three.library, Pauses()

    def cancel(runs: Runs) -> None:
        (job,) = [one for one in runs.jobs.states(NAME) if one.finished is None]
        library.database.write(lambda session: runs.jobs.cancel(session, job.id))
        runs.renew()

    stop.meanwhile = cancel

    state = reindex(three, "Patient", stop=stop, reindex_page=1, reindex_per_second=1)

    assert state.state == "cancelled"
    # The first page only, and nothing was waited for any more.
    assert len(stop.seconds) == 1
    assert work_of(three).progress("Patient").done == 1
    assert work_of(three).waiting() == ["Patient"]

    assert reindex(three, "Patient").state == "done"
    assert work_of(three).waiting() == []


def test_what_is_wanted_anew_while_it_is_indexed_is_indexed_again(
    three: Writer,
) -> None:
    library, stop = three.library, Pauses()

    def want(runs: Runs) -> None:
        stop.meanwhile = lambda runs: None
        library.database.write(lambda s: work_of(three).force(s, ["Patient"]))

    stop.meanwhile = want

    state = reindex(three, "Patient", stop=stop, reindex_page=2, reindex_per_second=1)

    assert state.state == "done", state.error
    assert json.decode(state.result.encode())["Patient"] == 2 + 3
    assert "Patient" not in work_of(three).pending(three.engine.sets.current())


#: What a worker looks at: where a type stands, and its next page.
PLACE, PAGE = "target, forced", "SELECT pid, indexed"


class Standing:
    """The database of a worker that stands still where it has looked at something."""

    def __init__(self, database: Any, *stops: tuple[str, Callable[[], Any]]) -> None:
        self.dialect = database.dialect
        self.write = database.write
        self._database = database
        self._stops = list(stops)

    def rows(self, sql: str, params: Any = ()) -> Any:
        found = self._database.rows(sql, params)
        if self._stops and self._stops[0][0] in sql:
            self._stops.pop(0)[1]()
        return found


def stand_still(writer: Writer, *stops: tuple[str, Callable[[], Any]]) -> list[int]:
    """Run a job to its end by such a worker; tell what it said to have done by then."""
    library, stop, done = writer.library, Pauses(), []
    work = work_of(writer, reindex_page=2, reindex_per_second=1)
    stop.meanwhile = lambda runs: done.append(work.progress("Patient").done)
    job = library.database.write(lambda session: work.force(session, ["Patient"]))
    standing: Any = Standing(library.database, *stops)
    jobs = Jobs(standing, [work.job()], clock=library.clock)
    stop.runs = runs = Runs(jobs, EventSettings())
    (context,) = runs.claim(1, stop)
    runs.run(context)
    # Who has lost the job to another does not end it.
    library.clock.advance(seconds=EventSettings().lease_seconds)
    for context in runs.claim(1, stop):
        runs.run(context)
    assert jobs.state(job).state == "done", jobs.state(job).error
    return done


def test_a_worker_that_stood_still_begins_nothing_that_another_has_begun(
    three: Writer,
) -> None:
    class Killed(BaseException):
        pass

    def kill(runs: Runs) -> None:
        raise Killed

    def follow() -> None:
        library, stop = three.library, Pauses()
        work = work_of(three, reindex_page=1, reindex_per_second=1)
        stop.meanwhile = kill
        stop.runs = runs = Runs(
            Jobs(library.database, [work.job()], clock=library.clock), EventSettings()
        )
        library.clock.advance(seconds=EventSettings().lease_seconds)
        (context,) = runs.claim(1, stop)
        with pytest.raises(Killed):
            runs.run(context)
        assert work.progress("Patient").done == 1

    done = stand_still(three, (PLACE, follow))

    assert set(done) == {3}


@pytest.mark.parametrize("looked", [PLACE, PAGE])
def test_a_worker_that_stood_still_writes_nothing_of_an_older_set(
    three: Writer, looked: str
) -> None:
    """Neither does it begin by a set that is no longer in force, nor end a page."""
    library, kept = three.library, []

    def change() -> None:
        def work(session: Any) -> None:
            three.engine.sets.change(session, ["Patient"], {"gender"})
            session.run("UPDATE resource SET indexed = 1")

        library.database.write(work)

    def look() -> None:
        kept.extend(library.database.rows("SELECT indexed FROM resource"))
        sql = "SELECT target FROM search_state WHERE type = 'Patient'"
        kept.extend(library.database.rows(sql))

    stand_still(three, (looked, change), (PLACE, look))

    assert kept == [(1,), (1,), (1,), (0,)]
    assert work_of(three).waiting() == []


def test_what_is_right_is_looked_at_and_not_written(three: Writer) -> None:
    library = three.library
    written: list[str] = []
    asked = library.resources.reindex

    class Recorded:
        def __init__(self, session: Any) -> None:
            self._session = session
            self.dialect = session.dialect
            self.rows = session.rows

        def run(self, sql: str, params: Any = ()) -> None:
            written.append(sql)
            self._session.run(sql, params)

        def run_many(self, sql: str, params: Any) -> None:
            written.append(sql)
            self._session.run_many(sql, params)

    pids = [library.resources.read("Patient", one).pid for one in "123"]
    generation = three.engine.generation("Patient")

    def work(session: Any) -> int:
        return int(
            asked(
                Recorded(session),
                pids,
                lambda one: three.engine.index(json.parse(one.body)),
                generation,
            )
        )

    assert library.database.write(work) == 3
    assert written == []
    library.database.write(lambda s: s.run("UPDATE resource SET indexed = 1"))
    assert library.database.write(work) == 3
    assert ["indexed" in one for one in written] == [True]


def test_types_without_resources_are_not_told_of(three: Writer) -> None:
    library, work = three.library, work_of(three)
    library.database.write(lambda session: work.force(session, RESOURCE_TYPES))

    assert work.waiting() == ["Patient"]


def test_what_is_contained_is_indexed_anew_too(library: Any, tmp_path: Path) -> None:
    writer = Writer(library, tmp_path)
    inside = [{"resourceType": "Patient", "id": one, "gender": "male"} for one in "ab"]
    for identity in "12":
        writer.update(
            {
                "resourceType": "Basic",
                "id": identity,
                "code": {"text": "x"},
                "contained": inside,
                "subject": {"reference": "#a"},
                "author": {"reference": "#b"},
            }
        )
    kept = rows(library)
    library.database.write(lambda session: session.run("DELETE FROM idx_token"))

    assert reindex(writer, "Basic").state == "done"

    assert rows(library) == kept
    assert min(row[0] for row in kept["idx_token"]) < 0


@examples(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    versions=st.lists(
        st.tuples(st.sampled_from("12345"), st.one_of(PATIENTS, st.none())),
        min_size=1,
        max_size=8,
    ),
    lost=st.sampled_from([None, *INDEX_TABLES]),
)
def test_an_index_rebuilt_equals_the_index_kept(
    library: Any,
    tmp_path: Path,
    versions: list[tuple[str, dict[str, Any] | None]],
    lost: str | None,
) -> None:
    library.empty()
    writer = Writer(library, tmp_path)
    for identity, one in versions:
        if one is None:
            writer.delete("Patient", identity)
        else:
            writer.update({"resourceType": "Patient", "id": identity, **one})
    kept = rows(library)
    if lost:
        library.database.write(lambda session: session.run(f"DELETE FROM {lost}"))

    state = reindex(writer, "Patient")

    assert state.state == "done", state.error
    assert rows(library) == kept


def test_rows_that_nothing_should_be_found_by_are_removed(
    library: Any, tmp_path: Path
) -> None:
    patient = {"resourceType": "Patient", "id": "1", "gender": "male"}
    writer = Writer(library, tmp_path)
    writer.update(patient)
    kept = rows(library)
    pid = library.resources.read("Patient", "1").pid
    sql = "INSERT INTO idx_token (param, code, system, pid) VALUES (1, 'x', 0, ?)"
    library.database.write(lambda session: session.run(sql, (pid,)))

    reindex(writer, "Patient")

    assert rows(library) == kept


def test_what_plugins_add_finds_what_was_there_once_it_is_indexed(
    library: Any, tmp_path: Path
) -> None:
    names = [{"use": "nickname", "given": ["Nan"]}]
    patient = {"resourceType": "Patient", "id": "1", "name": names}
    Writer(library, tmp_path).update(patient)
    writer = Writer(library, tmp_path, NICKNAME)
    library.engine = writer.engine

    assert reindex(writer).state == "done"

    assert library.ids("Patient", "nickname=nan") == ["1"]


def test_a_transaction_inside_of_another_holds_the_same_set(
    library: Any, tmp_path: Path
) -> None:
    sets = Writer(library, tmp_path).engine.sets

    def work(session: Any) -> None:
        sets.begin(session, again=False)
        held = sets.now
        sets.begin(session, again=True)
        sets.change(session, ["Patient"], {"x"})
        sets.end()
        assert sets.now is held
        sets.end()

    library.database.write(work)

    assert sets.current(at_once=True).pending("Patient")
