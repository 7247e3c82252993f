"""A submission against what is stored: reads what the rules need, and asks them all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from fyr.core import Acting, Issue, OperationCall, Resource
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.episodes import ENDED, consents_of, is_withdrawn
from fyr.plugins.clinical.measurements import coherence
from fyr.plugins.clinical.measurements.orders import (
    Local,
    Orders,
    activity_of,
    order_problems,
    questionnaire_of,
)
from fyr.plugins.clinical.measurements.qualities import needs_quality, with_quality
from fyr.plugins.clinical.measurements.reuse import (
    REUSE,
    Past,
    entity_of,
    reuse_problems,
)
from fyr.plugins.clinical.measurements.slots import regime_of
from fyr.plugins.clinical.measurements.submission import (
    Entry,
    Submission,
    reference,
    unversioned,
)
from fyr.plugins.clinical.measurements.value_sets import ValueSets, coded_answers


@dataclass(frozen=True)
class Facts:
    """What a submission is judged by, as it was when it was read."""

    episodes: dict[str, Resource | None]
    orders: Orders
    past: Past = field(default_factory=lambda: Past({}))
    #: of the patient, to take part in the episode of care
    consents: list[Resource] = field(default_factory=list)
    #: whether a consent to take part was taken back, and none holds
    is_stopped: bool = False

    @property
    def episode(self) -> Resource:
        """The episode of care, where it is there."""
        return next((one for one in self.episodes.values() if one), {})

    def with_past(self, is_usable: Callable[[Resource], bool]) -> Facts:
        """Leave out what may not be used again, as if it was not there."""
        entities = {
            name: found if found is not None and is_usable(found) else None
            for name, found in self.past.entities.items()
        }
        return replace(self, past=replace(self.past, entities=entities))

    def are_current(self, acting: Acting) -> bool:
        """Whether nothing of it that changes in daily work has been changed since.

        Then nothing of it changes before the transaction ends: what ends the episode of
        care comes after what is submitted now.
        """
        consents = {f"Consent/{one['id']}": one for one in self.consents}
        changing = {**self.episodes, **self.orders.requests, **consents}
        return acting.keep({name: _version(one) for name, one in changing.items()})


def local_of(call: OperationCall) -> Local:
    """Give what makes canonical URLs of this server relative, without their version."""
    context, own = call.context, call.interactions.services.own

    def local(url: str) -> str:
        plain = url.partition("|")[0]
        return own(plain, context.service, context.base_url) or plain

    return local


def read_facts(acting: Acting, submission: Submission, local: Local) -> Facts:
    """Read what the rules need."""
    measurements = list(submission.measurements)
    answered = [one for one in measurements if one.kind == "QuestionnaireResponse"]
    # All that is known by name at once: one by one, a database elsewhere is asked often.
    episodes, requests, questionnaires, entities = _read(
        acting,
        (one.episode for one in measurements),
        (one.order for one in measurements),
        (questionnaire_of(one, local) for one in answered),
        (entity_of(one.resource) for one in submission.provenances),
    )
    asked = (requests.get(one.order) for one in answered)
    (activities,) = _read(acting, (activity_of(one, local) for one in asked if one))
    past = _past(acting, entities)
    regimes = _regimes(acting, submission, requests)
    value_sets = _value_sets(acting, answered, questionnaires, local)
    orders = Orders(requests, activities, questionnaires, regimes, value_sets)
    known = [one for one in episodes.values() if one is not None]
    consents = [one for episode in known for one in consents_of(acting, episode)]
    is_stopped = is_withdrawn(acting, consents)
    return Facts(episodes, orders, past, consents, is_stopped)


def judged(
    submission: Submission,
    facts: Facts,
    local: Local,
    now: datetime,
    by: Mapping[str, Any],
) -> tuple[list[Issue], list[Issue]]:
    """Tell all problems: those of the submission itself, and those against what is kept.

    :param by: Reference to who submits.
    """
    own = list(coherence.content_problems(submission))
    own += coherence.belonging_problems(submission)
    for entry in submission.measurements:
        own += coherence.state_problems(entry)
    return own, list(_against(submission, facts, local, now, by))


def _against(
    submission: Submission,
    facts: Facts,
    local: Local,
    now: datetime,
    by: Mapping[str, Any],
) -> Iterator[Issue]:
    for entry in submission.measurements:
        if entry.episode and facts.episodes.get(entry.episode) is None:
            kind, _, identity = entry.episode.partition("/")
            yield CODES["GENERAL_RESOURCE_NOT_FOUND"].issue(
                kind,
                identity,
                expression=entry.extension_at(extensions.EPISODE_OF_CARE),
            )
    known = [one for one in facts.episodes.values() if one is not None]
    if len(known) == 1:
        yield from coherence.patient_problems(submission, known[0])
        yield from coherence.tag_problems(submission, known[0])
        yield from _going_on(submission, facts)
    for entry in submission.measurements:
        yield from order_problems(entry, facts.orders, local)
    for entry in submission.provenances:
        yield from reuse_problems(
            entry, submission, facts.orders.requests, facts.past, now, by
        )


def _going_on(submission: Submission, facts: Facts) -> Iterator[Issue]:
    """Refuse what is submitted in an episode of care that is over, or without consent.

    A request that is not active says so itself. One that still is has outlived its
    episode, or was brought after its end: the code is the same, and the text names why.
    """
    first = next(one for one in submission.measurements if one.episode)
    if facts.is_stopped:
        yield CODES["EPISODEOFCARE_PATCH_NO_CONSENT"].issue(
            expression=first.extension_at(extensions.EPISODE_OF_CARE)
        )
    if facts.episode.get("status") not in ENDED:
        return
    for entry in submission.measurements:
        request = facts.orders.requests.get(entry.order) or {}
        if request.get("status") == "active":
            issue = CODES[
                "MEASUREMENT_SUBMITMEASUREMENT_PROCEDURE_REQUEST_IS_NOT_ACTIVE"
            ].issue(request["id"], expression=entry.at("basedOn[0]"))
            over = f"EpisodeOfCare {facts.episode['id']} is {facts.episode['status']}."
            yield replace(issue, diagnostics=f"{issue.diagnostics} {over}")


def add_qualities(acting: Acting, submission: Submission) -> None:
    """Add what is known of the devices to the measurements, in place."""
    metrics: dict[str, list[Resource]] = {}
    for entry in submission.measurements:
        if needs_quality(entry.resource):
            device = unversioned(reference(entry.resource.get("device")))
            if device not in metrics:
                metrics[device] = _metrics(acting, device)
            with_quality(entry.resource, metrics[device], acting.now)


def _metrics(acting: Acting, device: str) -> list[Resource]:
    """Find the metrics of a device, or the one that is named itself."""
    if device.startswith("Device/"):
        return acting.find("DeviceMetric", ("source", device))
    found = acting.read(device) if device.startswith("DeviceMetric/") else None
    return [found] if found is not None else []


def _regimes(
    acting: Acting, submission: Submission, requests: dict[str, Resource | None]
) -> dict[str, Resource | None]:
    """Read the versions of requests that something was measured for before the newest."""
    named = {regime_of(one): requests.get(one.order) for one in submission.measurements}
    return {
        name: acting.vread(name)
        for name, newest in named.items()
        if name and newest and int(name.rpartition("/")[2]) < _version(newest)
    }


def _value_sets(
    acting: Acting,
    answered: Iterable[Entry],
    questionnaires: Mapping[str, Resource | None],
    local: Local,
) -> dict[str, ValueSets]:
    """Read the value sets that something was answered from, by questionnaire."""
    named: dict[str, set[str]] = {}
    for entry in answered:
        name = questionnaire_of(entry, local)
        coded = coded_answers(questionnaires.get(name) or {}, entry.resource)
        named.setdefault(name, set()).update(one.value_set for one in coded)
    return {
        name: acting.value_sets(addresses, questionnaires[name] or {})
        for name, addresses in named.items()
        if addresses
    }


def _past(acting: Acting, entities: dict[str, Resource | None]) -> Past:
    """Find which of what is used again is used again itself."""
    there = [name for name, found in entities.items() if found is not None]
    return Past(entities, {name for name in there if _is_reuse(acting, name)})


def _is_reuse(acting: Acting, name: str) -> bool:
    found = acting.find("Provenance", ("target", name))
    return any(REUSE in one.get("policy", ()) for one in found)


def _read(
    acting: Acting, *kinds: Iterable[str]
) -> Iterator[dict[str, Resource | None]]:
    """Read resources of some kinds at once; what is no relative reference is not there."""
    wanted = [dict.fromkeys(name for name in names if name) for names in kinds]
    every = {name for names in wanted for name in names if _is_local(name)}
    found = acting.read_each(sorted(every))
    for names in wanted:
        yield {name: found.get(name) for name in names}


def _is_local(name: str) -> bool:
    kind, _, identity = name.partition("/")
    return bool(kind and identity) and "/" not in identity


def _version(resource: Resource | None) -> int:
    return 0 if resource is None else int(resource["meta"]["versionId"])
