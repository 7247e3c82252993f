"""A database that is one running transaction, for interactions that take part in it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fyr.core.store.port import Row, Session

T = TypeVar("T")


class JoinedDatabase:
    """Runs everything in a transaction that somebody else commits or rolls back."""

    def __init__(self, session: Session) -> None:
        """Take the transaction."""
        self.session = session

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.session.dialect

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Read, and see what the transaction has written."""
        return self.session.rows(sql, params)

    def ahead(self, reads: Sequence[tuple[str, Sequence[Any]]]) -> None:
        """Do nothing: who shares a transaction sees what it has written by then."""

    def read(self, work: Callable[[Session], T], *, seconds: float = 0.0) -> T:
        """Run ``work`` in the transaction, however long it takes."""
        return work(self.session)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in the transaction; the one who began it commits."""
        return work(self.session)

    def health(self) -> str:
        """Tell nothing: the transaction is running."""
        return ""

    def close(self) -> None:
        """Leave it to the one who began the transaction."""
