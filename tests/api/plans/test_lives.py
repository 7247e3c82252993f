"""Draft, active, retired: what may be changed when, and by whom."""

from __future__ import annotations

import pytest

from fyr.core.testing.principals import PATIENT

from ..guide import SATURATION, ext
from .conftest import (
    APPROVAL,
    KINDS,
    MEETING,
    activity,
    author,
    concept,
    definition,
    plan,
    role,
    system,
    told,
)

STATES = ("draft", "active", "retired")
#: Steps that anybody who may write a definition makes.
STEPS = {
    ("draft", "draft"),
    ("draft", "active"),
    ("draft", "retired"),
    ("active", "active"),
    ("active", "retired"),
    ("retired", "retired"),
}
CONTEXT = [
    {
        "code": {
            "system": "http://ehealth.sundhed.dk/cs/ehealth-usage-context-type",
            "code": "range",
        },
        "valueCodeableConcept": concept("RAL"),
    }
]
WRONG_STATE = {
    "PlanDefinition": "PLANDEFINITION_UPDATE_TO_NOT_ALLOWED_STATE",
    "ActivityDefinition": "ACTIVITYDEFINITION_UPDATE_TO_NOT_ALLOWED_STATE",
    "Questionnaire": "QUESTIONNAIRE_NOT_ALLOWED_TO_UPDATE_STATUS",
}
ACTIVE_STAYS = {
    "PlanDefinition": "PLANDEFINITION_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS",
    "ActivityDefinition": "ACTIVITYDEFINITION_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS",
    "Questionnaire": "QUESTIONNAIRE_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS",
}
RETIRED_STAYS = {
    "PlanDefinition": "PLANDEFINITION_UPDATE_ALLOWED_FOR_STATUS",
    "ActivityDefinition": "ACTIVITYDEFINITION_UPDATE_ALLOWED_FOR_STATUS",
    "Questionnaire": "QUESTIONNAIRE_NOT_ALLOWED_TO_UPDATE_IN_STATUS",
}


def in_state(authors, kind, state):
    """Bring a definition that can be published into a state."""
    if kind == "PlanDefinition":
        stored = authors.made(plan(authors.published(activity())))
    else:
        stored = authors.made(definition(kind))
    for step in STATES[1 : STATES.index(state) + 1]:
        stored = authors.updated({**stored, "status": step})
    return stored


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize("who", [author(1), system()], ids=["author", "system"])
@pytest.mark.parametrize("end", STATES)
@pytest.mark.parametrize("start", STATES)
def test_only_steps_of_the_table_are_made(guarded, kind, start, end, who) -> None:
    stored = in_state(guarded, kind, start)

    answer = guarded.update({**stored, "status": end}, who)

    if (start, end) in STEPS:
        assert (answer.status, answer.json["status"]) == (200, end)
    else:
        assert (answer.status, told(answer)) == (422, [WRONG_STATE[kind]])
        place = f"{kind}/{stored['id']}"
        assert guarded.at(kind).get(place).json == stored


@pytest.mark.parametrize("state", ["unknown", "retired"])
def test_a_new_one_is_a_draft_or_active(guarded, kind, state) -> None:
    answer = guarded.create(definition(kind, status=state))

    assert (answer.status, told(answer)) == (422, ["GENERAL_VALIDATION_ERROR"])


def test_a_draft_is_edited_freely(guarded, kind) -> None:
    stored = guarded.made(definition(kind))

    edited = guarded.updated({**stored, "title": "Lungs", "version": "1.1"})

    assert (edited["title"], edited["version"]) == ("Lungs", "1.1")


def test_only_the_use_context_of_an_active_one_changes(guarded, kind) -> None:
    stored = in_state(guarded, kind, "active")

    changed = guarded.updated({**stored, "useContext": CONTEXT})
    answer = guarded.update({**stored, "title": "Lungs", "purpose": "To breathe."})

    assert changed["useContext"] == CONTEXT
    assert (answer.status, told(answer)) == (422, [ACTIVE_STAYS[kind]])
    (issue,) = answer.json["issue"]
    assert issue["expression"] == [f"{kind}.title", f"{kind}.purpose"]
    assert "title, purpose" in issue["diagnostics"]


def test_one_that_is_retired_takes_nothing_else_with_it(guarded, kind) -> None:
    stored = in_state(guarded, kind, "active")

    answer = guarded.update({**stored, "status": "retired", "title": "Old"})

    assert (answer.status, told(answer)) == (422, [ACTIVE_STAYS[kind]])


def test_only_the_use_context_of_a_retired_one_changes(guarded, kind) -> None:
    stored = in_state(guarded, kind, "retired")

    assert guarded.update({**stored, "useContext": CONTEXT}).status == 200
    answer = guarded.update({**stored, "title": "Old"})
    assert (answer.status, told(answer)) == (422, [RETIRED_STAYS[kind]])


def test_the_approval_date_is_the_servers(guarded, kind) -> None:
    stored = in_state(guarded, kind, "draft")
    assert "approvalDate" not in stored

    active = guarded.updated(
        {**stored, "status": "active", "approvalDate": "1999-12-31"}
    )
    kept = {**active, "useContext": CONTEXT, "approvalDate": "1999-12-31"}
    later = guarded.updated(kept)

    assert active["approvalDate"] == later["approvalDate"] > "1999-12-31"


def test_one_that_begins_active_is_approved_at_once(guarded) -> None:
    stored = guarded.made(activity(status="active"))

    assert stored["approvalDate"] == stored["meta"]["lastUpdated"][:10]


