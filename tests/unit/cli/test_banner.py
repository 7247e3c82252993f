"""What ``fyr serve`` says that it serves is served."""

from fyr.config.settings import Settings
from fyr.core.cli.serving import _where

URL = "http://127.0.0.1:8080"


def test_the_service_that_has_everything_is_named_where_it_is() -> None:
    moved = Settings(services={"fhir": {"path": "all"}})

    assert f"try {URL}/fhir/metadata" in _where(Settings(), URL)
    assert f"try {URL}/all/metadata" in _where(moved, URL)


def test_a_service_that_is_off_is_not_named() -> None:
    off = Settings(services={"fhir": {"enabled": False}})

    assert "metadata" not in _where(off, URL)
