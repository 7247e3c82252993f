"""The resources that come of processing: impressions, tasks and messages, not yet stored.

Rules propose; what they cannot know (subject, episode, plan, teams, who may see it) is
added here, and no more of a proposal is taken than the profile has room for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from fyr.core import Resource, RuleFinding, RuleProblem
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.references import reference_to
from fyr.plugins.clinical.tags import add, system_tags
from fyr.plugins.clinical.tasks import terms
from fyr.plugins.clinical.tasks.plans import care_teams
from fyr.plugins.clinical.tasks.submission import Measured
from fyr.plugins.clinical.tasks.terms import concept, versioned

_COLOURS = ("red", "yellow", "green")
_PRIORITIES = frozenset({"routine", "urgent", "asap", "stat"})
_ANSWER = "-question-answer"
_SYSTEM_NAME = "Fyr"


class Results:
    """Makes what is to be stored for what was measured for one activity."""

    def __init__(self, measured: Measured, now: str, new_id: Callable[[], str]) -> None:
        """Take what was measured; ``now`` is a FHIR dateTime."""
        self._measured = measured
        self._now = now
        self._new_id = new_id
        self._teams = care_teams(measured.plan) or _teams_of_episode(measured.episode)
        self.made: list[Resource] = []

    def impression(
        self,
        code: str,
        measurement: Resource,
        findings: Sequence[RuleFinding] = (),
        library: Resource | None = None,
        inputs: Iterable[Resource] = (),
    ) -> str:
        """Make a ClinicalImpression of a measurement; tell its reference."""
        item = [
            {"reference": versioned(measurement)},
            {"reference": reference_to(measurement)},
        ]
        plan = self._measured.plan
        extensions: list[dict[str, Any]] = [
            *self._episode(ext.EPISODE_OF_CARE),
            *(_refers(ext.IMPRESSION_CARE_PLAN, reference_to(plan)) if plan else ()),
            *map(_basis, (one for one in findings if one.link_id)),
        ]
        impression: Resource = {
            "resourceType": "ClinicalImpression",
            "id": self._new_id(),
            "meta": {"profile": [terms.IMPRESSION_PROFILE]},
            "extension": extensions,
            "status": "completed",
            "code": concept(terms.IMPRESSIONS, code),
            "subject": {"reference": self._measured.patient},
            "date": self._now,
            "investigation": [
                {"code": concept(terms.ITEMS, "item-for-investigation"), "item": item}
            ],
        }
        found = list(_findings(findings))
        if found:
            impression["finding"] = found
        if library is not None:
            impression["contained"] = [_context([library, *inputs])]
            extensions += _refers(ext.IMPRESSION_DECISION_CONTEXT, "#context")
        return self._take(impression)

    def task(
        self, category: str, focus: str, description: str, priority: str = "routine"
    ) -> str:
        """Make a Task for the care teams of the plan; tell its reference."""
        plan = self._measured.plan
        category_ = concept(terms.TASK_CATEGORIES, category)
        restriction = concept(terms.RESTRICTIONS, terms.MONITORING)
        task: Resource = {
            "resourceType": "Task",
            "id": self._new_id(),
            "meta": {"profile": [terms.TASK_PROFILE]},
            "extension": [
                *self._episode(ext.TASK_EPISODE_OF_CARE),
                {"url": ext.TASK_CATEGORY, "valueCodeableConcept": category_},
                *(one for t in self._teams for one in _refers(ext.TASK_RESPONSIBLE, t)),
                {"url": ext.RESTRICTION_CATEGORY, "valueCodeableConcept": restriction},
                *(_refers(ext.TASK_CARE_PLAN, reference_to(plan)) if plan else ()),
            ],
            "status": "requested",
            "intent": "order",
            "priority": priority if priority in _PRIORITIES else "routine",
            "description": description,
            "focus": {"reference": focus},
            "for": {"reference": self._measured.patient},
            "authoredOn": self._now,
        }
        return self._take(task)

    def proposed_task(
        self, proposal: Mapping[str, Any], found: str, measurement: str
    ) -> str:
        """Make the Task that a rule proposes, to act on what it found.

        It may say that it is the measurement or the activity, and nothing else.
        """
        named = terms.codes_in(proposal, ext.TASK_CATEGORY)
        category = named[0][0] if named and named[0] else "MeasurementForAssessment"
        text = str(proposal.get("description") or "Assess the measurement")
        activity = self._measured.activity
        focus = (proposal.get("focus") or {}).get("reference")
        known = {measurement, reference_to(activity) if activity else measurement}
        focus = focus if focus in known else found
        return self.task(category, focus, text, str(proposal.get("priority")))

    def message(self, proposal: Mapping[str, Any], about: str) -> None:
        """Make the messages that a rule proposes, one to each who gets it."""
        payload = next(iter(proposal.get("payload", ())), None) or {}
        said = payload.get("contentString")
        if not isinstance(said, str) or not said:
            return
        kinds = {one.get("type") for one in proposal.get("recipient", ())}
        category = next(iter(proposal.get("category", ())), None)
        named = terms.codes(category)
        kind = named[0] if named and named[0] in ("notification", "advice") else ""
        if "Patient" in kinds:
            self._message(said, kind, about, patient=True)
        if "CareTeam" in kinds:
            self.tell_teams(said, about, kind)

    def tell_teams(
        self, text: str, about: str, kind: str = "", reason: str = ""
    ) -> None:
        """Make a message to each care team."""
        for team in self._teams:
            self._message(text, kind, about, team=team, reason=reason)

    def tell_patient(self, text: str, about: str, kind: str, reason: str) -> None:
        """Make a message to the patient, for one of the reasons that messages have."""
        self._message(text, kind, about, patient=True)
        self.made[-1]["reasonCode"] = [concept(terms.REASONS, reason)]

    def problem(self, problem: RuleProblem, measurement: Resource) -> tuple[str, str]:
        """Tell category and focus of the task that asks to mend what rules miss."""
        activity = self._measured.activity
        of_activity = problem.code.startswith("Ref") and activity is not None
        focus = reference_to(activity or measurement) if of_activity else ""
        return problem.code, focus or reference_to(measurement)

    @property
    def teams(self) -> Sequence[str]:
        """Who is responsible."""
        return self._teams

    def _message(
        self,
        text: str,
        kind: str,
        about: str,
        *,
        patient: bool = False,
        team: str = "",
        reason: str = "",
    ) -> None:
        subject = {"reference": self._measured.patient}
        plan = self._measured.plan
        restriction = concept(
            terms.RESTRICTIONS, "None" if patient else terms.MONITORING
        )
        activate = {
            "system": "http://ehealth.sundhed.dk/cs/administrative-status",
            "code": "activate",
        }
        message: Resource = {
            "resourceType": "Communication",
            "id": self._new_id(),
            "meta": {"profile": [terms.MESSAGE_PROFILE]},
            "contained": [_device()],
            "extension": [
                *self._episode(ext.EPISODE_OF_CARE),
                *(_refers(ext.MESSAGE_RECIPIENT_TEAM, team) if team else ()),
                {"url": ext.RESTRICTION_CATEGORY, "valueCodeableConcept": restriction},
                {"url": ext.MESSAGE_ADMINISTRATIVE_STATUS, "valueCoding": activate},
                {"url": ext.MESSAGE_THREAD_ID, "valueString": str(uuid4())},
                {"url": ext.MESSAGE_PERIOD, "valuePeriod": {"start": self._now}},
            ],
            "status": "completed",
            "category": [concept(terms.MESSAGE_CATEGORIES, kind or "notification")],
            "subject": subject,
            "about": [{"reference": about}],
            "sent": self._now,
            "sender": {"reference": "#rules"},
            "payload": [{"contentString": text}],
        }
        if plan:
            message["partOf"] = [{"reference": reference_to(plan)}]
        if patient:
            message["recipient"] = [subject]
        if reason:
            message["reasonCode"] = [concept(terms.TASK_CATEGORIES, reason)]
        self._take(message)

    def _episode(self, url: str) -> list[dict[str, Any]]:
        episode = self._measured.episode
        return _refers(url, reference_to(episode)) if episode else []

    def _take(self, resource: Resource) -> str:
        if self._measured.episode:
            add(resource, system_tags(self._measured.episode))
        self.made.append(resource)
        return reference_to(resource)


def _teams_of_episode(episode: Resource | None) -> list[str]:
    """Give the teams of the episode: a task without anybody is seen by nobody."""
    return terms.references_in((episode or {}).get("team", ()))


def _refers(url: str, to: str) -> list[dict[str, Any]]:
    return [{"url": url, "valueReference": {"reference": to}}]


def _findings(findings: Sequence[RuleFinding]) -> Iterable[dict[str, Any]]:
    """Give each finding once; of those of answers the worst, which stands for all."""
    hits = [code for one in findings if one.link_id for code in terms.codes(one.code)]
    worst = next((c for c in _COLOURS if f"{c}{_ANSWER}" in hits), None)
    seen: list[Any] = []
    for one in findings:
        if one.link_id and f"{worst}{_ANSWER}" not in terms.codes(one.code):
            continue
        made: dict[str, Any] = {"itemCodeableConcept": dict(one.code)}
        if one.basis and not one.link_id:
            made["basis"] = one.basis
        if made not in seen:
            seen.append(made)
            yield made


def _basis(finding: RuleFinding) -> dict[str, Any]:
    """Say which answer led to a finding, and by which significance."""
    value = {"url": "value", **finding.value} if finding.value else None
    parts = [
        {"url": "linkId", "valueString": finding.link_id},
        *([value] if value else []),
        {"url": "finding", "valueCodeableConcept": dict(finding.code)},
        dict(finding.significance),
    ]
    return {"url": ext.FINDING_BASIS, "extension": parts}


def _context(used: Iterable[Resource]) -> Resource:
    """Name the versions that rules were run with: the library first, then the facts."""
    library, *facts = used
    return {
        "resourceType": "Parameters",
        "id": "context",
        "parameter": [
            {"name": "library", "valueReference": {"reference": versioned(library)}},
            *(
                {"name": "fact", "valueReference": {"reference": versioned(one)}}
                for one in facts
            ),
        ],
    }


def _device() -> Resource:
    return {
        "resourceType": "Device",
        "id": "rules",
        "deviceName": [{"name": _SYSTEM_NAME, "type": "other"}],
    }
