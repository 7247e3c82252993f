"""``$create-episode-of-care``: the only way in which an episode of care begins.

One Bundle brings the episode, the conditions that it is about and where all of that
comes from; the server adds a Provenance of its own, of who has asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fyr.core import (
    Operation,
    OperationCall,
    OperationParameter,
    instant,
    to_millis,
)
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.careplans.enrolling import Enrolment, Entry, require
from fyr.plugins.clinical.references import own, rewrite, url_of
from fyr.plugins.clinical.tags import SYSTEM, add, system_tags

if TYPE_CHECKING:
    from fyr.core import Acting, Resource

_BUNDLE = "episodeOfCareAndProvenances"
_HL7 = "http://hl7.org/fhir/v3/"
_PROFILE = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-provenance"
#: What the server goes by when it says who has begun an episode of care.
_POLICIES = (
    "http://ehealth.sundhed.dk/policy/ehealth/patient-data",
    "http://ehealth.sundhed.dk/policy/eu/general-data-protection-regulation",
)


def operations() -> Iterator[Operation]:
    """Offer ``$create-episode-of-care``."""
    yield Operation(
        "create-episode-of-care",
        create,
        frozenset({"system"}),
        affects_state=True,
        documentation=(
            "Begins an EpisodeOfCare, with its Conditions and the Provenances that tell"
            " by which act."
        ),
        parameters=(
            OperationParameter(
                _BUNDLE,
                "Bundle",
                min=1,
                documentation=(
                    "One EpisodeOfCare that is planned, the Conditions of its diagnoses,"
                    " Provenances of it."
                ),
            ),
            OperationParameter(
                "return",
                "Bundle",
                use="out",
                documentation="What was made; resources by Prefer: return=representation.",
            ),
        ),
    )


def create(call: OperationCall) -> Resource:
    """Store what a Bundle brings, all or nothing, and answer where it is.

    :raises fyr.core.errors.FyrError: no episode of care can begin so.
    """
    bundle = call.value(_BUNDLE)
    rewrite(bundle, lambda url: own(call, url))
    enrolment = Enrolment.of(bundle)
    acting, principal = call.acting(), call.context.principal
    patient = principal.context.get("patient", "")
    require(enrolment, acting, principal, own(call, patient) if patient else "")
    return _Begun(call, enrolment, acting).answer()


class _Begun:
    """An episode of care that nothing stands in the way of."""

    def __init__(
        self, call: OperationCall, enrolment: Enrolment, acting: Acting
    ) -> None:
        self._call = call
        self._enrolment = enrolment
        self._acting = acting
        self._behalf = call.on_behalf()

    def answer(self) -> Resource:
        enrolment = self._enrolment
        links = {one.name: self._identify(one) for one in enrolment.entries}
        for one in enrolment.entries:
            rewrite(one.resource, lambda url: links.get(url, url))
        self._complete(links[enrolment.episode.name])
        # By the right to begin one; what goes with it has been judged by the rules.
        episode = self._behalf.create(enrolment.episode.resource)
        rest = [
            one.resource for one in enrolment.entries if one is not enrolment.episode
        ]
        stored = iter(self._acting.store(rest))
        made = [
            episode if one is enrolment.episode else next(stored)
            for one in enrolment.entries
        ]
        origin = self._acting.create(self._origin(f"EpisodeOfCare/{episode['id']}"))
        entries = [self._entry(one) for one in (*made, origin)]
        return {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": entries,
        }

    def _identify(self, entry: Entry) -> str:
        """Give a resource the id that it will have."""
        is_episode = entry is self._enrolment.episode
        stores = self._behalf if is_episode else self._acting
        identity = entry.resource["id"] = stores.new_id()
        return f"{entry.resource['resourceType']}/{identity}"

    def _complete(self, episode: str) -> None:
        """Add the token's tags, and whose episode the conditions belong to."""
        resource = self._enrolment.episode.resource
        if not system_tags(resource):
            tags = sorted(self._call.context.principal.tags)
            add(resource, ({"system": SYSTEM, "code": one} for one in tags))
        belongs = {
            "url": ext.EPISODE_OF_CARE,
            "valueReference": {"reference": episode},
        }
        for one in self._enrolment.conditions:
            if not any(ext.extensions(one.resource, ext.EPISODE_OF_CARE)):
                one.resource.setdefault("extension", []).append(belongs)

    def _origin(self, episode: str) -> Resource:
        """Make the Provenance of who has asked for it."""
        user = self._call.context.principal.user_id
        if "/" in user:
            who: dict[str, Any] = {"reference": own(self._call, user)}
        else:
            who = {"identifier": {"value": user}}
        return {
            "resourceType": "Provenance",
            "meta": {"profile": [_PROFILE]},
            "target": [{"reference": episode}],
            "recorded": instant(to_millis(self._acting.now)),
            "policy": list(_POLICIES),
            "reason": [_concept("ActReason", "PATADMIN")],
            "activity": _concept("DataOperation", "CREATE"),
            "agent": [{"role": [_concept("ParticipationType", "AUT")], "who": who}],
        }

    def _entry(self, resource: Resource) -> Resource:
        reference = f"{resource['resourceType']}/{resource['id']}"
        meta = resource["meta"]
        entry: Resource = {
            "response": {
                "status": "201 Created",
                "location": f"{url_of(self._call, reference)}/_history/1",
                "etag": f'W/"{meta["versionId"]}"',
                "lastModified": meta["lastUpdated"],
            }
        }
        if self._call.context.returns == "representation":
            return {"resource": resource, **entry}
        return entry


def _concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": _HL7 + system, "code": code}]}
