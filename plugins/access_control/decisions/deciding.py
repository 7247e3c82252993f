"""Decides by the table what a principal may do, see and store.

One look-up for each interaction; what a demand needs to know of a resource is parsed, and
what it needs of others read, only where the cell has such a demand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from fyr.core import Forbidden, Subject
from fyr.plugins.access_control.decisions.before import note
from fyr.plugins.access_control.decisions.belonging import judge_belonging
from fyr.plugins.access_control.decisions.caller import Caller, Callers, Own, is_free
from fyr.plugins.access_control.decisions.cases import ResourceCase, SearchCase
from fyr.plugins.access_control.decisions.contexts import CODES, ON_CONTEXT
from fyr.plugins.access_control.decisions.devices import ON_DEVICE
from fyr.plugins.access_control.decisions.narrowing import limited, narrowed
from fyr.plugins.access_control.decisions.resources import ON_RESOURCE
from fyr.plugins.access_control.decisions.searches import ON_SEARCH
from fyr.plugins.access_control.decisions.settled import Noting, Settled
from fyr.plugins.access_control.decisions.table import (
    WORDS,
    Cell,
    Table,
    read_table,
)
from fyr.plugins.access_control.decisions.writes import ON_WRITE

if TYPE_CHECKING:
    from fyr.core import FyrError, Look, RequestContext, Resource, SearchAsked, Use

Pairs = list[tuple[str, str]]

_CHECKS = {**ON_RESOURCE, **ON_DEVICE, **ON_WRITE}
#: Open to all: what a server is, and resources that are no interactions of FHIR.
_OPEN = frozenset({"capabilities"})
#: The codes for those who may not read or search Provenance; other types share one.
_OF_PROVENANCE = {
    "read": "PROVENANCE_NO_READ_PRIVILEGE",
    "search": "PROVENANCE_NO_SEARCH_PRIVILEGE",
}
#: What a use is judged as, where the interaction does not tell.
_WRITTEN = frozenset({"old", "new"})
_SEEN = frozenset({"read", "vread", "history", "result"})


class Decisions:
    """Who may do what, on one deployment."""

    def __init__(self, own: Own, table: Table | None = None) -> None:
        """Take what knows this deployment's URLs.

        :param table: another one than that of the rules.
        """
        self.table = table or read_table()
        self.callers = Callers(own)
        self._settled = Settled()

    def authorize(self, context: RequestContext) -> None:
        """Refuse an interaction that no cell allows, by privilege and token.

        :raises fyr.core.errors.Forbidden: it does.
        """
        caller = self.callers.asking(context)
        if caller is None:
            return
        asked = (context.resource_type, context.interaction)
        if asked in caller.passed and context.parent is None:
            return
        if context.interaction in _OPEN:
            return
        if context.interaction == "route":
            if context.route is not None and context.route.own_rules:
                return
            if context.principal.user_type != "SYSTEM":
                raise CODES["SECURITY_USER_NOT_ALLOWED"].error(context.operation)
            return
        cell = self._cell(context, caller)
        _require_token(caller, cell)
        if context.parent is None and context.interaction != "operation":
            caller.passed.add(asked)

    def explain(self, context: RequestContext) -> Iterator[str]:
        """Tell what the cell of an interaction asks for; nothing: there is none."""
        cell = self.table.find(
            context.service.name,
            context.resource_type or "",
            _interaction(context),
            context.principal.user_type,
        )
        if cell is not None:
            yield " or ".join(cell.privileges) or "no privilege"
            if cell.demands:
                yield f"if {' '.join(cell.demands)}"

    def narrow(
        self, context: RequestContext, resource_type: str | None, params: Pairs
    ) -> Pairs | None:
        """Give a search the parameters that keep it inside; ``None``: it may stay."""
        if is_free(context) or resource_type is None:
            return None
        caller = self.callers.of(context)
        cell = self._find(context, resource_type, "search-type", caller)
        if cell is None or not cell.demands:
            return None
        needed = narrowed(caller, resource_type, cell.demands, params)
        if not needed:
            return None
        # A lenient search would leave out what cannot be searched by at the moment.
        context.handling = "strict"
        # A link to the next page has it already.
        return [*params, *(pair for pair in needed if pair not in params)]

    def authorize_search(
        self, context: RequestContext, asked: SearchAsked, look: Look
    ) -> None:
        """Refuse a search that reaches outside, or into types that are not allowed.

        :raises fyr.core.errors.Forbidden: it does.
        """
        if is_free(context):
            return
        caller = self.callers.of(context)
        reaches: set[str] = set()
        for kind in asked.types:
            cell = self._searchable(context, kind, caller)
            reaches |= cell.reaches
            self._judge_search(SearchCase(caller, asked, look, context), cell)
            if "patient-or-team" in cell.demands and not caller.patient:
                context.mask = limited
        self._judge_reach(context, asked, caller, reaches)
        self._judge_includes(context, asked, caller)

    def authorize_resource(
        self, context: RequestContext, subject: Subject, use: Use, look: Look
    ) -> None:
        """Refuse a resource outside of the contexts that its cell demands.

        :raises fyr.core.errors.FyrError: it lies outside.
        """
        caller = self.callers.asking(context)
        if caller is None:
            return
        if use == "read" and context.parent is None:
            checks = caller.asked.get(subject.type)
            if checks is None:
                checks = self._checks_of_read(context, caller, subject.type)
            if checks and not self._settled.holds(caller, subject, look):
                noting = Noting(look)
                case = ResourceCase(
                    caller, subject, use, noting, context, self._readable
                )
                for check in checks:
                    check(case)
                self._settled.note(caller, subject, noting)
            return
        cell = self._cell_of(context, caller, subject.type, use)
        if cell is None:
            return
        written = use in _WRITTEN and caller.type != "SYSTEM"
        if cell.demands or written:
            case = ResourceCase(caller, subject, use, look, context, self._readable)
            self._judge(cell, case)
            if written:
                judge_belonging(case)
                note(case)

    def _checks_of_read(
        self, context: RequestContext, caller: Caller, kind: str
    ) -> tuple[Callable[[ResourceCase], None], ...]:
        """Tell what is asked of what a caller reads, by a request of its own."""
        cell = self._cell_of(context, caller, kind, "read")
        checks = _resource_checks(cell.demands) if cell is not None else ()
        caller.asked[kind] = checks
        return checks

    def claim(self, context: RequestContext, binary: Resource) -> None:
        """Say in a Binary that it is the user's, if it says nothing of who may read it."""
        if not is_free(context) and "securityContext" not in binary:
            principal = context.principal
            user = {"value": principal.user_id}
            if principal.issuer:
                user = {"system": principal.issuer, **user}
            binary["securityContext"] = {"identifier": user}

    def _judge(self, cell: Cell, case: ResourceCase) -> None:
        for check in _resource_checks(cell.demands):
            check(case)

    def _readable(self, case: ResourceCase, found: Resource) -> None:
        """Let pass who may read another resource of the same service."""
        kind, identity = str(found["resourceType"]), str(found["id"])
        cell = self._find(case.context, kind, "read", case.caller)
        if cell is None or "binary-owner" in cell.demands:
            raise _no_cell(case.context, kind, case.caller)
        _require_token(case.caller, cell)
        subject = Subject(kind, identity, resource=found)
        self._judge(cell, replace(case, subject=subject, use="read"))

    def _cell(self, context: RequestContext, caller: Caller) -> Cell:
        """Find the cell of an interaction.

        :raises fyr.core.errors.Forbidden: there is none.
        """
        kind = context.resource_type or ""
        found = self._of_operation(context, caller, kind) or self._find(
            context, kind, _interaction(context), caller
        )
        if found is None:
            raise _no_cell(context, kind, caller)
        return found

    def _find(
        self, context: RequestContext, kind: str, interaction: str, caller: Caller
    ) -> Cell | None:
        return self.table.find(context.service.name, kind, interaction, caller.type)

    def _of_operation(
        self, context: RequestContext, caller: Caller, kind: str
    ) -> Cell | None:
        """Find the cell of the operation that an interaction is a part of, if it counts.

        It does for the resource that was called on, and for what the operation writes.
        """
        parent = context.parent
        if parent is None or parent.interaction != "operation":
            return None
        cell = self._find(
            parent, parent.resource_type or "", f"${parent.operation}", caller
        )
        if cell is None:
            return None
        if context.interaction in ("create", "update", "patch"):
            return cell if kind in cell.writes else None
        itself = (parent.resource_type, parent.resource_id)
        called_on = itself == (context.resource_type, context.resource_id)
        # One without demands, such as $validate, opens nothing that is not open.
        reads = context.interaction == "read" and called_on and cell.demands
        return cell if reads else None

    def _cell_of(
        self, context: RequestContext, caller: Caller, kind: str, use: Use
    ) -> Cell | None:
        """Find the cell that a resource is judged by.

        :raises fyr.core.errors.Forbidden: there is none for it.
        """
        if use == "include":
            return self._includable(context, kind, caller)
        if use == "result":
            return self._of_result(context, caller, kind)
        if use in _SEEN:
            cell = self._of_operation(context, caller, kind) or self._find(
                context, kind, "read", caller
            )
        else:
            cell = self._cell(replace(context, resource_type=kind), caller)
        if cell is None:
            raise _no_cell(context, kind, caller)
        return cell

    def _of_result(
        self, context: RequestContext, caller: Caller, kind: str
    ) -> Cell | None:
        """Find the cell for what an operation answers; not for what it has written."""
        operation = self._cell(context, caller)
        if kind in operation.writes:
            return None
        if kind in operation.shows:
            return operation
        return self._find(context, kind, "read", caller)

    def _includable(self, context: RequestContext, kind: str, caller: Caller) -> Cell:
        cell = self._find(context, kind, "include", caller) or self._find(
            context, kind, "read", caller
        )
        if cell is None:
            raise _no_cell(context, kind, caller)
        _require_token(caller, cell)
        return cell

    def _searchable(self, context: RequestContext, kind: str, caller: Caller) -> Cell:
        """Find the cell of a search; criteria of a write are a search of their type."""
        cell = self._find(context, kind, "search-type", caller)
        if cell is None:
            raise _no_cell(context, kind, caller)
        _require_token(caller, cell)
        return cell

    def _judge_search(self, case: SearchCase, cell: Cell) -> None:
        for demand in cell.demands:
            check = ON_SEARCH[demand]
            if check is not None:
                check(case)

    def _judge_reach(
        self,
        context: RequestContext,
        asked: SearchAsked,
        caller: Caller,
        reaches: Iterable[str],
    ) -> None:
        """Refuse criteria on other resources that the caller may not search freely."""
        for kind, name in sorted(asked.beyond):
            if f"{kind}.{name}" in reaches:
                continue
            cell = self._find(context, kind, "search-type", caller) or self._find(
                context, kind, "read", caller
            )
            if cell is None:
                raise _no_cell(context, kind, caller)
            _require(caller, cell)
            if cell.demands:
                raise CODES["SECURITY_SEARCH_PARAM_NOT_MATCHING_TOKEN_CONTEXT"].error(
                    f"{kind}.{name}"
                )

    def _judge_includes(
        self, context: RequestContext, asked: SearchAsked, caller: Caller
    ) -> None:
        """Refuse includes of which nothing could be shown; the rest is judged later."""
        failures = []
        for kind in sorted(asked.brought):
            try:
                self._includable(context, kind, caller)
            except Forbidden as error:
                failures.append(error)
        if failures and len(failures) == len(asked.brought):
            raise failures[0]


