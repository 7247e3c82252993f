"""What is kept by writes is what would be taken anew, and a job can take it anew."""

from pathlib import Path
from threading import Event
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from fyr.config.settings import EventSettings
from fyr.core.jobs import Jobs, Runs
from fyr.core.store.schema import INDEX_TABLES
from fyr.search.indexing.job import Reindex

from .test_generation import NICKNAME, PATIENTS, Writer


def rows(library: Any) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(
            library.database.rows(f"SELECT pid, {', '.join(columns)} FROM {table}")
        )
        for table, columns in INDEX_TABLES.items()
    }


def reindex(writer: Writer, *types: str) -> Any:
    """Run the job, on this thread, and tell its state."""
    library, settings = writer.library, writer.interactions.settings.search
    work = Reindex(writer.engine.sets, library.database, library.clock, settings)
    job = library.database.write(lambda session: work.force(session, types))
    jobs = Jobs(library.database, [work.job()], clock=library.clock)
    runs = Runs(jobs, EventSettings())
    for context in runs.claim(4, Event()):
        runs.run(context)
    return jobs.state(job)


@examples(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
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
