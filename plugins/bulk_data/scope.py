"""What an export reaches: which types, whose compartments, asked with the caller's rights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from fyr.core import Forbidden, Gone, NotFound, RequestContext
from fyr.core.searching import Extent
from fyr.core.store.port import Session
from fyr.plugins.bulk_data.callers import restored

if TYPE_CHECKING:
    from fyr.core import Application, OperationCall, Principal, Resource, Service
    from fyr.core.interactions import Interactions
    from fyr.plugins.bulk_data.asked import Asked
    from fyr.plugins.bulk_data.tasks import Task

PATIENT, GROUP = "Patient", "Group"
#: Patients whose compartments are searched together.
_OWNERS = 1000
#: Groups inside of groups.
_DEEPEST = 10


class Scope:
    """An export as its caller: types, and searches on them."""

    def __init__(
        self,
        application: Application,
        interactions: Interactions,
        context: RequestContext,
        asked: Asked,
    ) -> None:
        """Take the export.

        :param context: that of the operation, with the caller in it.
        """
        self.interactions = interactions
        self.context = context
        self.asked = asked
        self._application = application

    @classmethod
    def of_call(
        cls, application: Application, call: OperationCall, asked: Asked
    ) -> Scope:
        """Take what is being asked for now."""
        return cls(application, call.interactions, call.context, asked)

    @classmethod
    def of_task(cls, application: Application, task: Task, asked: Asked) -> Scope:
        """Take what was asked for earlier, with the rights of then."""
        context = task_context(application, task, restored(task.caller))
        return cls(application, application.interactions, context, asked)

    def types(self) -> list[str]:
        """Tell the types to go through."""
        known = exported_types(
            self._application, self.context.service, self.asked.level
        )
        return [
            kind for kind in known if not self.asked.types or kind in self.asked.types
        ]

    def search(self, kind: str, pairs: Sequence[tuple[str, str]]) -> RequestContext:
        """Make a search on a type, as a part of the operation."""
        context = self.context
        return RequestContext(
            context.service,
            "search-type",
            kind,
            params=tuple(pairs),
            principal=context.principal,
            trace_id=context.trace_id,
            base_url=context.base_url,
            now=context.now,
            parent=context,
        )

    def searches(
        self, session: Session, kind: str
    ) -> Iterator[tuple[RequestContext, Iterator[Sequence[tuple[int, int]]]]]:
        """Ask for all of a type: searches, and what they find.

        What the caller may not ask is refused before anything is found.
        """
        for pairs in self.asked.queries(kind):
            for extent in self._extents():
                context = self.search(kind, pairs)
                if extent.owners is not None and len(extent.owners) == 1:
                    # As any search in a compartment, for those who decide by that.
                    context.compartment = (PATIENT, extent.owners[0])
                    extent = Extent(since=extent.since, until=extent.until)
                yield context, self.interactions.every(session, context, extent)

    def mask(self, session: Session, kind: str) -> Any:
        """Ask again for a type, and tell what its resources are shown through."""
        masks = [one.mask for one, _ in self.searches(session, kind)]
        return next((mask for mask in masks if mask is not None), None)

    def refused(self, kinds: Sequence[str]) -> dict[str, Forbidden]:
        """Ask for some types, and tell which may not be searched, each with its reason."""
        found: dict[str, Forbidden] = {}

        def ask(session: Session, kind: str) -> None:
            try:
                self.mask(session, kind)
            except Forbidden as error:
                found[kind] = error

        for kind in kinds:
            self._application.database.read(partial(ask, kind=kind))
        return found

    def bounds(self, kind: str) -> list[Any]:
        """Tell what keeps the searches for a type inside of what the caller may see.

        That is what plugins add to them by themselves; nothing is asked of the store.
        """
        narrow = self._application.hooks.narrow_search
        found = []
        for pairs in self.asked.queries(kind):
            context = self.search(kind, pairs)
            params: Sequence[tuple[str, str]] = [*pairs]
            if narrow:
                params = narrow(context=context, resource_type=kind, params=[*pairs])
            found.append(([*params], context.compartment))
        return found

    def owners(self, group: Resource | None) -> tuple[str, ...] | None:
        """Tell the patients that are meant; ``None``: all.

        :raises NotFound: one that was named is not there, or not a member.
        """
        named = self.asked.patients
        members = None if group is None else self._members(group)
        if named is None:
            return None if members is None else tuple(members)
        if members is not None:
            missing = [one for one in named if one not in members]
        else:
            missing = [one for one in named if not self._is_there(one)]
        if missing:
            listed = ", ".join(missing[:20])
            where = "a member of the group" if group else "there"
            raise NotFound(f"patient: not {where}: {listed}")
        return named

    def _extents(self) -> Iterator[Extent]:
        asked = self.asked
        owners = asked.owners
        if asked.level == "system":
            yield Extent(since=asked.since, until=asked.until)
        elif owners is None:
            yield Extent(PATIENT, None, asked.since, asked.until)
        for start in range(0, len(owners or ()), _OWNERS):
            part = (owners or ())[start : start + _OWNERS]
            yield Extent(PATIENT, part, asked.since, asked.until)

    def _is_there(self, identity: str) -> bool:
        found = self._application.resources.read(PATIENT, identity)
        return found is not None and not found.deleted

    def _members(self, group: Resource) -> dict[str, None]:
        """Tell the patients that are in a group at present, those of its groups too."""
        found: dict[str, None] = {}
        waiting, seen = [(group, 0)], {group["id"]}
        while waiting:
            one, depth = waiting.pop()
            for member in one.get("member", ()):
                kind, _, identity = self._local(member)
                if not identity or not is_current(member, self.context.now):
                    continue
                if kind == PATIENT:
                    found[identity] = None
                elif kind == GROUP and identity not in seen and depth < _DEEPEST:
                    seen.add(identity)
                    # One that is not there, or no longer, has nobody in it.
                    with suppress(NotFound, Gone):
                        waiting.append((self._group(identity), depth + 1))
        return found

    def _local(self, member: dict[str, Any]) -> tuple[str, str, str]:
        context = self.context
        url = member.get("entity", {}).get("reference", "")
        local = self.interactions.services.own(url, context.service, context.base_url)
        return (local or url).partition("/_history/")[0].partition("/")

    def _group(self, identity: str) -> Resource:
        """Read a group, as the caller may see it."""
        context = self.search(GROUP, ())
        context.interaction, context.resource_id = "read", identity
        return self.interactions.read(context).resource()


def task_context(
    application: Application, task: Task, principal: Principal
) -> RequestContext:
    """Give the operation of a task, as somebody calls it."""
    asked = task.asked
    level = asked.get("level", "system")
    known = [*application.services, application.services.everything]
    service = next((one for one in known if one.name == task.service), None)
    if service is None:
        raise NotFound(f"there is no service {task.service} any more")
    return RequestContext(
        service,
        "operation",
        None if level == "system" else level,
        asked.get("group") or None,
        task.kind,
        principal=principal,
        base_url=task.base_url,
        now=application.clock(),
    )


def exported_types(application: Application, service: Service, level: str) -> list[str]:
    """Tell the types that can be exported at a level of a service."""
    kinds = sorted(
        kind for kind in service.types if service.offers(kind, "search-type")
    )
    engine = application.search
    if level == "system" or engine is None:
        return kinds
    members = engine.compartments()[PATIENT].types
    return [kind for kind in kinds if kind in members]


def is_current(member: dict[str, Any], now: datetime | None) -> bool:
    """Whether a member of a Group is one at present."""
    if member.get("inactive") is True:
        return False
    period = member.get("period", {})
    start, end = period.get("start"), period.get("end")
    return now is None or not (
        (start and _compared(start, now) > 0) or (end and _compared(end, now) < 0)
    )


def _compared(value: str, now: datetime) -> int:
    """Tell whether a dateTime is over (-1), at present (0) or to come (1).

    https://hl7.org/fhir/R4/datatypes.html#dateTime: less than a day is a whole period.
    """
    if "T" in value:
        moment = datetime.fromisoformat(value)
        return (moment > now) - (moment < now)
    today = now.date().isoformat()[: len(value)]
    return (value > today) - (value < today)
