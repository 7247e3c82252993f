"""All entries of a transaction, or none: https://hl7.org/fhir/R4/http.html#trules.

What is written is locked in one sorted step and stored in bulk. Resources with
conditional references are stored after the others, so that criteria find what the same
transaction makes; reads and operations come last and see everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

from fyr.core.errors import (
    FyrError,
    Invalid,
    NotSupported,
    PreconditionFailed,
    TookTooLong,
)
from fyr.core.interactions.answer import Answer, Incoming
from fyr.core.interactions.conditional import (
    directed,
    existing,
    nothing_to_delete,
    refuse_unless_offered,
    required,
)
from fyr.core.interactions.criteria import claim, find, find_locked, normal
from fyr.core.interactions.delete import deletion
from fyr.core.interactions.entries import (
    WRITES,
    Entry,
    patch_in,
    perform,
    refuse_references,
)
from fyr.core.interactions.links import Links, Search, searches_in
from fyr.core.interactions.outcomes import joined
from fyr.core.interactions.patch import patching
from fyr.core.interactions.receive import received
from fyr.core.interactions.storing import lock, store
from fyr.core.interactions.write import answered, created, fresh_id, updated
from fyr.core.interactions.writes import Write
from fyr.core.store.port import Key, Session, Stored

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions


@dataclass(slots=True)
class Plan:
    """What an entry will write, as far as that is known before the transaction."""

    entry: Entry
    write: Write
    #: that find the resource it is about, in their normal form
    criteria: str | None = None
    #: references in the resource that criteria tell
    searches: Sequence[Search] = ()

    @property
    def kind(self) -> str:
        """Type of the resource."""
        return self.entry.context.resource_type or ""


def refuse_late(until: float) -> None:
    """Refuse to begin another entry.

    :param until: by the monotonic clock.
    :raises TookTooLong: it is later than that.
    """
    if monotonic() > until:
        raise TookTooLong("the entries take too long together: send fewer at a time")


def transaction(
    interactions: Interactions, entries: Sequence[Entry], until: float
) -> list[Answer]:
    """Do all entries and answer each, in their order.

    :param until: no entry that reads is begun later, by the monotonic clock.
    :raises FyrError: one of them cannot be done; all problems that could be seen
        together, each with its entry.
    """
    plans: list[Plan] = []
    failures: list[tuple[str, FyrError]] = []
    names: set[str] = set()
    for entry in sorted(filter(_writes, entries), key=_rank):
        try:
            _refuse_second_name(entry, names)
            plans.append(planned(interactions, entry))
        except FyrError as error:
            failures.append((entry.place, error))
    if failures:
        failures.sort(key=lambda failure: _number(failure[0]))
        raise joined(failures)
    rest = [entry for entry in entries if not entry.writes]

    def work(session: Session) -> list[Answer]:
        answers = Attempt(interactions, session, plans).answers()
        within = interactions.within(session)
        # Operations may write: what is read after them sees it.
        for entry in sorted(rest, key=lambda one: one.method != "POST"):
            try:
                refuse_late(until)
                answers[entry.number] = perform(within, entry)
            except FyrError as error:
                raise joined([(entry.place, error)]) from error
        return [answers[entry.number] for entry in entries]

    return interactions.write(work)


def _writes(entry: Entry) -> bool:
    return entry.writes


def _rank(entry: Entry) -> int:
    return WRITES[entry.context.interaction]


def _number(place: str) -> int:
    return int(place.partition("[")[2].partition("]")[0])


def _refuse_second_name(entry: Entry, names: set[str]) -> None:
    """Refuse a ``fullUrl`` that another entry has, for links to it could mean either.

    :raises Invalid: it is among the names, which it is added to otherwise.
    """
    if not entry.full_url or entry.method == "DELETE":
        return
    if entry.full_url in names:
        text = f"another entry has the fullUrl {entry.full_url[:200]} too"
        raise Invalid(text, expression=["fullUrl"])
    names.add(entry.full_url)


def planned(interactions: Interactions, entry: Entry) -> Plan:
    """Admit an entry that writes, and receive what it brings."""
    context = entry.context
    interactions.admit(context)
    query = entry.if_none_exist
    if context.interaction != "create" and context.resource_id is None:
        query = entry.query
    if query is not None:
        refuse_unless_offered(context)
    plan = Plan(entry, _write(interactions, entry))
    plan.write.place = entry.place
    if query is not None:
        plan.criteria = normal(plan.kind, query)
    if plan.write.resource is not None:
        plan.searches = searches_in(plan.write.resource)
    if plan.searches:
        refuse_references(entry, [one.path for one in plan.searches])
    return plan


def _write(interactions: Interactions, entry: Entry) -> Write:
    context, resource = entry.context, entry.resource or {}
    if context.interaction == "delete":
        return deletion(context, entry.if_match)
    if context.interaction == "patch":
        patch = patch_in(resource)
        return patching(interactions, context, patch, entry.if_match)
    source = Incoming(resource)
    if context.interaction == "create":
        return created(interactions, context, source)
    if context.resource_id is not None:
        write = updated(interactions, context, source)
    else:
        checked, issues = received(interactions, context, source)
        write = Write(context, "PUT", ("", ""), checked, issues=issues)
    write.if_match, write.if_none_match = entry.if_match, entry.if_none_match
    return write


class Attempt:
    """One attempt at the writes of a transaction; it may be repeated from the start."""

    def __init__(
        self, interactions: Interactions, session: Session, plans: Sequence[Plan]
    ) -> None:
        """Take the transaction, and what is to be written in it."""
        self._interactions = interactions
        self._session = session
        self._plans = plans
        self._links = Links()
        self._answers: dict[int, Answer] = {}

    def answers(self) -> dict[int, Answer]:
        """Make the writes and answer them, by the numbers of their entries."""
        plans = self._targets()
        _refuse_overlaps(plans, self._answers)
        for plan in plans:
            self._link(plan.entry, plan.write.key)
        heads = lock(self._interactions, self._session, [plan.write for plan in plans])
        versions = {plan.write.key: _next(heads.get(plan.write.key)) for plan in plans}
        first = [plan for plan in plans if not plan.searches]
        later = [plan for plan in plans if plan.searches]
        self._store(first, heads, versions)
        if later:
            self._search(later)
            self._store(later, heads, versions)
        return self._answers

    def _targets(self) -> list[Plan]:
        """Find what criteria mean; give the plans that something is left to do of."""
        conditional = [plan for plan in self._plans if plan.criteria is not None]
        asked = sorted({(plan.kind, plan.criteria or "") for plan in conditional})
        for kind, criteria in asked:
            claim(self._interactions, self._session, kind, criteria)
        left: list[Plan] = []
        failures: list[tuple[str, FyrError]] = []
        for plan in self._plans:
            try:
                if plan.criteria is None or self._aim(plan, plan.criteria):
                    left.append(plan)
            except FyrError as error:
                failures.append((plan.entry.place, error))
        if failures:
            raise joined(failures)
        return left

    def _aim(self, plan: Plan, criteria: str) -> bool:
        """Find what criteria mean, and tell whether something is left to do."""
        interactions, context = self._interactions, plan.entry.context
        where = (interactions, self._session, context, plan.kind, criteria)
        if plan.write.method == "POST":
            found = find(*where)
            if found is not None:
                self._link(plan.entry, (found.type, found.id))
                answer = existing(interactions, self._session, context, found)
                self._answers[plan.entry.number] = answer
            return found is None
        found = find_locked(*where)
        if plan.write.method == "PUT":
            directed(plan.write, found, fresh_id(interactions))
        elif plan.write.method == "PATCH":
            plan.write.key = required(found, context, criteria)
        elif found is None:
            answer = nothing_to_delete(interactions, self._session, context)
            self._answers[plan.entry.number] = answer
            return False
        else:
            plan.write.key = (found.type, found.id)
        return True

    def _link(self, entry: Entry, key: Key) -> None:
        """Let what the bundle calls an entry lead to its resource."""
        if not entry.full_url or entry.method == "DELETE":
            return
        self._links.add(entry.full_url, key)
        context = entry.context
        # References to this server have been made relative when they came in.
        own = self._interactions.services.own(
            entry.full_url, context.service, context.base_url
        )
        if own is not None:
            self._links.add(own, key)

    def _search(self, plans: Iterable[Plan]) -> None:
        """Find what conditional references mean; exactly one resource each.

        :raises PreconditionFailed: one of them means nothing, or several.
        :raises FyrError: one of them is no search, or not one that is offered.
        """
        failures: list[tuple[str, FyrError]] = []
        known: set[str] = set()
        for plan in plans:
            for search in plan.searches:
                if search.reference in known:
                    continue
                try:
                    self._links.add(search.reference, self._meant(plan, search))
                except (Invalid, NotSupported, PreconditionFailed) as error:
                    there = [
                        replace(issue, expression=(search.path,))
                        for issue in error.issues
                    ]
                    failures.append((plan.entry.place, type(error)(there)))
                else:
                    known.add(search.reference)
        if failures:
            raise joined(failures)

    def _meant(self, plan: Plan, search: Search) -> Key:
        context = plan.entry.context
        criteria = normal(search.type, search.criteria)
        found = find(self._interactions, self._session, context, search.type, criteria)
        if found is None:
            raise PreconditionFailed(f"nothing matches {search.reference[:200]}")
        return found.type, found.id

    def _store(
        self,
        plans: Sequence[Plan],
        heads: Mapping[Key, Stored],
        versions: Mapping[Key, int],
    ) -> None:
        writes = [self._linked(plan, versions) for plan in plans]
        done = store(self._interactions, self._session, writes, heads)
        for plan, written in zip(plans, done, strict=True):
            self._answers[plan.entry.number] = answered(self._interactions, written)

    def _linked(self, plan: Plan, versions: Mapping[Key, int]) -> Write:
        """Give the write with links that lead to where they should."""
        entry, write = plan.entry, plan.write
        if not self._links or entry.resource is None:
            return write
        if write.method == "PATCH":
            followed = self._links.followed(entry.resource, entry.full_url, versions)
            return replace(write, patch=patch_in(followed))
        resource = write.resource or {}
        followed = self._links.followed(resource, entry.full_url, versions)
        return replace(write, resource=followed)


def _next(head: Stored | None) -> int:
    return head.version + 1 if head is not None else 1


def _refuse_overlaps(plans: Sequence[Plan], answers: Mapping[int, Answer]) -> None:
    """Refuse a bundle in which two entries are about one resource.

    :raises Invalid: with the places of all but the first of them.
    """
    seen: set[tuple[str, ...]] = {
        (answer.stored.type, answer.stored.id)
        for answer in answers.values()
        if answer.stored is not None
    }
    failures: list[tuple[str, FyrError]] = []
    for plan in plans:
        names: list[tuple[str, ...]] = [plan.write.key]
        if plan.write.method == "POST" and plan.criteria is not None:
            names.append(("POST", plan.kind, plan.criteria))
        if not seen.isdisjoint(names):
            text = f"another entry is about {'/'.join(plan.write.key)} too"
            failures.append((plan.entry.place, Invalid(text)))
        seen.update(names)
    if failures:
        raise joined(failures)
