"""Formats, views and preferences: https://hl7.org/fhir/R4/http.html#mime-type."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import FyrError, Invalid, NotAcceptable, UnsupportedMediaType
from fyr.core.rest.answers import takes_gzip
from fyr.core.rest.negotiation import (
    PLAIN,
    accepted,
    body_format,
    preferences,
    view,
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "json"),
        ("", "json"),
        ("application/fhir+json", "json"),
        ("application/json", "json"),
        ("application/fhir+xml", "xml"),
        ("text/xml", "xml"),
        ("application/fhir+xml;q=0.4, application/fhir+json;q=0.5", "json"),
        ("application/fhir+xml, application/fhir+json", "json"),
        ("application/fhir+xml, */*;q=0.1", "xml"),
        ("APPLICATION/FHIR+XML; charset=UTF-8", "xml"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "xml"),
        ("text/turtle, application/json;q=0.1", "json"),
    ],
)
def test_the_format_that_the_client_likes_best_is_made(accept: str, form: str) -> None:
    assert accepted(accept).format == form


@pytest.mark.parametrize(
    "accept",
    [
        "text/turtle",
        "image/png, text/html",
        "application/fhir+json;q=0",
        "application/fhir+json; fhirVersion=5.0",
    ],
)
def test_a_client_that_takes_nothing_of_ours_is_told(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        accepted(accept)


def test_the_version_is_told_to_a_client_that_asks_for_one() -> None:
    made = accepted("application/fhir+json; fhirVersion=4.0")

    assert made.content_type == "application/fhir+json; charset=utf-8; fhirVersion=4.0"


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        ("json", "json"),
        ("xml", "xml"),
        ("application/fhir+xml", "xml"),
        ("application/fhir xml", "xml"),
        ("text/json", "json"),
    ],
)
def test_format_in_the_url_wins_over_the_header(asked: str, form: str) -> None:
    assert view("text/turtle", (("_format", asked),)).format == form


def test_a_format_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(NotAcceptable):
        view("*/*", (("_format", "ttl"),))


def test_search_parameters_leave_the_plain_view_as_it_is() -> None:
    assert view(None, (("name", "Åse"),)) is PLAIN


def test_elements_of_several_parameters_are_joined() -> None:
    made = view(None, (("_elements", "id,name"), ("_elements", " birthDate")))

    assert made.elements == ("id", "name", "birthDate")
    assert made.shaped


@pytest.mark.parametrize("pair", [("_pretty", "yes"), ("_summary", "some")])
def test_a_view_that_does_not_exist_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(Invalid):
        view(None, (pair,))


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("application/fhir+json", "json"),
        ("application/fhir+json; charset=UTF-8", "json"),
        ("application/json;charset=utf-8; fhirVersion=4.0", "json"),
        ("text/xml", "xml"),
    ],
)
def test_bodies_are_read_by_their_content_type(content_type: str, form: str) -> None:
    assert body_format(content_type) == form


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "",
        "application/fhir+json; charset=iso-8859-1",
        "application/fhir+json; fhirVersion=3.0",
    ],
)
def test_other_bodies_are_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        body_format(content_type)


@pytest.mark.parametrize(
    ("prefer", "returns", "handling"),
    [
        ("return=minimal", "minimal", "strict"),
        ("return=OperationOutcome; handling=lenient", "OperationOutcome", "lenient"),
        ('handling="lenient", return="representation"', "representation", "lenient"),
        ("respond-async, wait=10", "", "strict"),
        ("return=minimal, return=representation", "minimal", "strict"),
    ],
)
def test_preferences_are_read(prefer: str, returns: str, handling: str) -> None:
    found = preferences(prefer)

    assert (found.returns, found.handling) == (returns, handling)


@pytest.mark.parametrize(
    ("codings", "taken"),
    [
        ("gzip", True),
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.2", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("br", False),
    ],
)
def test_gzip_is_made_for_those_who_take_it(codings: str, taken: bool) -> None:
    assert takes_gzip(codings) is taken


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_headers_say_is_read_or_refused(one: str, other: str) -> None:
    params = (("_format", other), ("_summary", one), ("_elements", other))

    for attempt in (
        lambda: accepted(one),
        lambda: body_format(one),
        lambda: preferences(one),
        lambda: takes_gzip(one),
        lambda: view(one, params),
    ):
        assert refusal_of(attempt) in (0, 400, 406, 415)


def refusal_of(attempt: Callable[[], object]) -> int:
    try:
        attempt()
    except FyrError as error:
        return error.status
    return 0
