"""The subscriptions that are told, by the type of resource that they are about.

Read anew when a number in the database says that they are others; a subscription is
understood once for each of its versions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fyr.core import FyrError, Invalid, Issue, Resource
from fyr.core.searching import Candidate, Matcher
from fyr.plugins.subscriptions.definition import Definition, read
from fyr.plugins.subscriptions.rows import TOLD
from fyr.plugins.subscriptions.topics import Topic, by_criteria

if TYPE_CHECKING:
    from fyr.plugins.subscriptions.guard import Guard
    from fyr.plugins.subscriptions.rows import Owner, Row
    from fyr.plugins.subscriptions.table import Table

#: In criteria that may mean something else when value sets or code systems change.
_TERMS = (":in", ":not-in", ":above", ":below", "_filter")


@dataclass(frozen=True, slots=True)
class Subscribed:
    """One subscription, understood."""

    id: str
    definition: Definition
    owner: Owner
    topic: Topic
    previous: Matcher | None
    current: Matcher | None
    filters: tuple[Matcher, ...]

    @property
    def needs_old(self) -> bool:
        """Whether it asks about the version before."""
        return self.previous is not None or "delete" in self.topic.interactions

    @property
    def may_mean_anew(self) -> bool:
        """Whether topics or terms that are kept here decide what it is about."""
        texts = [self.topic.previous, self.topic.current]
        texts += [query for _, query in self.definition.filters]
        terms = any(term in text for text in texts for term in _TERMS)
        return terms or bool(self.definition.topic)

    def wants(
        self, interaction: str, old: Candidate | None, new: Candidate | None
    ) -> bool:
        """Tell whether a change is told; versions that are not there are ``None``."""
        if interaction not in self.topic.interactions:
            return False
        held = new or old
        if held is None or not all(one.meets(held) for one in self.filters):
            return False
        return self.topic.holds(
            interaction, _met(self.previous, old), _met(self.current, new)
        )


def _met(matcher: Matcher | None, candidate: Candidate | None) -> bool | None:
    if candidate is None or matcher is None:
        return None
    return matcher.meets(candidate)


class Understanding:
    """Understands subscriptions, or says what is wrong with them."""

    def __init__(self, guard: Guard, topic: Callable[[str], Topic | None]) -> None:
        """Take who asks in the name of owners, and where topics are found by URL."""
        self._guard = guard
        self._topic = topic

    def of(self, id: str, definition: Definition, owner: Owner) -> Subscribed:
        """Understand one.

        :raises FyrError: it cannot be; all problems with their paths.
        """
        topic = self._topic_of(definition)
        problems: list[Issue] = []
        previous = self._matcher(owner, topic.resource, topic.previous, problems)
        # Without criteria the owner still has to be one who may search the type.
        current = self._matcher(owner, topic.resource, topic.current, problems, True)
        filters = self._filters(owner, topic, definition, problems)
        if problems:
            raise Invalid(dict.fromkeys(problems))
        if not topic.current:
            filters = (*filters, *([current] if current else []))
            current = None
        return Subscribed(id, definition, owner, topic, previous, current, filters)

    def _topic_of(self, definition: Definition) -> Topic:
        if not definition.topic:
            return by_criteria(*definition.criteria)
        found = self._topic(definition.topic)
        if found is None:
            told = f"there is no topic {definition.topic[:200]}"
            raise Invalid([Issue("not-found", told, ("Subscription.criteria",))])
        if found.problems:
            told = f"the topic cannot be subscribed to: {found.problems[0].diagnostics}"
            path = ("Subscription.criteria",)
            raise Invalid([Issue("not-supported", told, path)])
        return found

    def _filters(
        self,
        owner: Owner,
        topic: Topic,
        definition: Definition,
        problems: list[Issue],
    ) -> tuple[Matcher, ...]:
        found = []
        for kind, query in definition.filters:
            path = "Subscription.criteria.extension"
            if not definition.topic:
                problems.append(Issue("invalid", "only topics are filtered", (path,)))
                continue
            if kind != topic.resource:
                told = f"the topic is about {topic.resource}, not {kind[:60]}"
                problems.append(Issue("invalid", told, (path,)))
                continue
            problems += _not_filters(topic, query, path)
            matcher = self._matcher(owner, kind, query, problems, True, path)
            found += [matcher] if matcher else []
        return tuple(found)

    def _matcher(
        self,
        owner: Owner,
        kind: str,
        query: str,
        problems: list[Issue],
        always: bool = False,
        path: str = "Subscription.criteria",
    ) -> Matcher | None:
        if not query and not always:
            return None
        try:
            return self._guard.matcher(owner, kind, query)
        except FyrError as error:
            if error.status >= 500:
                raise
            problems += [replace(one, expression=(path,)) for one in error.issues]
            return None


def _not_filters(topic: Topic, query: str, path: str) -> list[Issue]:
    """Tell the parameters that a topic cannot be filtered by."""
    from urllib.parse import parse_qsl

    if topic.filters is None:
        return []
    names = {
        name.partition(":")[0] for name, _ in parse_qsl(query, keep_blank_values=True)
    }
    return [
        Issue("not-supported", f"the topic is not filtered by {name[:60]}", (path,))
        for name in sorted(names - topic.filters)
    ]


class Directory:
    """What is told, as it stands."""

    def __init__(
        self,
        table: Table,
        understanding: Understanding,
        engine_edition: Callable[[], object],
        broken: Callable[[Row, FyrError], None],
    ) -> None:
        """Take the rows, and who hears of one that is not understood any more."""
        self._table = table
        self._understanding = understanding
        self._engine_edition = engine_edition
        self._broken = broken
        self._seen: object = None
        self._meaning: tuple[int, object] | None = None
        self._known: dict[tuple[str, int], Subscribed | None] = {}
        self._by_type: Mapping[str, Sequence[Subscribed]] = {}

    def refresh(self) -> Mapping[str, Sequence[Subscribed]]:
        """Tell the subscriptions by type."""
        subscriptions, meaning = self._table.editions()
        meant = (meaning, self._engine_edition())
        if self._meaning is None or meant[1] != self._meaning[1]:
            self._known.clear()
        elif meant != self._meaning:
            self._known = {
                key: one
                for key, one in self._known.items()
                if one is not None and not one.may_mean_anew
            }
        if (subscriptions, meant) != self._seen:
            self._read()
            self._seen, self._meaning = (subscriptions, meant), meant
        return self._by_type

    def _read(self) -> None:
        by_type: dict[str, list[Subscribed]] = defaultdict(list)
        known: dict[tuple[str, int], Subscribed | None] = {}
        for row in self._table.rows(*TOLD):
            key = (row.id, row.version)
            found = self._known[key] if key in self._known else self._understood(row)
            known[key] = found
            if found is not None:
                by_type[found.topic.resource].append(found)
        self._known, self._by_type = known, by_type

    def _understood(self, row: Row) -> Subscribed | None:
        owner = self._table.owner(row.id, row.version)
        try:
            if owner is None:
                raise Invalid("nobody is known who wrote it")
            return self._understanding.of(row.id, definition_of(row.resource()), owner)
        except FyrError as error:
            if error.status >= 500:
                raise
            self._broken(row, error)
            return None


def definition_of(resource: Resource) -> Definition:
    """Read the definition of a subscription."""
    return read(resource)
