"""The catalogue over HTTP: as JSON, one code alone, and as a CodeSystem.

https://hl7.org/fhir/R4/codesystem.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import falcon

from fyr.config.neighbours import neighbour
from fyr.core import ErrorCode, NotFound, Route
from fyr.plugins.error_codes import describing

PATH = "/error-codes"
CODE_SYSTEM = f"{PATH}/CodeSystem"
_FHIR_JSON = "application/fhir+json; charset=utf-8"


class Catalogue:
    """The three resources."""

    def __init__(self, codes: Mapping[str, ErrorCode], coding: str) -> None:
        """Take the rows.

        :param coding: URL of the code system; empty: where it is served.
        """
        self._codes = codes
        self._coding = coding

    def routes(self) -> Iterator[Route]:
        """Tell where each is served."""
        codes, coding = self._codes, self._coding
        yield Route(
            PATH,
            _All(codes),
            "All error codes of this server.",
            public=True,
            operations=describing.ALL,
        )
        yield Route(
            f"{PATH}/{{name}}",
            _One(codes),
            "One error code.",
            public=True,
            operations=describing.ONE,
        )
        yield Route(
            CODE_SYSTEM,
            _CodeSystem(codes, coding),
            "The error codes as a CodeSystem.",
            public=True,
            operations=describing.CODE_SYSTEM,
        )


def row(code: ErrorCode) -> dict[str, Any]:
    """Tell a row as plain JSON values."""
    return {
        "name": code.name,
        "status": code.status,
        "text": code.text,
        "values": code.values,
        "area": code.area,
    }


def code_system(codes: Iterable[ErrorCode], url: str) -> dict[str, Any]:
    """Make the CodeSystem: a concept for each code, its status and area as properties."""
    concepts = [_concept(code) for code in codes]
    return {
        "resourceType": "CodeSystem",
        "id": "error-code",
        "url": url,
        "name": "ErrorCode",
        "title": "Error codes of this server",
        "status": "active",
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "property": [
            {"code": "status", "type": "integer", "description": "HTTP status"},
            {"code": "area", "type": "string", "description": "Who raises it"},
        ],
        "concept": concepts,
    }


def _concept(code: ErrorCode) -> dict[str, Any]:
    return {
        "code": code.name,
        "definition": code.text,
        "property": [
            {"code": "status", "valueInteger": code.status},
            {"code": "area", "valueString": code.area},
        ],
    }


class _All:
    """``/error-codes``."""

    def __init__(self, codes: Mapping[str, ErrorCode]) -> None:
        self._codes = codes

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Tell all rows, in the order of their names."""
        rows = [row(self._codes[name]) for name in sorted(self._codes)]
        resp.media = {"count": len(rows), "codes": rows}


class _One:
    """``/error-codes/{name}``."""

    def __init__(self, codes: Mapping[str, ErrorCode]) -> None:
        self._codes = codes

    def on_get(self, _req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Tell one row."""
        code = self._codes.get(name)
        if code is None:
            hint = neighbour(name, self._codes)
            raise NotFound(f"no error code {name[:100]}{hint}")
        resp.media = row(code)


class _CodeSystem:
    """``/error-codes/CodeSystem``."""

    def __init__(self, codes: Mapping[str, ErrorCode], coding: str) -> None:
        self._codes = codes
        self._coding = coding

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Tell all rows as one resource."""
        url = self._coding or f"{req.prefix}{CODE_SYSTEM}"
        made = code_system(self._codes.values(), url)
        resp.data = json.dumps(made).encode()
        resp.content_type = _FHIR_JSON
