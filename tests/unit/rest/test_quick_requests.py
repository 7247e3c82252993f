"""Reads by id are quick, unless a plugin has a say in them; nothing else is."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser

from fyr.core.app import build
from fyr.core.declarations.services import ALL_TYPE_INTERACTIONS, Service, TypeRules
from fyr.core.hooks.markers import hookimpl
from fyr.core.hooks.plugin import Plugin
from fyr.core.rest.quick_requests import QuickReads
from fyr.core.testing.applications import settings_with

READ = "GET /fhir/Patient/1"


class Watching(Plugin):
    @hookimpl
    def completed(self) -> None:
        """Has a say in each request."""


class Glancing(Plugin):
    @hookimpl(quick=True)
    def authorize(self) -> None:
        """Has a say in each request, and waits for nobody."""


class GlancingAndWatching(Glancing):
    @hookimpl
    def completed(self) -> None:
        """Has one more say, and may wait."""


class Storing(Plugin):
    @hookimpl
    def stored(self) -> None:
        """Has none in a read."""


class Serving(Plugin):
    @hookimpl
    def register_services(self) -> list[Service]:
        """Offer a second service, with a dot in its path."""
        rules = {"Patient": TypeRules(ALL_TYPE_INTERACTIONS)}
        return [Service("patient", "v1.0/patient", "Patients", rules)]


def parsed(start: str, headers: str = "") -> Any:
    request = HTTPRequestParser(Adjustments())
    request.received(f"{start} HTTP/1.1\r\n{headers}\r\n".encode())
    assert request.completed
    return request


def quick_in(
    folder: Path, mode: str = "auto", plugin: type[Plugin] | None = None
) -> Callable[[Any], bool]:
    settings = settings_with({"server": {"quick_reads": mode}}, folder)
    application = build(settings, plugins={"one": plugin} if plugin else None)
    try:
        return QuickReads(application).takes
    finally:
        application.close()


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any], bool]:
    return quick_in(tmp_path_factory.mktemp("data"), plugin=Serving)


@pytest.mark.parametrize(
    "start",
    [
        READ,
        "HEAD /fhir/Patient/1",
        "GET /fhir/Patient/a-b.C",
        "GET /fhir/Patient/1/_history/3",
        "GET /v1.0/patient/Patient/1",
    ],
)
def test_a_read_by_id_is_quick(quick: Callable[[Any], bool], start: str) -> None:
    assert quick(parsed(start))


@pytest.mark.parametrize(
    ("start", "headers"),
    [
        ("PUT /fhir/Patient/1", ""),
        ("GET /fhir/Patient", ""),
        ("GET /fhir/Patient?name=x", ""),
        ("GET /fhir/Patient/1?_format=xml", ""),
        ("GET /fhir/Patient/1?_summary=true", ""),
        (READ, "Accept: application/fhir+xml\r\n"),
        ("GET /fhir/Patient/_search", ""),
        ("GET /fhir/Patient/$everything", ""),
        ("GET /fhir/Patient/1/$everything", ""),
        ("GET /fhir/Patient/1/_history", ""),
        ("GET /fhir/metadata/operations", ""),
        ("GET /fhir/metadata", ""),
        ("GET /other/Patient/1", ""),
        ("GET /v1x0/patient/Patient/1", ""),
        ("GET /health/ready", ""),
        ("nonsense", ""),
    ],
)
def test_nothing_else_is_quick(
    quick: Callable[[Any], bool], start: str, headers: str
) -> None:
    assert not quick(parsed(start, headers))


def test_what_is_no_request_at_all_is_not_quick(quick: Callable[[Any], bool]) -> None:
    assert not quick(SimpleNamespace(error="broken"))


@pytest.mark.parametrize(
    ("mode", "plugin", "expected"),
    [
        ("auto", None, True),
        ("auto", Storing, True),
        ("auto", Watching, False),
        ("auto", Glancing, True),
        ("auto", GlancingAndWatching, False),
        ("always", Watching, True),
        ("never", None, False),
    ],
)
def test_reads_are_quick_when_no_plugin_has_a_say_unless_told(
    tmp_path: Path, mode: str, plugin: type[Plugin] | None, expected: bool
) -> None:
    assert quick_in(tmp_path, mode, plugin)(parsed(READ)) is expected
