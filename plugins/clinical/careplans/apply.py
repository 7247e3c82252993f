"""``$apply``: a plan becomes the care plans and service requests of an episode of care.

POST stores them and answers the care plan; GET stores nothing and answers them as a
transaction, to be edited and sent back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

from fyr.core import (
    Forbidden,
    FyrError,
    Issue,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    Resource,
    broken_rule,
)
from fyr.core.errors import one_error
from fyr.plugins.clinical.careplans.applying import Application, Applied
from fyr.plugins.clinical.careplans.guards import SELF_TREATMENT
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.episodes import ENDED
from fyr.plugins.clinical.plans.tree import Definitions, Problem, Tree, walk
from fyr.plugins.clinical.references import asked, elements, own, url_of
from fyr.plugins.clinical.refusing import require_may_create
from fyr.plugins.clinical.times import second

if TYPE_CHECKING:
    from fyr.plugins.clinical.parts import Room

#: What a sub-plan of an active plan may be.
_USABLE = frozenset({"active", "retired"})

_EPISODE = OperationParameter(
    "episodeOfCare",
    "string",
    documentation="The EpisodeOfCare that the plan is applied to.",
    also="Reference",
)
_PLAN = OperationParameter(
    "planDefinition",
    "string",
    documentation="The PlanDefinition that is applied.",
    also="Reference",
)
_RETURN = OperationParameter(
    "return",
    "Resource",
    use="out",
    min=1,
    documentation="POST: the CarePlan. GET: a transaction Bundle that would make it.",
)


def operations(room: Room) -> Iterator[Operation]:
    """Offer ``$apply`` of the careplan service, and that of a PlanDefinition."""

    def apply(call: OperationCall) -> Resource:
        return _Applying(call, room).done()

    yield Operation(
        "apply",
        apply,
        frozenset({"system"}),
        affects_state=True,
        previews=True,
        documentation="Applies a PlanDefinition to an EpisodeOfCare.",
        parameters=(_PLAN, _EPISODE, _RETURN),
    )
    yield Operation(
        "apply",
        apply,
        frozenset({"instance"}),
        frozenset({"PlanDefinition"}),
        affects_state=True,
        previews=True,
        documentation="Applies this PlanDefinition to an EpisodeOfCare.",
        parameters=(_EPISODE, _RETURN),
    )


class _Applying:
    """One call."""

    def __init__(self, call: OperationCall, room: Room) -> None:
        self._call = call
        self._room = room
        self._stores = call.session is not None
        self._behalf = call.on_behalf()

    def done(self) -> Resource:
        plan, episode = self._asked()
        found, tree = self._found(plan, episode)
        application = Application(
            episode=found,
            to=episode,
            teams=self._teams(found),
            now=second(self._behalf.now),
            name=self._name,
            url=lambda reference: url_of(self._call, reference),
        )
        root = application.apply(tree)
        return self._stored(root, application.made)

    def _asked(self) -> tuple[str, str]:
        """Tell the plan and the episode that the caller names.

        :raises fyr.core.errors.FyrError: one of them is not named, or neither.
        """
        call = self._call
        plan = asked(call, "planDefinition")
        if call.resource_id is not None:
            plan = f"PlanDefinition/{call.resource_id}"
        episode = asked(call, "episodeOfCare")
        missing = []
        if not plan:
            missing.append("CAREPLAN_APPLY_PLAN_DEFINITION_REFERENCE_NOT_SPECIFIED")
        if not episode:
            missing.append("CAREPLAN_APPLY_EPISODE_OF_CARE_REFERENCE_NOT_SPECIFIED")
        if not plan or not episode:
            place = ["Parameters.parameter"]
            raise one_error([CODES[one].error(expression=place) for one in missing])
        return plan, episode

    def _found(self, plan: str, episode: str) -> tuple[Resource, Tree]:
        """Read the episode of care and the plan, with all that it leads to.

        :raises fyr.core.errors.FyrError: one cannot be used; all problems at once, to
            whom the episode is open.
        """
        found = self._read(episode)
        failures: list[FyrError | Issue] = list(self._of_episode(episode, found))
        try:
            tree = self._tree(plan)
        except FyrError as error:
            failures.append(error)
        if failures or found is None:
            self._require_access(episode, found)
            raise one_error(failures)
        return found, tree

    def _read(self, episode: str) -> Resource | None:
        if episode.partition("/")[0] != "EpisodeOfCare":
            return None
        if not self._stores:
            return self._behalf.read(episode)
        # Nobody ends it meanwhile: that would not find what is made here, and not end it.
        return self._behalf.hold(episode)[0]

    def _of_episode(self, reference: str, found: Resource | None) -> Iterator[FyrError]:
        """Tell an episode of care that is not there, or has ended."""
        place = [f"{self._call.place('episodeOfCare')}.value"]
        if found is None:
            named = reference.removeprefix("EpisodeOfCare/")
            code = CODES["GENERAL_RESOURCE_NOT_FOUND"]
            yield code.error("EpisodeOfCare", named, expression=place)
        elif found.get("status") in ENDED:
            text = f"{reference} is {found['status']}: nothing more is planned in it"
            yield Refused([broken_rule(text, *place)])

    def _require_access(self, episode: str, found: Resource | None) -> None:
        """Refuse whom the episode is not open to; nothing else is told to them.

        Whether a citizen may is said by the plan too: that is decided with the plan.
        """
        principal = self._call.context.principal
        if principal.user_type == "SYSTEM":
            return
        chosen = principal.context.get("episode_of_care")
        if chosen and own(self._call, chosen) != episode:
            raise Forbidden("the token's context has another episode of care")
        if found is None or principal.user_type == "PATIENT":
            return
        application = Application(
            episode=found,
            to=episode,
            teams=self._teams(found),
            now=second(self._behalf.now),
            name=lambda kind: f"{kind}/new",
            url=lambda reference: reference,
        )
        application.apply(Tree({"id": "new"}))
        require_may_create(
            self._room.application, self._call, application.made[0].resource
        )

    def _place(self) -> list[str]:
        """Tell where the plan is named, if it is not by the URL."""
        if self._call.resource_id is not None:
            return []
        return [f"{self._call.place('planDefinition')}.value"]

    def _tree(self, reference: str) -> Tree:
        """Read a plan and all that it leads to.

        :raises fyr.core.errors.FyrError: it is not there or not active, or leads to what
            is not there; all problems at once.
        """
        definitions, place = Definitions(self._behalf), self._place()
        plan = definitions.find(reference, "PlanDefinition")
        if plan is None:
            identity = reference.removeprefix("PlanDefinition/")
            code = CODES["CAREPLAN_APPLY_NO_PLANDEFINITION"]
            raise code.error(identity, expression=place)
        inactive = CODES["CAREPLAN_APPLY_NOT_ACTIVE_PLANDEFINITION"]
        if plan.get("status") != "active":
            raise inactive.error(expression=place)
        walked = walk(definitions, plan)
        issues = [_told(one, place) for one in walked.problems]
        # One that was retired since stays in the plans that have it.
        parts = [one.plan.get("status") for one in walked.tree.plans()]
        if not set(parts) <= _USABLE:
            issues.append(inactive.issue(expression=place))
        if self._call.context.principal.user_type == "PATIENT":
            issues += _not_for_self_treatment(walked.tree, place)
        if issues:
            raise Refused(issues)
        return walked.tree

    def _teams(self, episode: Resource) -> Sequence[str]:
        """Tell who is on the care plan: the token's care team, or else the episode's."""
        team = self._call.context.principal.context.get("care_team")
        if team:
            return [own(self._call, team)]
        return list(elements(episode, "team"))

    def _name(self, kind: str) -> str:
        if self._stores:
            return f"{kind}/{self._behalf.new_id()}"
        return f"urn:uuid:{uuid4()}"

    def _stored(self, root: str, made: Sequence[Applied]) -> Resource:
        if not self._stores:
            self._judge(made)
            return {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [_entry(one) for one in made],
            }
        for one in made:
            one.resource["id"] = one.reference.partition("/")[2]
        stored = self._behalf.store([one.resource for one in made])
        named = (one.reference for one in made)
        return dict(zip(named, stored, strict=True))[root]

    def _judge(self, made: Sequence[Applied]) -> None:
        """Refuse to show what the caller might not have stored."""
        for one in made:
            if one.resource["resourceType"] == "CarePlan":
                require_may_create(self._room.application, self._call, one.resource)


def _told(problem: Problem, place: list[str]) -> Issue:
    """Tell what keeps a plan from being applied.

    :param place: where the caller names the plan.
    """
    if problem.what != "missing":
        text = (
            f"{problem.plan} leads to {problem.canonical} at {problem.place}:"
            f" {problem.what}"
        )
        return broken_rule(text, *place)
    if problem.kind == "PlanDefinition":
        code = CODES["CAREPLAN_APPLY_NO_PLANDEFINITION"]
    else:
        code = CODES["CAREPLAN_APPLY_CAN_NOT_FIND_ACTIVITY_DEFINITION"]
    return code.issue(problem.canonical, expression=place)


def _not_for_self_treatment(tree: Tree, place: list[str]) -> Iterator[Issue]:
    """Tell the plans that citizens do not apply to themselves."""
    for one in tree.plans():
        topics = {
            coding.get("code")
            for topic in one.plan.get("topic", ())
            for coding in topic.get("coding", ())
        }
        if SELF_TREATMENT not in topics:
            code = CODES["DEFINITION_WITHOUT_SELF_TREATMENT_TOPIC"]
            yield code.issue(f"PlanDefinition/{one.plan['id']}", expression=place)


def _entry(one: Applied) -> Resource:
    return {
        "fullUrl": one.reference,
        "resource": one.resource,
        "request": {"method": "POST", "url": one.resource["resourceType"]},
    }
