"""``Library/$evaluate``: the rules of a Library, run on what the caller gives.

The answer is a GuidanceResponse, which is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fyr.core import (
    Forbidden,
    FyrError,
    Issue,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    Resource,
    RuleOutcome,
)
from fyr.core.model.references import relative
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.parts import Room
from fyr.plugins.clinical.references import own, reference_to, unversioned
from fyr.plugins.clinical.tasks.guidance import Around, guidance_of
from fyr.plugins.clinical.tasks.libraries import history_of, libraries_of
from fyr.plugins.clinical.tasks.plans import definition_of
from fyr.plugins.clinical.tasks.processing import LIMITS
from fyr.plugins.clinical.tasks.submission import Measured, measured_for, rule_input
from fyr.plugins.clinical.tasks.terms import MEASUREMENTS, references_in

if TYPE_CHECKING:
    from fyr.core import Acting

#: What rules here can take beside measurements, and give.
_TAKEN = MEASUREMENTS | {
    "ActivityDefinition",
    "CarePlan",
    "EpisodeOfCare",
    "Goal",
    "Patient",
    "PlanDefinition",
    "Questionnaire",
    "ServiceRequest",
}
_GIVEN = frozenset("boolean decimal integer string CodeableConcept".split())


def operations(room: Room) -> list[Operation]:
    """Offer the operation."""

    def handler(call: OperationCall) -> Resource:
        return Evaluation(room, call).guidance()

    return [
        Operation(
            "evaluate",
            handler,
            frozenset({"type", "instance"}),
            frozenset({"Library"}),
            documentation=(
                "Runs the rules that an activity names on measurements for it, and"
                " keeps nothing. The Library must be the one of the ActivityDefinition,"
                " or of the plan where that has none."
            ),
            parameters=(
                OperationParameter(
                    "parameters",
                    "Parameters",
                    documentation=(
                        "One Observation, QuestionnaireResponse or Media, or several of"
                        " one ServiceRequest, under names of your own."
                    ),
                ),
                OperationParameter("return", "GuidanceResponse", min=1, use="out"),
            ),
        )
    ]


class Evaluation:
    """One call."""

    def __init__(self, room: Room, call: OperationCall) -> None:
        """Take where the application is found, and who asks for what."""
        self._room = room
        self._call = call
        self._acting: Acting = call.acting()
        self._place = (call.place("parameters"),)

    def guidance(self) -> Resource:
        """Run the rules.

        :raises fyr.core.FyrError: the input or the rules are not as they should be.
        """
        measurements = self._measurements()
        around = self._around(measurements)
        self._refuse_strangers(around)
        outcome = self._outcome(around)
        return guidance_of(self._call, self._acting, around, outcome)

    def _measurements(self) -> list[Resource]:
        given = self._call.value("parameters")
        if given is None:
            raise CODES["LIBRARY_EVALUATE_NO_INPUT_PARAMETER"].error(
                expression=self._place
            )
        found = [
            one["resource"]
            for one in given.get("parameter", ())
            if one.get("resource", {}).get("resourceType") in MEASUREMENTS
        ]
        for number, one in enumerate(found):
            # What the caller has not stored yet has no id; findings need a name.
            one.setdefault("id", f"input-{number}")
            relative(one, self._acting.own)
        activities = {name for one in found for name in _activities(one)}
        if not found or len(activities) > 1 or len(found) < len(given["parameter"]):
            code = CODES["LIBRARY_EVALUATE_INCORRECT_INPUT_PARAMETER"]
            raise code.error(expression=self._place)
        return found

    def _around(self, measurements: Sequence[Resource]) -> Around:
        """Follow the measurements to the activity, its plan and the library."""
        kind = measurements[0]["resourceType"]
        named = next(_activities(measurements[0]), "")
        measured = measured_for(self._acting, named, measurements)
        if measured.activity is None:
            raise self._unresolved("ServiceRequest", kind)
        if measured.plan is None:
            name = "LIBRARY_EVALUATE_NO_CAREPLAN_REFERENCING_PROVIDED_PROCEDUREQUEST"
            raise CODES[name].error(measured.activity["id"], expression=self._place)
        kind_of = "ActivityDefinition"
        definition = definition_of(self._acting, measured.activity, kind_of)
        if definition is None:
            raise self._unresolved(kind_of, kind)
        library = self._library(measured)
        return Around(measured, measured.activity, measured.plan, definition, library)

    def _library(self, measured: Measured) -> Resource:
        """Give the library that was asked, if it is one of the activity."""
        found, _ = libraries_of(self._acting, measured.activity, measured.plan)
        asked = self._call.resource_id
        if asked is None:
            if not found:
                code = CODES["LIBRARY_EVALUATE_NO_RULE_DEFINED"]
                raise code.error("", expression=self._place)
            return found[0]
        self._call.subject()
        for one in found:
            if one["id"] == asked:
                return one
        code = CODES["LIBRARY_EVALUATE_UNEXPECTED_LIBRARY"]
        raise code.error(asked, expression=self._place)

    def _unresolved(self, what: str, kind: str) -> FyrError:
        code = CODES["LIBRARY_EVALUATE_UNABLE_TO_RESOLVE_RESOURCE"]
        return code.error(what, kind, expression=self._place)

    def _refuse_strangers(self, around: Around) -> None:
        """Let people ask about whom their token is about.

        What rules find tells of ranges, goals and history that the caller did not give.
        """
        principal = self._call.context.principal
        if principal.user_type == "SYSTEM":
            return
        chosen = {name: own(self._call, url) for name, url in principal.context.items()}
        subject = around.activity.get("subject", {}).get("reference")
        episode = ext.reference_of(around.activity, ext.EPISODE_OF_CARE)
        outside = [
            chosen.get("episode_of_care") not in (None, episode),
            chosen.get("patient") not in (None, subject),
            any(
                one.get("subject", {}).get("reference") != subject
                for one in around.measured.measurements
            ),
        ]
        if principal.user_type == "PATIENT":
            outside.append("patient" not in chosen)
        else:
            teams = [
                *references_in(around.plan.get("careTeam", ())),
                *self._teams_of(episode),
            ]
            outside.append(chosen.get("care_team") not in teams)
        if any(outside):
            raise Forbidden("the token's context does not reach this activity")

    def _teams_of(self, episode: str | None) -> list[str]:
        found = self._acting.read(unversioned(episode)) if episode else None
        return references_in((found or {}).get("team", ()))

    def _outcome(self, around: Around) -> RuleOutcome:
        library = around.library
        issues = [*_unsupported(library), *self._history_problems(around)]
        if issues:
            raise Refused(issues)
        if not library.get("content"):
            raise CODES["LIBRARY_EVALUATE_NO_RULE_DEFINED"].error(library["id"])
        asked, _ = rule_input(self._acting, around.measured, library)
        hooks = self._room.application.hooks
        outcome = hooks.evaluate_rules(library=library, asked=asked, limits=LIMITS)
        syntax = CODES["LIBRARY_EVALUATE_RULE_SYNTAX_ERRORS"]
        if outcome is None:
            raise syntax.error("no engine of this server runs rules of its type")
        for problem in outcome.problems:
            if problem.kind == "source":
                raise syntax.error(problem.text)
            if problem.kind == "limit":
                raise Refused([Issue("too-costly", problem.text)])
        if outcome.problems:
            code = CODES["LIBRARY_EVALUATE_LOGIC_RULE_INVALID_INPUT"]
            focus = reference_to(around.activity)
            raise Refused(
                [code.issue(one.code, focus, one.text) for one in outcome.problems]
            )
        return outcome

    def _history_problems(self, around: Around) -> list[Issue]:
        kind = around.measured.measurements[0]["resourceType"]
        wanted = around.library.get("dataRequirement", ())
        code = CODES["LIBRARY_EVALUATE_UNABLE_TO_RESOLVE_HISTORICAL_RESOURCE"]
        strange = [one["type"] for one in wanted if one.get("type") not in MEASUREMENTS]
        issues = [code.issue(one, kind) for one in strange]
        _, more = history_of(
            self._acting,
            around.library,
            reference_to(around.activity),
            self._acting.now,
            (),
        )
        return [*issues, *more]


def _activities(measurement: Resource) -> Iterator[str]:
    yield from map(unversioned, references_in(measurement.get("basedOn", ())))


def _unsupported(library: Resource) -> Iterator[Issue]:
    """Tell the parameters of a library that no rule here can take or give."""
    for place, one in enumerate(library.get("parameter", ())):
        kind, where = one.get("type", ""), (f"Library.parameter[{place}]",)
        if one.get("use") == "in" and kind not in _TAKEN:
            code = CODES["LIBRARY_EVALUATE_INPUT_PARAMETER_NOT_SUPPORTED"]
            yield code.issue(kind, expression=where)
        if one.get("use") == "out" and kind not in _GIVEN:
            code = CODES["LIBRARY_EVALUATE_OUTPUT_PARAMETER_NOT_SUPPORTED"]
            yield code.issue(kind, expression=where)
