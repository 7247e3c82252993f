"""Automated processing: what is done with each submission after its commit.

Rules are run outside of any transaction, because they may take a while; what comes of
them is written together with the consumer's cursor, so that each submission is processed
once, whatever crashes in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import structlog

from fyr.core import (
    Acting,
    Change,
    Consumer,
    FyrError,
    Resource,
    RuleLimits,
    RuleOutcome,
    Session,
    Unavailable,
)
from fyr.core.interactions.writes import Write
from fyr.core.telling import TOLD
from fyr.plugins.clinical.parts import Room
from fyr.plugins.clinical.systems import COHERENT
from fyr.plugins.clinical.tasks import triggers, unexpected
from fyr.plugins.clinical.tasks.impression_rules import foresee
from fyr.plugins.clinical.tasks.libraries import libraries_of
from fyr.plugins.clinical.tasks.making import failure, made
from fyr.plugins.clinical.tasks.remembering import Remembering
from fyr.plugins.clinical.tasks.submission import (
    Evaluated,
    Measured,
    measured_in,
    rule_input,
    targets_of,
)

if TYPE_CHECKING:
    from fyr.core import Application

log = structlog.get_logger(__name__)

LIMITS = RuleLimits()
_PROCESSED = "ehealth-provenance.measurement-processed"

#: What odd data can raise, and a database that wants the transaction again does not.
_OF_THE_DATA = (
    FyrError,
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
)

#: Makes what is to be stored of one activity.
Making = Callable[[Acting], list[Resource]]


def consumers(room: Room) -> Iterable[Consumer]:
    """Offer the consumer that processes submissions."""
    processing = Processing(room)
    yield Consumer(
        "clinical.processing",
        processing.handle,
        types=frozenset({"Provenance"}),
        handle_many=processing.handle_many,
    )


@dataclass(frozen=True, slots=True)
class Processed:
    """A submission that rules have judged, and of which nothing is stored yet."""

    change: Change
    provenance: Resource
    patient: str
    makings: Sequence[Making]
    #: what was made and checked already; ``None``: it depends on what was made of others
    #: a moment ago, and is made in the transaction
    writes: Sequence[Write] | None = None

    @property
    def alone(self) -> bool:
        """Whether it is stored before the next one is made."""
        return self.writes is None


class Processing:
    """Takes each submission to rules, triggers and tasks."""

    def __init__(self, room: Room) -> None:
        """Take where the application is found, once it stands."""
        self._room = room

    def handle(self, change: Change) -> Callable[[Session], None] | None:
        """Process a Provenance that says what was submitted together; no other."""
        return self.handle_many([change])

    def handle_many(
        self, changes: Sequence[Change]
    ) -> Callable[[Session], None] | None:
        """Process many: what they have in common is read once, and all stored at once."""
        submitted = [
            (one, one.new)
            for one in changes
            if one.new is not None
            and one.version == 1
            and COHERENT in one.new.get("policy", ())
        ]
        if not submitted:
            return None
        reading = Remembering(self._room.application.interactions)
        reading.look_ahead(provenance for _, provenance in submitted)
        found = [self._judged(reading, *one) for one in submitted]

        def note(session: Session) -> None:
            work = partial(self._write, found)
            self._room.application.act_within(session, work)

        return note

    def _judged(
        self, reading: Remembering, change: Change, provenance: Resource
    ) -> Processed:
        patient = _patient(provenance, reading)
        try:
            makings, alone = _evaluated(self._room.application, provenance, reading)
            # As much as can be is done before others wait for the transaction.
            writes = None if alone else _received(makings, reading)
        except Unavailable:
            raise
        except Exception as error:
            # A measurement that nobody hears of is worse than one that nobody judged.
            log.error("submission not processed", exc_info=error)
            makings, writes = [partial(failure, provenance)], None
        return Processed(change, provenance, patient, makings, writes)

    def _write(self, found: Sequence[Processed], acting: Acting) -> None:
        """Write what came of submissions, in their order, in the cursor's transaction."""
        for alone, some in groupby(found, key=lambda one: one.alone):
            for together in [[one] for one in some] if alone else [list(some)]:
                self._store(together, acting)

    def _store(self, found: Sequence[Processed], acting: Acting) -> None:
        try:
            _store(found, acting)
        except _OF_THE_DATA as error:
            # Nothing has been written when the tables refuse. Raising would have
            # this submission hold up all others.
            if len(found) > 1:
                for one in found:
                    self._store([one], acting)
                return
            log.error("results of a submission refused", exc_info=error)
            self._store_failure(found[0].provenance, acting)
        for one in found:
            self._tell(one, acting)

    def _store_failure(self, provenance: Resource, acting: Acting) -> None:
        try:
            acting.store(failure(provenance, acting))
        except _OF_THE_DATA as error:
            log.error("results of a submission refused", exc_info=error)

    def _tell(self, one: Processed, acting: Acting) -> None:
        change = one.change
        told = {"topic": _PROCESSED, "event": "created", "version": str(change.version)}
        self._room.application.outbox.emit(
            acting.session,
            TOLD,
            {**told, **({"patient": one.patient} if one.patient else {})},
            subject=(change.type, change.id),
            trace_id=change.trace_id,
        )


def _evaluated(
    application: Application, provenance: Resource, reading: Acting
) -> tuple[list[Making], bool]:
    """Run the rules for each activity of a submission; nothing is stored yet.

    Tells, too, whether what is to be made depends on what others have made: a task is
    not asked for twice, and a trigger fires once.
    """
    makings: list[Making] = []
    alone = False
    for measured in measured_in(reading, provenance):
        found = evaluate(application, reading, measured)
        odd = unexpected.odd_ones(reading, measured)
        reacts = triggers.may_react(reading, measured)
        asks = any(
            problem.code
            for one in found or ()
            if one.outcome is not None
            for problem in one.outcome.problems
        )
        alone = alone or reacts or asks
        makings.append(partial(made, measured, found, odd, reacts))
    return makings, alone


def evaluate(
    application: Application, acting: Acting, measured: Measured
) -> list[Evaluated] | None:
    """Run all rules for what was measured for an activity; ``None``: there are none."""
    libraries, missing = libraries_of(acting, measured.activity, measured.plan)
    if not libraries and not missing:
        return None
    found = [Evaluated({"resourceType": "Library", "id": url}, None) for url in missing]
    for library in libraries:
        asked, problems = rule_input(acting, measured, library)
        outcome = application.hooks.evaluate_rules(
            library=library, asked=asked, limits=LIMITS
        )
        if outcome is not None and problems:
            outcome = RuleOutcome(
                outcome.findings, outcome.resources, [*outcome.problems, *problems]
            )
        found.append(Evaluated(library, outcome))
    return found


def _store(found: Sequence[Processed], acting: Acting) -> None:
    writes = [
        write
        for one in found
        for write in (
            acting.receive(_all(one.makings, acting))
            if one.writes is None
            else one.writes
        )
    ]
    if writes:
        acting.store_received(writes)


def _received(makings: Sequence[Making], reading: Remembering) -> list[Write]:
    writes = reading.receive(_all(makings, reading))
    for one in writes:
        if one.key[0] == "ClinicalImpression" and one.resource is not None:
            foresee(reading, one.resource, one.context)
    return writes


def _all(makings: Sequence[Making], acting: Acting) -> list[Resource]:
    return [resource for making in makings for resource in making(acting)]


def _patient(provenance: Resource, acting: Acting) -> str:
    for target in targets_of(provenance):
        found = acting.read(target)
        subject = (found or {}).get("subject", {}).get("reference")
        if isinstance(subject, str):
            return subject
    return ""
