"""Expressions that no path tells, evaluated on the whole resource: slower, and general.

http://hl7.org/fhirpath/N1/. Values become rows by their FHIR types, as those of paths.
An expression that cannot be evaluated on a resource gives no rows of it: what a client
writes is never refused because of what it would be found by.
"""

from collections.abc import Iterator, Mapping

from fyr.core.errors import Invalid
from fyr.core.model.budget import Budget
from fyr.core.model.fhirpath import Moment, Node, Quantity, select
from fyr.core.model.resource import Resource
from fyr.search.extraction.rows import Convert, Rows
from fyr.search.extraction.values import PARTS

#: Steps that one expression may take on one resource, a few hundredths of a second.
_STEPS = 50_000
#: What is computed has types of FHIRPath's own.
_SYSTEM = {
    "Boolean": "boolean",
    "Integer": "integer",
    "Decimal": "decimal",
    "String": "string",
    "Date": "date",
    "DateTime": "dateTime",
}


def evaluated(
    expression: str, type_: str, converters: Mapping[str, Convert]
) -> Convert:
    """Make what takes the values of an expression from a resource.

    :param type_: of the search parameter.
    :param converters: FHIR type -> how its values become rows.
    """

    def taken(resource: Resource, param: int, rows: Rows) -> None:
        try:
            nodes = select(expression, resource, budget=Budget(_STEPS))
        except Invalid:
            return
        for found in nodes:
            for node in _meant(found, type_):
                convert = converters.get(_SYSTEM.get(node.type, node.type))
                value = node.value
                if isinstance(value, Moment):
                    value = value.text
                computed = isinstance(value, Quantity)
                if convert is not None and value is not None and not computed:
                    convert(value, param, rows)

    return taken


def _meant(node: Node, type_: str) -> Iterator[Node]:
    """Give the elements that stand for one: an extension is meant for its value."""
    if node.type == "Extension":
        for value in node.children("value"):
            yield from _meant(value, type_)
        return
    parts = PARTS.get((type_, node.type))
    if parts is None:
        yield node
        return
    for name in parts:
        yield from node.children(name)
