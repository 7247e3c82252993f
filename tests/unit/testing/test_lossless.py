"""The comparison that says "came back unchanged" sees every change."""

import pytest

from fyr.core.testing.lossless import differences

SENT = (
    b'{"resourceType":"Timing","id":"a","event":["2020-01-01",null],'
    b'"_event":[null,{"id":"e"}],"value":1.00,"count":[1,2],"on":true}'
)


@pytest.mark.parametrize(
    ("was", "became"),
    [
        (b"1.00", b"1.0"),
        (b"1.00", b'"1.00"'),
        (b"1.00", b"1.00e0"),
        (b"[1,2]", b"[2,1]"),
        (b"[1,2]", b"[1]"),
        (b"[1,2]", b"[1,2,3]"),
        (b"[1,2]", b"{}"),
        (b"true", b"1"),
        (b"true", b'"true"'),
        (b"true", b"null"),
        (b"2020-01-01", b"2020-01-01T00:00:00Z"),
        (b',"_event":[null,{"id":"e"}]', b""),
        (b'[null,{"id":"e"}]', b'[{"id":"e"},null]'),
        (b'"value":1.00,"count":[1,2]', b'"count":[1,2],"value":1.00'),
        (b'"id":"a"', b'"id":"b"'),
        (b'"on":true', b'"on":true,"more":0'),
    ],
)
def test_a_change_is_seen(was: bytes, became: bytes) -> None:
    assert was in SENT

    assert len(differences(SENT, SENT.replace(was, became))) >= 1


def test_white_space_and_escapes_are_no_change() -> None:
    assert differences(SENT, SENT.replace(b",", b" ,\n\t")) == []
    assert differences(b'{"id":"\xc3\xa5"}', b'{"id":"\\u00e5"}') == []


def test_what_the_server_sets_is_no_change() -> None:
    mine = b'{"id":"a","meta":{"lastUpdated":"2000","profile":["p"]},"on":true}'
    theirs = b'{"id":"a","meta":{"versionId":"2","profile":["p"]},"on":true}'
    bare = b'{"id":"a","on":true}'
    stamped = b'{"id":"a","meta":{"versionId":"2","lastUpdated":"2020"},"on":true}'

    assert differences(mine, theirs) == []
    assert differences(bare, stamped) == []
    assert len(differences(mine, stamped)) == 1


def test_the_place_is_told() -> None:
    before = b'{"a":{"b":[{"c":1.00}]}}'

    assert differences(before, before.replace(b"1.00", b"1.0")) == [
        ".a.b[0].c: b'1.00' became b'1.0'"
    ]
