"""Sealed frames: any part opens, and nothing that was touched does."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.core.blobs.port import BlobDamaged
from fyr.core.blobs.sealing import (
    FRAME,
    TAG,
    content_key,
    place,
    seal,
    sealed_size,
    unseal,
)

KEY = content_key(b"k" * 32, "blob-1")
SIZES = st.one_of(
    st.integers(0, 40),
    st.sampled_from([FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME + 7]),
)


def content_of(size: int) -> bytes:
    return bytes(number * 7 % 251 for number in range(251)) * (size // 251 + 1)


def in_pieces(content: bytes, step: int) -> Iterator[bytes]:
    for at in range(0, len(content), step):
        yield content[at : at + step]


@settings(max_examples=150, deadline=None)
@given(
    size=SIZES,
    step=st.sampled_from([1000, 4096, FRAME, FRAME + TAG, 200_000]),
    data=st.data(),
)
def test_every_part_of_what_was_sealed_opens(
    size: int, step: int, data: st.DataObject
) -> None:
    content = content_of(size)[:size]
    start = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size - start))

    sealed = b"".join(seal(KEY, in_pieces(content, step)))
    assert len(sealed) == sealed_size(size)
    offset, count = place(size, start, length)
    part = sealed[offset : offset + count]

    opened = b"".join(unseal(KEY, size, start, length, in_pieces(part, step)))
    assert opened == content[start : start + length]


@settings(max_examples=100, deadline=None)
@given(size=SIZES, data=st.data())
def test_a_bit_that_was_changed_is_found_out(size: int, data: st.DataObject) -> None:
    sealed = bytearray(b"".join(seal(KEY, [content_of(size)[:size]])))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(BlobDamaged):
        list(unseal(KEY, size, 0, size, [bytes(sealed)]))


def damaged(sealed: bytes) -> dict[str, bytes]:
    one, two, three = (
        sealed[at : at + FRAME + TAG] for at in range(0, len(sealed), FRAME + TAG)
    )
    return {
        "reordered": two + one + three,
        "one left out": one + three,
        "the last left out": one + two,
        "cut": sealed[:-1],
        "one twice": one + one + three,
        "something after it": sealed + three,
        "nothing": b"",
    }


@pytest.mark.parametrize("name", damaged(b"x" * (2 * (FRAME + TAG) + 30)))
def test_frames_that_were_moved_or_cut_are_found_out(name: str) -> None:
    content = content_of(2 * FRAME + 9)[: 2 * FRAME + 9]
    sealed = b"".join(seal(KEY, [content]))
    opened = unseal(KEY, len(content), 0, len(content), [damaged(sealed)[name]])

    arrived = []
    with pytest.raises(BlobDamaged):
        arrived.extend(opened)
    assert b"".join(arrived) == content[: len(b"".join(arrived))]


def test_a_shorter_content_cannot_be_made_of_a_longer_one() -> None:
    """A row that says less is no way to have an inner frame taken for the last."""
    sealed = b"".join(seal(KEY, [b"x" * (2 * FRAME)]))

    with pytest.raises(BlobDamaged):
        list(unseal(KEY, FRAME, 0, FRAME, [sealed[: FRAME + TAG]]))


def test_another_blob_of_the_same_owner_does_not_open() -> None:
    sealed = list(seal(KEY, [b"content"]))
    other = content_key(b"k" * 32, "blob-2")

    with pytest.raises(BlobDamaged):
        list(unseal(other, 7, 0, 7, sealed))
