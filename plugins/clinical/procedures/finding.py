"""Finds what an overview is made of, in a few searches however much there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fyr.core import Forbidden
from fyr.core.model.json import own as parsed
from fyr.core.searching import Extent
from fyr.core.workflow.timing import Kind
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.procedures.submissions import (
    MEASURED,
    UNTIMED,
    Span,
    Submission,
    submissions_of,
)
from fyr.plugins.clinical.references import elements, own
from fyr.plugins.clinical.tokens import tokens

if TYPE_CHECKING:
    from fyr.core import OperationCall, Resource

#: References in one search.
_AT_ONCE = 100
#: A window that is worth to be searched by: a quarter.
_SHORT = timedelta(days=92)


class Finding:
    """The searches of one call."""

    def __init__(self, call: OperationCall) -> None:
        """Take the call."""
        self._call = call
        self._acting = call.acting()

    def plans(self, patient: str, episodes: Sequence[str]) -> list[Resource]:
        """Find the active care plans of a patient that the caller may find.

        Whoever works in one episode of care sees that, a care team its own.

        :raises Forbidden: the caller may not search for them.
        """
        context = self._call.context.principal.context
        chosen = own(self._call, context.get("episode_of_care", ""))
        self._require_patient(patient, chosen)
        criteria = [("patient", patient), ("status", "active")]
        if episodes or chosen:
            criteria.append(("episodeOfCare", ",".join(episodes or [chosen])))
        found: dict[str, Resource] = {}
        for more in self._teams():
            for plan in self._search("CarePlan", [*criteria, *more]):
                found.setdefault(plan["id"], plan)
        return sorted(found.values(), key=lambda plan: str(plan["id"]))

    def _require_patient(self, patient: str, chosen: str) -> None:
        """Refuse to say that nothing is to be done, where another patient is meant."""
        episode = self._acting.read(chosen) if chosen else None
        if episode is not None and patient not in elements(episode, "patient"):
            raise Forbidden(
                "the episode of care that was chosen is another patient's",
                expression=["Parameters.parameter.where(name = 'patient')"],
            )

    def _teams(self) -> list[list[tuple[str, str]]]:
        """Tell how care plans are searched: those of a team are, in two ways."""
        principal = self._call.context.principal
        team = own(self._call, principal.context.get("care_team", ""))
        if principal.user_type != "PRACTITIONER" or not team:
            return [[]]
        return [[("care-team", team)], [("episodeOfCare.team", team)]]

    def _search(
        self, kind: str, criteria: Sequence[tuple[str, str]]
    ) -> Iterator[Resource]:
        """Search as the caller, who is judged by what may be searched."""
        interactions = self._call.interactions
        context = self._call.context.inner("search-type", kind, params=tuple(criteria))
        pages = interactions.database.read(
            lambda session: [*interactions.every(session, context, Extent())]
        )
        keys = [key for page in pages for key in page]
        return (parsed(one) for one in interactions.resources.bodies(keys) if one)

    def eligible(
        self, plans: Sequence[Resource], conditions: Sequence[Any], tags: Sequence[Any]
    ) -> list[Resource]:
        """Leave out the care plans of episodes that are not active, or not asked for.

        :param conditions: codings, of which an episode has one among its diagnoses.
        :param tags: codings, of which an episode has one.
        """
        criteria = [("status", "active")]
        if conditions:
            criteria.append(("condition.code", tokens(conditions)))
        if tags:
            criteria.append(("_tag", tokens(tags)))
        episodes = [ext.reference_of(one, ext.EPISODE_OF_CARE) for one in plans]
        active = {
            f"EpisodeOfCare/{one['id']}"
            for part in _parts(_ids(episodes))
            for one in self._acting.find("EpisodeOfCare", ("_id", part), *criteria)
        }
        return [
            plan
            for plan, episode in zip(plans, episodes, strict=True)
            if episode in active
        ]

    def requests(self, plans: Iterable[Resource]) -> list[Resource]:
        """Find the active requests of care plans, in the order in which they are listed."""
        listed = [
            activity.get("reference", {}).get("reference")
            for plan in plans
            for activity in plan.get("activity", ())
        ]
        found = {
            one["id"]: one
            for part in _parts(_ids(listed))
            for one in self._acting.find("ServiceRequest", ("_id", part))
            if one.get("status") == "active"
        }
        return [found[one] for one in _ids(listed) if one in found]

    def submissions(
        self, requests: Sequence[str], window: Span
    ) -> Iterator[Submission]:
        """Find what was submitted for some requests, of what may lie in a window."""
        wanted = set(requests)
        for part in _parts(requests):
            for kind, criteria in _within(window):
                for resource in self._acting.scan(kind, ("based-on", part), *criteria):
                    for one in submissions_of(resource):
                        if one.request in wanted:
                            yield one


def _within(window: Span) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Tell the searches that find each submission of a window, once.

    Those for a slot by the slot, others by when they were made, where a search can tell.
    Of a long window most of what there is lies in it, and to look at all of it is faster.
    """
    if window[1] - window[0] > _SHORT:
        yield from ((kind, []) for kind in MEASURED)
        return
    start, end = (one.isoformat() for one in window)
    slot = [("resolvedTimingStart", f"le{end}"), ("resolvedTimingEnd", f"ge{start}")]
    others = ("resolvedTimingType", ",".join(UNTIMED))
    for kind in MEASURED:
        yield kind, [*slot, ("resolvedTimingType", Kind.RESOLVED.value)]
        made = [("date", f"ge{start}"), ("date", f"le{end}")]
        yield kind, [others, *(made if kind == "Observation" else ())]


def _ids(references: Iterable[str | None]) -> list[str]:
    """Tell the ids of references, each once."""
    found = (one.rpartition("/")[2] for one in references if one and "//" not in one)
    return list(dict.fromkeys(found))


def _parts(values: Sequence[str]) -> Iterator[str]:
    """Make search values of many, each of as many as one search takes."""
    for start in range(0, len(values), _AT_ONCE):
        yield ",".join(values[start : start + _AT_ONCE])
