"""The error catalogue: rows from files, errors from rows, one name once."""

import sys

import pytest

from fyr.config.load import ConfigError
from fyr.core.errors import Forbidden, Invalid, NotFound, Refused
from fyr.core.errors.catalogue import ErrorCode, ErrorCodes, read_error_codes

GONE_FISHING = ErrorCode("GONE_FISHING", 422, "%s is away until %s.", "clinic")


@pytest.fixture
def area(tmp_path, monkeypatch):
    """Write an area's file and give the area's import path."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(content: str) -> str:
        folder = tmp_path / "clinic_area"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "errors.toml").write_text(content)
        return folder.name

    yield written
    sys.modules.pop("clinic_area", None)
    read_error_codes.cache_clear()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Invalid), (403, Forbidden), (404, NotFound), (422, Refused)],
)
def test_the_status_of_a_row_decides_what_is_raised(status, kind) -> None:
    error = ErrorCode("A_CODE", status, "no", "clinic").error()

    assert type(error) is kind
    assert error.status == status


def test_an_error_has_the_filled_in_text_the_place_and_the_name() -> None:
    (issue,) = GONE_FISHING.error("Ada", "May", expression=["Task.owner"]).issues

    assert issue.diagnostics == "Ada is away until May."
    assert issue.expression == ("Task.owner",)
    assert issue.error_code == "GONE_FISHING"
    assert (issue.severity, issue.code) == ("error", "processing")


def test_a_value_is_shown_as_it_is() -> None:
    (issue,) = GONE_FISHING.error("50 %s", "%d {0}").issues

    assert issue.diagnostics == "50 %s is away until %d {0}."


@pytest.mark.parametrize("values", [(), ("Ada",), ("Ada", "May", "June")])
def test_another_number_of_values_is_a_programming_error(values) -> None:
    with pytest.raises(TypeError, match="GONE_FISHING takes 2 values"):
        GONE_FISHING.error(*values)


def test_two_rows_with_one_name_are_refused_all_of_them_at_once() -> None:
    rows = [
        ErrorCode(name, 422, "no", area) for area in ("east", "west") for name in "AB"
    ]

    with pytest.raises(ConfigError) as raised:
        ErrorCodes(rows)

    assert raised.value.problems == [
        "error codes: A is in east and west",
        "error codes: B is in east and west",
    ]


def test_an_area_has_a_line_for_each_code_under_its_status(area) -> None:
    codes = read_error_codes(area('[403]\nNOT_YOU = "%s may not."\n[422]\nNO = "No."'))

    assert dict(codes) == {
        "NOT_YOU": ErrorCode("NOT_YOU", 403, "%s may not.", "clinic_area"),
        "NO": ErrorCode("NO", 422, "No.", "clinic_area"),
    }


def test_codes_that_nothing_raises_say_why(area) -> None:
    rows = '[422]\nA = "No."\nB = "No."\nC = "No."\n'
    codes = read_error_codes(area(f'{rows}[not_raised]\n"nobody asks" = ["A", "C"]'))

    assert [one.not_raised for one in codes.values()] == [
        "nobody asks",
        "",
        "nobody asks",
    ]


def test_a_reason_for_a_code_that_is_not_there_is_refused(area) -> None:
    with pytest.raises(ValueError, match=r"^clinic_area: no such codes .*\['B'\]"):
        read_error_codes(area('[422]\nA = "No."\n[not_raised]\n"why" = ["B"]'))


@pytest.mark.parametrize(
    "content",
    ['[403]\nA = "90 %"', '[403]\nA = "%d"', '[299]\nA = "no"', '[x]\nA = "no"'],
)
def test_rows_that_no_error_can_be_made_of_are_refused(area, content) -> None:
    with pytest.raises(ValueError, match=r"^[Axc]"):
        read_error_codes(area(content))


def test_the_core_brings_the_general_codes() -> None:
    assert all(name.startswith("GENERAL_") for name in read_error_codes("fyr.core"))
