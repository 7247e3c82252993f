"""Moments as the clinical services write them; :mod:`fyr.core.workflow.timing` reads them."""

from __future__ import annotations

from datetime import UTC, datetime


def second(moment: datetime) -> str:
    """Write a moment as a FHIR dateTime to the second, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
