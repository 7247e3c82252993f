"""What blobs with their rows promise on every database, whatever comes in between.

Inherit :class:`BlobsContract` and give the fixture ``database``: an empty one whose
schema is up to date.
"""

import threading
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.config.load import ConfigError
from fyr.core.blobs.blobs import Blob
from fyr.core.blobs.filesystem import FilesystemBlobs
from fyr.core.blobs.port import BlobDamaged
from fyr.core.blobs.spool import Spooled
from fyr.core.clock import utc_now
from fyr.core.errors import Conflict, FyrError, Unavailable
from fyr.core.interactions.joined import JoinedDatabase
from fyr.core.store.port import Database, Session
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.blob_world import GRACE, Deployment, Interrupted, World

MASTERS = [b64encode(bytes([number]) * 32).decode() for number in range(3)]


class BlobsContract:
    """Tests to inherit."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Stand still until a test moves on."""
        return FakeClock()

    @pytest.fixture
    def fyr(self, database: Database, tmp_path: Path, clock: FakeClock) -> Deployment:
        """Open blobs with a key that was made."""
        return Deployment(database, tmp_path, clock)

    @pytest.mark.parametrize("plain", [True, False])
    def test_content_comes_back_whole_and_in_parts(
        self, fyr: Deployment, plain: bool
    ) -> None:
        content = bytes(range(256)) * 1000
        blob = fyr.kept(content, plain=plain)

        assert blob.size == len(content)
        assert fyr.content(blob) == content
        assert fyr.content(blob, 65_530, 20) == content[65_530:65_550]
        assert fyr.content(blob, 255_999, 1) == content[-1:]
        assert fyr.blobs.find(blob.id).state == "kept"  # type: ignore[union-attr]

    def test_nobody_who_has_the_disk_can_read_what_is_sealed(
        self, fyr: Deployment
    ) -> None:
        blob = fyr.kept(b"the patient has asthma")

        assert b"asthma" not in b"".join(fyr.blobs.store.read(blob.key))
        assert fyr.put(b"the patient has asthma").key != blob.key

    @pytest.mark.parametrize("damage", ["changed", "cut", "empty"])
    def test_sealed_bytes_that_were_changed_are_found_out(
        self, fyr: Deployment, tmp_path: Path, damage: str
    ) -> None:
        content = bytes(range(256)) * 1000
        blob = fyr.kept(content)
        sealed = b"".join(fyr.blobs.store.read(blob.key))
        changed = bytes([sealed[0] ^ 1]) + sealed[1:]
        other = {"changed": changed, "cut": sealed[:-20], "empty": b""}
        put_there = tmp_path / "damaged"
        put_there.write_bytes(other[damage])
        fyr.blobs.store.remove(blob.key)
        digest = sha256(other[damage]).hexdigest()
        spooled = Spooled(put_there, blob.key, digest, len(other[damage]))
        fyr.blobs.store.keep(spooled)

        with pytest.raises(BlobDamaged):
            fyr.content(blob)

    def test_bytes_of_another_blob_of_the_same_owner_are_not_taken_for_it(
        self, fyr: Deployment
    ) -> None:
        """Not even where whoever swaps them writes to the table too."""
        one, other = fyr.kept(b"first"), fyr.kept(b"other")
        sql = "UPDATE blob SET key = ? WHERE id = ?"
        fyr.blobs.database.write(lambda session: session.run(sql, (other.key, one.id)))
        swapped = fyr.blobs.find(one.id)
        assert swapped is not None

        for part in ((), (1, 2)):
            with pytest.raises(BlobDamaged):
                fyr.content(swapped, *part)

    def test_a_blob_that_no_transaction_refers_to_is_swept(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        def refused(session: Session) -> None:
            fyr.blobs.refer(session, blob.id, "Binary/1")
            raise RuntimeError("no")

        blob = fyr.put()
        with pytest.raises(RuntimeError, match="no"):
            fyr.blobs.database.write(refused)
        assert fyr.sweep.sweep() == 0

        clock.advance(seconds=GRACE)
        assert fyr.sweep.sweep() == 1
        assert fyr.keys() == set()
        with pytest.raises(Conflict, match="send it again"):
            fyr.refer(blob)

    def test_a_blob_that_is_referred_to_stays(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        blob = fyr.kept()
        clock.advance(days=400)

        assert fyr.sweep.sweep() == 0
        assert fyr.content(blob) == b"fyr"

    def test_a_release_counts_once_it_is_committed(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        def refused(session: Session) -> None:
            fyr.blobs.release(session, blob.id)
            raise RuntimeError("no")

        blob = fyr.kept()
        with pytest.raises(RuntimeError, match="no"):
            fyr.blobs.database.write(refused)
        clock.advance(days=1)
        assert fyr.sweep.sweep() == 0

        fyr.release(blob)
        assert fyr.blobs.find(blob.id) is None
        # Who has begun to read it reads to the end.
        assert (fyr.sweep.sweep(), fyr.content(blob)) == (0, b"fyr")
        clock.advance(seconds=GRACE)
        assert (fyr.sweep.sweep(), fyr.keys()) == (1, set())

    def test_what_belongs_to_one_cannot_be_referred_to_by_another(
        self, fyr: Deployment
    ) -> None:
        blob = fyr.kept()
        fyr.refer(blob)

        with pytest.raises(Conflict):
            fyr.refer(blob, "Binary/2")
        with pytest.raises(Conflict):
            fyr.blobs.database.write(
                lambda session: fyr.blobs.refer(session, "none", "Binary/2")
            )

    def test_bytes_that_two_share_stay_for_the_second(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        one, other = fyr.kept(plain=True), fyr.kept(plain=True)
        assert len(fyr.keys()) == 1

        fyr.release(one)
        clock.advance(days=1)
        fyr.sweep.sweep()
        assert fyr.content(other) == b"fyr"

        fyr.release(other)
        clock.advance(days=1)
        fyr.sweep.sweep()
        assert fyr.keys() == set()

    def test_a_store_that_is_down_loses_nothing(
        self, fyr: Deployment, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sweep goes on where it was, once nobody else can be at it."""
        fyr.put(plain=True)
        clock.advance(seconds=GRACE)
        with monkeypatch.context() as patched:
            patched.setattr(fyr.blobs.store, "remove", _down)
            with pytest.raises(Unavailable):
                fyr.sweep.sweep()
        with pytest.raises(Unavailable, match="just being removed"):
            fyr.put(plain=True)
        assert fyr.sweep.sweep() == 0

        clock.advance(seconds=GRACE)
        assert (fyr.sweep.sweep(), fyr.keys()) == (1, set())
        assert fyr.content(fyr.kept(plain=True)) == b"fyr"

    def test_the_same_bytes_are_refused_while_they_are_removed(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        def meanwhile() -> None:
            with pytest.raises(Unavailable, match="just being removed"):
                fyr.kept(plain=True)
            tried.append(True)

        tried: list[bool] = []
        fyr.put(plain=True)
        clock.advance(seconds=GRACE)
        folder = fyr.settings.data_dir / "blobs"
        fyr.blobs.store = Interrupted(folder, meanwhile)
        assert (fyr.sweep.sweep(), tried) == (1, [True, True])

        fyr.blobs.store = FilesystemBlobs(folder)
        assert fyr.content(fyr.kept(plain=True)) == b"fyr"

    def test_a_blob_is_looked_at_again_before_it_is_swept(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        def meanwhile() -> None:
            if fyr.blobs.find(late.id).state == "pending":  # type: ignore[union-attr]
                fyr.refer(late)

        fyr.put(b"first")
        clock.advance(seconds=1)
        late = fyr.put(b"second")
        clock.advance(seconds=GRACE)
        fyr.blobs.store = Interrupted(fyr.settings.data_dir / "blobs", meanwhile)

        assert fyr.sweep.sweep() == 1
        assert fyr.content(late) == b"second"

    def test_bytes_without_a_row_go_when_they_are_old(
        self, fyr: Deployment, clock: FakeClock
    ) -> None:
        kept = fyr.kept(b"kept")
        with fyr.blobs.spool.gather([b"orphan"]) as spooled:
            fyr.blobs.store.keep(spooled)
        clock.now = utc_now()
        assert fyr.sweep.adopt() == 0

        clock.advance(days=31)
        assert fyr.sweep.adopt() == 1
        assert fyr.sweep.adopt() == 0
        fyr.sweep.sweep()
        assert fyr.keys() == {kept.key}

    def test_another_master_key_opens_what_was_sealed_before(
        self, database: Database, tmp_path: Path, clock: FakeClock
    ) -> None:
        before = Deployment(database, tmp_path, clock, master_key=MASTERS[0])
        blobs = {name: before.kept(name.encode(), owner=name) for name in "abc"}
        with pytest.raises(FyrError, match="former_master_key"):
            Deployment(database, tmp_path, clock, master_key=MASTERS[1])

        both = {"master_key": MASTERS[1], "former_master_key": MASTERS[0]}
        rotated = Deployment(database, tmp_path, clock, **both)
        assert rotated.content(blobs["a"]) == b"a"
        assert (rotated.blobs.keys.rewrap(), rotated.blobs.keys.rewrap()) == (3, 0)

        after = Deployment(database, tmp_path, clock, master_key=MASTERS[1])
        assert [after.content(blob) for blob in blobs.values()] == [b"a", b"b", b"c"]
        with pytest.raises(FyrError, match="former_master_key"):
            Deployment(database, tmp_path, clock, master_key=MASTERS[0])

    def test_a_key_of_a_transaction_that_is_rolled_back_is_forgotten(
        self, fyr: Deployment, database: Database, tmp_path: Path, clock: FakeClock
    ) -> None:
        """Or what is sealed with it afterwards could never be opened again."""

        def joined(session: Session, *, fails: bool) -> Blob:
            blob = fyr.put(b"x", owner="Patient/1", database=JoinedDatabase(session))
            fyr.blobs.refer(session, blob.id, "Binary/1")
            if fails:
                raise RuntimeError("no")
            return blob

        with pytest.raises(RuntimeError, match="no"):
            database.write(lambda session: joined(session, fails=True))
        blobs = [
            database.write(lambda session: joined(session, fails=False)),
            fyr.kept(b"x", owner="Patient/1"),
        ]

        restarted = Deployment(database, tmp_path, clock)
        assert [restarted.content(blob) for blob in blobs] == [b"x"] * 2

    def test_a_key_that_is_put_in_the_place_of_another_owners_opens_nothing(
        self, fyr: Deployment, database: Database, tmp_path: Path, clock: FakeClock
    ) -> None:
        blob = fyr.kept(owner="Patient/1")
        fyr.kept(owner="Patient/2")
        sql = (
            "UPDATE blob_owner_key SET wrapped = (SELECT wrapped FROM blob_owner_key"
            " WHERE owner = 'Patient/2') WHERE owner = 'Patient/1'"
        )
        database.write(lambda session: session.run(sql))

        with pytest.raises(FyrError, match="tampered with"):
            Deployment(database, tmp_path, clock).content(blob)

    @pytest.mark.parametrize("key", ["short", "c2hvcnQ=", "ø" * 44])
    def test_a_master_key_that_is_none_is_refused(
        self, database: Database, tmp_path: Path, clock: FakeClock, key: str
    ) -> None:
        with pytest.raises(ConfigError, match=r"blobs\.master_key: is to be 32 bytes"):
            Deployment(database, tmp_path, clock, master_key=key)

    def test_the_key_that_is_made_is_one_for_all(
        self, database: Database, tmp_path: Path, clock: FakeClock
    ) -> None:
        made = [Deployment(database, tmp_path, clock) for _ in range(4)]
        ready, blobs = threading.Barrier(4), []

        def work(one: Deployment) -> None:
            ready.wait(60)
            blobs.append(one.kept(owner="Patient/1"))

        threads = [threading.Thread(target=work, args=(one,)) for one in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert {one.content(blob) for one in made for blob in blobs} == {b"fyr"}
        assert len(blobs) == 4
        assert [path.name for path in tmp_path.glob("blobs.key*")] == ["blobs.key"]

    @settings(
        max_examples=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def test_nothing_that_is_referred_to_is_ever_lost(
        self, database: Database, tmp_path: Path, clock: FakeClock, data: st.DataObject
    ) -> None:
        """Writers, releases and sweeps come in between of each other's steps."""
        world = World(database, tmp_path, clock, data)
        for _ in range(data.draw(st.integers(3, 10))):
            world.step()

        world.check()
        for blob in world.kept:
            world.fyr.release(blob)
        clock.now = max(clock.now, utc_now()) + timedelta(days=40)
        world.fyr.blobs.store = FilesystemBlobs(world.folder)
        world.fyr.sweep.sweep()
        # Who was slower than the grace has left bytes that no row tells of.
        world.fyr.sweep.adopt()
        world.fyr.sweep.sweep()
        assert world.fyr.keys() == set()


def _down(key: str) -> None:
    raise Unavailable("the blob store cannot be reached")
