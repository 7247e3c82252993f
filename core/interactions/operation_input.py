"""What a caller gives to an operation: from a query or a body to checked ``Parameters``.

https://hl7.org/fhir/R4/operations.html#request, checked against what is declared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fyr.config.neighbours import neighbour
from fyr.core.declarations.operations import Operation, OperationParameter
from fyr.core.errors import FyrError, Invalid, Issue
from fyr.core.interactions.answer import Incoming

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource

_ANY_RESOURCE = ("Resource", "DomainResource", "Any")
_ANY_VALUE = ("Element", "Type", "*")
#: What says how an answer is written.
_FORMS = frozenset("_elements _format _pretty _summary".split())
#: Where the one resource stands that is sent in place of Parameters.
_ALONE = "Parameters.parameter[0].resource"
#: Where the value of a parameter is wrong.
_VALUE = re.compile(r"Parameters\.parameter\[(\d+)\]\.value")
#: A time zone east of Greenwich, after its plus was read as a space.
_SPACED = re.compile(r":\d\d(\.\d+)? \d\d:\d\d$")
_INTEGERS = ("integer", "positiveInt", "unsignedInt")
_BOOLEANS = {"true": True, "false": False}
#: https://hl7.org/fhir/R4/datatypes.html: what can stand in a URL
_TEXTS = frozenset(
    "base64Binary canonical code date dateTime id instant markdown oid string time uri"
    " url uuid".split()
)


class Posted(Incoming):
    """What was posted to an operation: parsed when it is asked for, made ``Parameters``."""

    __slots__ = ("_operation", "_params", "_read")

    def __init__(
        self,
        operation: Operation,
        read: Callable[[], Resource | None],
        params: Iterable[tuple[str, str]],
    ) -> None:
        """Take what reads the body, and the query beside it."""
        super().__init__(self._made)
        self._operation = operation
        self._read = read
        self._params = params

    def _made(self) -> Resource:
        body = self._read()
        parameters = from_post(self._operation, body, self._params)
        kind = "Parameters" if body is None else str(body.get("resourceType"))
        self.alone = "" if kind == "Parameters" else kind
        return parameters


def tell_as_sent(error: FyrError, alone: str) -> None:
    """Have an error tell its places in what was sent.

    :param alone: type of the resource that was sent in place of Parameters; empty: it
        stays as it is.
    """
    if alone:
        error.issues = tuple(
            replace(
                one,
                expression=tuple(_in_alone(place, alone) for place in one.expression),
            )
            for one in error.issues
        )


def tell_as_asked(error: FyrError, parameters: Resource) -> None:
    """Have an error name the parameters of a query: in a URL nothing has a number.

    :param parameters: what :func:`from_query` made.
    """
    given = parameters.get("parameter", [])
    error.issues = tuple(_with_name(one, given) for one in error.issues)


def _with_name(issue: Issue, given: Sequence[Mapping[str, Any]]) -> Issue:
    match = _VALUE.match(issue.expression[0] if issue.expression else "")
    if match is None or int(match[1]) >= len(given):
        return issue
    parameter = given[int(match[1])]
    name, text = str(parameter.get("name")), issue.diagnostics
    if name not in text:
        text = f"parameter {name}: {text}"
    if any(_SPACED.search(str(one)) for key, one in parameter.items() if key != "name"):
        text += "; write + as %2B"
    return replace(issue, diagnostics=text)


def _in_alone(place: str, alone: str) -> str:
    rest = place.removeprefix(_ALONE)
    return f"{alone}{rest}" if rest != place and rest[:1] in ("", ".") else place


def from_query(operation: Operation, params: Iterable[tuple[str, str]]) -> Resource:
    """Make ``Parameters`` of a query.

    Names that begin with ``_`` and are not declared belong to the answer's form; an
    operation that judges what is unknown gets all others.

    :raises Invalid: a parameter is unknown, cannot stand in a URL, or has a value
        that is not of its type; all problems at once.
    """
    declared = {one.name: one for one in operation.inputs}
    parameters = []
    issues: list[Issue] = []
    for name, text in params:
        if name not in declared and operation.judges_unknown:
            if name not in _FORMS:
                parameters.append({"name": name, "valueString": text})
            continue
        if name not in declared and name.startswith("_"):
            continue
        try:
            parameters.append(_from_text(operation, declared, name, text))
        except Invalid as error:
            issues += error.issues
    if issues:
        raise Invalid(issues)
    return _parameters(parameters)


def from_post(
    operation: Operation, body: Resource | None, params: Iterable[tuple[str, str]]
) -> Resource:
    """Make ``Parameters`` of a body and of the query beside it.

    The body is ``Parameters``, or the one resource that is asked for.

    :raises Invalid: another resource was sent and no parameter takes it alone; or as
        :func:`from_query` does.
    """
    asked = from_query(operation, params)
    if body is None:
        return asked
    named = asked.get("parameter", [])
    kind = body.get("resourceType")
    if kind == "Parameters":
        given = body.get("parameter", [])
        # What is not a list is told by those who check the structure.
        if not named or not isinstance(given, list):
            return body
        return {**body, "parameter": [*given, *named]}
    takers = [one for one in operation.inputs if one.type in (kind, *_ANY_RESOURCE)]
    if len(takers) != 1:
        raise Invalid(f"${operation.name} takes Parameters, and not {kind}")
    return _parameters([{"name": takers[0].name, "resource": body}, *named])


def problems(operation: Operation, parameters: Resource) -> list[Issue]:
    """Tell all that is wrong with what a caller gives, against what is declared."""
    given = parameters.get("parameter", [])
    judged = operation.judges_unknown
    return list(_problems(operation.inputs, given, "Parameters.parameter", judged))


def _problems(
    declared: Sequence[OperationParameter],
    given: Sequence[Any],
    path: str,
    unknown: bool = False,
) -> Iterator[Issue]:
    known = {one.name: one for one in declared}
    counts = dict.fromkeys(known, 0)
    for position, parameter in enumerate(given):
        place = f"{path}[{position}]"
        name = parameter.get("name", "")
        if name not in known and unknown:
            continue
        if name not in known:
            yield Issue("invalid", _unknown(name, known), (f"{place}.name",))
            continue
        counts[name] += 1
        yield from _wrong(known[name], parameter, place)
    for name, count in counts.items():
        one = known[name]
        if count < one.min:
            yield Issue("required", f"parameter {name} is missing", (path,))
        if one.max != "*" and count > int(one.max):
            text = f"parameter {name} may be given {one.max} times, not {count}"
            yield Issue("invalid", text, (path,))


def _wrong(
    declared: OperationParameter, parameter: Mapping[str, Any], place: str
) -> Iterator[Issue]:
    if declared.parts:
        parts = parameter.get("part", [])
        yield from _problems(declared.parts, parts, f"{place}.part")
    elif not any(_is_of(one, parameter) for one in _types(declared)):
        text = f"parameter {declared.name} is to be of type {declared.type}"
        yield Issue("invalid", text, (place,))


def _types(declared: OperationParameter) -> Iterator[str]:
    yield declared.type
    if declared.also:
        yield declared.also


def _is_of(type_code: str, parameter: Mapping[str, Any]) -> bool:
    resource = parameter.get("resource")
    if resource is not None:
        return type_code in (resource.get("resourceType"), *_ANY_RESOURCE)
    values = [key for key in parameter if key.startswith("value")]
    return bool(values) and (type_code in _ANY_VALUE or values == [_key(type_code)])


def _key(type_code: str) -> str:
    return f"value{type_code[:1].upper()}{type_code[1:]}"


def _unknown(name: str, known: Mapping[str, object]) -> str:
    return f"unknown parameter: {name}{neighbour(name, known)}"


def _of_a_type(operation: Operation, name: str) -> str:
    """Tell those who name a type where it is said."""
    if name != "type" or "type" not in operation.levels:
        return ""
    return f": for one resource type call [type]/${operation.name}"


def _from_text(
    operation: Operation,
    declared: Mapping[str, OperationParameter],
    name: str,
    text: str,
) -> dict[str, Any]:
    if name not in declared:
        raise Invalid(_unknown(name, declared) + _of_a_type(operation, name))
    type_code = declared[name].type
    return {"name": name, _key(type_code): _value(operation, name, type_code, text)}


def _value(operation: Operation, name: str, type_code: str, text: str) -> Any:
    if type_code in _TEXTS and text:
        return text
    if type_code == "boolean" and text in _BOOLEANS:
        return _BOOLEANS[text]
    if (
        type_code in _INTEGERS
        and text.lstrip("-").isascii()
        and text.lstrip("-").isdigit()
    ):
        return int(text)
    if type_code in _TEXTS or type_code == "boolean" or type_code in _INTEGERS:
        raise Invalid(f"parameter {name} is to be of type {type_code}, not {text!r}")
    raise Invalid(
        f"parameter {name} ({type_code or 'of parts'}) cannot stand in a URL: POST"
        f" Parameters to ${operation.name}"
    )


def _parameters(parameters: list[dict[str, Any]]) -> Resource:
    if not parameters:
        return {"resourceType": "Parameters"}
    return {"resourceType": "Parameters", "parameter": parameters}
