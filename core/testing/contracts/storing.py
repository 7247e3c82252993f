"""What contracts about the resource store begin with: versions, and putting them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fyr.core.store.port import Database, Key, NewVersion, Session, Stored
from fyr.core.store.resources import ResourceStore


def version(reference: str, number: int = 1, **more: Any) -> NewVersion:
    """Make a version of ``Patient/1`` with a body that tells its number."""
    type_, id_ = reference.split("/")
    values: dict[str, Any] = {
        "updated": 1000 * number,
        "method": "POST" if number == 1 else "PUT",
        "body": b'{"n":%d}' % number,
    }
    return NewVersion(type_, id_, number, **{**values, **more})


class StoringContract:
    """A store on the database of ``opening``, a fixture of who inherits."""

    @pytest.fixture
    def database(self, opening: Callable[[], Database]) -> Iterator[Database]:
        opened = opening()
        yield opened
        opened.close()

    @pytest.fixture
    def store(self, database: Database) -> ResourceStore:
        return ResourceStore(database)

    def put(self, store: ResourceStore, *versions: NewVersion) -> list[Stored]:
        return store.database.write(lambda session: store.put(session, versions))

    def change(self, store: ResourceStore, reference: str, **more: Any) -> Stored:
        """Store the next version, whatever the present one is, as writers do."""
        type_, id_ = reference.split("/")
        key: Key = (type_, id_)

        def work(session: Session) -> Stored:
            head = store.lock(session, [key]).get(key)
            pid, number = (head.pid, head.version + 1) if head else (0, 1)
            new = version(reference, number, pid=pid, **more)
            return store.put(session, [new])[0]

        return store.database.write(work)
