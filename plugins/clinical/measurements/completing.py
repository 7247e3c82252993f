"""What the server adds to a submission, and what of it refers to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from fyr.core import Acting, OperationCall, Resource, instant, to_millis
from fyr.plugins.clinical import extensions, tags
from fyr.plugins.clinical.measurements.judging import Facts
from fyr.plugins.clinical.measurements.submission import (
    STATUSES,
    Entry,
    Submission,
)
from fyr.plugins.clinical.systems import COHERENT

IDENTIFIERS = "http://ehealth.sundhed.dk/id/ehealth-identifier"
PROVENANCE_PROFILE = (
    "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-provenance"
)


def completed(
    entry: Entry, identity: str, episode: Resource, names: Mapping[str, str]
) -> Resource:
    """Give a resource of a submission as it is to be stored.

    :param names: where references to entries lead, by their ``fullUrl``.
    """
    rest: Resource = _followed(entry.resource, names)
    meta = _tagged(rest.pop("meta", {}), episode)
    head: Resource = {"resourceType": rest["resourceType"], "id": identity}
    resource = {**head, **({"meta": meta} if meta else {}), **rest, **head}
    if entry.kind in STATUSES:
        _identify(resource)
    if entry.kind == "Media":
        _into_a_series(resource)
    return resource


def _followed(value: Any, names: Mapping[str, str]) -> Any:
    """Give a copy in which references lead to what the server calls the entries."""
    if type(value) is dict:
        copied = {name: _followed(one, names) for name, one in value.items()}
        if type(copied.get("reference")) is str:
            copied["reference"] = names.get(copied["reference"], copied["reference"])
        return copied
    if type(value) is list:
        return [_followed(one, names) for one in value]
    return value


def _tagged(meta: Mapping[str, Any], episode: Resource) -> dict[str, Any]:
    """Give ``meta`` with the system tags of the episode, and no version."""
    kept = {
        name: value
        for name, value in meta.items()
        if name not in ("versionId", "lastUpdated")
    }
    made: Resource = {"meta": kept}
    tags.add(made, tags.system_tags(episode))
    tagged: dict[str, Any] = made["meta"]
    return tagged


def _identify(resource: Resource) -> None:
    """Give the identifier that the server knows a measurement by.

    A QuestionnaireResponse has one at most, which its sender may have given.
    """
    mine = {"system": IDENTIFIERS, "value": str(uuid4())}
    if resource["resourceType"] == "QuestionnaireResponse":
        resource.setdefault("identifier", mine)
        return
    others = [
        one
        for one in resource.get("identifier", ())
        if one.get("system") != IDENTIFIERS
    ]
    resource["identifier"] = [*others, mine]


def _into_a_series(media: Resource) -> None:
    if not extensions.value_of(media, extensions.MEDIA_SERIES_ID):
        one = {"url": extensions.MEDIA_SERIES_ID, "valueString": str(uuid4())}
        extensions.replaced(media, extensions.MEDIA_SERIES_ID, [one])


def names_of(
    call: OperationCall, submission: Submission, ids: Mapping[int, str]
) -> dict[str, str]:
    """Tell where references to the entries of a submission lead."""
    context, own = call.context, call.interactions.services.own
    names: dict[str, str] = {}
    for entry in submission.entries:
        if entry.full_url:
            target = f"{entry.kind}/{ids[entry.number]}"
            names[entry.full_url] = target
            local = own(entry.full_url, context.service, context.base_url)
            if local is not None:
                names[local] = target
    return names


def coherent(
    call: OperationCall, acting: Acting, targets: list[str], facts: Facts
) -> Resource:
    """Make the Provenance that says what was submitted together, and by whom."""
    episode = facts.episode
    used = [f"EpisodeOfCare/{episode['id']}", *sorted(facts.orders.requests)]
    return {
        "resourceType": "Provenance",
        "meta": _tagged({"profile": [PROVENANCE_PROFILE]}, episode),
        "target": [{"reference": one} for one in targets],
        "recorded": instant(to_millis(acting.now)),
        "policy": [COHERENT],
        "agent": [{"who": caller_of(call)}],
        "entity": [{"role": "source", "what": {"reference": one}} for one in used],
    }


def caller_of(call: OperationCall) -> Mapping[str, Any]:
    """Tell who submits: the patient, or the user by URL or identifier."""
    principal = call.context.principal
    own = call.interactions.services.own
    known = [principal.user_id]
    if principal.user_type == "PATIENT":
        known.insert(0, principal.context.get("patient", ""))
    for url in known:
        if local := own(url, call.context.service, call.context.base_url):
            return {"reference": local}
    return {"identifier": {"value": principal.user_id}}