@lru_cache(maxsize=512)
def _token_checks(demands: tuple[str, ...]) -> tuple[Callable[[Caller], None], ...]:
    return tuple(ON_CONTEXT[one] for one in demands if one in ON_CONTEXT)


@lru_cache(maxsize=512)
def _resource_checks(
    demands: tuple[str, ...],
) -> tuple[Callable[[ResourceCase], None], ...]:
    return tuple(_CHECKS[one] for one in demands if one in _CHECKS)


def _interaction(context: RequestContext) -> str:
    """Name an interaction as the table does."""
    if context.interaction == "operation":
        return f"${context.operation}"
    # A Bundle that is not parsed yet is a transaction or a batch: one right for both.
    return "transaction" if context.interaction == "batch" else context.interaction


def _require_token(caller: Caller, cell: Cell) -> None:
    """Refuse a token that lacks the privilege, or a context that is demanded."""
    _require(caller, cell)
    for check in _token_checks(cell.demands):
        check(caller)


def _require(caller: Caller, cell: Cell) -> None:
    if not cell.privileges or caller.holds(cell.privileges):
        return
    kind, word = cell.key.resource_type, WORDS.get(cell.key.interaction, "")
    if kind == "Provenance" and word in _OF_PROVENANCE:
        raise CODES[_OF_PROVENANCE[word]].error()
    raise CODES["SECURITY_TOKEN_INSUFFICIENT_PERMISSION"].error(
        " or ".join(cell.privileges), kind or cell.key.service
    )


def _no_cell(context: RequestContext, kind: str, caller: Caller) -> FyrError:
    word = WORDS.get(context.interaction, context.interaction)
    if context.interaction == "operation" or not kind:
        return CODES["SECURITY_OPERATION_NOT_ALLOWED_FOR_USER_TYPE"].error(caller.type)
    return CODES["SECURITY_TOKEN_INSUFFICIENT_PERMISSION"].error(word, kind)
