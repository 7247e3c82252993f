"""A client of Bulk Data for tests: asks, has the work done, fetches the files.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.testing.client import Answer, Client

_HOST = "http://localhost"


@dataclass(frozen=True)
class Outcome:
    """The manifest of what has ended, and the lines of its files."""

    manifest: Mapping[str, Any]
    #: ``output``, ``deleted`` or ``error`` -> the resources in all files of it
    lines: Mapping[str, list[Any]]

    @property
    def ids(self) -> set[str]:
        """References to the resources that were exported."""
        return {f"{one['resourceType']}/{one['id']}" for one in self.lines["output"]}


def path_of(url: str) -> str:
    """Tell the path of a URL of the application in this process."""
    return url.removeprefix(_HOST)


def asked(client: Client, path: str, body: Any = None, **headers: str) -> Answer:
    """Ask for an export or an import."""
    client = client.with_headers(**{"Prefer": "respond-async", **headers})
    return client.get(path) if body is None else client.post(path, body)


def begun(client: Client, path: str, body: Any = None, **headers: str) -> str:
    """Ask for one that is taken on, and tell the path of its status."""
    answer = asked(client, path, body, **headers)
    assert answer.status == 202, answer.body
    return path_of(answer.headers["content-location"])


def fetched(client: Client, status: str) -> Outcome:
    """Fetch the manifest and all files of what has ended."""
    answer = client.get(status)
    assert answer.status == 200, (answer.status, answer.body)
    lines: dict[str, list[Any]] = {"output": [], "deleted": [], "error": []}
    for kind, found in lines.items():
        for file in answer.json.get(kind, ()):
            got = client.get(path_of(file["url"]))
            assert got.status == 200, (got.status, got.body)
            content = [json.loads(line) for line in got.body.splitlines()]
            assert len(content) == file["count"]
            assert got.body.endswith(b"\n")
            found += content
    return Outcome(answer.json, lines)


def done(
    built: Application, client: Client, path: str, body: Any = None, **headers: str
) -> Outcome:
    """Ask, have the work done on this thread, and fetch what it gave."""
    status = begun(client, path, body, **headers)
    built.worker().drain()
    return fetched(client, status)
