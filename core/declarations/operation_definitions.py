"""An operation as the OperationDefinition resource that describes it to clients.

https://hl7.org/fhir/R4/operationdefinition.html, made from the declaration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fyr.core.declarations.operations import Operation, OperationParameter

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource


def operation_definition(operation: Operation, url: str) -> Resource:
    """Describe an operation.

    :param url: the canonical URL to put on it when the operation names none.
    """
    definition: Resource = {
        "resourceType": "OperationDefinition",
        "id": operation.name,
        "url": operation.definition or url,
        "name": _computable(operation.name),
        "status": "active",
        "kind": "operation",
        "description": operation.documentation or f"The operation ${operation.name}.",
        "affectsState": operation.affects_state,
        "code": operation.name,
        "resource": sorted(operation.types) or ["Resource"],
        "system": "system" in operation.levels,
        "type": "type" in operation.levels,
        "instance": "instance" in operation.levels,
    }
    if operation.levels == {"system"}:
        del definition["resource"]
    if operation.parameters:
        definition["parameter"] = [_parameter(one) for one in operation.parameters]
    return definition


def _computable(name: str) -> str:
    """Make a name that invariant opd-0 accepts: letters, digits, a capital first."""
    words = name.replace("_", "-").split("-")
    text = "".join(word[:1].upper() + word[1:] for word in words)
    return text if text[:1].isalpha() else f"Operation{text}"


def _parameter(declared: OperationParameter) -> dict[str, Any]:
    parameter: dict[str, Any] = {
        "name": declared.name,
        "use": declared.use,
        "min": declared.min,
        "max": declared.max,
    }
    if declared.documentation:
        parameter["documentation"] = declared.documentation
    if declared.parts:
        parameter["part"] = [_parameter(part) for part in declared.parts]
    else:
        parameter["type"] = declared.type
    return parameter
