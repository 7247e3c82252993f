"""A group of lines as one transaction; where it fails, as smaller ones.

Each line goes through what any write does: admission, checks, hooks. A resource with an
id is stored under it, one without gets one; or the one that has its identifier is
replaced: https://hl7.org/fhir/R4/http.html#cond-update.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fyr.core import FyrError, Invalid, Issue, RequestContext, Session, Unavailable
from fyr.core.interactions import many
from fyr.core.interactions.outcomes import outcome
from fyr.core.model import json

if TYPE_CHECKING:
    from fyr.core import Resource
    from fyr.core.interactions import Interactions
    from fyr.core.interactions.transaction import Plan
    from fyr.plugins.bulk_data.lines import Line

#: How a line finds the resource that it is a version of.
BY_ID, BY_IDENTIFIER = "id", "identifier"
#: Transactions that are tried with the same lines.
_ATTEMPTS = 4
#: Where an issue says it stands, of the only entry of a transaction.
_ENTRY = "Bundle.entry[0].resource."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not stored, and every reason."""

    line: int
    issues: tuple[Issue, ...]

    def outcome(self) -> Resource:
        """Tell it as an OperationOutcome, each issue with the number of the line."""
        told = [
            replace(one, diagnostics=f"line {self.line}: {one.diagnostics}")
            for one in self.issues
        ]
        return {**outcome(told), "id": f"line-{self.line}"}


#: Is run in the transaction: the last line, how many were stored, what was refused.
Also = Callable[[Session, "Line", int, Sequence[Refusal]], None]


class Group:
    """Stores some lines."""

    def __init__(
        self,
        interactions: Interactions,
        operation: RequestContext,
        kind: str,
        match_by: str,
    ) -> None:
        """Take whose writes these are.

        :param operation: the import, with the caller in it.
        :param kind: resource type of all lines; empty: any.
        """
        self._interactions = interactions
        self._operation = operation
        self._kind = kind
        self._match_by = match_by
        self._refused: list[Refusal] = []

    def store(self, lines: Sequence[Line], also: Also) -> None:
        """Store what can be of the first lines, in one transaction.

        Lines that stand in the way are found by trying, so that the transaction which
        says how far it is has nothing left that could fail.

        :param also: is told the last line that this was about.
        """
        self._refused.clear()
        plans, lines = self._plans(lines)
        error: FyrError | None = None
        for _ in range(_ATTEMPTS):
            try:
                self._together(plans, lines, also)
            except Unavailable:
                raise
            except FyrError as problem:
                error = problem
                bad = self._bad(plans)
                plans = {key: plan for key, plan in plans.items() if key not in bad}
            else:
                return
        if len(lines) > 1:
            # One by one they can be stored, and not together.
            self.store(lines[: len(lines) // 2], also)
        else:
            assert error is not None
            self._refuse(lines[0].number, error)
            self._together({}, lines, also)

    def _together(
        self, plans: dict[int, Plan], lines: Sequence[Line], also: Also
    ) -> None:
        refused = sorted(self._refused, key=lambda one: one.line)
        many.store(
            self._interactions,
            list(plans.values()),
            lambda session: also(session, lines[-1], len(plans), refused),
        )

    def _plans(self, lines: Sequence[Line]) -> tuple[dict[int, Plan], Sequence[Line]]:
        """Receive lines, those before one that is about the same as another."""
        plans: dict[int, Plan] = {}
        keys: set[tuple[str, ...]] = set()
        for place, line in enumerate(lines):
            if not line.data.strip() and not line.too_long:
                continue
            try:
                plan = self._plan(line)
            except Unavailable:
                raise
            except FyrError as error:
                self._refuse(line.number, error)
                continue
            name = _name(plan)
            if name in keys:
                return plans, lines[:place]
            keys.add(name)
            plans[line.number] = plan
        return plans, lines

    def _bad(self, plans: dict[int, Plan]) -> set[int]:
        """Find the plans that cannot be stored, without storing any."""
        if not plans:
            return set()
        try:
            many.store(self._interactions, list(plans.values()), _roll_back)
        except _RolledBack:
            return set()
        except Unavailable:
            raise
        except FyrError as error:
            if len(plans) == 1:
                (number,) = plans
                self._refuse(number, error)
                return {number}
        numbers = list(plans)
        middle = len(numbers) // 2
        halves = (numbers[:middle], numbers[middle:])
        return set().union(
            *(self._bad({one: plans[one] for one in half}) for half in halves)
        )

    def _plan(self, line: Line) -> Plan:
        if line.too_long:
            raise Invalid("it is longer than a line may be")
        resource = json.parse(line.data)
        kind = resource["resourceType"]
        if self._kind and kind != self._kind:
            raise Invalid(f"it is a {kind}, in a file of {self._kind}")
        criteria = ""
        if self._match_by == BY_IDENTIFIER:
            criteria = _identifier(resource)
            resource.pop("id", None)
        identity = resource.get("id")
        named = identity if isinstance(identity, str) else None
        interaction = "update" if named or criteria else "create"
        parent = self._operation
        context = RequestContext(
            parent.service,
            interaction,
            kind,
            named,
            principal=parent.principal,
            base_url=parent.base_url,
            now=parent.now,
            parent=parent,
            trace_id=parent.trace_id,
        )
        return many.received(self._interactions, context, resource, criteria)

    def _refuse(self, number: int, error: FyrError) -> None:
        issues = tuple(
            replace(one, expression=tuple(_alone(path) for path in one.expression))
            for one in error.issues
        )
        self._refused.append(Refusal(number, issues))


class _RolledBack(Exception):
    """A transaction that was only tried."""


def _roll_back(session: Session) -> None:
    # What is only sent with the commit is asked for now.
    session.rows("SELECT 1")
    raise _RolledBack


def _name(plan: Plan) -> tuple[str, ...]:
    """Tell what a plan is about; two in one transaction may not be about the same."""
    if plan.criteria is not None:
        return (plan.kind, "?", plan.criteria)
    return plan.write.key


def _identifier(resource: Resource) -> str:
    """Tell the criteria of the first identifier that is one.

    :raises Invalid: there is none.
    """
    given: Any = resource.get("identifier", ())
    for one in given if isinstance(given, list) else [given]:
        if isinstance(one, dict) and one.get("value") and one.get("system"):
            token = f"{_escaped(one['system'])}|{_escaped(one['value'])}"
            return urlencode({"identifier": token})
    raise Invalid("it has no identifier with system and value to be matched by")


def _escaped(text: Any) -> str:
    """Write a value so that a search takes it as one: https://hl7.org/fhir/R4/search.html#escaping."""
    found = str(text)
    for sign in "\\$,|":
        found = found.replace(sign, f"\\{sign}")
    return found


def _alone(path: str) -> str:
    return path.removeprefix(_ENTRY)
