"""``/versions``: what there is, by which version, and until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from fyr.core import Request, Response, Route, __version__
from fyr.plugins.versions.releases import releases

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.plugins.versions.settings import VersionsSettings

PATH = "/versions"
#: https://hl7.org/fhir/R4/
_FHIR = "4.0.1"
_TEXT = {"type": "string"}
_PART = {
    "type": "object",
    "required": ["name", "path", "status"],
    "properties": {
        "name": _TEXT,
        "path": _TEXT,
        "url": _TEXT,
        "fhirVersion": _TEXT,
        "status": {"type": "string", "enum": ["current", "deprecated"]},
        "deprecated": {"type": "string", "format": "date"},
        "sunset": {"type": "string", "format": "date"},
        "link": _TEXT,
    },
}
_SCHEMA = {
    "type": "object",
    "required": ["server", "apis", "releases"],
    "properties": {
        "server": _TEXT,
        "apis": {"type": "array", "items": _PART},
        "releases": {"type": "array", "items": {"type": "object"}},
    },
}
_OPERATION = {
    "summary": "Tell the versions of all APIs",
    "responses": {
        "200": {
            "description": "The versions.",
            "content": {"application/json": {"schema": _SCHEMA}},
        }
    },
}


class Versions:
    """What is told of versions; it holds nothing that is secret."""

    def __init__(self, application: Application, settings: VersionsSettings) -> None:
        """Take what is served, and what of it will go."""
        self._application = application
        self._deprecated = {one.path: one for one in settings.deprecated}

    def routes(self) -> Iterator[Route]:
        """Tell where it is served."""
        yield Route(
            PATH,
            _Resource(self),
            "The versions of all APIs.",
            public=True,
            operations={"GET": _OPERATION},
        )

    def told(self) -> dict[str, Any]:
        """Tell services, APIs beside them, what will go, the releases of the guide."""
        bases = {f"/{one.path.strip('/')}": one for one in self._application.services}
        parts = [
            self._part(one.name, path, one.public_base) for path, one in bases.items()
        ]
        paths = [one.path for one in self._application.routes]
        parts += [self._part(*one) for one in small_apis(paths, bases)]
        told = {one["path"] for one in parts}
        others = [path for path in self._deprecated if path not in told]
        return {
            "server": __version__,
            "apis": [*parts, *(self._part(path, path) for path in others)],
            "releases": [one.told() for one in releases()],
        }

    def _part(self, name: str, path: str, url: str | None = None) -> dict[str, Any]:
        part: dict[str, Any] = {"name": name, "path": path, "status": "current"}
        if url is not None:
            part["fhirVersion"] = _FHIR
        if url:
            part["url"] = url
        if (gone := self._deprecated.get(path)) is not None:
            part["deprecated"] = gone.since.isoformat()
            if gone.since <= self._application.clock().date():
                part["status"] = "deprecated"
            if gone.sunset is not None:
                part["sunset"] = gone.sunset.isoformat()
            if gone.link:
                part["link"] = gone.link
        return part


def small_apis(
    paths: Iterable[str], services: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Tell the APIs beside the FHIR services, by name and by where each begins.

    Routes that begin with one name are one API. What is well known, or below a service,
    belongs to something else.

    :param paths: templates of all routes that plugins serve.
    :param services: paths of the FHIR services.
    """
    bases = tuple(f"{one}/" for one in services)
    found: dict[str, list[list[str]]] = {}
    for path in paths:
        if not path.startswith((*bases, "/.well-known/")):
            parts = path.strip("/").split("/")
            found.setdefault(parts[0], []).append(parts)
    for name, ways in sorted(found.items()):
        same = takewhile(_is_same_for_all, zip(*ways, strict=False))
        yield name, "/" + "/".join(parts[0] for parts in same)


def _is_same_for_all(parts: tuple[str, ...]) -> bool:
    return len(set(parts)) == 1 and "{" not in parts[0]


class _Resource:
    """``/versions``."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions

    def on_get(self, _req: Request, resp: Response) -> None:
        """Tell all."""
        resp.tell(self._versions.told())

    on_head = on_get
