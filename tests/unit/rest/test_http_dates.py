"""ETags and dates: https://hl7.org/fhir/R4/http.html#concurrency."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid
from fyr.core.rest.http_dates import http_date, modified_since, versions


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('W/"3"', ("3",)),
        ('"3"', ("3",)),
        ('W/"1", W/"2"', ("1", "2")),
        ("*", ("*",)),
        (" * ", ("*",)),
    ],
)
def test_version_ids_are_read_from_etags(header: str, found: tuple[str, ...]) -> None:
    assert versions("If-Match", header) == found


@pytest.mark.parametrize("header", ["3", "", "W/3", 'W/"1",', '"1" "2"'])
def test_what_is_not_a_list_of_etags_is_refused(header: str) -> None:
    with pytest.raises(Invalid, match="If-Match"):
        versions("If-Match", header)


@given(st.integers(0, 4_000_000_000))
def test_dates_are_written_and_read_as_http_has_them(seconds: int) -> None:
    written = http_date(seconds)

    assert written == format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)
    assert modified_since(written) == seconds * 1000


@pytest.mark.parametrize("header", ["", "yesterday", "99999999", "Tue, 99 Foo 2026"])
def test_a_date_that_is_none_is_as_if_it_was_not_sent(header: str) -> None:
    assert modified_since(header) is None


@given(st.text(max_size=40))
def test_any_date_header_is_read_or_left_out(header: str) -> None:
    assert modified_since(header) is None or isinstance(modified_since(header), int)
