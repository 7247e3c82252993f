"""``$import`` of files that are fetched, and of one that is uploaded.

https://github.com/smart-on-fhir/bulk-import/blob/master/import.md, its manifest written as
Parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fyr.core import (
    Invalid,
    Issue,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    Reply,
    RequestContext,
    Session,
)
from fyr.core.errors import UnsupportedMediaType
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.rest.body import Bodies
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.negotiation import media_type
from fyr.plugins.bulk_data.asked import FORMATS
from fyr.plugins.bulk_data.operations import accepted, request_url, require_async
from fyr.plugins.bulk_data.serving import BASE, caller_of
from fyr.plugins.bulk_data.storing import BY_ID, BY_IDENTIFIER
from fyr.plugins.bulk_data.tasks import File

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.plugins.bulk_data.importing import Importing
    from fyr.plugins.bulk_data.settings import BulkDataSettings
    from fyr.plugins.bulk_data.tasks import Tasks

UPLOAD = f"{BASE}/import"
_TYPES = frozenset(
    {"application/fhir+ndjson", "application/ndjson", "application/x-ndjson"}
)
_MATCHES = (BY_ID, BY_IDENTIFIER)
#: Files of one import.
_MOST = 1000
#: Code of the issue that a file is not fetched from where it is.
_NOT_FROM_THERE = "business-rule"

_PARAMETERS = (
    OperationParameter(
        "inputFormat", "string", documentation="application/fhir+ndjson."
    ),
    OperationParameter(
        "inputSource", "uri", documentation="Whose data it is; for people who look on."
    ),
    OperationParameter(
        "storageDetail",
        documentation="How it is fetched: by https or http.",
        parts=(OperationParameter("type", "string"),),
    ),
    OperationParameter(
        "matchBy",
        "string",
        documentation="id: a resource is stored under its id; identifier: it replaces the"
        " one that has its first identifier.",
    ),
    OperationParameter(
        "input",
        min=1,
        max="*",
        documentation="A file.",
        parts=(
            OperationParameter(
                "type", "string", documentation="Type of its resources."
            ),
            OperationParameter("url", "url", min=1, documentation="Where it is."),
        ),
    ),
)


class Imports:
    """Takes what is to be imported and hands it to a worker."""

    def __init__(
        self,
        application: Application,
        tasks: Tasks,
        importing: Importing,
        settings: BulkDataSettings,
    ) -> None:
        """Take where tasks are kept, and what fetches."""
        self.application = application
        self.settings = settings
        self._tasks = tasks
        self._fetching = importing.fetching

    def begin(self, call: OperationCall) -> Reply:
        """Check what is to be fetched, and answer where to ask for the outcome."""
        require_async(call.context)
        assert call.session is not None  # it affects state
        issues = list(self.judge(call.parameters))
        if any(one.code != _NOT_FROM_THERE for one in issues):
            raise Invalid(issues)
        if issues:
            raise Refused(issues)
        inputs, match_by = _asked(call.parameters)
        task = self._noted(call.session, call.context, inputs, match_by)
        return accepted(self.application, call.context, task)

    def judge(self, parameters: dict[str, Any]) -> Iterator[Issue]:
        """Tell what is wrong with the values of parameters, whatever else is wrong."""
        inputs, match_by = _asked(parameters)
        yield from _wrong(inputs, match_by)
        yield from _wrong_format(parameters)
        for one in inputs:
            if one["url"] and (problem := self._fetching.problem(one["url"])):
                yield Issue(_NOT_FROM_THERE, f"{one['url'][:200]}: {problem}")

    def upload(
        self, context: RequestContext, blob: str, kind: str, match_by: str
    ) -> str:
        """Take a file that was sent, and tell the id of its import."""
        inputs = [{"type": kind, "url": ""}]
        file = File(0, "input", kind or "any", 0, "", blob)

        def work(session: Session) -> str:
            return self._noted(session, context, inputs, match_by, file)

        return self.application.database.write(work)

    def _noted(
        self,
        session: Session,
        context: RequestContext,
        inputs: list[dict[str, str]],
        match_by: str,
        *files: File,
    ) -> str:
        return self._tasks.begin(
            session,
            context,
            kind="import",
            request=request_url(context),
            asked={"inputs": inputs, "match_by": match_by},
            files=files,
        )


class Upload:
    """``/bulk-data/import``: one file, as the body of the request."""

    def __init__(self, imports: Imports) -> None:
        """Take what it is handed to."""
        self._imports = imports
        blobs = imports.application.settings.blobs
        self._limit = min(imports.settings.import_bytes, blobs.max_bytes)
        self._bodies = Bodies(self._limit)

    def on_post(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Keep the lines, and answer where to ask for the outcome."""
        kind, match_by = _query(caller_of(req).params)
        name, _ = media_type(req.content_type or "")
        if name not in _TYPES:
            raise UnsupportedMediaType("send lines as application/fhir+ndjson")
        application = self._imports.application
        context = _operation(application, caller_of(req))
        application.interactions.admit(context)
        chunks = self._bodies.chunks(req, self._limit)
        blob = application.blobs.put(chunks, content_type=FORMATS[0])
        task = self._imports.upload(context, blob.id, kind, match_by)
        root = application.settings.server.public_url.rstrip("/")
        url = f"{root or f'{req.scheme}://{req.netloc}'}{BASE}/{task}"
        resp.status = 202
        resp.add({"content-location": url})


