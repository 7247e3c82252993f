"""Every cell of the decision table, both ways: derived from it, and asked over HTTP.

With exactly its privilege and contexts a request passes. Without the privilege, without
one of the contexts, or with somebody else's, the same request is refused.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from fyr.core.context import Principal, RequestContext
from fyr.core.errors import Forbidden
from fyr.plugins.access_control.decisions.table import (
    ANYWHERE,
    Cell,
    elements,
    read_table,
)

TABLE = read_table()
#: demand -> contexts that the token has to have for it
NEEDS = {
    "appointment": "patient",
    "clone": "organization",
    "device-mine-or-free": "patient",
    "device-owned": "organization",
    "device-readable": "organization",
    "device-writable": "organization",
    "episode": "episode_of_care",
    "material": "patient",
    "modifier": "organization",
    "organization": "organization",
    "owner": "organization",
    "patient": "patient",
    "patient-else": "patient",
    "patient-of-episode": "patient",
    "patient-or-team": "patient",
    "responsible-team": "care_team",
    "rule-m": "care_team",
    "sender": "care_team",
    "takes-part": "care_team",
    "takes-part-else": "care_team",
    "target-episode": "episode_of_care",
    "team": "care_team",
    "team-on-episode": "care_team",
    "team-on-plan": "care_team",
    "team-on-token-episode": "care_team episode_of_care",
    "team-or-cross-team": "care_team",
}
#: Demands that a resource which is new meets: nothing refers to it yet.
_OF_STORED = {"device-mine-or-free"}
#: Demands that a search without the context does not fail, but finds nothing for, or
#: that who takes part as the user meets as well.
_SOFT = {"appointment", "material", "sender", "takes-part", "takes-part-else"}
CONTEXTS = {
    1: {
        "episode_of_care": "EpisodeOfCare/1",
        "patient": "Patient/1",
        "care_team": "CareTeam/a",
        "organization": "Organization/1",
    },
    2: {
        "episode_of_care": "EpisodeOfCare/2",
        "patient": "Patient/2",
        "care_team": "CareTeam/b",
        "organization": "Organization/2",
    },
}
PATCH = b'[{"op":"add","path":"/language","value":"da"}]'
#: types whose resources are named after their service
_BY_SERVICE = {"Communication", "DocumentReference"}
_ALIASES = {"careplan": "plan"}
IDS = count(1)
SENDER_TEAM = (
    "http://ehealth.sundhed.dk/fhir/StructureDefinition/"
    "ehealth-communication-senderCareTeam"
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, kit) -> Iterator[Any]:
    """A server of its own: many resources are left behind."""
    yield from kit.world(tmp_path_factory.mktemp("cells"), "access_control")


def cells() -> Iterator[Cell]:
    for cell in TABLE:
        service = cell.key.service
        kind, needs = cell.key.resource_type, cell.privileges
        if service == ANYWHERE:
            service = "careplan"
            kind = "CarePlan" if kind == "any" else kind
            needs = tuple(one.replace("{type}", kind) for one in needs)
        key = replace(cell.key, service=service, resource_type=kind)
        yield replace(cell, key=key, privileges=needs)


def named(cell: Cell) -> str:
    key = cell.key
    return f"{key.service}-{key.resource_type}-{key.interaction}-{key.user_type}"


#: Stored content is no FHIR: test_stored_content asks for it.
CELLS = [
    one
    for one in cells()
    if one.key.interaction != "include" and one.key.service != "storage"
]


def needed(cell: Cell) -> set[str]:
    """Tell the contexts that a token has to have."""
    keys = {key for one in cell.demands for key in NEEDS.get(one, "").split()}
    if cell.key.user_type == "PATIENT":
        keys -= {"care_team"}
    if keys >= {"episode_of_care"} and "patient" not in cell.demands:
        keys -= {"patient"}
    return keys


def caller(kit: Any, cell: Cell) -> Principal:
    """Make the principal with exactly what a cell asks for."""
    user = "Patient/1" if cell.key.user_type == "PATIENT" else "Practitioner/1"
    found = kit.who(
        cell.key.user_type, user, *(CONTEXTS[1][one] for one in needed(cell))
    )
    privileges = set(cell.privileges[:1])
    if "restriction" in cell.demands:
        privileges.add("RestrictionCategory$measurement-monitoring")
    return replace(found, privileges=frozenset(privileges))


def identity(cell: Cell) -> str:
    kind, service = cell.key.resource_type, cell.key.service
    if kind == "CareTeam":
        return "a"
    if kind not in _BY_SERVICE:
        return "1"
    if kind == "DocumentReference":
        service = _ALIASES.get(service, service)
    return f"{service}-1"


def body(world: Any, cell: Cell, principal: Principal) -> dict[str, Any]:
    """Give the resource of team A that a request is about."""
    kind = cell.key.resource_type
    found = world.everything.get(f"{kind}/{identity(cell)}").json
    if kind == "Binary":
        found["id"] = f"binary-{next(IDS)}"
        found["securityContext"] = {"identifier": {"value": principal.user_id}}
        world.put(found)
    if "responsibility" in cell.demands and cell.key.interaction == "create":
        del found["careTeam"]
    if "message" in cell.demands:
        # Its sender is the citizen; for others it is their care team.
        found |= {"id": f"message-{next(IDS)}", "status": "preparation"}
        if cell.key.user_type != "PATIENT":
            team = found["extension"][1]["valueReference"]
            found["extension"].append({"url": SENDER_TEAM, "valueReference": team})
            del found["sender"]
        world.put(found)
    if "one-recipient" in cell.demands:
        found.pop("extension")
        found.pop("sent", None)
        found["status"] = "preparation"
        found["sender"] = {"reference": principal.user_id}
        # A note to oneself; from the care team of a practitioner, a message.
        found["recipient"] = [{"reference": principal.user_id}]
        nurse = cell.key.user_type == "PRACTITIONER"
        if nurse:
            found["recipient"] = [{"reference": "Patient/1"}]
        system = "http://ehealth.sundhed.dk/cs/message-category"
        code = "message" if nurse else "note"
        found["category"] = [{"coding": [{"system": system, "code": code}]}]
    if "sender" in cell.demands and cell.key.user_type == "PRACTITIONER":
        found.setdefault("extension", []).append(
            {"url": SENDER_TEAM, "valueReference": {"reference": "CareTeam/a"}}
        )
        if "one-recipient" in cell.demands:
            del found["sender"]
        else:
            world.put(found)
    if "privately-owned" in cell.demands and kind == "Device":
        found |= world.everything.get("Device/private").json
    elif "privately-owned" in cell.demands:
        found["id"] = f"of-private-{next(IDS)}"
        found["source" if kind == "DeviceMetric" else "device"] = {
            "reference": "Device/private"
        }
        world.put(found)
    return dict(found)


def ask(world: Any, cell: Cell, principal: Principal, about: dict[str, Any]) -> Any:
    """Send the request of a cell."""
    key = cell.key
    client = world.at(key.service, principal)
    kind, one = key.resource_type, about.get("id", "1")
    match key.interaction:
        case "read":
            return client.get(f"{kind}/{one}")
        case "vread":
            return client.get(f"{kind}/{one}/_history/1")
        case "history-instance":
            return client.get(f"{kind}/{one}/_history")
        case "history-type":
            return client.get(f"{kind}/_history")
        case "create":
            return client.create({k: v for k, v in about.items() if k != "id"})
        case "update":
            return client.put(f"{kind}/{one}", about)
        case "patch":
            return client.patch(f"{kind}/{one}", PATCH, "application/json-patch+json")
        case "delete":
            copy = world.put({**about, "id": f"copy-{next(IDS)}"})
            return client.delete(f"{kind}/{copy['id']}")
        case "search-type":
            return client.get(kind, pins(world, cell))
        case other:
            raise AssertionError(other)


def admitted(world: Any, cell: Cell, principal: Principal) -> bool:
    """Whether a cell lets a token pass whose request cannot be made here (yet)."""
    key = cell.key
    service = next(one for one in world.built.services if one.name == key.service)
    operation = key.interaction.startswith("$")
    context = RequestContext(
        service,
        "operation" if operation else key.interaction,
        key.resource_type or None,
        operation=key.interaction.removeprefix("$") if operation else None,
        principal=principal,
        base_url=service.public_base,
    )
    try:
        world.built.hooks.authorize(context=context)
    except Forbidden:
        return False
    return True


def pins(world: Any, cell: Cell) -> list[tuple[str, str]]:
    """Tell the parameters that keep a search of team A inside, as its client gives them."""
    names = {
        **elements().get(cell.key.resource_type, {}).get("search", {}),
        "owner": "owner",
        "part_team": "recipientCareTeam careTeamRecipient",
    }
    values = {
        "episode": "EpisodeOfCare/1",
        "patient": "Patient/1",
        "care_team": "CareTeam/a",
        "target": "Observation/1",
        "owner": "Patient/1",
        "part": "Patient/1",
        "part_team": "CareTeam/a",
    }
    wanted = {
        "appointment": "patient",
        "episode": "episode",
        "material": "patient",
        "patient": "patient",
        "patient-else": "patient",
        "patient-of-episode": "patient",
        "responsible": "owner",
        "responsible-team": "care_team",
        "takes-part": "part" if cell.key.user_type == "PATIENT" else "part_team",
        "takes-part-else": "part_team",
        "target-episode": "target",
        "team": "care_team",
        "team-or-cross-team": "care_team",
    }
    keys = dict.fromkeys(wanted[one] for one in cell.demands if one in wanted)
    found = []
    service = next(one for one in world.built.services if one.name == cell.key.service)
    rules = service.types[cell.key.resource_type]
    offered = rules.search_parameters
    for key in keys:
        if (cell.key.resource_type, key) == ("CarePlan", "care_team"):
            # On the plan itself is another team.
            found.append(("episodeOfCare.team", values[key]))
            continue
        name = next(one for one in names[key].split() if one == "_id" or one in offered)
        value = values[key]
        found.append((name, value.removeprefix("Patient/") if name == "_id" else value))
    if not found and rules.search_needs:
        found.append(("episodeOfCare", values["episode"]))
    return found


def offers(world: Any, cell: Cell) -> bool:
    """Whether a request can come so far that its resource is judged."""
    key = cell.key
    service = next(one for one in world.built.services if one.name == key.service)
    return bool(service.offers(key.resource_type, key.interaction))


@pytest.mark.parametrize("cell", CELLS, ids=named)
def test_a_cell_lets_pass_who_has_what_it_asks_for_and_nobody_else(
    guarded, kit, cell
) -> None:
    principal = caller(kit, cell)
    nobody = replace(principal, privileges=frozenset())
    poorer = [
        replace(principal, context=kit.without(principal, key).context)
        for key in needed(cell)
        if not {one for one in cell.demands if key in NEEDS.get(one, "")} <= _SOFT
    ]
    if not offers(guarded, cell):
        assert admitted(guarded, cell, principal)
        assert not cell.privileges or not admitted(guarded, cell, nobody)
        assert not any(admitted(guarded, cell, one) for one in poorer)
        return
    about = body(guarded, cell, principal)

    answer = ask(guarded, cell, principal, about)
    assert answer.status in (200, 201, 204), answer.issues
    if cell.key.interaction == "search-type" and cell.demands:
        assert about["id"] in {one["id"] for one in answer.resources}

    if cell.privileges:
        refused = ask(guarded, cell, nobody, about)
        assert refused.status == 403
        assert refused.issues[0].startswith("The token does not grant ")
    for other in poorer:
        assert ask(guarded, cell, other, about).status == 403
    if set(cell.demands) & _OF_STORED and cell.key.interaction == "create":
        return
    for key in needed(cell):
        context = {**principal.context, key: kit.url(CONTEXTS[2][key])}
        stranger = kit.url("Practitioner/2")
        other = replace(principal, context=context, user_id=stranger)
        refused = ask(guarded, cell, other, about)
        if cell.key.interaction == "search-type" and refused.status == 200:
            assert about["id"] not in {one["id"] for one in refused.resources}
        else:
            assert refused.status == 403, (key, refused.body)
