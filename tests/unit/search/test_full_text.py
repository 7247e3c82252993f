"""``_text`` and ``_content`` on both databases, against a naive reading of them."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.config.settings import Settings
from fyr.core.errors import Invalid, NotSupported
from fyr.core.events import Outbox, Relay
from fyr.core.jobs import Jobs, Runs
from fyr.core.store.port import Database
from fyr.core.testing.clock import FakeClock
from fyr.search import provide_search
from fyr.search.full_text import index as fulltext
from fyr.search.full_text.queries import Branch, branches
from fyr.search.full_text.sql import full_text
from fyr.search.full_text.words import words
from fyr.search.tree import FullText

ALPHABET = ["feber", "feb", "hoste", "Blå", "bla", "ærø", "Müller", "x1", "or", "2-3"]


class Texts:
    """A library with a full-text index, and the worker that keeps it."""

    def __init__(self, library: Any, database: Database, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, search={"full_text": True})
        clock = FakeClock()
        library.engine = provide_search(self.settings, database, clock, [])
        database.write(lambda session: session.run("DELETE FROM full_text"))
        database.write(lambda session: session.run("DELETE FROM consumer"))
        database.write(lambda session: session.run("DELETE FROM job"))
        self.library = library
        self.database = database
        self.outbox = Outbox(database, library.resources, clock=clock)
        kept = [fulltext.consumer(database)]
        self.relay = Relay(self.outbox, kept, self.settings.events, clock=clock)
        self.relay.register()
        self.jobs = Jobs(database, [fulltext.job()], clock=clock)

    def work(self) -> None:
        self.outbox.sequencer.advance()
        self.relay.deliver(fulltext.NAME, threading.Event())
        runs = Runs(self.jobs, self.settings.events)
        for context in runs.claim(4, threading.Event()):
            runs.run(context)

    def ids(self, query: str) -> list[str]:
        return sorted(self.library.ids("Basic", query))

    def notes(self, query: str) -> list[str]:
        page = self.library.page("Basic", query)
        return [f"{one.severity}: {one.diagnostics}" for one in page.issues]


@pytest.fixture
def texts(library: Any, database: Database, tmp_path: Path) -> Iterator[Texts]:
    yield Texts(library, database, tmp_path)
    database.write(lambda session: session.run("DELETE FROM consumer"))


def basic(id: str, text: str = "", narrative: str = "") -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "Basic", "id": id, "code": {"text": text}}
    if narrative:
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{narrative}</div>'
        made["text"] = {"status": "additional", "div": div}
    return made


def test_narrative_and_content_are_searched(texts: Texts) -> None:
    texts.library.put(basic("a", "Feber", "<b>Hoste</b>"), basic("b", "hoste"))
    texts.work()

    assert texts.ids("_text=HOSTE") == ["a"]
    assert texts.ids("_content=hoste") == ["a", "b"]
    assert texts.ids("_content=hoste feber") == ["a"]
    assert texts.ids("_content=feber,x") == ["a"]
    assert texts.ids("_text=feber") == []
    assert texts.ids("_text=hoste&_content=feber&_id=a,b") == ["a"]
    assert texts.notes("_content=hoste") == []


def test_danish_letters_are_letters_of_their_own(texts: Texts) -> None:
    texts.library.put(basic("a", "Blå café"), basic("b", "bla"))
    texts.work()

    assert texts.ids("_content=BLÅ") == ["a"]
    assert texts.ids("_content=bla") == ["b"]
    assert texts.ids("_content=Cafe") == ["a"]


def test_no_phrase_goes_from_one_value_into_the_next(texts: Texts) -> None:
    texts.library.put(basic("first", "second third"))
    texts.work()

    assert texts.ids('_content="second third"') == ["first"]
    assert texts.ids('_content="first second"') == []


def test_words_are_looked_for_behind_a_link_and_in_many_types(texts: Texts) -> None:
    link = {"reference": "Basic/a"}
    texts.library.put(
        basic("a", "feber"), {"resourceType": "Basic", "id": "b", "subject": link}
    )
    texts.work()

    assert texts.ids("subject:Basic._content=feber") == ["b"]
    assert texts.library.ids(None, "_text=x") == []
    assert texts.library.ids(None, "_content=feber") == ["a"]


def test_a_change_replaces_the_words_and_a_deletion_takes_them_away(
    texts: Texts,
) -> None:
    (first,) = texts.library.put(basic("a", "feber"))
    texts.work()
    second = texts.library.change(basic("a", "hoste"), first)
    texts.work()

    assert texts.ids("_content=feber") == []
    assert texts.ids("_content=hoste") == ["a"]

    texts.library.change(None, second)
    texts.work()
    assert texts.ids("_content=hoste") == []
    rows = texts.database.rows("SELECT content FROM full_text")
    assert rows == [("",)]


def test_a_late_or_repeated_event_overwrites_nothing_newer(texts: Texts) -> None:
    (first,) = texts.library.put(basic("a", "feber"))
    second = texts.library.change(basic("a", "hoste"), first)
    texts.work()
    changes = list(texts.outbox.tail(0))

    fulltext.take(texts.database, changes[:1])
    fulltext.take(texts.database, changes[1:])
    fulltext.take(texts.database, changes[::-1])
    assert texts.ids("_content=feber") == []
    assert texts.ids("_content=hoste") == ["a"]

    texts.library.change(None, second)
    texts.work()
    fulltext.take(texts.database, changes)
    assert texts.database.rows("SELECT content FROM full_text") == [("",)]


def test_an_answer_tells_that_the_index_lags(texts: Texts) -> None:
    texts.library.put(basic("a", "feber"), updated=1_700_000_000_000)

    (note,) = texts.notes("_content=feber")
    assert note.startswith("information: the full-text index lags: it is as of 2023-11")

    texts.work()
    assert texts.notes("_content=feber") == []


def test_what_was_stored_before_is_indexed_by_a_job(texts: Texts) -> None:
    texts.library.put(*(basic(f"r{number}", "feber") for number in range(250)))
    texts.work()
    texts.database.write(lambda session: session.run("DELETE FROM full_text"))

    texts.database.write(
        lambda session: fulltext.submit(session, texts.database, FakeClock())
    )
    assert "switched on" in texts.notes("_content=feber")[0]
    texts.work()

    assert texts.notes("_content=feber") == []
    page = texts.library.page("Basic", "_content=feber&_total=accurate")
    assert page.total == 250


def test_a_first_start_with_the_index_has_everything_indexed(
    texts: Texts, database: Database, tmp_path: Path
) -> None:
    def forget(session: Any) -> None:
        session.run("DROP TABLE full_text")
        session.run(f"DELETE FROM schema_version WHERE namespace = '{fulltext.NAME}'")

    database.write(forget)
    texts.library.put(basic("a", "feber"))
    provide_search(texts.settings, database, FakeClock(), [])

    assert [one.name for one in texts.jobs.states()] == [fulltext.NAME]


@pytest.mark.parametrize("name", ["_text", "_content"])
def test_a_server_without_the_index_names_the_setting(library: Any, name: str) -> None:
    with pytest.raises(NotSupported, match=rf"'{name}'.*search\.full_text"):
        library.page("Basic", f"{name}=x")

    assert name not in {one.name for one in library.engine.parameters("Basic")}


def test_a_server_with_the_index_lists_its_parameters(texts: Texts) -> None:
    listed = {one.name for one in texts.library.engine.parameters("Basic")}

    assert {"_text", "_content"} <= listed


@pytest.mark.parametrize(
    "query", ["_text:exact=x", "_text.name=x", "_text:missing=true"]
)
def test_nothing_can_follow_the_name(texts: Texts, query: str) -> None:
    with pytest.raises(NotSupported, match=r"_text.*no (modifier|reference)"):
        texts.library.page("Basic", query)


def test_resources_without_narrative_have_no_text(texts: Texts) -> None:
    with pytest.raises(NotSupported, match="Binary has no search parameter '_text'"):
        texts.library.page("Binary", "_text=x")


def test_a_write_is_not_decided_by_an_index_that_follows_it(texts: Texts) -> None:
    with pytest.raises(NotSupported, match="their index follows a write"):
        texts.database.read(
            lambda session: texts.library.engine.criteria(
                session, texts.library.context("Basic"), "Basic", "_content=feber"
            )
        )


def test_a_query_of_marks_only_is_refused(texts: Texts) -> None:
    with pytest.raises(Invalid, match="must be there"):
        texts.library.page("Basic", "_text=...")


def test_words_are_found_by_the_index(texts: Texts) -> None:
    wanted = FullText("_content", branches("_content", ["a* -b"]))
    found = full_text(texts.database.dialect, wanted)
    asked, values = found.text, found.values

    def plan(session: Any) -> str:
        if session.dialect == "sqlite":
            return str(session.rows(f"EXPLAIN QUERY PLAN {asked}", values))
        session.rows("SELECT set_config('enable_seqscan', 'off', true)")
        return str(session.rows(f"EXPLAIN {asked}", values))

    told = texts.database.write(plan)
    assert "full_text_content" in told or "VIRTUAL TABLE INDEX 0:M" in told, told


TEXT = st.lists(st.sampled_from(ALPHABET), max_size=6).map(" ".join)
RESOURCES = st.lists(st.tuples(TEXT, TEXT), max_size=6)
PHRASES = st.builds(
    lambda parts, quoted, begun: (
        (f'"{" ".join(parts)}"' if quoted else parts[0][:3]) + ("*" if begun else "")
    ),
    st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
)
PARTS = st.tuples(st.sampled_from(["", "", "-", "NOT "]), PHRASES).map("".join)
QUERIES = st.lists(
    st.tuples(PHRASES, st.lists(PARTS, max_size=2)), min_size=1, max_size=3
).map(lambda found: " OR ".join(" ".join([one, *more]) for one, more in found))


def meets(values: list[list[str]], branch: Branch) -> bool:
    """Whether values, each a list of words, have what a branch asks for."""

    def has(phrase: Any) -> bool:
        size = len(phrase.words)
        return any(
            value[at : at + size - 1] == list(phrase.words[:-1])
            and len(value) >= at + size
            and (
                value[at + size - 1].startswith(phrase.words[-1])
                if phrase.begun
                else value[at + size - 1] == phrase.words[-1]
            )
            for value in values
            for at in range(len(value))
        )

    return all(map(has, branch.all)) and not any(map(has, branch.none))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(resources=RESOURCES, query=QUERIES, name=st.sampled_from(["_text", "_content"]))
def test_both_databases_find_what_a_naive_reader_finds(
    texts: Texts, resources: list[tuple[str, str]], query: str, name: str
) -> None:
    texts.library.empty()
    texts.database.write(lambda session: session.run("DELETE FROM full_text"))
    made = {f"r{n}": pair for n, pair in enumerate(resources)}
    for id, (text, narrative) in made.items():
        texts.library.put(basic(id, text, narrative))
    fulltext.take(texts.database, list(texts.outbox.tail(0)))

    def values(id: str) -> list[list[str]]:
        text, narrative = made[id]
        known = [narrative] if name == "_text" else [narrative, text, id]
        return [words(one) for one in known]

    meant = branches(name, [query])
    expected = [id for id in made if any(meets(values(id), one) for one in meant)]
    escaped = query.replace(",", "\\,")
    found = texts.database.read(
        lambda session: texts.library.engine.search(
            session, texts.library.context("Basic"), "Basic", [(name, escaped)]
        )
    )
    assert sorted(one.id for one in found.matches) == sorted(expected)


@settings(max_examples=300, deadline=None)
@given(text=st.text())
def test_any_text_is_a_query_or_is_refused(text: str) -> None:
    try:
        found = branches("_text", [text])
    except Invalid:
        return
    assert all(branch.all for branch in found)
    assert all(
        word.isalnum()
        for branch in found
        for phrase in (*branch.all, *branch.none)
        for word in phrase.words
    )
