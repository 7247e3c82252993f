"""Lines of a file, however it is cut."""

from hypothesis import given
from hypothesis import strategies as st

from fyr.plugins.bulk_data.lines import Line, lines_of

LIMIT = 8
CONTENT = st.binary(max_size=80).map(lambda data: data.replace(b"x", b"\n"))


@st.composite
def cut(draw: st.DrawFn) -> list[bytes]:
    return draw(st.lists(st.text("ab\n", max_size=12).map(str.encode), max_size=12))


def read(chunks: list[bytes], **where: int) -> list[Line]:
    return list(lines_of(chunks, LIMIT, **where))


@given(cut())
def test_lines_do_not_depend_on_how_the_bytes_come(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)

    assert read(chunks) == read([whole])


@given(cut())
def test_lines_are_those_of_the_content(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)
    expected = whole.split(b"\n")
    if not expected[-1]:
        expected.pop()

    found = read(chunks)

    assert [one.number for one in found] == list(range(1, len(expected) + 1))
    for one, line in zip(found, expected, strict=True):
        assert one.too_long == (len(line) > LIMIT)
        assert one.data == (b"" if one.too_long else line)


@given(cut(), st.integers(0, 20))
def test_whoever_goes_on_behind_a_line_reads_the_same(
    chunks: list[bytes], place: int
) -> None:
    whole = b"".join(chunks)
    found = read([whole])
    last = found[min(place, len(found) - 1)] if found else Line(0, b"", 0)

    rest = read([whole[last.end :]], number=last.number, offset=last.end)

    assert rest == found[last.number :]
    assert not found or found[-1].end == len(whole)
