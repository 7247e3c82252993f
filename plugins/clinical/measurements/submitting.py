"""``$submit-measurement``: one measurement, all of it or nothing.

What takes long is done before the transaction: the rules, and the content of Media. In it
is asked whether what was decided by is still so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fyr.core import (
    Acting,
    FyrError,
    Issue,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    Resource,
    instant,
)
from fyr.core.interactions.outcomes import outcome, serious
from fyr.core.interactions.writes import Write
from fyr.core.model.references import relative
from fyr.core.store.port import Stored
from fyr.plugins.clinical.measurements import media, thumbnails
from fyr.plugins.clinical.measurements.completing import (
    caller_of,
    coherent,
    completed,
    names_of,
)
from fyr.plugins.clinical.measurements.judging import (
    Facts,
    add_qualities,
    judged,
    local_of,
    read_facts,
)
from fyr.plugins.clinical.measurements.submission import STATUSES, Entry, Submission
from fyr.plugins.clinical.parts import Room
from fyr.plugins.clinical.refusing import (
    may_use_again,
    of_places,
    require_may_create,
)

if TYPE_CHECKING:
    from fyr.core import Application


@dataclass(frozen=True)
class Prepared:
    """A submission that may be stored, unless something changes."""

    submission: Submission
    facts: Facts
    #: content of Media, by number of the entry
    kept: dict[int, media.Kept]
    #: what is to be stored, by number of the entry, and last what says it belongs together
    writes: list[Write]
    #: what is told of it although it is stored
    warnings: list[Issue]


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
        submission = Submission.of(bundle, call.place("measurement"))
        acting = call.acting()
        add_qualities(acting, submission)
        facts = self._facts(call, acting, submission)
        warnings = self._judge(call, acting, submission, facts)
        if any(one.kind == "Media" for one in submission.measurements):
            # Nothing is kept for whom it may not be stored.
            self._require_access(call, submission)
        kept = self._keep(submission)
        writes = self._received(call, submission, facts, kept)
        return Prepared(submission, facts, kept, writes, warnings)

    def store(self, call: OperationCall) -> Resource:
        """Store what was prepared, in the operation's transaction."""
        prepared: Prepared = call.prepared
        acting = call.acting()
        if not prepared.facts.are_current(acting):
            prepared = self._again(call, acting, prepared)
        stored = acting.store_received(prepared.writes)[:-1]
        self._settle(acting, prepared)
        return {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": [
                _entry(call, one, prepared.warnings, entry)
                for one, entry in zip(stored, prepared.submission.entries, strict=True)
            ],
        }

    def _again(
        self, call: OperationCall, acting: Acting, prepared: Prepared
    ) -> Prepared:
        """Judge once more what was decided by something that has changed since."""
        submission = prepared.submission
        facts = self._facts(call, acting, submission)
        warnings = self._judge(call, acting, submission, facts)
        writes = self._received(call, submission, facts, prepared.kept)
        return replace(prepared, facts=facts, writes=writes, warnings=warnings)

    def _facts(
        self, call: OperationCall, acting: Acting, submission: Submission
    ) -> Facts:
        """Read what the rules need, but no measurement that is not the caller's to use."""
        facts = read_facts(acting, submission, local_of(call))

        def is_usable(entity: Resource) -> bool:
            return may_use_again(self._room.application, call, entity)

        return facts.with_past(is_usable)

    def _judge(
        self, call: OperationCall, acting: Acting, submission: Submission, facts: Facts
    ) -> list[Issue]:
        """Let a submission pass, or refuse it; give what is told of it all the same.

        Access is decided first; what the problems tell of other resources is for those
        who might have stored it.
        """
        own, against = judged(
            submission, facts, local_of(call), acting.now, caller_of(call)
        )
        if against and not all(
            one.episode and one.patient for one in submission.measurements
        ):
            # Whose it is cannot be judged yet, so nothing kept is told of.
            against = []
        told = _in_order(submission, [*own, *against])
        if serious(told):
            self._require_access(call, submission)
            raise Refused(one for one in told if one.severity == "error")
        return told

    def _require_access(self, call: OperationCall, submission: Submission) -> None:
        """Refuse who may not store such measurements, as far as it is said whose they are."""
        for entry in submission.measurements:
            if entry.episode and entry.patient:
                require_may_create(self._room.application, call, entry.resource)

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

    def _received(
        self,
        call: OperationCall,
        submission: Submission,
        facts: Facts,
        kept: dict[int, media.Kept],
    ) -> list[Write]:
        """Make what is to be stored: measurements in the caller's name."""
        caller, fyr = call.on_behalf(), call.acting()
        by = {
            entry.number: caller if entry.kind in STATUSES else fyr
            for entry in submission.entries
        }
        ids = {number: acting.new_id() for number, acting in by.items()}
        names = names_of(call, submission, ids)
        writes: list[Write] = []
        failures: list[tuple[str, FyrError]] = []
        for entry in submission.entries:
            number = entry.number
            made = completed(entry, ids[number], facts.episode, names)
            if number in kept:
                media.point_at(made, kept[number], call.context.base_url)
            try:
                (write,) = by[number].receive([made])
            except FyrError as error:
                failures.append((entry.place, error))
            else:
                write.place = entry.place
                writes.append(write)
        if failures:
            raise of_places(failures)
        targets = [f"{one.kind}/{ids[one.number]}" for one in submission.measurements]
        return [*writes, *fyr.receive([coherent(call, fyr, targets, facts)])]

    def _settle(self, acting: Acting, prepared: Prepared) -> None:
        """Keep the content of Media, and have thumbnails made, with the transaction."""
        application: Application = self._room.application
        for number, one in prepared.kept.items():
            name = "/".join(prepared.writes[number].key)
            application.blobs.refer(acting.session, one.blob.id, name)
            if one.size is not None:
                thumbnails.ask_for(application, acting.session, name, one.blob)


def _entry(
    call: OperationCall, stored: Stored, warnings: list[Issue], entry: Entry
) -> dict[str, Any]:
    """Answer an entry: where it is stored, and what is told of it all the same."""
    name = f"{stored.type}/{stored.id}/_history/{stored.version}"
    base = call.context.base_url
    response = {
        "status": "201 Created",
        "location": f"{base}/{name}" if base else name,
        "etag": f'W/"{stored.version}"',
        "lastModified": instant(stored.updated),
    }
    (within,) = entry.at()
    told = [
        replace(one, expression=(place.replace(within, entry.kind, 1),))
        for one in warnings
        for place in one.expression
        if place.startswith(f"{within}.")
    ]
    return {"response": {**response, **({"outcome": outcome(told)} if told else {})}}


def _in_order(submission: Submission, issues: list[Issue]) -> list[Issue]:
    """Sort problems by the entry that they are in; those of the whole come first."""

    def number(issue: Issue) -> int:
        place = issue.expression[0] if issue.expression else ""
        found = place.removeprefix(submission.place)[1:].partition("]")[0]
        return int(found) if found.isdecimal() else -1

    return sorted(issues, key=number)
