"""A table with base URLs of its own, and what it tells of changes."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from fyr.core import Change
from fyr.plugins.notifications.table import read_table
from fyr.plugins.notifications.telling import Notification, Telling

PREFIX = "http://ehealth.sundhed.dk/fut/2020/02/27:"


def absolute(service: str, reference: str) -> str:
    if "://" in reference:
        return reference
    return f"https://{service or 'other'}.example.test/fhir/{reference}"


def telling(corrections: Mapping[int, Mapping[str, Any]] | None = None) -> Telling:
    return Telling(read_table(corrections), absolute, PREFIX)


@pytest.fixture
def told() -> Callable[[Change], list[Notification]]:
    """Tell the notifications of a change, by the table as it comes."""
    return telling().notifications


@pytest.fixture
def told_with() -> Callable[..., Telling]:
    """Tell by a table with corrections."""
    return telling
