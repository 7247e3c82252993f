"""Bodies come back as they were, whatever they are and whenever they were packed."""

from hashlib import sha256
from importlib.resources import files

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import FyrError
from fyr.core.store.bodies import BODIES, DICTIONARIES, Bodies
from fyr.core.testing.contracts.threads import at_once

PATIENT = (
    b'{"resourceType":"Patient","id":"1","meta":{"versionId":"1",'
    b'"lastUpdated":"2026-01-01T00:00:00.000Z"},"gender":"female"}'
)
#: A dictionary that a store was packed with stays as it is: a better one has a new number.
DIGESTS = ["d6b670ebf0a29d3399e20451fb6ebd286b6794e2cfd92e65ea27ccfb464331ff"]


def dictionary(number: int) -> bytes:
    return files("fyr.core.store").joinpath(f"bodies.{number}.zdict").read_bytes()


@given(st.binary(max_size=3000))
def test_any_body_comes_back(body: bytes) -> None:
    assert BODIES.unpacked(BODIES.packed(body)) == body


def test_a_small_resource_takes_half_its_room() -> None:
    assert len(BODIES.packed(PATIENT)) < len(PATIENT) / 2


def test_what_cannot_be_packed_takes_one_byte_more() -> None:
    body = sha256(b"nothing repeats").digest()

    assert len(BODIES.packed(body)) == len(body) + 1
    assert BODIES.unpacked(BODIES.packed(body)) == body


def test_a_deletion_has_no_body() -> None:
    assert BODIES.packed(None) is BODIES.unpacked(None) is None


def test_bodies_of_an_older_dictionary_stay_readable() -> None:
    first, second = dictionary(1), zstandard.ZstdCompressionDict(PATIENT * 9).as_bytes()
    before, now = Bodies([first]), Bodies([first, second])

    old, new = before.packed(PATIENT), now.packed(PATIENT)

    assert old != new
    assert now.unpacked(old) == now.unpacked(new) == PATIENT
    with pytest.raises(FyrError, match="a later version"):
        before.unpacked(new)


def test_a_damaged_body_is_told() -> None:
    with pytest.raises(FyrError, match="damaged"):
        BODIES.unpacked(BODIES.packed(PATIENT)[:-5])


def test_threads_pack_and_unpack_at_the_same_time() -> None:
    def work(number: int) -> bool:
        bodies = [PATIENT * (number + n % 7) for n in range(300)]
        return all(BODIES.unpacked(BODIES.packed(body)) == body for body in bodies)

    assert at_once(work, range(8)) == [True] * 8


def test_no_dictionary_has_been_altered() -> None:
    numbers = range(1, DICTIONARIES + 1)

    assert [sha256(dictionary(number)).hexdigest() for number in numbers] == DIGESTS
