"""``$create-clone``: the next version of a definition, or a copy of it, as a draft.

http://ehealth.sundhed.dk/fhir/OperationDefinition/ActivityDefinitionPlanDefinition-i-create-clone
and its sister for questionnaires. A version keeps its base and its modifiers; a copy
begins a base of its own, and belongs to the organization that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from fyr.core import (
    Invalid,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    broken_rule,
)
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import (
    BASE,
    BASE_ENVIRONMENT,
    MODIFIER_ROLE,
    PREDECESSOR,
    replaced,
)
from fyr.plugins.clinical.plans import versions
from fyr.plugins.clinical.plans.family import (
    CLONED,
    Family,
    family_of,
    leads,
)
from fyr.plugins.clinical.plans.identity import (
    base_of,
    environment_of,
    new_uuid,
    uuid_of,
)
from fyr.plugins.clinical.plans.tree import Definitions
from fyr.plugins.clinical.references import (
    all_asked,
    all_named,
    entry_of,
    own,
    reference_to,
    url_of,
)

if TYPE_CHECKING:
    from fyr.core import Issue, Resource
    from fyr.plugins.clinical.parts import Room

COPY: Final = "copy"
VERSIONS: Final = ("minor-version", "major-version")
#: What the server, or the author of the clone, will say anew.
_LEFT_OUT: Final = ("id", "meta", "identifier", "approvalDate", "text")
_ROLES: Final = "http://ehealth.sundhed.dk/cs/modifier-role"
_DOCUMENT: Final = "DocumentReference"

_OPERATION = OperationParameter(
    "clone-operation", "Coding", documentation="minor-version, major-version or copy."
)
_DEFAULT = OperationParameter(
    "default-clone-behavior",
    "boolean",
    documentation=(
        "Whether plans and activities below are cloned too, and nothing else. false: only"
        " what deep-clone-references lists is."
    ),
)
_LISTED = OperationParameter(
    "deep-clone-references",
    "Reference",
    max="*",
    documentation="What is cloned with it; what leads to it has to be cloned, too.",
)
_RETURN = OperationParameter(
    "return", "Bundle", use="out", min=1, documentation="All that was made."
)


def operations(room: Room) -> Iterator[Operation]:
    """Offer ``$create-clone`` of plans and activities, and that of questionnaires."""

    def clone(call: OperationCall) -> Resource:
        return _Cloning(call, room.settings.environment).done()

    yield Operation(
        "create-clone",
        clone,
        frozenset({"instance"}),
        frozenset({"PlanDefinition", "ActivityDefinition"}),
        affects_state=True,
        documentation="Makes the next version, or a copy, of this and what it leads to.",
        parameters=(_OPERATION, _DEFAULT, _LISTED, _RETURN),
    )
    yield Operation(
        "create-clone",
        clone,
        frozenset({"instance"}),
        frozenset({"Questionnaire"}),
        affects_state=True,
        documentation="Makes the next version, or a copy, of this questionnaire.",
        parameters=(_OPERATION, _RETURN),
    )


class _Cloning:
    """One call."""

    def __init__(self, call: OperationCall, environment: str) -> None:
        self._call = call
        self._environment = environment
        self._acting = call.acting()
        self._behalf = call.on_behalf()
        self._definitions = Definitions(self._acting)
        self._how = _how(call)
        #: who is cloned -> the new resource
        self._new: dict[str, Resource] = {}

    def done(self) -> Resource:
        family = family_of(self._definitions, self._call.subject())
        chosen = self._chosen(family)
        self._hold(family, chosen)
        self._require(family, chosen)
        for name in chosen:
            self._new[name] = self._clone(family.members[name])
        for one in self._new.values():
            self._lead(one)
        # Those below first, so that who reads the Bundle knows what others refer to.
        made = self._behalf.store(list(reversed(self._new.values())))
        entries = [entry_of(self._call, one) for one in made]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    def _chosen(self, family: Family) -> list[str]:
        listed = all_asked(self._call, "deep-clone-references")
        default = self._call.value("default-clone-behavior")
        if default is False or (default is None and listed):
            named: dict[str, str] = {}
            for one, place in all_named(self._call, "deep-clone-references"):
                named.setdefault(one, place)
            chosen = family.listed(named)
            family.ways.update(named)
            return chosen
        return family.by_default()

    def _hold(self, family: Family, chosen: Sequence[str]) -> None:
        """Keep others from making a version of the same bases meanwhile."""
        if self._how == COPY:
            return
        names = set(chosen)
        for name in chosen:
            names.update(
                reference_to(one) for one in self._siblings(family.members[name])
            )
        self._acting.hold(*sorted(names))

    def _siblings(self, resource: Mapping[str, Any]) -> list[Resource]:
        """Find all versions with the base of a definition."""
        base = base_of(resource)
        kind = resource["resourceType"]
        if not base or kind == _DOCUMENT:
            return []
        return self._acting.find(kind, ("base", base))

    def _require(self, family: Family, chosen: Sequence[str]) -> None:
        """Refuse what cannot be cloned.

        :raises fyr.core.errors.Refused: all problems at once.
        """
        found = [
            one
            for name in chosen
            for one in self._problems(family.members[name], family.ways.get(name))
        ]
        if found:
            raise Refused(found)

    def _problems(
        self, resource: Mapping[str, Any], way: str | None
    ) -> Iterator[Issue]:
        """Tell what keeps a definition from being cloned.

        :param way: where it is named, as FHIRPath: in the definition that is cloned, or
            among the parameters; ``None``: it is that definition itself.
        """
        kind = resource["resourceType"]
        if kind == _DOCUMENT:
            return
        # As a copy it could be cloned, so what is wrong is which clone was asked for.
        place = (way or f"{self._call.place('clone-operation')}.value",)
        if lacking := _lacking(resource):
            code = CODES["VERSIONING_RESOURCE_NOT_ELIGIBLE_FOR_CLONE"]
            own_places = [f"{kind}.{one}" for one in lacking]
            yield code.issue(expression=[way] if way else own_places)
        elif self._how == COPY:
            return
        elif environment_of(resource) != self._environment:
            code = CODES["VERSIONING_RESOURCE_MUST_BE_FROM_CURRENT_ENVIRONMENT"]
            yield code.issue(environment_of(resource), expression=place)
        elif any(one.get("status") == "draft" for one in self._siblings(resource)):
            code = CODES["VERSIONING_MULTIPLE_DRAFTS_IN_BASE_NOT_ALLOWED"]
            yield code.issue(expression=place)

    def _clone(self, resource: Mapping[str, Any]) -> Resource:
        new: Resource = {
            key: deepcopy(value)
            for key, value in resource.items()
            if key not in _LEFT_OUT
        }
        new["id"] = self._behalf.new_id()
        if "profile" in resource.get("meta", {}):
            new["meta"] = {"profile": list(resource["meta"]["profile"])}
        if self._how == COPY:
            self._own(new)
        if new["resourceType"] == _DOCUMENT:
            return new
        new["status"] = "draft"
        new["version"] = self._version(resource)
        new["identifier"] = [new_uuid()]
        if self._how == COPY:
            # Its URL stays the name of what it was made from.
            new.pop("url", None)
            # Its base is its own, given when it is stored.
            replaced(new, BASE, ())
            replaced(new, BASE_ENVIRONMENT, ())
        before = {"url": PREDECESSOR, "valueIdentifier": dict(uuid_of(resource) or {})}
        replaced(new, PREDECESSOR, [before])
        return new

    def _version(self, resource: Mapping[str, Any]) -> str:
        if self._how == COPY:
            return versions.FIRST
        own_version = versions.parts(resource.get("version")) or (1, 0)
        siblings = [one.get("version") for one in self._siblings(resource)]
        others = [one for one in map(versions.parts, siblings) if one is not None]
        follow = versions.minor if self._how == VERSIONS[0] else versions.major
        return follow(own_version, others)

    def _own(self, new: Resource) -> None:
        """Make the organization of the caller the owner of a copy."""
        mine = self._call.context.principal.context.get("organization")
        has_roles = any(
            one.get("url") == MODIFIER_ROLE for one in new.get("extension", ())
        )
        if not mine or not has_roles:
            return
        concept = {"coding": [{"system": _ROLES, "code": "owner"}]}
        parts = [
            {
                "url": "reference",
                "valueReference": {"reference": own(self._call, mine)},
            },
            {"url": "role", "valueCodeableConcept": concept},
        ]
        replaced(new, MODIFIER_ROLE, [{"url": MODIFIER_ROLE, "extension": parts}])

    def _lead(self, new: Resource) -> None:
        """Have a clone lead to clones, where there are some."""
        for holder, key, _ in leads(new):
            canonical = str(holder[key])
            found = self._definitions.find(canonical, *CLONED)
            clone = self._new.get(reference_to(found)) if found is not None else None
            if clone is None:
                continue
            pinned = "/_history/1" if "/_history/" in canonical else ""
            holder[key] = url_of(self._call, reference_to(clone)) + pinned


def _lacking(resource: Mapping[str, Any]) -> list[str]:
    """Tell the elements that keep a definition from being cloned at all."""
    lacking = [] if uuid_of(resource) else ["identifier"]
    if not (base_of(resource) and environment_of(resource)):
        lacking.append("extension")
    if versions.parts(resource.get("version")) is None:
        lacking.append("version")
    return lacking


def _how(call: OperationCall) -> str:
    """Tell which clone is asked for.

    :raises Invalid: none, or one that is not known.
    """
    coding = call.value("clone-operation") or {}
    code = str(coding.get("code", ""))
    if code not in (*VERSIONS, COPY):
        text = "clone-operation is minor-version, major-version or copy"
        raise Invalid([broken_rule(text, call.place("clone-operation"))])
    return code
