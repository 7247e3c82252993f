"""What the pages of ``/admin`` share: a part of a list, its next part, and trying again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import orjson

from fyr.core.declarations.routes import Route
from fyr.core.errors import Invalid
from fyr.core.query_strings import pairs
from fyr.core.rest.admin import AdminGate, tell
from fyr.core.rest.exchange import FyrRequest, FyrResponse

_PAGE = 100
_MOST = 1000
#: what each list may be asked with
LIST = ("after", "count")
_TEXT: dict[str, Any] = {"type": "string"}
_SCHEMAS = dict.fromkeys(("beyond", "sender", "from"), _TEXT) | {
    "after": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    "count": {"type": "integer", "minimum": 1, "maximum": _MOST},
}


def page(path: str, resource: object, what: str, *queries: str) -> Route:
    """Give a page of JSON as a route.

    :param queries: names of what ``GET`` may be asked with.
    """
    route = Route(path, resource, what)
    told = {"200": {"description": what, "content": {"application/json": {}}}}
    asked = [{"in": "query", "name": one, "schema": _SCHEMAS[one]} for one in queries]
    operations = {
        method: {"summary": what, "responses": told}
        | ({"parameters": asked} if asked and method == "GET" else {})
        for method in route.methods
        if method not in ("HEAD", "OPTIONS")
    }
    return replace(route, operations=operations)


class Retry:
    """Has dead letters tried again, by POST."""

    def __init__(self, retry: Callable[..., int], gate: AdminGate) -> None:
        """Take what does it, and who may ask for it."""
        self._retry = retry
        self._gate = gate

    def on_post(self, req: FyrRequest, resp: FyrResponse, **which: Any) -> None:
        """Try again; answer how many."""
        self._gate.check(req)
        answer(resp, {"retried": self._retry(**which)})


def asked_of(req: FyrRequest, *texts: str) -> dict[str, str | int]:
    """Read ``after``, ``count`` and some texts.

    :raises Invalid: one is unknown or wrong.
    """
    asked: dict[str, str | int] = {"after": 0, "count": _PAGE}
    for name, value in pairs(req.env["QUERY_STRING"]):
        if name in texts:
            asked[name] = value
        elif name not in LIST:
            raise Invalid(f"{name} is none of {', '.join((*LIST, *texts))}")
        elif not (value.isascii() and value.isdigit() and len(value) < 19):
            raise Invalid(f"{name} is a number from 0: {value!r}")
        else:
            asked[name] = int(value)
    asked["count"] = max(1, min(int(asked["count"]), _MOST))
    return asked


def page_of(
    req: FyrRequest,
    asked: dict[str, str | int],
    found: Sequence[dict[str, Any]],
    further: Mapping[str, object],
) -> dict[str, Any]:
    """Tell a page, and where the next one is, if this one is full."""
    if len(found) < int(asked["count"]):
        return {"items": found}
    return {"items": found, "next": f"{req.path}?{urlencode({**asked, **further})}"}


def answer(resp: FyrResponse, told: Any) -> None:
    """Answer plain JSON values, to be read by people too."""
    tell(resp, orjson.dumps(told, option=orjson.OPT_INDENT_2))
