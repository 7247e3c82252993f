"""``$export`` at three levels: https://hl7.org/fhir/uv/bulkdata/STU2/export.html."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from fyr.core import (
    Invalid,
    Issue,
    NotSupported,
    Operation,
    OperationCall,
    OperationParameter,
    Reply,
    Session,
)
from fyr.core.interactions.outcomes import outcome
from fyr.plugins.bulk_data.asked import Reading
from fyr.plugins.bulk_data.scope import Scope, exported_types
from fyr.plugins.bulk_data.serving import BASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fyr.core import Application, RequestContext
    from fyr.plugins.bulk_data.tasks import Tasks

_GUIDE = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition"

_PARAMETERS = (
    OperationParameter(
        "_outputFormat", "string", documentation="application/fhir+ndjson."
    ),
    OperationParameter(
        "_type", "string", max="*", documentation="Resource types, comma between."
    ),
    OperationParameter(
        "_since", "instant", documentation="Only what was last updated then or later."
    ),
    OperationParameter(
        "_until", "instant", documentation="Only what was last updated before that."
    ),
    OperationParameter(
        "_typeFilter",
        "string",
        max="*",
        documentation="A search such as Observation?status=final; of several on one type"
        " a resource has to meet one.",
    ),
    OperationParameter(
        "_elements", "string", max="*", documentation="Elements that are left of each."
    ),
    OperationParameter(
        "includeAssociatedData",
        "string",
        max="*",
        documentation="LatestProvenanceResources or RelevantProvenanceResources.",
    ),
)
_PATIENTS = OperationParameter(
    "patient", "Reference", max="*", documentation="Only these patients; by POST."
)


class Exports:
    """Takes what is asked for and hands it to a worker."""

    def __init__(self, application: Application, tasks: Tasks) -> None:
        """Take where tasks are kept."""
        self._application = application
        self._tasks = tasks

    def begin(self, call: OperationCall) -> Reply:
        """Check what is asked for, by whom, and answer where to ask for the outcome."""
        require_async(call.context)
        reading = Reading(call, self._known(call))
        asked = reading.asked()
        group = call.subject() if call.resource_id is not None else None
        scope = Scope.of_call(self._application, call, asked)
        asked = scope.asked = replace(asked, owners=scope.owners(group))
        self._require_allowed(scope)
        return self._accepted(call, asked.kept(), reading.ignored)

    def _known(self, call: OperationCall) -> list[str]:
        level = call.resource_type or "system"
        return exported_types(self._application, call.context.service, level)

    def _require_allowed(self, scope: Scope) -> None:
        """Refuse at once what was named and may not be seen, or cannot be understood.

        :raises fyr.core.errors.FyrError: it may not, or cannot.
        """
        named = {*scope.asked.types, *(kind for kind, _ in scope.asked.filters)}

        def ask(session: Session) -> None:
            for kind in sorted(named):
                for _ in scope.searches(session, kind):
                    pass

        self._application.database.read(ask)

    def _accepted(
        self, call: OperationCall, asked: dict[str, Any], ignored: Sequence[Issue]
    ) -> Reply:
        context = call.context

        def work(session: Session) -> str:
            return self._tasks.begin(
                session,
                context,
                kind="export",
                request=request_url(context),
                asked=asked,
            )

        return accepted(
            self._application, context, call.interactions.write(work), ignored
        )


def operations(begin: Callable[[OperationCall], Reply]) -> Iterator[Operation]:
    """Declare the operation at its three levels."""
    yield Operation(
        "export",
        begin,
        frozenset({"system"}),
        judges_unknown=True,
        definition=f"{_GUIDE}/export",
        documentation="Have all resources written to files.",
        parameters=_PARAMETERS,
    )
    yield Operation(
        "export",
        begin,
        frozenset({"type"}),
        types=frozenset({"Patient"}),
        judges_unknown=True,
        definition=f"{_GUIDE}/patient-export",
        documentation="Have the compartments of patients written to files.",
        parameters=(*_PARAMETERS, _PATIENTS),
    )
    yield Operation(
        "export",
        begin,
        frozenset({"instance"}),
        types=frozenset({"Group"}),
        judges_unknown=True,
        definition=f"{_GUIDE}/group-export",
        documentation="Have the compartments of a group's members written to files.",
        parameters=(*_PARAMETERS, _PATIENTS),
    )


def require_async(context: RequestContext) -> None:
    """Refuse a client that waits for the outcome.

    :raises NotSupported: it has not said that it will come back.
    """
    if not context.prefers_async:
        raise NotSupported(
            f"${context.operation} goes on after its answer: send Prefer: respond-async"
        )
    if context.parent is not None:
        raise Invalid(f"${context.operation} is not called in a Bundle")


def accepted(
    application: Application,
    context: RequestContext,
    task_id: str,
    issues: Sequence[Issue] = (),
) -> Reply:
    """Answer where to ask how far it is."""
    text = f"${context.operation} is going on: ask at Content-Location"
    told = [*issues, Issue("informational", text, severity="information")]
    url = f"{root_of(application, context)}{BASE}/{task_id}"
    return Reply(202, outcome(told), {"Content-Location": url})


def root_of(application: Application, context: RequestContext) -> str:
    """Tell what stands before the paths of this server."""
    public = application.settings.server.public_url.rstrip("/")
    parts = urlsplit(context.base_url)
    return public or f"{parts.scheme}://{parts.netloc}"


def request_url(context: RequestContext) -> str:
    """Tell the URL that was called."""
    place = [context.resource_type, context.resource_id, f"${context.operation}"]
    path = "/".join([context.base_url, *filter(None, place)])
    query = urlencode(context.params, quote_via=quote, safe="/:|,$?=")
    return f"{path}?{query}" if query else path
