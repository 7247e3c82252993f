"""The clinical services: what is planned, done and measured in treatment."""

from __future__ import annotations

from collections.abc import Iterable

from fyr.core import ErrorCode, hookimpl, read_error_codes


@hookimpl
def register_error_codes() -> Iterable[ErrorCode]:
    """Offer what this area refuses, by published name."""
    return read_error_codes(__name__).values()
