"""What a Bundle that begins an episode of care holds, and all that is wrong with it.

Pure, but for the patient and the treatment areas, which are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fyr.core import FyrError, Issue, Refused, broken_rule
from fyr.core.errors import one_error
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.careplans.areas import Areas
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.references import unversioned
from fyr.plugins.clinical.tags import codes_of, system_tags

if TYPE_CHECKING:
    from fyr.core import Acting, Principal, Resource

_DANISH = "http://ehealth.sundhed.dk/policy/dk/"
#: The acts by which a citizen can be enrolled; a Provenance names one of them.
POLICIES = frozenset(
    _DANISH + one for one in ("sundhedsloven", "serviceloven", "aeldreloven")
)
_TYPES = frozenset({"EpisodeOfCare", "Condition", "Provenance"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: what the others call it, and where it stands."""

    resource: Resource
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A Bundle that begins an episode of care, in parts."""

    #: all of them, in the order of the Bundle
    entries: tuple[Entry, ...]
    #: FHIRPath of the entries
    path: str = ""

    @classmethod
    def of(cls, bundle: Mapping[str, Any], place: str) -> Enrolment:
        """Take a Bundle apart.

        :param place: FHIRPath of the parameter that holds it.
        """
        path = f"{place}.resource.entry"
        return cls(
            tuple(
                Entry(
                    entry.get("resource", {}),
                    str(entry.get("fullUrl", "")),
                    f"{path}[{number}].resource",
                )
                for number, entry in enumerate(bundle.get("entry", ()))
            ),
            path,
        )

    def of_type(self, kind: str) -> list[Entry]:
        """Give the entries of one type."""
        return [one for one in self.entries if one.resource.get("resourceType") == kind]

    @property
    def episode(self) -> Entry:
        """The first, and only, episode of care."""
        return self.of_type("EpisodeOfCare")[0]

    @property
    def conditions(self) -> list[Entry]:
        """What the episode of care is about."""
        return self.of_type("Condition")

    @property
    def provenances(self) -> list[Entry]:
        """Where it comes from."""
        return self.of_type("Provenance")


def problems(
    enrolment: Enrolment, acting: Acting, principal: Principal, own: str
) -> FyrError | None:
    """Tell what no episode of care can begin with, all at once; ``None``: it can.

    :param own: the patient of the token's context, relative; empty: there is none.
    """
    found: list[FyrError | Issue] = []
    found += _of_entries(enrolment)
    if len(enrolment.of_type("EpisodeOfCare")) == 1:
        found += _of_episode(enrolment.episode)
        found += _of_patient(enrolment.episode, acting, own)
        found += _of_conditions(enrolment)
        found += _of_provenances(enrolment)
        found += _of_tags(enrolment, acting, principal)
    else:
        code = CODES["EPISODEOFCARE_CREATE_WRONG_EOC_COUNT"]
        found.append(code.error(expression=[enrolment.path]))
    return one_error(found) if found else None


def _of_entries(enrolment: Enrolment) -> Iterator[FyrError | Issue]:
    names: set[str] = set()
    for one in enrolment.entries:
        if one.resource.get("resourceType") not in _TYPES:
            yield CODES["EPISODEOFCARE_CREATE_UNSUPPORTED_RESOURCE_TYPE"].error(
                expression=[one.path]
            )
        if one.name and one.name in names:
            place = one.path.removesuffix("resource") + "fullUrl"
            yield broken_rule("another entry has this fullUrl too", place)
        names.add(one.name)


def _of_episode(entry: Entry) -> Iterator[FyrError]:
    episode, path = entry.resource, entry.path
    if episode.get("status") != "planned":
        yield CODES["EPISODEOFCARE_CREATE_EPISODE_OF_CARE_IN_NON_PLANNED_STATUS"].error(
            expression=[f"{path}.status"]
        )
    if episode.get("statusHistory"):
        yield CODES["EPISODEOFCARE_CREATE_STATUS_HISTORY_NOT_EMPTY"].error(
            expression=[f"{path}.statusHistory"]
        )
    if any(ext.extensions(episode, ext.TEAM_HISTORY)):
        yield CODES["EPISODEOFCARE_CREATE_TEAM_HISTORY_NOT_EMPTY"].error(
            expression=[f"{path}.extension"]
        )


def _of_patient(entry: Entry, acting: Acting, own: str) -> Iterator[FyrError]:
    reference, path = patient_of(entry.resource), f"{entry.path}.patient"
    if own and reference != own:
        yield CODES["EPISODEOFCARE_CREATE_PATIENT_DOESNT_MATCH_CONTEXT"].error(
            expression=[path]
        )
        return
    patient = acting.read(reference) if reference.startswith("Patient/") else None
    if patient is None:
        identity = reference.removeprefix("Patient/")
        code = CODES["GENERAL_RESOURCE_NOT_FOUND"]
        yield Refused([code.issue("Patient", identity, expression=[path])])
    elif patient.get("deceasedBoolean") or patient.get("deceasedDateTime"):
        yield CODES["EPISODEOFCARE_CREATE_PATIENT_MUST_NOT_BE_DECEASED"].error(
            expression=[path]
        )


def _of_conditions(enrolment: Enrolment) -> Iterator[FyrError | Issue]:
    entry = enrolment.episode
    there = {one.name for one in enrolment.conditions}
    named = set()
    for number, one in enumerate(entry.resource.get("diagnosis", ())):
        reference = one.get("condition", {}).get("reference", "")
        named.add(reference)
        if reference not in there:
            text = "a diagnosis is a Condition of the same Bundle"
            path = f"{entry.path}.diagnosis[{number}].condition"
            yield broken_rule(text, path)
    for condition in enrolment.conditions:
        yield from _of_condition(enrolment, condition, named)


def _of_condition(
    enrolment: Enrolment, condition: Entry, named: set[str]
) -> Iterator[FyrError | Issue]:
    entry = enrolment.episode
    if patient_of(condition.resource, "subject") != patient_of(entry.resource):
        yield CODES["EPISODEOFCARE_CREATE_INCORRECT_CONDITION_SUBJECT"].error(
            expression=[f"{condition.path}.subject"]
        )
    if condition.name not in named:
        text = "a Condition is a diagnosis of the episode of care"
        yield broken_rule(text, condition.path)
    said = ext.reference_of(condition.resource, ext.EPISODE_OF_CARE)
    if said and said != entry.name:
        text = "a Condition belongs to the episode of care of the same Bundle"
        yield broken_rule(text, f"{condition.path}.extension")


def _of_provenances(enrolment: Enrolment) -> Iterator[FyrError]:
    entry = enrolment.episode
    policies: set[str] = set()
    for one in enrolment.provenances:
        targets = [two.get("reference") for two in one.resource.get("target", ())]
        policies.update(one.resource.get("policy", ()))
        if not targets or any(target != entry.name for target in targets):
            yield CODES["EPISODEOFCARE_CREATE_INCORRECT_PROVENANCE_TARGET"].error(
                expression=[f"{one.path}.target"]
            )
    if not policies & POLICIES:
        yield CODES["EPISODEOFCARE_CREATE_NO_REQUIRED_PROVENANCE_POLICIES"].error(
            expression=[enrolment.path]
        )


def _of_tags(
    enrolment: Enrolment, acting: Acting, principal: Principal
) -> Iterator[FyrError]:
    """Tell tags that are not the token's, and conditions outside of their areas.

    A system may have no tags: what it brings may be of no solution.
    """
    entry = enrolment.episode
    if principal.unrestricted or (
        principal.user_type == "SYSTEM" and not principal.tags
    ):
        return
    if not principal.tags:
        yield CODES["EPISODEOFCARE_CREATE_MISSING_COEXISTENCE_TAGS"].error(
            expression=[f"{entry.path}.meta.tag"]
        )
        return
    own = codes_of(system_tags(entry.resource))
    for one in enrolment.entries:
        if not codes_of(system_tags(one.resource)) <= principal.tags:
            yield CODES["SYSTEM_TAG_UNEXPECTED_TAG"].error(
                expression=[f"{one.path}.meta.tag"]
            )
    areas = Areas(acting, (own & principal.tags) or principal.tags)
    outside = areas.outside(one.resource for one in enrolment.conditions)
    if outside:
        told = f"{', '.join(outside)} in {', '.join(areas.tags)}"
        yield CODES["EPISODEOFCARE_CREATE_INVALID_COEXISTENCE_TAGS"].error(
            told, expression=[enrolment.path]
        )


def patient_of(resource: Mapping[str, Any], element: str = "patient") -> str:
    """Tell the patient of a resource, relative and unversioned."""
    reference = resource.get(element, {}).get("reference", "")
    return unversioned(str(reference))
