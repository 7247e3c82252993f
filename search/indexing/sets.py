"""What resources are found by, agreed on by all processes of one database.

Custom parameters are resources; whoever stores one raises the version of the set in
the same transaction. Each process looks at that number at most once a second, and every
write makes sure that it was indexed by the set in force: ``docs/decisions/reindexing.md``.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock, local
from typing import Any, Protocol

from fyr.core.model import json as fhir
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.resource import Resource
from fyr.core.store.port import Database, Row, Session
from fyr.core.store.versions import HEAD, stored
from fyr.search.extraction.extract import EXTRACTOR, Extractor
from fyr.search.extraction.places import Places
from fyr.search.hashes import hash32
from fyr.search.indexing.checking import accepted
from fyr.search.parameters import ON_THE_ROW, Parameter, Parameters, definitions_digest

#: Longest time in which a process does not hear of another set.
_LOOK_SECONDS = 1.0

_VERSION = "SELECT version, states FROM search_set WHERE id = 1"
_STATES = "SELECT type, generation, ready FROM search_state"
_RESOURCES = f"""
    SELECT {HEAD} FROM resource r
    WHERE r.type = 'SearchParameter' AND r.deleted = 0 ORDER BY r.pid
"""
_RAISE = "UPDATE search_set SET version = version + 1 WHERE id = 1"
# Nothing is inserted while the version is the one that is known. Otherwise the row is
# there already, which ends the transaction as a lost race does: it is run again.
_GUARD = """
    INSERT INTO search_set (id, version, states, built_in)
    SELECT 1, 0, 0, '' FROM search_set WHERE id = 1 AND version <> ?
"""
# Locked by the transaction that raised the version before.
_UNDO = "UPDATE search_state SET generation = 0, target = 0, ready = ? WHERE type = ?"
_FIRST = """
    INSERT INTO search_set (id, version, states, built_in) VALUES (1, 1, 1, ?)
    ON CONFLICT (id) DO NOTHING
"""
_OTHER_BUILT_IN = """
    UPDATE search_set SET version = version + 1, built_in = ?
    WHERE id = 1 AND built_in <> ?
"""
_FIRST_STATE = """
    INSERT INTO search_state
        (type, generation, ready, target, forced, place, done, total, started)
    VALUES (?, ?, ?, 0, 0, 0, 0, 0, 0)
    ON CONFLICT (type) DO NOTHING
"""


class Reader(Protocol):
    """A database or a transaction."""

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Read rows."""


class IndexSet:
    """What resources are found by, at one version; never altered."""

    def __init__(
        self,
        built_in: Sequence[Resource],
        custom: Sequence[Resource],
        version: tuple[int, int],
        states: Mapping[str, tuple[int, Mapping[str, int]]],
        without: Sequence[str] = (),
    ) -> None:
        """Take the parameters of the program and of the store, and what is indexed."""
        self.version = version
        self.custom = tuple(custom)
        self.parameters = Parameters([*built_in, *custom])
        self.places = Places(self.parameters, without)
        self.extractor = Extractor(self.places)
        self._states = states
        self._prints: dict[str, Mapping[str, int]] = {}

    def pending(self, kind: str) -> bool:
        """Whether resources of a type are indexed by something else."""
        state = self._states.get(kind)
        return state is None or state[0] != self.extractor.generation(kind)

    def active(self, parameter: Parameter) -> bool:
        """Whether all resources of its type can be found by a parameter."""
        kind, name = parameter.resource_type, parameter.name
        if name in ON_THE_ROW or parameter.table is None:
            return True
        if not self.pending(kind):
            return True
        return self.ready(kind).get(name) == self.prints(kind)[name]

    def ready(self, kind: str) -> Mapping[str, int]:
        """Tell the parameters that all resources of a type were indexed by."""
        return self._states.get(kind, (0, {}))[1]

    def prints(self, kind: str) -> Mapping[str, int]:
        """Give a number for the definition of each parameter of a type."""
        found = self._prints.get(kind)
        if found is None:
            found = self._prints[kind] = {
                one.name: _print(one) for one in self.places.indexed(kind)
            }
        return found


@lru_cache(maxsize=4096)
def _print(one: Parameter) -> int:
    told = (one.type, one.table, one.paths, one.evaluated, one.components)
    return hash32(f"{one.resource_type} {one.name} {told}")


