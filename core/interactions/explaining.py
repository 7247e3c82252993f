"""``_explain``: how a search is understood and what it costs, for those who may know.

Ours, as https://hl7.org/fhir/R4/search.html leaves room for parameters of a server. What
is told holds the values that were searched for, and those that plugins added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from fyr.core.errors import Forbidden, Invalid
from fyr.core.interactions.answer import Answer
from fyr.core.model import json

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.context import RequestContext
    from fyr.core.model.resource import Resource
    from fyr.core.searching import ExplainedStatement, Explanation

EXPLAIN = "_explain"


def explains(params: Sequence[tuple[str, str]]) -> bool:
    """Whether a search is to be explained and not answered.

    :raises Invalid: ``_explain`` is neither ``true`` nor ``false``.
    """
    asked = [value for name, value in params if name == EXPLAIN]
    for value in asked:
        if value not in ("true", "false"):
            raise Invalid(f"{EXPLAIN} is true or false, not {value[:40]!r}")
    return "true" in asked


def require_may_explain(settings: Settings, context: RequestContext) -> None:
    """Let pass who may see SQL, plans and values: in open mode everybody.

    :raises Forbidden: the principal lacks the privilege, or no privilege is named.
    """
    if settings.security.mode == "open":
        return
    wanted = settings.search.explain_privilege
    if not wanted or wanted not in context.principal.privileges:
        raise Forbidden(
            f"{EXPLAIN} is for those who have the privilege that the setting"
            " search.explain_privilege names"
        )


def explanation(found: Explanation) -> Answer:
    """Write an explanation as a Parameters resource, laid out in lines."""
    return Answer(200, json.pretty(json.dump(_parameters(found))))


def as_text(parameters: Resource) -> str:
    """Write such a resource as plain text."""
    lines: list[str] = []
    for one in parameters["parameter"]:
        if "part" in one:
            lines += ["", one["name"].upper(), *map(_line, one["part"])]
        else:
            lines.append(_line(one))
    return "\n".join(lines) + "\n"


def _line(parameter: dict[str, Any]) -> str:
    name, value = parameter.values()
    # The tree and the plan are drawn by their indentation.
    return str(value) if name in ("query", "plan") else f"{name}: {value}"


def _parameters(found: Explanation) -> Resource:
    return {
        "resourceType": "Parameters",
        "parameter": [
            *(_text("query", line) for line in found.query),
            _decimal("parseMilliseconds", found.parse_millis),
            _decimal("milliseconds", found.millis),
            _integer("matches", len(found.page.matches)),
            _integer("included", len(found.page.included)),
            *(_text("note", issue.diagnostics) for issue in found.page.issues),
            *(
                {"name": one.kind, "part": list(_parts(one))}
                for one in found.statements
            ),
        ],
    }


def _parts(statement: ExplainedStatement) -> Iterator[dict[str, Any]]:
    yield _text("sql", " ".join(statement.sql.split()))
    yield _text("values", ", ".join(map(repr, statement.values)))
    yield _integer("rows", statement.rows)
    yield _decimal("planMilliseconds", statement.plan_millis)
    yield _decimal("runMilliseconds", statement.run_millis)
    for line in statement.plan:
        yield _text("plan", line)


def _text(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "valueString": value}


def _integer(name: str, value: int) -> dict[str, Any]:
    return {"name": name, "valueInteger": value}


def _decimal(name: str, value: float) -> dict[str, Any]:
    return {"name": name, "valueDecimal": round(value, 3)}
