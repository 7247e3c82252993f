"""The full-text index: kept by a consumer, after the commit.

https://hl7.org/fhir/R4/search.html#content. Events may come late, or again: the number of
a version decides, and a deleted resource keeps a row without words, so that nothing older
brings it back.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from importlib.resources import files

from fyr.config.load import ConfigError
from fyr.core.clock import Clock
from fyr.core.events import Change, Consumer
from fyr.core.jobs import Job, JobContext, Jobs
from fyr.core.model.json import own
from fyr.core.store.migrating import migrate
from fyr.core.store.port import Database, Row, Session
from fyr.core.store.resources import ResourceStore
from fyr.search.full_text.words import Words, words_of

#: Name of the consumer, of the job that indexes anew, and of the schema.
NAME = "search-full-text"
#: Parameters that it answers.
PARAMETERS = frozenset({"_text", "_content"})
#: Resources that are indexed anew in one transaction.
_AT_ONCE = 200

#: pid, version and words of a resource.
Entry = tuple[int, int, Words]

_HAS_FTS5 = "SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"
_PID = "SELECT pid FROM resource WHERE type = ? AND id = ?"
_PIDS = """
    SELECT pid FROM resource WHERE pid > ? AND deleted = 0 ORDER BY pid LIMIT ?
"""
_PUT = {
    "sqlite": """
        INSERT OR REPLACE INTO full_text (rowid, version, narrative, content)
        VALUES (?, ?, ?, ?)
    """,
    "postgresql": """
        INSERT INTO full_text (pid, version, narrative, content,
                               narrative_words, content_words)
        VALUES (?, ?, ?, ?, CAST(? AS tsvector), CAST(? AS tsvector))
        ON CONFLICT (pid) DO UPDATE SET
            version = excluded.version,
            narrative = excluded.narrative, content = excluded.content,
            narrative_words = excluded.narrative_words,
            content_words = excluded.content_words
        WHERE full_text.version <= excluded.version
    """,
}


def prepare(database: Database, clock: Clock, *, apply: bool) -> None:
    """Make the tables; what is stored already is indexed by a job.

    :raises ConfigError: this SQLite cannot search in texts.
    """
    if database.dialect == "sqlite" and not database.rows(_HAS_FTS5):
        raise ConfigError(
            ["search.full_text: the SQLite of this Python has no FTS5; leave it off"]
        )
    folder = files("fyr.search.migrations.full_text")
    if migrate(database, namespace=NAME, folder=folder, apply=apply):
        database.write(lambda session: submit(session, database, clock))


def submit(session: Session, database: Database, clock: Clock) -> str:
    """Have everything indexed anew by a worker; tell the job's id."""
    return Jobs(database, clock=clock).submit(session, NAME, subject="all")


def consumer(database: Database) -> Consumer:
    """Make the consumer that keeps the index."""
    many = partial(take, database)
    return Consumer(NAME, lambda change: many([change]), handle_many=many)


def job() -> Job:
    """Make the job that indexes everything anew."""
    return Job(NAME, rebuild)


def take(database: Database, changes: Sequence[Change]) -> None:
    """Index the versions that changes tell of."""
    found = [
        (
            one.type,
            one.id,
            one.version,
            Words() if one.new is None else words_of(one.new),
        )
        for one in changes
    ]

    def work(session: Session) -> None:
        entries = [
            (row[0], version, words)
            for kind, id, version, words in found
            for row in session.rows(_PID, (kind, id))
        ]
        put(entries, session)

    database.write(work)


def rebuild(context: JobContext) -> dict[str, int]:
    """Index all resources anew, in steps; whatever is newer than a step stays."""
    database, after, done = context.database, 0, 0
    store = ResourceStore(database)
    last = database.rows("SELECT MAX(pid) FROM resource")[0][0] or 1
    while pids := [row[0] for row in database.rows(_PIDS, (after, _AT_ONCE))]:
        context.progress(after / last, f"{done:,} resources")
        entries = _entries(database, store, pids)
        database.write(partial(put, entries))
        after, done = pids[-1], done + len(entries)
    return {"resources": done}


def _entries(
    database: Database, store: ResourceStore, pids: Sequence[int]
) -> list[Entry]:
    found = database.read(lambda session: store.read_many(session, pids))
    return [
        (one.pid, one.version, words_of(own(one.body)))
        for one in found
        if one.body is not None
    ]


def put(entries: Iterable[Entry], session: Session) -> None:
    """Write the words of versions, where no newer version has been written."""
    newest = {one[0]: one for one in sorted(entries, key=lambda one: one[:2])}
    if session.dialect == "sqlite":
        rows = [_row(one) for one in newest.values() if not _is_late(session, one)]
    else:
        rows = [(*_row(one), *_vectors(one[2])) for one in newest.values()]
    session.run_many(_PUT[session.dialect], rows)


def _is_late(session: Session, entry: Entry) -> bool:
    """Whether a newer version is indexed; asked under SQLite's one writer."""
    pid, version, _ = entry
    rows = session.rows("SELECT version FROM full_text WHERE rowid = ?", (pid,))
    return bool(rows) and rows[0][0] > version


def _row(entry: Entry) -> Row:
    pid, version, words = entry
    return pid, version, words.narrative, words.content


def _vectors(words: Words) -> tuple[str, str]:
    narrative = set(words.narrative.split())
    return _vector(narrative), _vector(narrative | set(words.content.split()))


def _vector(words: Iterable[str]) -> str:
    return " ".join(f"'{word}'" for word in sorted(words))