def import_operations(imports: Callable[[], Imports]) -> Iterator[Operation]:
    """Declare the operation."""
    yield Operation(
        "import",
        lambda call: imports().begin(call),
        frozenset({"system"}),
        judge=lambda parameters: imports().judge(parameters),
        affects_state=True,
        documentation="Have files of NDJSON fetched, and their resources stored.",
        parameters=_PARAMETERS,
    )


def _operation(application: Application, caller: RequestContext) -> RequestContext:
    """Give an upload as a call of the operation, with the same rights."""
    service = application.services.everything
    root = caller.base_url.rstrip("/")
    return RequestContext(
        service,
        "operation",
        operation="import",
        principal=caller.principal,
        trace_id=caller.trace_id,
        base_url=service.public_base or f"{root}/{service.path}",
        now=caller.now,
        parent=caller,
    )


def _query(params: Any) -> tuple[str, str]:
    """Read the query of an upload.

    :raises Invalid: with all that is wrong.
    """
    given = dict(params)
    issues = [
        Issue("invalid", f"unknown parameter: {name[:60]}")
        for name in given
        if name not in ("type", "matchBy")
    ]
    kind, match_by = given.get("type", ""), given.get("matchBy", BY_ID)
    issues += _wrong([{"type": kind, "url": "https://here"}], match_by)
    if issues:
        raise Invalid(issues)
    return kind, match_by


def _asked(parameters: dict[str, Any]) -> tuple[list[dict[str, str]], str]:
    """Read the files, with type and URL, and by what resources are matched."""
    given = parameters.get("parameter", [])
    inputs = [_input(one) for one in given if one.get("name") == "input"]
    return inputs, _texts(given).get("matchBy", BY_ID)


def _input(parameter: Mapping[str, Any]) -> dict[str, str]:
    found = _texts(parameter.get("part", []))
    return {"type": found.get("type", ""), "url": found.get("url", "")}


def _texts(given: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Read what is a text, by its name; a value that is none is refused elsewhere."""
    found: dict[str, str] = {}
    for one in given:
        text = one.get("valueString", one.get("valueUrl"))
        if text is not None:
            found.setdefault(one.get("name", ""), text)
    return found


def _wrong(inputs: list[dict[str, str]], match_by: str) -> Iterator[Issue]:
    if match_by not in _MATCHES:
        yield Issue(
            "invalid", f"matchBy is {' or '.join(_MATCHES)}, not {match_by[:60]!r}"
        )
    if len(inputs) > _MOST:
        yield Issue("too-costly", f"at most {_MOST} files at a time")
    for one in inputs:
        if one["type"] and one["type"] not in RESOURCE_TYPES:
            yield Issue("invalid", f"{one['type'][:60]!r} is not a resource type")


def _wrong_format(parameters: dict[str, Any]) -> Iterator[Issue]:
    given = parameters.get("parameter", [])
    wanted = _texts(given).get("inputFormat", FORMATS[0])
    if wanted not in FORMATS:
        yield Issue("not-supported", f"inputFormat {wanted[:60]!r}: only {FORMATS[0]}")
    for one in given:
        if one.get("name") == "storageDetail":
            kind = _texts(one.get("part", [])).get("type", "https")
            if kind not in ("http", "https"):
                text = f"storageDetail {kind[:60]!r}: only https and http"
                yield Issue("not-supported", text)
