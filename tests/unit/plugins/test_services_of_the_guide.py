"""The declared services are those that the guide's CapabilityStatements tell."""

import json
import tarfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fyr.core import PluginSettings
from fyr.core.declarations.services import Service
from fyr.plugins.administrative import Administrative
from fyr.plugins.clinical import Clinical

GUIDE = (
    Path(__file__).parents[4] / "shared/data/dk.ehealth.sundhed.fhir.ig.core-8.0.0.tgz"
)
BASE = "http://hl7.org/fhir/StructureDefinition/"
#: What the guide publishes and its older statement of patient does not name.
LATER = {
    ("patient", "Communication"): {"communicationAbout", "episodeOfCare"},
    ("patient", "Patient"): {"patientCPRIdentifier", "patientCPRIdentifierUnique"},
    # Chained to, and not searched.
    ("careplan", "Condition"): {"code"},
}
#: Of another service, or not to be answered from this store: docs/decisions/services.md
LEFT_OUT = {
    ("patient", "Communication", "supportedProfile"),
    ("document-query", "DocumentReference", "interaction"),
}
#: What Fyr offers there and the guide does not.
BEYOND = {("measurement", "Observation"): {"lastn"}}
administrative = Administrative(PluginSettings())
clinical = Clinical(PluginSettings())
SERVICES: Mapping[str, Service] = {
    one.name: one
    for area in (administrative, clinical)
    for one in area.register_services()
}


@cache
def statements() -> Mapping[str, Any]:
    if not GUIDE.exists():
        pytest.skip(f"no guide at {GUIDE.name} beside the checkout")
    found = {}
    with tarfile.open(GUIDE) as archive:
        for member in archive:
            _, _, name = member.name.partition("/CapabilityStatement-")
            file = archive.extractfile(member) if name else None
            if file is not None:
                found[name.removesuffix(".json")] = json.load(file)["rest"][0]
    return found


def names(entries: Any, key: str = "name") -> set[str]:
    return {one[key].removeprefix("$") for one in entries or ()}


def test_the_services_are_those_of_the_guide() -> None:
    assert SERVICES.keys() == statements().keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_as_the_guide_tells(name: str) -> None:
    service, told = SERVICES[name], statements()[name]

    assert service.system_interactions == names(told.get("interaction"), "code")
    # How far a reindex is has to be asked somewhere.
    helping = {"reindex-status"} if "reindex" in names(told["operation"]) else set()
    assert service.operations == names(told["operation"]) | helping
    assert service.types.keys() == names(told["resource"], "type")


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name, one in SERVICES.items() for kind in one.types],
)
def test_a_type_is_as_the_guide_tells(name: str, kind: str) -> None:
    rules = SERVICES[name].types[kind]
    (told,) = [one for one in statements()[name]["resource"] if one["type"] == kind]

    interactions = names(told.get("interaction"), "code")
    if (name, kind, "interaction") in LEFT_OUT:
        assert not rules.interactions
    else:
        assert rules.interactions == interactions
    assert (rules.profile or BASE + kind) == told.get("profile", BASE + kind)
    supported = set(told.get("supportedProfile", ())) - {rules.profile}
    if (name, kind, "supportedProfile") not in LEFT_OUT:
        assert set(rules.supported_profiles) == supported
    beyond = BEYOND.get((name, kind), set())
    assert rules.operations == names(told.get("operation")) | beyond
    assert not rules.update_create
    for way in ("create", "update"):
        flag = told.get(f"conditional{way.title()}", False)
        assert flag == (rules.conditional and way in interactions)
    assert (rules.conditional_delete or None) == told.get("conditionalDelete")
    if "search-type" in interactions:
        later = LATER.get((name, kind), set())
        assert rules.search_parameters == names(told.get("searchParam")) | later
        assert rules.includes == set(told.get("searchInclude", ()))
        if rules.revincludes is not None:
            assert rules.revincludes == set(told.get("searchRevInclude", ()))
    else:
        assert rules.search_parameters == LATER.get((name, kind), set())
