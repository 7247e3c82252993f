"""``$submit-measurement``: one measurement, all of it or nothing.

What takes long is done before the transaction: the rules, and the content of Media. In it
is asked whether what was decided by is still so.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fyr.core import (
    Acting,
    Issue,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    Resource,
)
from fyr.core.model.references import relative
from fyr.plugins.clinical.measurements import media, thumbnails
from fyr.plugins.clinical.measurements.completing import coherent, completed, names_of
from fyr.plugins.clinical.measurements.judging import (
    Facts,
    add_qualities,
    judged,
    local_of,
    read_facts,
)
from fyr.plugins.clinical.measurements.submission import Submission
from fyr.plugins.clinical.parts import Room

if TYPE_CHECKING:
    from fyr.core import Application


@dataclass(frozen=True)
class Prepared:
    """A submission that may be stored, unless something changes."""

    submission: Submission
    facts: Facts
    #: by number of the entry
    kept: dict[int, media.Kept] = field(default_factory=dict)


def operations(room: Room) -> list[Operation]:
    """Offer the operation."""
    submitting = Submitting(room)
    return [
        Operation(
            "submit-measurement",
            submitting.store,
            frozenset({"system"}),
            affects_state=True,
            prepare=submitting.prepare,
            documentation=(
                "Stores one measurement: Observations, QuestionnaireResponses and Media"
                " of one patient and one episode of care, each as an active"
                " ServiceRequest asks for it, and a Provenance for each that is used"
                " again. All is stored or nothing. A Provenance with the policy"
                " coherent-submitted-measurement says what belongs together."
            ),
            parameters=(
                OperationParameter(
                    "measurement",
                    "Bundle",
                    documentation="Type transaction; entries may refer to each other.",
                ),
                OperationParameter("bundle", "Bundle", use="out"),
            ),
        )
    ]


class Submitting:
    """Takes submissions."""

    def __init__(self, room: Room) -> None:
        """Take where the application is found, once it stands."""
        self._room = room

    def prepare(self, call: OperationCall) -> Prepared:
        """Judge a submission, and keep the content of its Media.

        :raises fyr.core.FyrError: what is wrong with it, all at once.
        """
        bundle = call.value("measurement")
        if bundle is not None:
            own, context = call.interactions.services.own, call.context
            relative(bundle, lambda url: own(url, context.service, context.base_url))
        submission = Submission.of(bundle)
        acting = call.acting()
        add_qualities(acting, submission)
        facts = read_facts(acting, submission, local_of(call))
        self._judge(call, acting, submission, facts)
        return Prepared(submission, facts, self._keep(submission))

    def store(self, call: OperationCall) -> Resource:
        """Store what was prepared, in the operation's transaction."""
        prepared: Prepared = call.prepared
        acting = call.acting()
        if not prepared.facts.are_current(acting):
            facts = read_facts(acting, prepared.submission, local_of(call))
            self._judge(call, acting, prepared.submission, facts)
            prepared = replace(prepared, facts=facts)
        stored = self._stored(call, acting, prepared)
        return {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": [_entry(call, one) for one in stored],
        }

    def _judge(
        self, call: OperationCall, acting: Acting, submission: Submission, facts: Facts
    ) -> None:
        """Let a submission pass, or refuse it.

        What the problems tell of other resources is for those who might have stored it.
        """
        own, against = judged(submission, facts, local_of(call), acting.now)
        if against:
            self._require_access(call, submission)
        if own or against:
            raise Refused(_in_order([*own, *against]))

    def _require_access(self, call: OperationCall, submission: Submission) -> None:
        for entry in submission.measurements:
            if entry.episode and entry.patient:
                context = replace(
                    call.context,
                    interaction="create",
                    resource_type=entry.kind,
                    operation=None,
                    parent=call.context,
                    state={},
                )
                resource = {**entry.resource, "id": "new"}
                self._room.application.decide(context, resource, "new")

    def _keep(self, submission: Submission) -> dict[int, media.Kept]:
        kept: dict[int, media.Kept] = {}
        issues: list[Issue] = []
        for entry in submission.measurements:
            if entry.kind == "Media":
                for found in media.keep_content(self._room.application, entry):
                    if isinstance(found, Issue):
                        issues.append(found)
                    else:
                        kept[entry.number] = found
        if issues:
            raise Refused(issues)
        return kept

    def _stored(
        self, call: OperationCall, acting: Acting, prepared: Prepared
    ) -> list[Resource]:
        """Store all, measurements in the caller's name, and tell in the order given."""
        submission, facts = prepared.submission, prepared.facts
        caller = call.on_behalf()
        measured = {entry.number for entry in submission.measurements}
        ids = {
            entry.number: (caller if entry.number in measured else acting).new_id()
            for entry in submission.entries
        }
        names = names_of(call, submission, ids)
        made = {
            entry.number: completed(entry, ids[entry.number], facts.episode, names)
            for entry in submission.entries
        }
        self._point(call, made, prepared.kept)
        numbers = sorted(measured)
        done = caller.store([made[number] for number in numbers])
        said = [number for number in made if number not in measured]
        targets = [f"{one['resourceType']}/{one['id']}" for one in done]
        together = coherent(call, acting, targets, facts)
        done += acting.store([*(made[number] for number in said), together])
        self._settle(acting, dict(zip(numbers, done, strict=False)), prepared.kept)
        by_number = dict(zip([*numbers, *said], done, strict=False))
        return [by_number[number] for number in sorted(by_number)]

    def _point(
        self,
        call: OperationCall,
        made: dict[int, Resource],
        kept: dict[int, media.Kept],
    ) -> None:
        for number, one in kept.items():
            made[number] = {**made[number]}
            media.point_at(made[number], one, call.context.base_url)

    def _settle(
        self, acting: Acting, stored: dict[int, Resource], kept: dict[int, media.Kept]
    ) -> None:
        """Keep the content of Media, and have thumbnails made, with the transaction."""
        application: Application = self._room.application
        for number, one in kept.items():
            found = stored[number]
            application.blobs.refer(acting.session, one.blob.id, f"Media/{found['id']}")
            if one.size is not None:
                thumbnails.ask_for(application, acting.session, found, one.blob)


def _entry(call: OperationCall, stored: Resource) -> dict[str, Any]:
    meta = stored["meta"]
    name = f"{stored['resourceType']}/{stored['id']}/_history/{meta['versionId']}"
    base = call.context.base_url
    return {
        "response": {
            "status": "201 Created",
            "location": f"{base}/{name}" if base else name,
            "etag": f'W/"{meta["versionId"]}"',
            "lastModified": meta["lastUpdated"],
        }
    }


def _in_order(issues: list[Issue]) -> list[Issue]:
    """Sort problems by the entry that they are in; those of the whole come first."""
    return sorted(issues, key=_number)


def _number(issue: Issue) -> int:
    place = issue.expression[0] if issue.expression else ""
    found = place.partition("Bundle.entry[")[2].partition("]")[0]
    return int(found) if found.isdecimal() else -1
