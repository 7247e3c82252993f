"""Questions and answers over HTTP; docs/reporting.md has the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import orjson

from fyr.core import (
    Allow,
    Invalid,
    NotAcceptable,
    Request,
    RequestContext,
    Response,
    Route,
    UnsupportedMediaType,
)
from fyr.plugins.reporting import describing
from fyr.search.reporting.asking.reading import LONGEST, schema
from fyr.search.reporting.asking.writing import (
    CONTENT_TYPES,
    FORMATS,
    Format,
    headers,
    written,
)

if TYPE_CHECKING:
    from fyr.plugins.reporting.asking import Questions
    from fyr.plugins.reporting.settings import ReportingPluginSettings

BASE = "/reporting"
#: Name of a format, or type by which it is accepted, best first -> the format.
_FORMATS: Mapping[str, Format] = {
    "application/json": "json",
    "text/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/fhir+ndjson": "ndjson",
    **{one: one for one in FORMATS},
}
_BODIES = ("application/json", "application/fhir+json")


def routes(questions: Questions, settings: ReportingPluginSettings) -> Iterator[Route]:
    """Tell where each resource is, and who may use it."""
    may = Allow(privileges=frozenset({settings.privilege}))
    yield Route(
        f"{BASE}/query",
        _Query(questions),
        "Answer a question to the reporting index.",
        access={"POST": may},
        operations=describing.query(
            f"{BASE}/query/schema", schema()["description"], CONTENT_TYPES.values()
        ),
    )
    yield Route(
        f"{BASE}/query/schema",
        _Schema(),
        "JSON Schema of questions.",
        public=True,
        operations=describing.SCHEMA,
    )
    yield Route(
        f"{BASE}/projections",
        _Projections(questions),
        "What may be asked about.",
        access={"GET": may},
        operations=describing.PROJECTIONS,
    )


class _Query:
    """``/reporting/query``."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def on_post(self, req: Request, resp: Response) -> None:
        """Answer a question."""
        context = _caller(req)
        format = _format(req, context)
        if (req.content_type or "").partition(";")[0].strip().lower() not in _BODIES:
            raise UnsupportedMediaType("a question is sent as application/json")
        told = self._questions.answer_request(req.content(LONGEST), context)
        resp.data = written(told, format)
        resp.add(
            {
                **headers(told),
                "content-type": CONTENT_TYPES[format],
                "cache-control": "no-store",
                "vary": "Accept",
            }
        )


class _Schema:
    """``/reporting/query/schema``; it holds nothing that is secret."""

    def on_get(self, _req: Request, resp: Response) -> None:
        """Answer the schema."""
        resp.data = orjson.dumps(schema(), option=orjson.OPT_INDENT_2)
        resp.add({"content-type": "application/schema+json"})


class _Projections:
    """``/reporting/projections``."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def on_get(self, req: Request, resp: Response) -> None:
        """Answer the types that there are projections of, with their columns."""
        caller = self._questions.of_request(_caller(req))
        resp.tell({"projections": list(self._questions.projections(caller))})


def _caller(req: Request) -> RequestContext:
    caller = req.caller
    # Routes that are not public are admitted first.
    assert caller is not None
    return caller


def _format(req: Request, context: RequestContext) -> Format:
    """Tell in which format to answer.

    :raises NotAcceptable: none that is asked for can be made.
    :raises Invalid: there is another parameter.
    """
    others = [name for name, _ in context.params if name != "_format"]
    if others:
        raise Invalid(f"{others[0][:60]!r} is no parameter here: only _format is")
    for _, asked in context.params:
        if asked not in _FORMATS:
            raise NotAcceptable(f"_format is one of {', '.join(FORMATS)}")
        return _FORMATS[asked]
    chosen = req.client_prefers([one for one in _FORMATS if "/" in one])
    if chosen is None:
        raise NotAcceptable(f"answers are {', '.join(CONTENT_TYPES.values())}")
    return _FORMATS[chosen]
