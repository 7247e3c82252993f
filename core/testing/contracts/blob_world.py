"""A deployment's blobs for the contract, and a world in which all happens in between."""

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st

from fyr.config.settings import Settings
from fyr.core.blobs.blobs import Blob, Blobs
from fyr.core.blobs.filesystem import FilesystemBlobs
from fyr.core.blobs.open import BLOBS, open_blobs
from fyr.core.blobs.spool import Spooled
from fyr.core.blobs.sweep import Sweep
from fyr.core.errors import Conflict, Unavailable
from fyr.core.store.migrating import migrate
from fyr.core.store.port import Database
from fyr.core.store.resources import ResourceStore
from fyr.core.testing.clock import FakeClock

GRACE = 3600
#: Contents that hypothesis chooses from; the same ones meet often.
CONTENTS = [b"a", b"a", b"b"]


class Deployment:
    """A process with blobs in a folder."""

    def __init__(
        self, database: Database, folder: Path, clock: FakeClock, **options: Any
    ) -> None:
        """Open them."""
        self.settings = Settings.model_validate(
            {"data_dir": folder, "blobs": {"grace_seconds": GRACE, **options}}
        )
        resources = ResourceStore(database)
        self.blobs: Blobs = open_blobs(self.settings, database, resources, clock)
        self.sweep = Sweep(self.blobs)

    def put(self, content: bytes = b"fyr", **options: Any) -> Blob:
        """Keep a blob that nothing refers to yet."""
        return self.blobs.put([content], content_type="text/plain", **options)

    def kept(self, content: bytes = b"fyr", **options: Any) -> Blob:
        """Keep a blob that something refers to."""
        blob = self.put(content, **options)
        self.refer(blob)
        return blob

    def refer(self, blob: Blob, subject: str = "Binary/1") -> None:
        """Refer to a blob in a transaction of its own."""
        self.blobs.database.write(
            lambda session: self.blobs.refer(session, blob.id, subject)
        )

    def release(self, blob: Blob) -> None:
        """Refer to it no more."""
        self.blobs.database.write(lambda session: self.blobs.release(session, blob.id))

    def content(self, blob: Blob, *part: int) -> bytes:
        """Read a blob or a part of it."""
        return b"".join(self.blobs.read(blob, *part))

    def keys(self) -> set[str]:
        """Tell what the store has."""
        return {one.key for one in self.blobs.store.walk()}


class Interrupted(FilesystemBlobs):
    """A folder in which others do something before and after each change."""

    def __init__(self, folder: Path, between: Callable[[], None]) -> None:
        super().__init__(folder)
        self._between = between

    def keep(self, spooled: Spooled) -> None:
        self._between()
        super().keep(spooled)
        self._between()

    def remove(self, key: str) -> None:
        self._between()
        super().remove(key)
        self._between()


class World:
    """Steps that hypothesis chooses, also in the middle of other steps."""

    def __init__(
        self, database: Database, folder: Path, clock: FakeClock, data: st.DataObject
    ) -> None:
        folder /= uuid4().hex
        migrate(database, namespace=BLOBS, folder=files("fyr.core.blobs.migrations"))
        # Of the example before.
        database.write(lambda session: session.run("DELETE FROM blob"))
        database.write(lambda session: session.run("DELETE FROM blob_owner_key"))
        self.fyr = Deployment(database, folder, clock)
        self.folder = folder / "blobs"
        self.fyr.blobs.store = Interrupted(self.folder, self._between)
        self.clock, self.data = clock, data
        self.pending: list[Blob] = []
        self.kept: list[Blob] = []
        self.contents: dict[str, bytes] = {}
        self._depth = 0

    def step(self) -> None:
        steps = [self._put, self._refer, self._release, self._sweep]
        self.data.draw(st.sampled_from(steps))()

    def check(self) -> None:
        for blob in self.kept:
            assert self.fyr.content(blob) == self.contents[blob.id]

    def _between(self) -> None:
        if self._depth < 3 and self.data.draw(st.booleans()):
            self._depth += 1
            self.step()
            self._depth -= 1

    def _put(self) -> None:
        content = self.data.draw(st.sampled_from(CONTENTS))
        plain = self.data.draw(st.sampled_from([True, True, True, False]))
        try:
            blob = self.fyr.put(content, plain=plain)
        except Unavailable:
            return
        self.contents[blob.id] = content
        self.pending.append(blob)
        if self.data.draw(st.booleans()):
            self._refer()

    def _refer(self) -> None:
        if self.pending:
            blob = self.pending.pop()
            try:
                self.fyr.refer(blob)
            except Conflict:
                return
            self.kept.append(blob)

    def _release(self) -> None:
        if self.kept:
            at = self.data.draw(st.integers(0, len(self.kept) - 1))
            self.fyr.release(self.kept.pop(at))

    def _sweep(self) -> None:
        # Never as long as the grace within a step of somebody else: that is the
        # promise that the sweep stands on.
        self.clock.advance(seconds=GRACE + 1 if self._depth == 0 else GRACE // 8)
        self.fyr.sweep.sweep()
