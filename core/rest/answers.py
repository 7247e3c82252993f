"""From the answer of an interaction to the bytes and headers of an HTTP response.

Stored JSON goes out as it is; only who asks for XML, a summary, some elements or
indentation has it parsed. https://hl7.org/fhir/R4/http.html#versions
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.http_dates import http_date
from fyr.core.rest.negotiation import PLAIN, View, preferred
from fyr.core.rest.outcomes import DONE, outcome_bytes

if TYPE_CHECKING:
    from fyr.core.interactions.answer import Answer

#: A smaller body fits into one packet however it is written.
_GZIP_FROM = 1400
#: The quickest; FHIR's repetitive text shrinks well enough.
GZIP_LEVEL = 1


def give(req: FyrRequest, resp: FyrResponse, answer: Answer, view: View) -> None:
    """Answer a request that reads."""
    body = answer.body
    status = answer.status
    if status != 200:
        resp.status = status
    if answer.headers:
        resp.add({name.lower(): value for name, value in answer.headers.items()})
    stored = answer.stored
    if stored is not None:
        resp.add(
            {
                "etag": f'W/"{stored.version}"',
                "last-modified": http_date(stored.updated // 1000),
            }
        )
    if body is not None:
        send(req, resp, body, view)


def give_page(req: FyrRequest, resp: FyrResponse, answer: Answer, view: View) -> None:
    """Answer a search or a history: a view is about the resources in its Bundle."""
    if not view.shaped or answer.body is None:
        give(req, resp, answer, view)
        return
    from fyr.core.model import json
    from fyr.core.model.summary import shape

    bundle = answer.resource()
    for entry in bundle.get("entry", ()):
        if "resource" in entry and entry.get("search", {}).get("mode") != "outcome":
            entry["resource"] = shape(entry["resource"], view.summary, view.elements)
    send(req, resp, json.dump(bundle), replace(view, summary=None, elements=None))


def give_written(
    req: FyrRequest, resp: FyrResponse, answer: Answer, view: View
) -> None:
    """Answer a request that writes, with as much of the result as it prefers."""
    returns = preferred(req.env).returns
    body = answer.body
    status = answer.status
    if returns == "minimal":
        body = None
    elif returns == "OperationOutcome":
        body = outcome_bytes(answer.issues or DONE)
        status = 200 if status == 204 else status
    resp.status = status
    stored = answer.stored
    if stored is not None:
        headers = {
            "etag": f'W/"{stored.version}"',
            "last-modified": http_date(stored.updated // 1000),
        }
        if answer.location and body is answer.body and status != 201:
            headers["content-location"] = answer.location
        elif answer.location:
            # Whoever wrote by criteria and takes no body learns the id only here.
            headers["location"] = answer.location
        resp.add(headers)
    if body is not None:
        send(req, resp, body, view)


def send(req: FyrRequest, resp: FyrResponse, body: bytes, view: View) -> None:
    """Send a resource in JSON bytes in the form that the client wants."""
    if view is not PLAIN:
        body = rendered(body, view)
    headers = {"content-type": view.content_type}
    codings = req.env.get("HTTP_ACCEPT_ENCODING")
    if codings is not None and len(body) >= _GZIP_FROM and takes_gzip(codings):
        packer = zlib.compressobj(GZIP_LEVEL, wbits=16 + zlib.MAX_WBITS)
        body = packer.compress(body) + packer.flush()
        headers["content-encoding"] = "gzip"
    resp.add(headers)
    resp.data = body


def rendered(body: bytes, view: View) -> bytes:
    """Write a resource in another form than it is stored in."""
    from fyr.core.model import json

    if view.format == "json" and not view.shaped:
        return json.pretty(body) if view.pretty else body
    resource = json.own(body)
    if view.shaped:
        from fyr.core.model.summary import shape

        resource = shape(resource, view.summary, view.elements)
    if view.format == "xml":
        from fyr.core.model import xml

        return xml.dump(resource, pretty=view.pretty)
    written = json.dump(resource)
    return json.pretty(written) if view.pretty else written


@lru_cache(maxsize=128)
def takes_gzip(codings: str) -> bool:
    """Whether an ``Accept-Encoding`` header takes gzip."""
    taken = {}
    for part in codings.lower().split(","):
        name, _, parameter = part.partition(";")
        quality = parameter.partition("=")[2].strip()
        taken[name.strip()] = quality.strip("0.") != "" if quality else True
    return taken.get("gzip", taken.get("*", False))
