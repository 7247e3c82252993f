"""Both blob stores keep the contract; what is special about each."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fyr.core.blobs.filesystem import FilesystemBlobs
from fyr.core.blobs.port import BlobDamaged, BlobMissing, BlobStore
from fyr.core.blobs.s3 import WHOLE, S3Blobs
from fyr.core.blobs.spool import Spool
from fyr.core.errors import FyrError, Unavailable
from fyr.core.testing.contracts.blobs import (
    MEGABYTE,
    BlobStoreContract,
    put,
    test_what_is_not_its_key_never_arrives_whole,
)
from fyr.core.testing.minio import MinioServer, available, running_minio
from fyr.core.testing.receiver import Receiver, Reply, receiving
from fyr.core.testing.servers import absent

__all__ = ["test_what_is_not_its_key_never_arrives_whole"]


class TestFilesystem(BlobStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BlobStore:
        return FilesystemBlobs(tmp_path / "blobs")

    @pytest.fixture
    def spool(self, tmp_path: Path) -> Spool:
        return Spool(tmp_path / "blobs" / "incoming")

    def test_nothing_is_made_before_the_first_blob(
        self, store: BlobStore, tmp_path: Path
    ) -> None:
        assert (store.health(), list(store.walk())) == ("", [])
        assert list(tmp_path.iterdir()) == []

    def test_nobody_else_on_the_machine_may_look(
        self, store: BlobStore, spool: Spool, tmp_path: Path
    ) -> None:
        key = put(store, spool, b"private")
        file = tmp_path / "blobs" / key[:2] / key[2:4] / key

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700

    def test_a_file_and_its_name_reach_the_disk_before_anybody_is_told(
        self,
        store: BlobStore,
        spool: Spool,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        synced: list[int] = []
        real = os.fsync

        def fsync(descriptor: int) -> None:
            synced.append(os.fstat(descriptor).st_ino)
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        key = put(store, spool, b"fyr")

        file = tmp_path / "blobs" / key[:2] / key[2:4] / key
        assert synced[-1] == file.parent.stat().st_ino
        assert file.stat().st_ino in synced[:-1]

    @pytest.mark.parametrize("damage", [b"fyX", b"fy", b"fyrr"])
    def test_a_file_that_was_changed_is_found_out(
        self, store: BlobStore, spool: Spool, tmp_path: Path, damage: bytes
    ) -> None:
        key = put(store, spool, b"fyr")
        (tmp_path / "blobs" / key[:2] / key[2:4] / key).write_bytes(damage)

        with pytest.raises(BlobDamaged):
            list(store.read(key))

    def test_a_file_that_was_cut_is_healed_by_who_brings_it_again(
        self, store: BlobStore, spool: Spool, tmp_path: Path
    ) -> None:
        key = put(store, spool, b"fyr")
        (tmp_path / "blobs" / key[:2] / key[2:4] / key).write_bytes(b"f")

        put(store, spool, b"fyr")

        assert b"".join(store.read(key)) == b"fyr"

    def test_a_folder_that_cannot_be_made_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"")
        store = FilesystemBlobs(tmp_path / "file" / "blobs")

        assert store.health() == "the folder of blobs cannot be written"
        with pytest.raises(Unavailable):
            put(store, Spool(tmp_path), b"x")
        with pytest.raises(Unavailable):
            put(store, Spool(tmp_path / "file" / "incoming"), b"x")

    def test_what_a_dead_process_has_gathered_is_removed(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path)
        with spool.gather([b"fresh"]) as fresh, spool.gather([b"left"]) as left:
            os.utime(left.path, (0, 0))

            assert spool.tidy() == 1
            assert (fresh.path.exists(), left.path.exists()) == (True, False)


@pytest.fixture(scope="module")
def minio() -> Iterator[MinioServer]:
    if why := available():
        absent("minio", why)
    with running_minio() as server:
        yield server


def opened(
    server: MinioServer, bucket: str, secret: str | None = None, whole: int = WHOLE
) -> S3Blobs:
    return S3Blobs(
        server.endpoint,
        bucket,
        access_key=server.access_key,
        secret_key=server.secret_key if secret is None else secret,
        secure=False,
        whole=whole,
    )


class TestMinio(BlobStoreContract):
    @pytest.fixture
    def store(self, minio: MinioServer) -> Iterator[S3Blobs]:
        made = opened(minio, minio.new_bucket())
        yield made
        made.close()

    @pytest.fixture
    def spool(self, tmp_path: Path) -> Spool:
        return Spool(tmp_path)

    def test_a_bucket_that_is_there_is_enough(self, store: S3Blobs) -> None:
        store.require()

    def test_a_bucket_that_is_not_there_is_told(self, minio: MinioServer) -> None:
        with pytest.raises(FyrError, match="there is no bucket no-such-bucket"):
            opened(minio, "no-such-bucket").require()
        with pytest.raises(FyrError, match=r"blobs\.url: "):
            opened(minio, "A").require()

    def test_credentials_that_are_wrong_are_told(self, minio: MinioServer) -> None:
        store = opened(minio, minio.new_bucket(), secret="another secret")

        with pytest.raises(FyrError, match=r"refuses the credentials of \[blobs\]"):
            store.require()

    def test_a_link_gives_the_blob_to_who_has_it(
        self, store: S3Blobs, spool: Spool
    ) -> None:
        import httpx

        key = put(store, spool, b"general material")
        url = store.link(key, 60, "text/plain")

        assert url is not None
        answer = httpx.get(url)
        assert (answer.status_code, answer.content) == (200, b"general material")
        assert answer.headers["content-type"] == "text/plain"
        assert answer.headers["content-disposition"] == "attachment"
        assert httpx.get(url.partition("?")[0]).status_code == 403

    def test_what_has_changed_on_its_way_is_not_kept(
        self, store: S3Blobs, spool: Spool
    ) -> None:
        with spool.gather([b"fyr"]) as spooled:
            spooled.path.write_bytes(b"fyX")

            with pytest.raises(Unavailable, match="SHA256"):
                store.keep(spooled)

        with pytest.raises(BlobMissing):
            store.size(spooled.key)

    @pytest.mark.parametrize("now", [b"fyr and more", b"f"])
    def test_what_has_grown_or_shrunk_is_not_sent(
        self, store: S3Blobs, spool: Spool, now: bytes
    ) -> None:
        with spool.gather([b"fyr"]) as spooled:
            spooled.path.write_bytes(now)

            with pytest.raises(Unavailable, match="has changed"):
                store.keep(spooled)

        # The connection is as good as it was.
        with pytest.raises(BlobMissing):
            store.size(spooled.key)


class TestMinioInParts(BlobStoreContract):
    # One part and what the client makes of it.
    memory = 48 * MEGABYTE

    @pytest.fixture
    def store(self, minio: MinioServer) -> Iterator[S3Blobs]:
        made = opened(minio, minio.new_bucket(), whole=1000)
        yield made
        made.close()

    @pytest.fixture
    def spool(self, tmp_path: Path) -> Spool:
        return Spool(tmp_path)


def test_an_s3_that_nobody_answers_for_is_told(tmp_path: Path) -> None:
    store = S3Blobs(
        "127.0.0.1:9", "bucket", access_key="a", secret_key="b", secure=False
    )

    assert store.health() == "the blob store cannot be reached"
    with pytest.raises(Unavailable):
        put(store, Spool(tmp_path), b"x")
    with pytest.raises(Unavailable):
        store.read("a" * 64)


@pytest.fixture
def between(tmp_path: Path) -> Iterator[tuple[Receiver, S3Blobs]]:
    """Somebody who answers in the place of S3, such as a proxy."""
    with receiving() as receiver:
        store = S3Blobs(
            receiver.url.removeprefix("http://"),
            "bucket",
            access_key="a",
            secret_key="b",
            secure=False,
        )
        yield receiver, store
        store.close()


@pytest.mark.parametrize("body", [b"later", b"\xff\xfe"])
def test_an_error_that_is_no_xml_though_it_says_so_is_told(
    between: tuple[Receiver, S3Blobs], body: bytes
) -> None:
    receiver, store = between
    receiver.answers = lambda request: Reply(
        503, body, {"Content-Type": "application/xml"}
    )

    with pytest.raises(Unavailable, match="not able to answer"):
        store.read("a" * 64)


def test_a_blob_is_kept_only_by_who_says_what_was_stored(
    between: tuple[Receiver, S3Blobs], tmp_path: Path
) -> None:
    receiver, store = between
    receiver.answers = lambda request: Reply(404 if request.method == "HEAD" else 200)

    with pytest.raises(Unavailable, match="not able to answer"):
        put(store, Spool(tmp_path), b"fyr")


def test_a_region_that_may_be_another_one_is_named(
    between: tuple[Receiver, S3Blobs],
) -> None:
    receiver, store = between
    receiver.answers = lambda request: Reply(400)

    with pytest.raises(Unavailable, match=r"BadRequest; is blobs\.region"):
        store.require()
