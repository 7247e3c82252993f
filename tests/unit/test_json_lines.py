"""The file of JSON lines: added to, whole lines only, for nobody else to read."""

import stat

import pytest

from fyr.core import Unavailable
from fyr.core.json_lines import LinesFile


def test_lines_are_added_to_those_that_are_there(tmp_path) -> None:
    path = tmp_path / "below" / "audit.jsonl"

    LinesFile(path).add([{"n": 1}])
    LinesFile(path).add([{"n": 2}, {"n": 3}])
    LinesFile(path).add([])

    assert path.read_text() == '{"n":1}\n{"n":2}\n{"n":3}\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_line_that_a_crash_left_half_done_spoils_no_other(tmp_path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text('{"n":1}\n{"n"')

    LinesFile(path).add([{"n": 2}])

    assert path.read_text().splitlines() == ['{"n":1}', '{"n"', '{"n":2}']


def test_a_file_that_cannot_be_written_lets_the_consumer_wait(tmp_path) -> None:
    with pytest.raises(Unavailable, match="cannot be written"):
        LinesFile(tmp_path).add([{"n": 1}])
