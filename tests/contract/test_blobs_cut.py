"""A blob of S3 whose connection breaks in the middle, or that comes otherwise than it was."""

from collections.abc import Iterator
from random import Random

import pytest
from blake3 import blake3

from fyr.core.blobs.getting import PIECE, TRIES
from fyr.core.blobs.port import BlobDamaged
from fyr.core.blobs.s3 import S3Blobs
from fyr.core.errors import Unavailable
from fyr.core.testing.receiver import Received, Receiver, Reply, receiving

CONTENT = Random(5).randbytes(3 * PIECE + 1000)
KEY = blake3(CONTENT).hexdigest()


class Cutting:
    """An S3 that has one blob, and cuts each answer that there is a number for."""

    def __init__(self, *cuts: int) -> None:
        self.content = CONTENT
        self.cuts = list(cuts)
        self.ranges: list[str | None] = []
        self.knows_ranges = True

    def __call__(self, request: Received) -> Reply:
        told = request.headers.get("range")
        self.ranges.append(told)
        cut = self.cuts.pop(0) if self.cuts else None
        if told is None or not self.knows_ranges:
            return Reply(200, self.content, cut=cut)
        first, last = told.removeprefix("bytes=").split("-")
        until = int(last) + 1 if last else None
        return Reply(206, self.content[int(first) : until], cut=cut)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def store(receiver: Receiver) -> Iterator[S3Blobs]:
    made = S3Blobs(
        receiver.url.removeprefix("http://"),
        "bucket",
        access_key="a",
        secret_key="b",
        secure=False,
    )
    yield made
    made.close()


def read(store: S3Blobs, start: int = 0, length: int | None = None) -> list[bytes]:
    """Read until it ends or fails; the failure is raised by the test that looks for it."""
    return list(store.read(KEY, start, length))


def test_a_read_goes_on_where_its_connection_broke(
    receiver: Receiver, store: S3Blobs
) -> None:
    receiver.answers = server = Cutting(PIECE + 5, 7, 2 * PIECE)

    assert b"".join(read(store)) == CONTENT
    first, then = f"bytes={PIECE}-", f"bytes={3 * PIECE}-"
    assert server.ranges == [None, first, first, then]


def test_a_part_that_broke_off_ends_where_it_was_to_end(
    receiver: Receiver, store: S3Blobs
) -> None:
    receiver.answers = server = Cutting(PIECE + 5)

    assert b"".join(read(store, 10, 2 * PIECE)) == CONTENT[10 : 10 + 2 * PIECE]
    last = 10 + 2 * PIECE - 1
    assert server.ranges == [f"bytes=10-{last}", f"bytes={10 + PIECE}-{last}"]


def test_a_connection_that_always_breaks_is_given_up(
    receiver: Receiver, store: S3Blobs
) -> None:
    receiver.answers = server = Cutting(*[100] * 50)

    with pytest.raises(Unavailable):
        read(store)

    assert len(server.ranges) == 1 + TRIES


def test_a_store_that_goes_away_in_the_middle_is_told(
    receiver: Receiver, store: S3Blobs
) -> None:
    server = Cutting(PIECE + 5)
    receiver.answers = lambda request: Reply(503) if server.ranges else server(request)
    chunks = store.read(KEY)

    with pytest.raises(Unavailable):
        list(chunks)

    assert len(receiver.received) == 2


def test_who_sends_the_beginning_again_is_not_taken_for_the_rest(
    receiver: Receiver, store: S3Blobs
) -> None:
    receiver.answers = server = Cutting(PIECE + 5)
    server.knows_ranges = False

    with pytest.raises(Unavailable, match="gives no parts"):
        read(store)


@pytest.mark.parametrize("at", [0, PIECE + 1, len(CONTENT) - 1])
def test_the_end_of_what_was_changed_never_comes(
    receiver: Receiver, store: S3Blobs, at: int
) -> None:
    receiver.answers = server = Cutting(2 * PIECE)
    server.content = CONTENT[:at] + bytes([CONTENT[at] ^ 1]) + CONTENT[at + 1 :]
    came: list[bytes] = []

    with pytest.raises(BlobDamaged):
        came.extend(store.read(KEY))

    assert [len(chunk) for chunk in came] == [PIECE] * 3


def test_reads_that_stopped_half_way_leave_the_store_whole(
    receiver: Receiver, store: S3Blobs
) -> None:
    for number in range(20):
        receiver.answers = Cutting(*[2 * PIECE] * (number % 2))
        chunks = store.read(KEY)
        assert (next(chunks), next(chunks)) == (
            CONTENT[:PIECE],
            CONTENT[PIECE:][:PIECE],
        )
        chunks.close()

    receiver.answers = Cutting()
    assert b"".join(read(store)) == CONTENT
