"""What stored bytes say, parsed once and kept, but neither much of it nor for ever."""

import pytest

from fyr.core.store import versions
from fyr.core.store.bodies import BODIES
from fyr.core.store.versions import content


def kept(text: str) -> bytes:
    return BODIES.packed(b'{"resourceType":"Basic","id":"%s"}' % text.encode())


def test_the_same_bytes_are_parsed_once() -> None:
    first = content(kept("a"))

    assert first == {"resourceType": "Basic", "id": "a"}
    assert content(kept("a")) is first


def test_other_bytes_are_another_resource() -> None:
    assert content(kept("a"))["id"] == "a"
    assert content(kept("b"))["id"] == "b"


def test_little_that_unpacks_to_much_is_not_kept() -> None:
    bomb = kept("a" * 1_000_000)
    assert len(bomb) < 1000

    assert content(bomb) is not content(bomb)


def test_so_many_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_MOST", 10)
    monkeypatch.setattr(versions, "_contents", {})

    for number in range(100):
        content(kept(str(number)))
        assert len(versions._contents) <= 10
