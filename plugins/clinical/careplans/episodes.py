"""``$create-episode-of-care``: the only way in which an episode of care begins.

One Bundle brings the episode, the conditions that it is about and where all of that
comes from; the server adds a Provenance of its own, of who has asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fyr.core import (
    FyrError,
    Operation,
    OperationCall,
    OperationParameter,
    instant,
    to_millis,
)
from fyr.core.interactions.writes import Write
from fyr.core.model.json import own as parsed
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.careplans.enrolling import Enrolment, Entry, problems
from fyr.plugins.clinical.references import own, reference_to, rewrite, url_of
from fyr.plugins.clinical.refusing import of_places, require_may_create
from fyr.plugins.clinical.tags import SYSTEM, add, system_tags

if TYPE_CHECKING:
    from fyr.core import Acting, Application, Resource
    from fyr.plugins.clinical.parts import Room

_BUNDLE = "episodeOfCareAndProvenances"
_HL7 = "http://hl7.org/fhir/v3/"
_PROFILE = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-provenance"
#: What the server goes by when it says who has begun an episode of care.
_POLICIES = (
    "http://ehealth.sundhed.dk/policy/ehealth/patient-data",
    "http://ehealth.sundhed.dk/policy/eu/general-data-protection-regulation",
)


def operations(room: Room) -> Iterator[Operation]:
    """Offer ``$create-episode-of-care``."""
    yield Operation(
        "create-episode-of-care",
        lambda call: create(room.application, call),
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


def create(application: Application, call: OperationCall) -> Resource:
    """Store what a Bundle brings, all or nothing, and answer where it is.

    :raises fyr.core.errors.FyrError: no episode of care can begin so.
    """
    bundle = call.value(_BUNDLE)
    rewrite(bundle, lambda url: own(call, url))
    enrolment = Enrolment.of(bundle, call.place(_BUNDLE))
    acting, principal = call.acting(), call.context.principal
    patient = principal.context.get("patient", "")
    wrong = problems(
        enrolment, acting, principal, own(call, patient) if patient else ""
    )
    if wrong is not None:
        if len(enrolment.of_type("EpisodeOfCare")) == 1:
            require_may_create(application, call, enrolment.episode.resource)
        raise wrong
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
        stored = self._acting.store_received(self._received())
        made = [parsed(one.body) for one in stored if one.body is not None]
        origin = self._acting.create(self._origin(links[enrolment.episode.name]))
        entries = [self._entry(one) for one in (*made, origin)]
        return {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": entries,
        }

    def _received(self) -> list[Write]:
        """Check what is to be stored, each with its place in what was sent.

        The episode by the right to begin one; what goes with it was judged by the rules.
        """
        writes: list[Write] = []
        failures: list[tuple[str, FyrError]] = []
        for entry in self._enrolment.entries:
            place = entry.path.removesuffix(".resource")
            try:
                (write,) = self._by(entry).receive([entry.resource])
            except FyrError as error:
                failures.append((place, error))
            else:
                write.place = place
                writes.append(write)
        if failures:
            raise of_places(failures)
        return writes

    def _by(self, entry: Entry) -> Acting:
        is_episode = entry is self._enrolment.episode
        return self._behalf if is_episode else self._acting

    def _identify(self, entry: Entry) -> str:
        """Give a resource the id that it will have."""
        identity = entry.resource["id"] = self._by(entry).new_id()
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
        reference = reference_to(resource)
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
