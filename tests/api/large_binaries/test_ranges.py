"""Parts of large content, and what is not sent again."""

import gzip

import pytest

from fyr.core.testing.client import Client

from .stored import LARGE, OTHER, PDF, raw, stored


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=65530-65600", 65_530, 65_601),
        ("bytes=300000-", 300_000, 300_001),
        ("bytes=-5", 299_996, 300_001),
        ("bytes=1-999999999", 1, 300_001),
        ("bytes=-999999999", 0, 300_001),
    ],
)
def test_a_range_is_answered(
    fyr_client: Client, asked: str, start: int, end: int
) -> None:
    answer = raw(fyr_client, stored(fyr_client), Range=asked)

    assert (answer.status, answer.body) == (206, LARGE[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/300001"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "lines=1-2", "bytes=1-2,5-6", "bytes=-", "bytes=a-b"]
)
def test_a_range_that_is_none_is_ignored(fyr_client: Client, asked: str) -> None:
    answer = raw(fyr_client, stored(fyr_client), Range=asked)

    assert (answer.status, answer.body) == (200, LARGE)


@pytest.mark.parametrize("asked", ["bytes=300001-", "bytes=900000-900001", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(fyr_client: Client, asked: str) -> None:
    answer = raw(fyr_client, stored(fyr_client), Range=asked)

    assert answer.status == 416
    assert answer.headers["content-range"] == "bytes */300001"


def test_a_range_is_answered_only_of_the_version_that_it_is_meant_for(
    fyr_client: Client,
) -> None:
    path = stored(fyr_client)
    first = raw(fyr_client, path).headers
    assert first["etag"] == '"1"'

    same = [
        raw(fyr_client, path, Range="bytes=1-2", If_Range=first[name]).status
        for name in ("etag", "last-modified")
    ]
    fyr_client.put(path, OTHER, Content_Type=PDF)
    later = raw(fyr_client, path, Range="bytes=1-2", If_Range='"1"')
    weak = raw(fyr_client, path, Range="bytes=1-2", If_Range='W/"2"')

    assert same == [206, 206]
    assert [(one.status, one.body) for one in (later, weak)] == [(200, OTHER)] * 2


def test_who_has_the_content_already_is_not_sent_it_again(fyr_client: Client) -> None:
    path = stored(fyr_client)

    assert raw(fyr_client, path, If_None_Match='"1"').status == 304
    assert fyr_client.put(path, OTHER, Content_Type=PDF, If_Match='"1"').status == 200


def test_head_tells_about_the_content(fyr_client: Client) -> None:
    path = stored(fyr_client)

    native = fyr_client.request("HEAD", path, headers={"Accept": PDF})
    fhir = fyr_client.request("HEAD", path)

    assert (native.headers["content-length"], native.body) == ("300001", b"")
    whole = len(fyr_client.get(path).body)
    assert (fhir.headers["content-length"], fhir.body) == (str(whole), b"")


def test_packed_content_is_unpacked(fyr_client: Client) -> None:
    packed = gzip.compress(LARGE)

    path = stored(fyr_client, packed, Content_Encoding="gzip")
    cut = fyr_client.post(
        "Binary", packed[:-9], Content_Type=PDF, Content_Encoding="gzip"
    )

    assert raw(fyr_client, path).body == LARGE
    assert cut.status == 400
