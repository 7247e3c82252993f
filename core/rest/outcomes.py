"""Every error leaves here, as an OperationOutcome in the format that was asked for.

https://hl7.org/fhir/R4/operationoutcome.html. Falcon's own errors (no such path, wrong
method) and those of plugins' routes look the same. A bug answers 500 with a trace id
and nothing else; the log has all of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import falcon
import orjson
import structlog

from fyr.core.errors import FyrError, Issue
from fyr.core.interactions.outcomes import outcome as made_of
from fyr.core.query_strings import pairs
from fyr.core.rest.allow import allowed_methods
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.negotiation import JSON, PLAIN, XML, View, view

log = structlog.get_logger("fyr.rest")

#: HTTP status -> issue code, for errors that are not ours:
#: https://hl7.org/fhir/R4/valueset-issue-type.html
_CODES = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    408: "timeout",
    409: "conflict",
    410: "deleted",
    412: "conflict",
    413: "too-long",
    414: "too-long",
    415: "not-supported",
    422: "processing",
    428: "conflict",
    429: "throttled",
    431: "too-long",
    501: "not-supported",
    503: "transient",
}
#: Characters that XML 1.0 cannot hold, https://www.w3.org/TR/xml/#charsets
_UNPRINTABLE = {n: "�" for n in (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)}


def outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Make the OperationOutcome of some issues, with texts that any format can carry."""
    return made_of(_readable(issue) for issue in issues)


def outcome_bytes(issues: Iterable[Issue]) -> bytes:
    """Make the OperationOutcome of some issues in JSON."""
    return orjson.dumps(outcome(issues))


#: What an interaction that had nothing to remark is told with.
DONE = (Issue("informational", "done", severity="information"),)


def add_error_handlers(app: falcon.App[FyrRequest, FyrResponse]) -> None:
    """Make every exception of an application an OperationOutcome."""
    app.add_error_handler(Exception, _answer_bug)
    app.add_error_handler(falcon.HTTPError, _answer_http_error)
    app.add_error_handler(FyrError, _answer_fyr_error)


def answer_issues(
    req: FyrRequest, resp: FyrResponse, status: int, issues: Iterable[Issue]
) -> None:
    """Answer with issues, in the format that the client takes, else in JSON."""
    wanted = _view(req)
    made = outcome(issues)
    resp.status = status
    if wanted.format == "xml":
        from fyr.core.model import xml

        resp.data = xml.dump(made)
        resp.add({"content-type": XML})
        return
    option = orjson.OPT_INDENT_2 if wanted.pretty else 0
    resp.data = orjson.dumps(made, option=option)
    resp.add({"content-type": JSON})


def issue_code(status: int) -> str:
    """Tell the issue code of an error that is known by its HTTP status only."""
    return _CODES.get(status, "exception" if status >= 500 else "invalid")


def _readable(issue: Issue) -> Issue:
    """Replace what neither JSON nor XML can carry: lone surrogates, control characters."""
    texts = (issue.diagnostics, *issue.expression)
    if all(text.isprintable() for text in texts):
        return issue
    diagnostics, *expression = (
        text.encode("utf-8", "replace").decode().translate(_UNPRINTABLE)
        for text in texts
    )
    return replace(issue, diagnostics=diagnostics, expression=tuple(expression))


def _view(req: FyrRequest) -> View:
    try:
        return view(req.env.get("HTTP_ACCEPT"), pairs(req.env["QUERY_STRING"]))
    except FyrError:
        return PLAIN


def _answer_fyr_error(
    req: FyrRequest, resp: FyrResponse, error: FyrError, _params: dict[str, Any]
) -> None:
    if error.status >= 500:
        log.error("request failed", problem=str(error), path=req.path)
    for name, value in error.headers.items():
        resp.set_header(name, value)
    if error.status == 503:
        resp.set_header("Retry-After", "5")
    caller = req.context.caller
    if error.status == 405 and "Allow" not in error.headers and caller is not None:
        resp.set_header("Allow", allowed_methods(caller))
    answer_issues(req, resp, error.status, error.issues)


def _answer_http_error(
    req: FyrRequest, resp: FyrResponse, error: falcon.HTTPError, _params: dict[str, Any]
) -> None:
    for name, value in dict(error.headers or {}).items():
        resp.set_header(name, value)
    status = error.status_code
    issue = Issue(issue_code(status), _sentence(req, error))
    answer_issues(req, resp, status, [issue])


def _sentence(req: FyrRequest, error: falcon.HTTPError) -> str:
    if error.description:
        return (
            f"{error.title}: {error.description}" if error.title else error.description
        )
    if isinstance(error, falcon.HTTPRouteNotFound):
        return f"nothing is served at {req.path[:300]}"
    if isinstance(error, falcon.HTTPMethodNotAllowed):
        return f"{req.method[:40]} is not offered at {req.path[:300]}"
    return error.title or str(error.status)


def _answer_bug(
    req: FyrRequest, resp: FyrResponse, error: Exception, _params: dict[str, Any]
) -> None:
    exchange = req.context
    log.error("bug in answering a request", path=req.path, exc_info=error)
    text = f"the server failed; its log tells more under trace {exchange.trace_id}"
    answer_issues(req, resp, 500, [Issue("exception", text)])
