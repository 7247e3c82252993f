"""What a blob store promises, whatever it keeps its blobs in.

Inherit :class:`BlobStoreContract` and give the fixtures ``store``, an empty one, and
``spool``, a folder that suits it.
"""

import threading
import tracemalloc
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import ClassVar

import pytest
from blake3 import blake3

from fyr.core.blobs.port import CHUNK, BlobDamaged, BlobMissing, BlobStore, checked
from fyr.core.blobs.spool import Spool
from fyr.core.errors import Unavailable
from fyr.core.testing.contracts.threads import at_once

MEGABYTE = 1024 * 1024


def stream(size: int, seed: int = 1) -> Iterator[bytes]:
    """Make bytes that are the same for the same seed, in odd pieces."""
    random = Random(seed)
    block = random.randbytes(77_777)
    while size > 0:
        # Each piece begins elsewhere, so that pieces in another order are seen.
        shift = random.randrange(len(block))
        piece = (block[shift:] + block[:shift])[:size]
        size -= len(piece)
        yield piece


def put(store: BlobStore, spool: Spool, content: bytes | Iterator[bytes]) -> str:
    """Keep a blob and tell its key."""
    chunks = [content] if isinstance(content, bytes) else content
    with spool.gather(chunks) as spooled:
        store.keep(spooled)
        return spooled.key


class BlobStoreContract:
    """Tests to inherit."""

    #: bytes of Python's memory that a blob of 64 MB may take on its way in or out
    memory: ClassVar[int] = 4 * MEGABYTE

    @pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 4_000_001])
    def test_a_blob_is_read_as_it_was_kept(
        self, store: BlobStore, spool: Spool, size: int
    ) -> None:
        content = b"".join(stream(size))

        key = put(store, spool, content)

        assert key == blake3(content).hexdigest()
        assert store.size(key) == size
        assert b"".join(store.read(key)) == content

    @pytest.mark.parametrize(
        ("start", "length"),
        [(0, 0), (0, 1), (1, CHUNK), (CHUNK - 1, 2), (699_999, 1), (1000, None)],
    )
    def test_a_part_of_a_blob_is_read(
        self, store: BlobStore, spool: Spool, start: int, length: int | None
    ) -> None:
        content = b"".join(stream(700_000))
        key = put(store, spool, content)

        part = b"".join(store.read(key, start, length))

        assert part == content[start : None if length is None else start + length]

    def test_a_large_blob_passes_in_little_memory(
        self, store: BlobStore, spool: Spool
    ) -> None:
        tracemalloc.start()
        try:
            key = put(store, spool, stream(64 * MEGABYTE))
            digest = blake3()
            for chunk in store.read(key):
                digest.update(chunk)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

        assert digest.hexdigest() == key
        assert peak < self.memory

    def test_a_blob_that_is_kept_twice_is_one(
        self, store: BlobStore, spool: Spool
    ) -> None:
        keys = {put(store, spool, b"the same") for _ in range(2)}

        assert [one.key for one in store.walk()] == list(keys)

    def test_many_keep_one_blob_at_the_same_time(
        self, store: BlobStore, spool: Spool
    ) -> None:
        ready = threading.Barrier(4)

        def one(_: int) -> str:
            ready.wait(60)
            return put(store, spool, stream(1_000_000))

        (key,) = {str(told) for told in at_once(one, range(4))}

        assert sum(len(chunk) for chunk in store.read(key)) == 1_000_000

    def test_a_blob_that_is_not_there_is_told_before_it_is_read(
        self, store: BlobStore
    ) -> None:
        key = blake3(b"never").hexdigest()

        for length in (None, 0, 10):
            with pytest.raises(BlobMissing):
                store.read(key, 5 if length else 0, length)
        with pytest.raises(BlobMissing):
            store.size(key)

    def test_a_blob_that_was_removed_is_gone(
        self, store: BlobStore, spool: Spool
    ) -> None:
        key = put(store, spool, b"away")
        store.remove(key)
        store.remove(key)

        with pytest.raises(BlobMissing):
            store.size(key)
        assert list(store.walk()) == []
        assert b"".join(store.read(put(store, spool, b"away"))) == b"away"

    def test_all_blobs_are_told_in_the_order_of_their_keys(
        self, store: BlobStore, spool: Spool
    ) -> None:
        keys = sorted(put(store, spool, b"%d" % number) for number in range(20))

        found = list(store.walk())

        assert [one.key for one in found] == keys
        assert {one.size for one in found} == {1, 2}
        assert all(one.modified > 1_600_000_000_000 for one in found)
        assert [one.key for one in store.walk(after=keys[7])] == keys[8:]

    @pytest.mark.parametrize("key", ["", "../../etc/passwd", "A" * 64, "a" * 63])
    def test_what_is_no_key_goes_nowhere(self, store: BlobStore, key: str) -> None:
        for ask in (store.size, store.read, store.remove):
            with pytest.raises(ValueError, match="not the key of a blob"):
                ask(key)

    def test_reads_that_are_given_up_hold_nothing(
        self, store: BlobStore, spool: Spool
    ) -> None:
        key = put(store, spool, stream(2_000_000))
        for _ in range(100):
            chunks = store.read(key)
            assert next(chunks)
            chunks.close()

        assert sum(len(chunk) for chunk in store.read(key)) == 2_000_000

    def test_a_stream_that_breaks_off_leaves_nothing(
        self, store: BlobStore, spool: Spool
    ) -> None:
        def broken() -> Iterator[bytes]:
            yield from islice(stream(1_000_000), 3)
            raise Unavailable("the sender is gone")

        with pytest.raises(Unavailable, match="the sender is gone"):
            put(store, spool, broken())

        assert list(store.walk()) == []
        assert list(spool.folder.iterdir()) == []

    def test_a_store_that_answers_is_healthy(self, store: BlobStore) -> None:
        assert store.health() == ""


@pytest.mark.parametrize("size", [1, CHUNK])
@pytest.mark.parametrize("pieces", ["abd", "ab", "abcc", "bac", ""])
def test_what_is_not_its_key_never_arrives_whole(pieces: str, size: int) -> None:
    arrived: list[bytes] = []
    key = blake3(b"".join(letter * size for letter in (b"a", b"b", b"c"))).hexdigest()
    sent = [letter.encode() * size for letter in pieces]

    with pytest.raises(BlobDamaged):
        arrived.extend(checked(key, sent))

    assert arrived == sent[:-1]
