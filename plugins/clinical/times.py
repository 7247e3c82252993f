"""Moments as the clinical services write them, and how they read them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def second(moment: datetime) -> str:
    """Write a moment as a FHIR dateTime to the second, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def moment_of(text: Any) -> datetime | None:
    """Read a FHIR dateTime; ``None`` for what is none. One without a zone is in UTC."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
