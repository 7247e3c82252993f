"""The head of an answer is as waitress writes it, and goes out with the body."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waitress.task import WSGITask

from fyr.core.rest.waitress_task import KeepingTask

NAMES = st.sampled_from(["etag", "Location", "x-request-id", "Date", "WARNING"])
VALUES = st.text(
    st.characters(codec="latin-1", categories=["L", "N"]), min_size=1, max_size=9
)


class Channel:
    """Takes what is written."""

    def __init__(self) -> None:
        self.server = self
        self.adj = SimpleNamespace(ident=None)
        self.written: list[bytes] = []

    def write_soon(self, data: bytes) -> None:
        self.written.append(data)


def begun(kind: type[WSGITask], status: str, headers: Any, length: int | None) -> Any:
    request = SimpleNamespace(version="1.1", headers={})
    task: Any = kind(Channel(), request)
    task.complete, task.start_time = True, 1.8e9
    task.status, task.response_headers = status, list(headers)
    task.content_length = length
    return task


@given(
    st.sampled_from(["200 OK", "404 Not Found"]),
    st.lists(st.tuples(NAMES, VALUES), unique_by=lambda pair: pair[0]),
    st.integers(0, 10**9),
)
def test_a_head_has_the_lines_that_waitress_writes(
    status: str, headers: list[tuple[str, str]], length: int
) -> None:
    ours, theirs = (
        begun(kind, status, headers, length) for kind in (KeepingTask, WSGITask)
    )
    first, *lines = ours.build_response_header().split(b"\r\n")
    same_first, *same_lines = theirs.build_response_header().split(b"\r\n")

    assert first == same_first
    assert sorted(lines) == sorted(same_lines)
    assert lines[-2:] == [b"", b""]
    assert not ours.close_on_finish


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_tells_no_length(status: str) -> None:
    task = begun(KeepingTask, status, [("Content-Length", "0"), ("ETag", "1")], 0)

    head = task.build_response_header()

    assert b"Content-Length" not in head
    assert b"Etag: 1\r\n" in head
    assert not task.close_on_finish


def test_an_answer_of_unknown_length_is_written_in_chunks() -> None:
    task = begun(KeepingTask, "200 OK", [], None)
    task.write(b"ab")
    task.write(b"c")
    task.finish()

    head, *parts = task.channel.written
    assert b"Transfer-Encoding: chunked\r\n" in head
    assert b"".join(parts) == b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"


@pytest.mark.parametrize(("size", "writes"), [(3, 1), (65_536, 1), (65_537, 2)])
def test_a_body_goes_out_with_its_head_unless_it_is_large(
    size: int, writes: int
) -> None:
    task = begun(KeepingTask, "200 OK", [], size)
    task.write(bytes(size))
    task.finish()

    assert len(task.channel.written) == writes
    assert b"".join(task.channel.written).endswith(b"\r\n\r\n" + bytes(size))
    assert task.content_bytes_written == size


def test_a_body_in_parts_is_cut_at_its_length() -> None:
    task = begun(KeepingTask, "200 OK", [], 3)
    task.logger = SimpleNamespace(warning=lambda *_: None)
    task.write(b"ab")
    task.write(b"cde")

    assert b"".join(task.channel.written).endswith(b"\r\n\r\nabc")


def test_a_head_alone_is_written_for_a_head_request() -> None:
    task = begun(KeepingTask, "200 OK", [("content-length", "7")], 7)
    task.finish()

    (head,) = task.channel.written
    assert b"Content-Length: 7\r\n" in head
    assert head.endswith(b"\r\n\r\n")
