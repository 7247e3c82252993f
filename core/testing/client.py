"""A FHIR client that calls an application in the same process, through its whole HTTP side."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from falcon import testing

from fyr.core.context import Principal
from fyr.core.testing.principals import authorization

FHIR_JSON = "application/fhir+json"
#: Stands for the Content-Type of an answer that has none.
_NO_TYPE = "x-none/x-none"
Params = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers with names in lower case, and the bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    @property
    def issues(self) -> list[str]:
        """What an OperationOutcome says, a sentence for each issue."""
        return [issue.get("diagnostics", "") for issue in self.json.get("issue", [])]

    @property
    def resources(self) -> list[Any]:
        """The resources of a Bundle's entries."""
        entries = self.json.get("entry", [])
        return [entry["resource"] for entry in entries if "resource" in entry]


@dataclass(frozen=True)
class Client:
    """Sends requests to a WSGI application; ``base`` stands before relative paths."""

    wsgi: Callable[..., Any]
    base: str = "/fhir"
    headers: Mapping[str, str] = field(default_factory=dict)

    def acting_as(self, principal: Principal) -> Client:
        """Give a client whose requests are those of a principal."""
        return self.with_headers(Authorization=authorization(principal))

    def with_headers(self, **headers: str) -> Client:
        """Give a client that sends more headers: ``with_headers(Prefer="...")``.

        An underscore in a name is a hyphen on the wire.
        """
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return Client(self.wsgi, self.base, {**self.headers, **more})

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and return its answer, whatever its status.

        :param path: below ``base``, or from the root when it begins with a slash; may
            carry a query.
        :param body: bytes and text are sent as they are, anything else as JSON.
        """
        path, _, query = path.partition("?")
        if params:
            pairs = params.items() if isinstance(params, Mapping) else params
            query = "&".join(filter(None, [query, urlencode(list(pairs))]))
        target = path if path.startswith("/") else f"{self.base}/{path}".rstrip("/")
        result = testing.simulate_request(
            _with_types(self.wsgi),
            method,
            quote(target, safe="/$:@!&'()*+,;=~%"),
            query_string=query,
            host="localhost",
            remote_addr="127.0.0.1",
            headers={**_content_type(body), **self.headers, **(headers or {})},
            body=_bytes(body),
        )
        lowered = {name.lower(): value for name, value in result.headers.items()}
        if lowered.get("content-type") == _NO_TYPE:
            del lowered["content-type"]
        return Answer(result.status_code, lowered, result.content)

    def get(self, path: str, params: Params | None = None, **headers: str) -> Answer:
        """GET: read, search, history, an operation that affects no state."""
        return self.with_headers(**headers).request("GET", path, params=params)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """POST: an operation, a search, or a bundle at ``""``."""
        return self.with_headers(**headers).request("POST", path, body=body)

    def put(self, path: str, body: Any, **headers: str) -> Answer:
        """PUT: update."""
        return self.with_headers(**headers).request("PUT", path, body=body)

    def patch(self, path: str, body: Any, content_type: str, **headers: str) -> Answer:
        """PATCH, in one of the formats that R4 knows."""
        headers = {**headers, "Content_Type": content_type}
        return self.with_headers(**headers).request("PATCH", path, body=body)

    def delete(self, path: str, **headers: str) -> Answer:
        """DELETE."""
        return self.with_headers(**headers).request("DELETE", path)

    def create(self, resource: Mapping[str, Any], **headers: str) -> Answer:
        """Create a resource under an id of the server's."""
        return self.post(resource["resourceType"], resource, **headers)

    def update(self, resource: Mapping[str, Any], **headers: str) -> Answer:
        """Store a resource under its own id."""
        path = f"{resource['resourceType']}/{resource['id']}"
        return self.put(path, resource, **headers)


def _with_types(wsgi: Callable[..., Any]) -> Callable[..., Any]:
    """Give answers without a body the type that Falcon's check of WSGI asks for."""

    def called(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            told = {name.lower(): value for name, value in headers}
            typed = "content-type" in told or status[:3] in ("204", "304")
            if not typed and told.get("content-length") == "0":
                headers = [*headers, ("content-type", _NO_TYPE)]
            return start_response(status, headers, *rest)

        return wsgi(environ, start)

    return called


def _content_type(body: Any) -> dict[str, str]:
    return {} if body is None else {"Content-Type": FHIR_JSON}


def _bytes(body: Any) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return json.dumps(body).encode()
