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
from fyr.core.searching import escaped

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


@dataclass(slots=True)
class Planned:
    """Lines that have been received, and can be stored in one transaction."""

    lines: list[Line]
    #: by the numbers of their lines
    plans: dict[int, Plan]
    refused: list[Refusal]

    def refuse(self, number: int, error: FyrError) -> None:
        """Note why a line is not stored."""
        issues = tuple(
            replace(one, expression=tuple(_alone(path) for path in one.expression))
            for one in error.issues
        )
        self.refused.append(Refusal(number, issues))


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

    def plan(self, lines: Sequence[Line]) -> list[Planned]:
        """Receive lines; those about the same resource go into different parts."""
        part = Planned([], {}, [])
        parts, keys = [part], set[tuple[str, ...]]()
        for line in lines:
            plan = self._received(part, line)
            if plan is not None and _name(plan) in keys:
                keys.clear()
                part = Planned([], {}, [])
                parts.append(part)
            part.lines.append(line)
            if plan is not None:
                keys.add(_name(plan))
                part.plans[line.number] = plan
        return parts

    def store(self, part: Planned, also: Also) -> list[Planned]:
        """Store what can be, in one transaction, and tell what is left to be stored.

        Lines that stand in the way are found by trying, so that the transaction which
        says how far it is has nothing left that could fail.
        """
        error: FyrError | None = None
        for _ in range(_ATTEMPTS):
            try:
                self._together(part, also)
            except Unavailable:
                raise
            except FyrError as problem:
                error = problem
                for number in self._bad(part, part.plans):
                    del part.plans[number]
            else:
                return []
        assert error is not None
        if len(part.plans) < 2:
            for number in part.plans:
                part.refuse(number, error)
            part.plans.clear()
            self._together(part, also)
            return []
        # One by one they can be stored, and not together.
        middle = len(part.lines) // 2
        left = self.plan(part.lines[:middle]) + self.plan(part.lines[middle:])
        return self.store(left[0], also) + left[1:]

    def _together(self, part: Planned, also: Also) -> None:
        refused = sorted(part.refused, key=lambda one: one.line)
        last, count = part.lines[-1], len(part.plans)
        many.store(
            self._interactions,
            list(part.plans.values()),
            lambda session: also(session, last, count, refused),
        )

    def _received(self, part: Planned, line: Line) -> Plan | None:
        """Receive one line; ``None``: there is nothing in it, or it is refused."""
        if not line.data.strip() and not line.too_long:
            return None
        try:
            return self._plan(line)
        except Unavailable:
            raise
        except FyrError as error:
            part.refuse(line.number, error)
            return None

    def _bad(self, part: Planned, plans: dict[int, Plan]) -> set[int]:
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
                part.refuse(number, error)
                return {number}
        numbers = list(plans)
        middle = len(numbers) // 2
        halves = (numbers[:middle], numbers[middle:])
        return set().union(
            *(self._bad(part, {one: plans[one] for one in half}) for half in halves)
        )

    def _plan(self, line: Line) -> Plan:
        if line.too_long:
            raise Invalid("it is longer than a line may be")
        resource = json.parse(line.data)
        kind = resource["resourceType"]
        if self._kind and kind != self._kind:
            raise Invalid(f"its type is {kind}, in a file of {self._kind}")
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
            token = f"{escaped(str(one['system']))}|{escaped(str(one['value']))}"
            return urlencode({"identifier": token})
    raise Invalid("it has no identifier with system and value to be matched by")


def _alone(path: str) -> str:
    return path.removeprefix(_ENTRY)
