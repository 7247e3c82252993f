"""FHIRPath on resources: http://hl7.org/fhirpath/N1/ and https://hl7.org/fhir/R4/fhirpath.html.

An evaluator of its own: it keeps decimals as they were written, knows where in the
resource each result stands (which FHIRPath Patch needs), and ends within a bounded
number of steps whatever a client sends. Not supported: regular expressions, quantity
and date arithmetic, unit conversion, terminology functions, ``resolve()`` beyond
contained resources.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fyr.core.clock import utc_now
from fyr.core.errors import Invalid
from fyr.core.model.budget import Budget

# Imported so that their functions are there to be called.
from fyr.core.model.fhirpath import functions as functions
from fyr.core.model.fhirpath import grammar
from fyr.core.model.fhirpath import scalars as scalars
from fyr.core.model.fhirpath.evaluation import Scope
from fyr.core.model.fhirpath.nodes import Node, resource_node
from fyr.core.model.fhirpath.operators import computed
from fyr.core.model.fhirpath.values import Moment, Quantity

__all__ = ["Moment", "Node", "Quantity", "check", "evaluate", "select", "select_list"]

Variables = Mapping[str, Any]


def evaluate(
    expression: str,
    resource: dict[str, Any],
    *,
    variables: Variables | None = None,
    now: datetime | None = None,
) -> list[Any]:
    """Evaluate an expression on a resource.

    :param variables: what ``%name`` stands for: a resource, a plain value, a
        :class:`Moment`, a :class:`Quantity`, a result of :func:`select`, or a list.
    :param now: what ``now()`` and ``today()`` say; the time of this machine if left out.
    :return: the values as they stand in the resource, and what was computed.
    :raises Invalid: not FHIRPath, not supported here, or too costly.
    """
    found = select(expression, resource, variables=variables, now=now)
    return [node.value for node in found if node.value is not None]


def select(
    expression: str,
    resource: dict[str, Any],
    *,
    variables: Variables | None = None,
    now: datetime | None = None,
    budget: Budget | None = None,
) -> list[Node]:
    """Evaluate an expression, and tell of each result where it stands.

    :param budget: shared by expressions that belong together; one of its own if left out.
    """
    tree = grammar.parse(expression)
    return _run(tree, resource, variables or {}, now, budget or Budget())


def select_list(
    expression: str, resource: dict[str, Any], budget: Budget
) -> tuple[list[Node], str]:
    """Split ``path.name`` and evaluate what is before the last dot.

    A list that is empty cannot be selected; what it would stand in can.

    :raises Invalid: the expression does not end in a name.
    """
    tree = grammar.parse(expression)
    if not isinstance(tree, grammar.Dot) or not isinstance(tree.step, grammar.Member):
        raise Invalid(
            f"FHIRPath {expression!r}: does not end in the name of an element"
        )
    return _run(tree.target, resource, {}, None, budget), tree.step.name


def check(expression: str) -> None:
    """Refuse what is not FHIRPath."""
    grammar.parse(expression)


def _run(
    tree: grammar.Tree,
    resource: dict[str, Any],
    variables: Variables,
    now: datetime | None,
    budget: Budget,
) -> list[Node]:
    root = [resource_node(resource)]
    known = {
        "resource": root,
        "rootResource": root,
        "context": root,
        "ucum": computed("http://unitsofmeasure.org"),
        "sct": computed("http://snomed.info/sct"),
        "loinc": computed("http://loinc.org"),
    }
    given = {name: _as_nodes(value) for name, value in variables.items()}
    scope = Scope(root, {**known, **given}, budget, now or utc_now())
    try:
        return scope.run(tree)
    except RecursionError:
        # Trees are bounded; how much of the stack the caller has used is not known.
        raise Invalid("FHIRPath: nested too deep") from None


def _as_nodes(value: Any) -> list[Node]:
    if isinstance(value, Node):
        return [value]
    if isinstance(value, dict):
        return [resource_node(value)]
    if isinstance(value, list):
        return [node for item in value for node in _as_nodes(item)]
    return computed(value)