class Sets:
    """The set in force, as this process knows it; safe between threads."""

    def __init__(
        self,
        database: Reader,
        built_in: Iterable[Resource],
        without: Sequence[str] = (),
    ) -> None:
        """Take where it is kept, and the parameters of plugins.

        :param without: modifiers that get no rows.
        """
        self.database = database
        self.built_in = tuple(built_in)
        self.without = tuple(without)
        self._lock = Lock()
        self._mine = local()
        self._looked = 0.0
        self._eager_until = 0.0
        self._set = self._load(database)

    @property
    def now(self) -> IndexSet:
        """The set of this thread's transaction, or the newest that is known."""
        pinned: IndexSet | None = getattr(self._mine, "set", None)
        return pinned or self.current()

    def current(self, *, at_once: bool = False) -> IndexSet:
        """Give the set in force, as of a second ago at most.

        :param at_once: look now.
        """
        moment = time.monotonic()
        fresh = moment - self._looked < _LOOK_SECONDS and moment > self._eager_until
        if at_once or not fresh:
            self._looked = moment
            self._compare(self.database)
        return self._set

    def newer_than(self, known: IndexSet) -> IndexSet | None:
        """Look whether another set is in force by now; not in a transaction."""
        if getattr(self._mine, "set", None) is not None:
            return None
        found = self.current(at_once=True)
        return found if found is not known else None

    def begin(self, session: Session, *, again: bool) -> None:
        """Hold on to one set on this thread, for a transaction.

        Inside of another one the set stays the one that is held.

        :param again: the transaction was run before and lost a race.
        """
        depth = getattr(self._mine, "depth", 0)
        self._mine.depth = depth + 1
        if depth:
            return
        if session.dialect == "sqlite":
            # Its one writer sees the version that will be in force at the commit.
            self._compare(session)
            self._mine.set = self._set
        else:
            self._mine.set = self.current(at_once=again)

    def end(self) -> None:
        """Let go of what :meth:`begin` held."""
        self._mine.depth -= 1
        if not self._mine.depth:
            self._mine.set = None

    def confirm(self, session: Session) -> None:
        """Have the transaction fail, and run again, if another set is in force by now."""
        if session.dialect != "sqlite" and not self._raised_by(session):
            session.run(_GUARD, (self.now.version[0],))

    def change(self, session: Session, kinds: Iterable[str], codes: set[str]) -> None:
        """Tell all processes, with the commit, that there is another set.

        What is stored meanwhile may lack a parameter that comes back later just as it
        was, so that its types are to be indexed from the beginning in any case.

        :param kinds: types that have other parameters now.
        :param codes: names of these parameters.
        """
        session.run(_RAISE)
        states = self._states(session)
        rows = [
            (_without(states[kind][1], codes), kind) for kind in kinds if kind in states
        ]
        session.run_many(_UNDO, rows)
        self._mine.raised = session
        self._eager_until = time.monotonic() + _LOOK_SECONDS

    def _raised_by(self, session: Session) -> bool:
        # What the same transaction stores is indexed anew like all that was before.
        return getattr(self._mine, "raised", None) is session

    def _states(self, reader: Reader) -> dict[str, tuple[int, dict[str, int]]]:
        return {
            kind: (generation, json.loads(ready))
            for kind, generation, ready in reader.rows(_STATES)
        }

    def _compare(self, reader: Reader) -> None:
        rows = reader.rows(_VERSION)
        if rows and tuple(rows[0]) != self._set.version:
            with self._lock:
                self._set = self._load(reader)

    def _load(self, reader: Reader) -> IndexSet:
        # The version first: what is stored in between is then looked at again.
        rows = reader.rows(_VERSION)
        version = (rows[0][0], rows[0][1]) if rows else (0, 0)
        states = self._states(reader)
        bodies = [stored(row).body for row in reader.rows(_RESOURCES)]
        custom = accepted(self.built_in, [fhir.own(one) for one in bodies if one])
        return IndexSet(self.built_in, custom, version, states, self.without)


def _without(ready: Mapping[str, int], codes: set[str]) -> str:
    return json.dumps({name: one for name, one in ready.items() if name not in codes})


def prepare(
    database: Database, built_in: Sequence[Resource], without: Sequence[str] = ()
) -> None:
    """Make the rows of an empty store, and notice other parameters of the program."""
    mark = _mark(built_in, without)
    rows = database.rows("SELECT built_in FROM search_set WHERE id = 1")
    if rows and rows[0][0] == mark:
        return

    def work(session: Session) -> None:
        session.run(_FIRST, (mark,))
        session.run(_OTHER_BUILT_IN, (mark, mark))
        if session.rows("SELECT 1 FROM search_state LIMIT 1"):
            _notice(session, Sets(session, built_in, without).now)
        else:
            _make_states(session, IndexSet(built_in, (), (0, 0), {}, without))

    database.write(work)


def _make_states(session: Session, known: IndexSet) -> None:
    """Make the row of each type: of one without resources everything is indexed."""
    filled = {row[0] for row in session.rows("SELECT DISTINCT type FROM resource")}
    rows = [
        (kind, 0, "{}")
        if kind in filled
        else (kind, known.extractor.generation(kind), json.dumps(known.prints(kind)))
        for kind in sorted(RESOURCE_TYPES)
    ]
    session.run_many(_FIRST_STATE, rows)


def _notice(session: Session, known: IndexSet) -> None:
    """Begin anew with the types of which a new version of the program takes more."""
    rows = []
    for kind in sorted(RESOURCE_TYPES):
        if known.pending(kind):
            prints, ready = known.prints(kind), known.ready(kind)
            changed = {name for name, one in ready.items() if prints.get(name) != one}
            rows.append((_without(ready, changed), kind))
    session.run_many(_UNDO, rows)


def _mark(built_in: Sequence[Resource], without: Sequence[str]) -> str:
    """Tell the program's own parameters from those of other versions and plugins."""
    told = json.dumps([*without, *built_in], sort_keys=True, default=str)
    return f"{EXTRACTOR}:{definitions_digest()}:{hash32(told)}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a type is on its way to another set."""

    done: int
    total: int
    #: milliseconds since 1970, UTC; 0: not begun
    started: int

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def seconds_left(self, now: int) -> int | None:
        """Guess how long it takes from now on, if there is anything to guess by."""
        if not self.started or not self.done or now <= self.started:
            return None
        rest = max(0, self.total - self.done)
        return round((now - self.started) / 1000 * rest / self.done)

    def told(self, now: int) -> str:
        """Say it in a few words."""
        left = self.seconds_left(now)
        more = "" if left is None else f", about {left} s left"
        return f"{self.fraction:.0%} of the resources are done{more}"


def progress(reader: Reader, kind: str) -> Progress:
    """Read how far a type is."""
    sql = "SELECT done, total, started FROM search_state WHERE type = ?"
    for row in reader.rows(sql, (kind,)):
        return Progress(*row)
    return Progress(0, 0, 0)
