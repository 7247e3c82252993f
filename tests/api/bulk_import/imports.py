"""Files to import, a server that has them, and how they are sent."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fyr.core.errors import Refused
from fyr.core.hooks.markers import hookimpl
from fyr.core.hooks.plugin import Plugin
from fyr.core.testing.bulk import path_of
from fyr.core.testing.client import Answer, Client

UPLOAD = "/bulk-data/import"
CPR = "urn:oid:1.2.208.176.1.2"


class Files(ThreadingHTTPServer):
    """A server of files, by path: status, headers, content."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        #: bytes after which an answer breaks off; 0: it does not
        self.cut = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data/"

    def put(self, name: str, content: bytes, status: int = 200, **more: str) -> str:
        headers = {key.replace("_", "-"): value for key, value in more.items()}
        self.files[f"/data/{name}"] = (status, headers, content)
        return self.url + name


class _Handler(BaseHTTPRequestHandler):
    server: Files

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        status, headers, content = self.server.files.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.server.cut or None])

    def log_message(self, *_: object) -> None:
        pass


class NoFamily(Plugin):
    """Refuses a family name when it is about to be stored."""

    @hookimpl
    def before_store(self, new: dict[str, Any] | None) -> None:
        names = (new or {}).get("name", ())
        if new and any(one.get("family") == "Nobody" for one in names):
            raise Refused("nobody is called Nobody", expression=["Patient.name[0]"])


def patient(identity: str | None = None, **more: Any) -> dict[str, Any]:
    given = {"id": identity} if identity else {}
    return {"resourceType": "Patient", **given, **more}


def of(cpr: str) -> dict[str, Any]:
    return {"identifier": [{"system": CPR, "value": cpr}]}


def ndjson(*resources: Any) -> bytes:
    return b"".join(
        (one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n"
        for one in resources
    )


def send(http: Client, body: bytes, query: str = "", **headers: str) -> Answer:
    headers = {"Content-Type": "application/fhir+ndjson", **headers}
    return http.request("POST", UPLOAD + query, body=body, headers=headers)


def fetched_import(http: Client, status: str) -> Any:
    """Fetch a manifest, and the outcomes of its error files in one list."""
    manifest = http.get(status).json
    errors = [
        json.loads(line)
        for file in manifest["error"]
        for line in http.get(path_of(file["url"])).body.splitlines()
    ]
    return manifest, errors


def parameters(*files: tuple[str, str], **more: str) -> dict[str, Any]:
    given: list[dict[str, Any]] = []
    for kind, url in files:
        part = [{"name": "type", "valueString": kind}] if kind else []
        part.append({"name": "url", "valueUrl": url})
        given.append({"name": "input", "part": part})
    given += [{"name": name, "valueString": value} for name, value in more.items()]
    return {"resourceType": "Parameters", "parameter": given}
