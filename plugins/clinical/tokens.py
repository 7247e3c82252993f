"""Codings as the values of searches: https://hl7.org/fhir/R4/search.html#token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fyr.core.searching import escaped


def token(coding: Mapping[str, Any]) -> str:
    """Write a Coding as the value of a search, with its marks escaped."""
    system, code = (escaped(str(coding.get(key, ""))) for key in ("system", "code"))
    return f"{system}|{code}" if system else code


def tokens(codings: Iterable[Mapping[str, Any]]) -> str:
    """Write some as one value: any of them."""
    return ",".join(map(token, codings))
