"""Parts that will go, and what answers say of them."""

from datetime import date

import pytest

from fyr.core.declarations.deprecation import Deprecation, Deprecations


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/old", True),
        ("/old/Patient/1", True),
        ("/old/new", False),
        ("/old/new/x", False),
        ("/older", False),
        ("/", False),
        ("", False),
    ],
)
def test_a_part_is_a_path_with_all_below_it_unless_that_is_another_part(
    path: str, told: bool
) -> None:
    parts = Deprecations()
    parts.add("/old/", Deprecation(date(2027, 1, 1)))
    parts.add("/old/new", Deprecation(date(2028, 1, 1)))

    headers = parts.headers(path)
    assert (headers == {"deprecation": "@1798761600"}) is told


def test_headers_are_those_of_the_rfcs() -> None:
    gone = Deprecation(date(2027, 1, 1), date(2027, 7, 1), "https://example.org/new")

    assert gone.headers == {
        "deprecation": "@1798761600",
        "sunset": "Thu, 01 Jul 2027 00:00:00 GMT",
        "link": '<https://example.org/new>; rel="deprecation"',
    }