def test_a_new_one_needs_an_owner(guarded, kind) -> None:
    code = f"{kind.upper()}_CREATE_MODIFIER_ROLE_OWNER_MANDATORY"

    answer = guarded.create(
        definition(kind, extension=[role(1, "co-author")]), system()
    )

    assert (answer.status, told(answer)) == (422, [code])


def test_the_last_owner_does_not_leave(guarded, kind) -> None:
    stored = guarded.made(definition(kind))
    others = [one for one in stored["extension"] if "modifier-role" not in one["url"]]

    answer = guarded.update({**stored, "extension": [*others, role(2, "co-author")]})

    assert answer.status == 422


def test_an_owner_changes_the_roles_and_a_co_author_does_not(guarded, kind) -> None:
    stored = guarded.made(definition(kind))
    shared = guarded.updated(
        {**stored, "extension": [*stored["extension"], role(2, "co-author")]}
    )

    edited = guarded.update({**shared, "title": "Ours"}, author(2))
    taken = {**edited.json, "extension": [*shared["extension"], role(2, "owner")]}

    assert edited.status == 200
    assert guarded.update(taken, author(2)).status == 403
    assert guarded.update(taken, author(1)).status == 200


def test_another_organization_changes_nothing(guarded, kind) -> None:
    stored = guarded.made(definition(kind))

    assert guarded.update({**stored, "title": "Mine"}, author(2)).status == 403
    assert guarded.create(definition(kind), author(2)).status == 403


def test_a_citizen_writes_no_definitions(guarded, kind) -> None:
    stored = guarded.made(definition(kind))

    assert guarded.update({**stored, "title": "Mine"}, PATIENT).status == 403
    assert guarded.create(definition(kind), PATIENT).status == 403


def test_all_that_is_wrong_is_told_at_once(guarded) -> None:
    meeting = activity(code={"coding": [MEETING]}, extension=[APPROVAL])

    answer = guarded.create(meeting, system())

    assert answer.status == 422
    assert sorted(told(answer)) == [
        "ACTIVITYDEFINITION_CREATE_MODIFIER_ROLE_OWNER_MANDATORY",
        "ACTIVITYDEFINITION_SHARINGAPPROVALPOLICY_NOT_ALLOWED",
    ]


def test_what_is_shared_nationally_says_who_approves_it(guarded) -> None:
    shared = activity(code={"coding": [SATURATION]})
    approval = [role(1, "owner"), APPROVAL]

    answer = guarded.create(shared)

    code = "ACTIVITYDEFINITION_SHARINGAPPROVALPOLICY_NOT_SET"
    assert (answer.status, told(answer)) == (422, [code])
    assert "urn:oid:1.2.208.176.2.1|NPU03011" in answer.issues[0]
    guarded.made({**shared, "extension": approval})


def test_what_is_not_shared_says_nothing_of_approval(guarded) -> None:
    meeting = activity(code={"coding": [MEETING]})
    guarded.made(meeting)

    answer = guarded.create({**meeting, "extension": [role(1, "owner"), APPROVAL]})

    code = "ACTIVITYDEFINITION_SHARINGAPPROVALPOLICY_NOT_ALLOWED"
    assert (answer.status, told(answer)) == (422, [code])


def test_a_code_that_nobody_knows_asks_for_nothing(guarded) -> None:
    unknown = activity(code=concept("own-code"))

    guarded.made(unknown)
    guarded.made({**unknown, "extension": [role(1, "owner"), APPROVAL]})


def test_a_questionnaire_is_deleted_while_it_is_a_draft(guarded) -> None:
    draft = guarded.made(definition("Questionnaire"))
    active = in_state(guarded, "Questionnaire", "active")
    client = guarded.at("Questionnaire")

    answer = client.delete(f"Questionnaire/{active['id']}")

    code = "QUESTIONNAIRE_NOT_ALLOWED_TO_DELETE_WITH_STATUS"
    assert (answer.status, told(answer)) == (422, [code])
    assert client.get(f"Questionnaire/{active['id']}").status == 200
    assert client.delete(f"Questionnaire/{draft['id']}").status == 204


def test_a_new_one_gets_identifier_base_and_environment(guarded, kind) -> None:
    claimed = ext("base", valueIdentifier={"value": "urn:uuid:somebody-elses"})

    stored = guarded.made(definition(kind, extension=[role(1, "owner"), claimed]))

    (identifier,) = stored["identifier"]
    assert identifier["system"] == "urn:ietf:rfc:3986"
    kept = {one["url"].rpartition("-")[2]: one for one in stored["extension"]}
    base, environment = kept["base"], kept["environment"]
    assert base["valueIdentifier"]["value"] != "urn:uuid:somebody-elses"
    assert base["valueIdentifier"]["assigner"]["identifier"]["value"] == "fyr"
    assert environment["valueIdentifier"] == {
        "system": "http://ehealth.sundhed.dk/id/ehealth-environment",
        "value": "fyr",
    }


def test_nobody_takes_the_base_of_a_definition_away(guarded, kind) -> None:
    stored = guarded.made(definition(kind))

    kept = guarded.updated({**definition(kind, title="x"), "id": stored["id"]})

    assert kept["identifier"] == stored["identifier"]
    assert kept["extension"] == stored["extension"]


def test_what_a_deployment_loads_is_taken_as_it_is(guarded, kind) -> None:
    bare = {"resourceType": kind, "status": "retired", "approvalDate": "2020-01-01"}

    stored = guarded.load(bare)

    assert (stored["status"], stored["approvalDate"]) == ("retired", "2020-01-01")
