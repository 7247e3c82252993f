"""FHIR operations: https://hl7.org/fhir/R4/operations.html.

One that affects state runs in a transaction, which its interactions take part in.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from fyr.core.context import RequestContext
from fyr.core.declarations.operations import Operation, OperationCall, Reply
from fyr.core.errors import FyrError, Invalid
from fyr.core.interactions.answer import Answer, Incoming
from fyr.core.interactions.judge import judge_result
from fyr.core.interactions.operation_input import (
    problems,
    tell_as_asked,
    tell_as_sent,
)
from fyr.core.interactions.show import with_bases
from fyr.core.interactions.telling import collecting, tell, touched_by
from fyr.core.model import json
from fyr.core.model.validation import problems as structure_problems
from fyr.core.store.port import Session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fyr.core.declarations.operations import Level
    from fyr.core.errors import Issue
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource

#: Place of a value in Parameters.
_TEXT = re.compile(r"Parameters\.parameter\[(\d+)\]\.value")

Result: TypeAlias = "Resource | Reply | None"


def operate(
    interactions: Interactions, context: RequestContext, source: Incoming
) -> Answer:
    """Call the operation that the context names, and answer what it gives."""
    interactions.admit(context)
    operation = interactions.operations.find(
        context.operation or "", _level(context), context.resource_type
    )
    parameters = source.parse()
    malformed: dict[str, Issue] = {}
    call = OperationCall(
        context=context,
        operation=operation,
        parameters=parameters,
        interactions=interactions,
        resource_type=context.resource_type,
        resource_id=context.resource_id,
        malformed=malformed,
    )
    try:
        malformed |= _require_form(operation, parameters)
        result = _run(interactions, call)
    except FyrError as error:
        tell_as_sent(error, source.alone)
        if _is_asked(context):
            tell_as_asked(error, parameters)
        raise
    if not isinstance(result, Reply):
        result = Reply(204 if result is None else 200, result)
    body = None if result.resource is None else json.dump(result.resource)
    if body is not None and context.service.absolute_references:
        body = with_bases(interactions, context, body)
    return Answer(result.status, body, headers=result.headers)


def _level(context: RequestContext) -> Level:
    if context.resource_type is None:
        return "system"
    return "type" if context.resource_id is None else "instance"


def _is_asked(context: RequestContext) -> bool:
    """Whether all parameters stand in the URL."""
    return context.method in ("GET", "HEAD")


def _require_form(operation: Operation, parameters: Resource) -> dict[str, Issue]:
    """Refuse parameters whose form is wrong, or which are not those that are declared.

    Resources in them are left to an operation that judges them itself.

    :return: what is wrong with texts, for an operation that tells all problems at once.
    :raises Invalid: all problems of the form, or else of what they are.
    """
    found = structure_problems(parameters, expected_type="Parameters")
    if operation.judges_resources:
        found = [one for one in found if not _inside_resource(one)]
    malformed: dict[str, Issue] = {}
    if operation.judges_unknown:
        malformed = _malformed(found, parameters)
        found = [one for one in found if one not in malformed.values()]
    if not found and (found := problems(operation, parameters)) and operation.judge:
        found = [*found, *operation.judge(parameters)]
    if found:
        raise Invalid([*malformed.values(), *found])
    return malformed


def _malformed(found: Iterable[Issue], parameters: Resource) -> dict[str, Issue]:
    """Tell, by parameter, which problems are those of a text that is not of its type."""
    told: dict[str, Issue] = {}
    for one in found:
        match = _TEXT.fullmatch(one.expression[0] if one.expression else "")
        if match is not None:
            parameter = parameters["parameter"][int(match[1])]
            name = parameter.get("name")
            values = [value for key, value in parameter.items() if key[:5] == "value"]
            is_text = len(values) == 1 and values[0] and isinstance(values[0], str)
            if isinstance(name, str) and is_text:
                told.setdefault(name, one)
    return told


def _inside_resource(issue: Issue) -> bool:
    return any(".resource." in place for place in issue.expression)


def _run(interactions: Interactions, call: OperationCall) -> Result:
    prepare = call.operation.prepare
    if prepare is not None:
        call = replace(call, prepared=prepare(call))
    asked = call.operation.by_get and _is_asked(call.context)
    if asked or not call.operation.affects_state:
        return _told(interactions, call)

    def work(session: Session) -> Result:
        within = interactions.within(session)
        return _told(within, replace(call, session=session, interactions=within))

    return interactions.write(work)


def _told(interactions: Interactions, call: OperationCall) -> Result:
    """Call the operation, and tell once of all that it has touched."""
    if not interactions.hooks.answered:
        return _judged(call)
    own = collecting(interactions)
    result = _judged(replace(call, interactions=own))
    tell(interactions, call.context, touched_by(own, _resource(result)))
    return result


def _judged(call: OperationCall) -> Result:
    """Call the operation, and refuse a result that holds what may not be seen."""
    result = call.operation.handler(call)
    resource = _resource(result)
    if resource is not None and call.interactions.hooks.authorize_resource:
        judge_result(call.interactions, call.context, resource)
    return result


def _resource(result: Result) -> Resource | None:
    return result.resource if isinstance(result, Reply) else result
