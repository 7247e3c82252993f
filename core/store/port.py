"""The store's port: a database of plain rows, and the versions kept in it.

An adapter gives :class:`Database`; everything else (resources, outbox, jobs, plugins'
tables) is written once on :class:`Session`, in SQL that both dialects take: ``?`` for
parameters, integers for booleans and for times (milliseconds since 1970, UTC), text
for JSON, bytes for bodies.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]
#: index table -> rows without their ``pid``, columns as ``schema.INDEX_TABLES`` has them;
#: ``schema.CONTAINED`` -> those of the resources inside
IndexRows = Mapping[str, Sequence[Row]]
Key = tuple[str, str]


class Session(Protocol):
    """One transaction, on the thread that runs it."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""

    def rows(
        self, sql: str, params: Sequence[Any] = (), *, last: bool = False
    ) -> list[Row]:
        """Run a statement and fetch what it returns; sees all that was run before.

        :param last: nothing is asked after it; in a ``read`` of one statement an adapter
            may then do without a transaction.
        """

    def run(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run a statement; an adapter may send it later, before ``rows`` or commit."""

    def run_many(self, sql: str, params: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters, in as few trips as it can."""


class Database(Protocol):
    """Where rows are kept; safe to share between threads."""

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Read outside any transaction: the fast path."""

    def ahead(self, reads: Sequence[tuple[str, Sequence[Any]]]) -> None:
        """Fetch together what this thread is about to ask :meth:`rows` for.

        Until the next call, which may be with none. Where a read is no trip there is
        nothing to be saved, and nothing done.
        """

    def read(self, work: Callable[[Session], T], *, seconds: float = 0.0) -> T:
        """Run ``work`` on one consistent snapshot; nothing it writes is kept.

        :param seconds: its statements are ended after that time; 0: never.
        :raises fyr.core.errors.TookTooLong: they were.
        """

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction and commit; an exception rolls all back.

        ``work`` must be repeatable: it is run again after a deadlock, a serialization
        failure or a unique violation by a concurrent writer.

        :raises fyr.core.errors.Conflict: it lost every retry.
        :raises fyr.core.errors.Unavailable: the database cannot be reached.
        """

    def health(self) -> str:
        """Empty when it answers, otherwise one sentence about what is wrong."""

    def close(self) -> None:
        """Let running work end and give everything back."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One version as it is kept; ``body`` is the JSON that is served, byte by byte."""

    pid: int
    type: str
    id: str
    version: int
    #: milliseconds since 1970, UTC; ``meta.lastUpdated`` in ``body`` is the same instant
    updated: int
    #: ``POST``, ``PUT``, ``PATCH`` or ``DELETE``: what made this version
    method: str
    #: ``None`` for the version that a delete makes
    body: bytes | None
    #: of the newest version: ``SearchEngine.generation`` when its index rows were taken
    indexed: int = field(default=0, compare=False)

    @property
    def deleted(self) -> bool:
        """Whether this version says that the resource is gone."""
        return self.body is None


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to be stored; ``pid`` is 0 for a resource that is new."""

    type: str
    id: str
    version: int
    updated: int
    method: str
    body: bytes | None
    pid: int = 0
    index: IndexRows = field(default_factory=dict)
    trace_id: str = ""
    #: ``SearchEngine.generation`` of ``index``; 0: not known
    indexed: int = 0
    #: the index rows that are stored of the version before; ``None``: not known
    before: IndexRows | None = None
