"""Closed mode: who may begin episodes, apply plans and change teams, and who may not."""

import pytest

from fyr.core.context import Principal

SYSTEM = "http://ehealth.sundhed.dk/cs/ehealth-system"
SKS = "urn:oid:1.2.208.176.2.4"
ROOT = "http://localhost"
HOMES = {
    "care_team": "organization",
    "patient": "patient",
    "episode_of_care": "careplan",
    "organization": "organization",
}


def to(reference):
    return {"reference": reference}


def who(user_type, may="", tags=(), **context):
    urls = {
        key: f"{ROOT}/{HOMES[key]}/fhir/{one}" for key, one in context.items() if one
    }
    return Principal(
        user_type,
        f"{ROOT}/organization/fhir/Practitioner/n",
        frozenset(may.split()),
        urls,
        tags=frozenset(tags),
    )


@pytest.fixture
def team(guarded):
    return guarded.team()


@pytest.fixture
def episode(guarded, team):
    return guarded.episode(team, tags=("xa",))


@pytest.fixture
def plan(guarded):
    return guarded.plan(guarded.activity(), guarded.plan(guarded.activity()))


APPLY = "PlanDefinition$apply"


def asked(plan, episode):
    return {
        "planDefinition": f"{ROOT}/plan/fhir/{plan}",
        "episodeOfCare": f"{ROOT}/careplan/fhir/{episode}",
    }


def sent(**values):
    given = [{"name": name, "valueString": one} for name, one in values.items()]
    return {"resourceType": "Parameters", "parameter": given}


@pytest.fixture
def apply(guarded, plan, episode):
    """Apply the plan in each of the three ways, and tell the statuses."""

    def applied(principal):
        client = guarded.at("careplan", principal)
        names = asked(plan, episode)
        only = {"episodeOfCare": names["episodeOfCare"]}
        return [
            client.post("$apply", sent(**names)).status,
            client.get("$apply", names).status,
            guarded.at("plan", principal).post(f"{plan}/$apply", sent(**only)).status,
            guarded.at("plan", principal).get(f"{plan}/$apply", only).status,
        ]

    return applied


def test_a_practitioner_of_the_episodes_team_applies_plans(
    apply, team, episode
) -> None:
    nurse = who("PRACTITIONER", APPLY, care_team=team, episode_of_care=episode)

    assert apply(nurse) == [200] * 4


def test_without_the_privilege_nobody_applies_plans(apply, team, episode) -> None:
    nurse = who("PRACTITIONER", "", care_team=team, episode_of_care=episode)

    assert apply(nurse) == [403] * 4


def test_another_team_applies_no_plans_to_the_episode(apply, guarded, episode) -> None:
    nurse = who(
        "PRACTITIONER", APPLY, care_team=guarded.team(), episode_of_care=episode
    )

    assert apply(nurse) == [403] * 4


def test_a_token_of_another_episode_applies_no_plans_to_this_one(
    apply, guarded, team
) -> None:
    other = guarded.episode(team)
    nurse = who("PRACTITIONER", APPLY, care_team=team, episode_of_care=other)

    assert apply(nurse) == [403] * 4


@pytest.mark.parametrize("status", ["planned", "finished"])
@pytest.mark.parametrize("name", ["none", "draft", "torn"])
def test_others_are_not_told_why_a_plan_cannot_be_applied(
    guarded, team, status, name
) -> None:
    episode, other = guarded.episode(team, status=status), guarded.episode(team)
    plan = {
        "none": lambda: "PlanDefinition/none",
        "draft": lambda: guarded.plan(status="draft"),
        "torn": lambda: guarded.plan("ActivityDefinition/none"),
    }[name]()
    another = guarded.team()
    mine = {"care_team": team, "episode_of_care": episode}

    def applied(user_type, **context):
        principal = who(user_type, APPLY, **context)
        return guarded.apply(plan, episode, guarded.at("careplan", principal))

    assert applied("PRACTITIONER", **mine).status == 422
    for answer in (
        applied("PRACTITIONER", **{**mine, "care_team": another}),
        applied("PRACTITIONER", **{**mine, "episode_of_care": other}),
        applied("PATIENT", patient=guarded.patient(), episode_of_care=other),
    ):
        assert (answer.status, len(answer.issues)) == (403, 1)


def test_whether_another_episode_is_there_is_not_told(guarded, team, plan) -> None:
    mine = guarded.episode(team)
    nurse = who("PRACTITIONER", APPLY, care_team=team, episode_of_care=mine)

    answer = guarded.apply(plan, "EpisodeOfCare/none", guarded.at("careplan", nurse))

    assert answer.status == 403


def test_a_refused_plan_is_not_stored(guarded, apply, episode) -> None:
    def count():
        system = who("SYSTEM", "CarePlan.search")
        found = guarded.at("careplan", system).get(
            "CarePlan", {"episodeOfCare": episode}
        )
        return found.json["total"] if "total" in found.json else len(found.resources)

    apply(who("PRACTITIONER", APPLY, care_team=guarded.team(), episode_of_care=episode))

    assert count() == 0


@pytest.mark.parametrize("topic", ["self-treatment", "other"])
def test_citizens_apply_plans_for_self_treatment_only(guarded, topic) -> None:
    patient = guarded.patient()
    episode = guarded.episode(patient=patient)
    concept = {
        "coding": [{"system": "http://ehealth.sundhed.dk/cs/topic-type", "code": topic}]
    }
    plan = guarded.plan(guarded.activity(), topic=[concept])
    citizen = who("PATIENT", APPLY, patient=patient, episode_of_care=episode)
    client, names = guarded.at("careplan", citizen), asked(plan, episode)

    expected = 200 if topic == "self-treatment" else 422
    assert client.post("$apply", sent(**names)).status == expected
    assert client.get("$apply", names).status == expected
    if expected == 422:
        told = f"{plan} must have the topic self-treatment."
        assert client.post("$apply", sent(**names)).issues == [told]
        return
    other = who("PATIENT", APPLY, patient=patient, episode_of_care=guarded.episode())
    assert guarded.at("careplan", other).post("$apply", sent(**names)).status == 403


# Begin an episode of care

BEGIN = "EpisodeOfCare$create-episode-of-care"


def area(guarded, tag):
    context = {
        "code": {"system": "urn:x", "code": "system-treatment-area"},
        "valueCodeableConcept": {"coding": [{"system": SYSTEM, "code": tag}]},
    }
    guarded.put(
        {
            "resourceType": "ValueSet",
            "id": tag,
            "status": "active",
            "useContext": [context],
            "compose": {"include": [{"system": SKS}]},
        }
    )


def bundle(patient, team):
    resources = {
        "urn:uuid:e": {
            "resourceType": "EpisodeOfCare",
            "status": "planned",
            "patient": to(patient),
            "team": [to(team)],
            "managingOrganization": to("Organization/1"),
            "diagnosis": [{"condition": to("urn:uuid:c")}],
        },
        "urn:uuid:c": {
            "resourceType": "Condition",
            "subject": to(patient),
            "code": {"coding": [{"system": SKS, "code": "DJ44"}]},
        },
        "urn:uuid:p": {
            "resourceType": "Provenance",
            "target": [to("urn:uuid:e")],
            "recorded": "2026-01-08T08:00:00Z",
            "policy": ["http://ehealth.sundhed.dk/policy/dk/sundhedsloven"],
            "agent": [{"who": to(patient)}],
        },
    }
    entries = [{"fullUrl": name, "resource": one} for name, one in resources.items()]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.fixture
def begin(guarded):
    area(guarded, "xa")

    def begun(principal, patient, team):
        given = {
            "name": "episodeOfCareAndProvenances",
            "resource": bundle(patient, team),
        }
        body = {"resourceType": "Parameters", "parameter": [given]}
        client = guarded.at("careplan", principal)
        return client.post(
            "$create-episode-of-care", body, Prefer="return=representation"
        )

    return begun


def test_a_practitioner_begins_an_episode_of_the_patient_in_context(
    guarded, begin, team
) -> None:
    patient = guarded.patient()
    nurse = who("PRACTITIONER", BEGIN, ["xa"], patient=patient, care_team=team)

    answer = begin(nurse, patient, team)

    assert answer.status == 200, answer.issues
    assert len(answer.resources) == 4


def test_a_citizen_begins_their_own_episode(guarded, begin, team) -> None:
    patient = guarded.patient()
    citizen = who("PATIENT", BEGIN, ["xa"], patient=patient)

    assert begin(citizen, patient, team).status == 200


def test_nobody_else_begins_an_episode(guarded, begin, team, episode) -> None:
    patient, other = guarded.patient(), guarded.patient()
    mine = {"patient": patient, "care_team": team}

    def status(may, about=patient, by=team, **context):
        principal = who("PRACTITIONER", may, ["xa"], **context)
        return begin(principal, about, by).status

    assert status("", **mine) == 403
    assert status(BEGIN, about=other, **mine) == 403
    assert status(BEGIN, by=guarded.team(), **mine) == 403
    assert status(BEGIN, episode_of_care=episode, **mine) == 403
    assert status(BEGIN, care_team=team) == 403


def test_nobody_else_is_told_why_an_episode_cannot_begin(guarded, begin, team) -> None:
    patient = guarded.patient(deceasedBoolean=True)
    nurse = who("PRACTITIONER", BEGIN, ["xa"], patient=patient, care_team=team)
    other = who(
        "PRACTITIONER", BEGIN, ["xa"], patient=guarded.patient(), care_team=team
    )
    outsider = who(
        "PRACTITIONER", BEGIN, ["xa"], patient=patient, care_team=guarded.team()
    )

    assert begin(nurse, patient, team).status == 422
    for principal in (other, outsider):
        answer = begin(principal, patient, team)
        assert (answer.status, len(answer.issues)) == (403, 1)


# Care teams

UPDATE = {
    "CarePlan": "CarePlan$update-care-teams",
    "EpisodeOfCare": "EpisodeOfCare$update-care-teams",
}


def change(guarded, principal, about, add):
    given = {"name": "addCareTeams", "valueReference": to(add)}
    body = {"resourceType": "Parameters", "parameter": [given]}
    client = guarded.at("careplan", principal)
    return client.post(f"{about}/$update-care-teams", body).status


@pytest.fixture
def care_plan(guarded, plan, team, episode):
    nurse = who("PRACTITIONER", APPLY, care_team=team, episode_of_care=episode)
    made = guarded.apply(plan, episode, guarded.at("careplan", nurse))
    return f"CarePlan/{made.json['id']}"


@pytest.mark.parametrize("kind", ["CarePlan", "EpisodeOfCare"])
def test_a_team_that_is_on_it_changes_teams(
    guarded, kind, care_plan, episode, team
) -> None:
    about = care_plan if kind == "CarePlan" else episode
    mine = {"care_team": team, "episode_of_care": episode}
    add = guarded.team()

    nurse = who("PRACTITIONER", UPDATE[kind], **mine)
    assert change(guarded, nurse, about, add) == 200
    assert change(guarded, who("PRACTITIONER", "", **mine), about, add) == 403
    away = {**mine, "care_team": guarded.team()}
    stranger = who("PRACTITIONER", UPDATE[kind], **away)
    assert change(guarded, stranger, about, add) == 403
    elsewhere = {**mine, "episode_of_care": guarded.episode(team)}
    other = who("PRACTITIONER", UPDATE[kind], **elsewhere)
    assert change(guarded, other, about, add) == 403


def test_suggestions_are_for_those_who_see_the_plan(
    guarded, care_plan, episode, team
) -> None:
    may, mine = "CarePlan$suggest-care-teams", {"episode_of_care": episode}

    def status(principal):
        client = guarded.at("careplan", principal)
        return client.post(
            f"{care_plan}/$suggest-care-teams", sent(regionCode="1081")
        ).status

    assert status(who("PRACTITIONER", may, care_team=team, **mine)) == 200
    assert status(who("PRACTITIONER", "", care_team=team, **mine)) == 403
    assert status(who("PRACTITIONER", may, care_team=guarded.team(), **mine)) == 403


def test_a_context_is_asked_for_before_there_is_one(guarded, episode, team) -> None:
    given = {"name": "careTeam", "valueReference": to(team)}
    body = {"resourceType": "Parameters", "parameter": [given]}

    def status(may):
        client = guarded.at("careplan", who("PRACTITIONER", may, care_team=team))
        return client.post(f"{episode}/$is-context-allowed", body).status

    assert status("EpisodeOfCare$is-context-allowed") == 200
    assert status("") == 403


def test_citizens_ask_about_themselves_only(guarded) -> None:
    patient = guarded.patient()
    episode = guarded.episode(patient=patient)

    def status(me, asked):
        given = {"name": "patient", "valueReference": to(asked)}
        body = {"resourceType": "Parameters", "parameter": [given]}
        citizen = who("PATIENT", "EpisodeOfCare$is-context-allowed", patient=me)
        client = guarded.at("careplan", citizen)
        return client.post(f"{episode}/$is-context-allowed", body).status

    assert status(patient, patient) == 200
    assert status(guarded.patient(), patient) == 403


def test_a_team_may_take_itself_off_a_plan(guarded, care_plan, episode, team) -> None:
    given = {"name": "removeCareTeams", "valueReference": to(team)}
    body = {"resourceType": "Parameters", "parameter": [given]}
    may = UPDATE["CarePlan"]
    nurse = who("PRACTITIONER", may, care_team=team, episode_of_care=episode)

    answer = guarded.at("careplan", nurse).post(f"{care_plan}/$update-care-teams", body)

    assert answer.status == 200
    assert "careTeam" not in answer.json


# Adapt a plan, and send it back

EDIT = f"FHIR.transaction {APPLY} CarePlan.create CarePlan.read CarePlan.update"


@pytest.fixture
def nurse(team, episode):
    return who("PRACTITIONER", EDIT, care_team=team, episode_of_care=episode)


@pytest.fixture
def preview(guarded, nurse, plan, episode):
    client = guarded.at("careplan", nurse)
    found = client.get("$apply", asked(plan, episode))
    assert found.status == 200
    return found.json


def test_an_applied_plan_is_edited_and_sent_back(
    guarded, nurse, preview, episode, team
) -> None:
    for entry in preview["entry"]:
        if entry["resource"]["resourceType"] == "ServiceRequest":
            entry["resource"]["occurrenceDateTime"] = "2026-03-01T08:00:00+00:00"
            entry["resource"].pop("occurrenceTiming")
        else:
            entry["resource"]["title"] = "Adapted"
    client = guarded.at("careplan", nurse)
    guarded.told()

    answer = client.post("", preview, Prefer="return=representation")

    assert answer.status == 200, answer.issues
    plans = [one for one in answer.resources if one["resourceType"] == "CarePlan"]
    requests = [one for one in answer.resources if one["resourceType"] != "CarePlan"]
    listed = {
        one["reference"]["reference"] for plan in plans for one in plan["activity"]
    }
    assert listed == {
        f"{ROOT}/careplan/fhir/ServiceRequest/{one['id']}" for one in requests
    }
    whole, part = plans
    assert part["partOf"] == [to(f"{ROOT}/careplan/fhir/CarePlan/{whole['id']}")]
    assert [one["title"] for one in plans] == ["Adapted"] * 2
    assert all("occurrenceDateTime" in one for one in requests)
    for one in answer.resources:
        assert [tag["code"] for tag in one["meta"]["tag"]] == ["xa"]
        assert any("tatusHistory" in two["url"] for two in one["extension"])
    told = guarded.told()
    assert told.count(("ehealth-careplan", "created")) == 2
    assert told.count(("ehealth-careplan.partof", "reference_added")) == 1


def test_what_is_sent_back_is_stored_whole_or_not_at_all(
    guarded, nurse, preview
) -> None:
    preview["entry"][-1]["resource"]["status"] = "active"

    answer = guarded.at("careplan", nurse).post("", preview)

    assert answer.status == 422
    guarded.told()
    assert guarded.told() == []


def test_tags_are_copied_to_what_is_sent_back_without(guarded, nurse, preview) -> None:
    for entry in preview["entry"]:
        del entry["resource"]["meta"]["tag"]

    answer = guarded.at("careplan", nurse).post(
        "", preview, Prefer="return=representation"
    )

    assert {one["meta"]["tag"][0]["code"] for one in answer.resources} == {"xa"}


def test_foreign_tags_in_what_is_sent_back_are_refused(guarded, nurse, preview) -> None:
    tag = {"system": SYSTEM, "code": "xb"}
    preview["entry"][0]["resource"]["meta"]["tag"] = [tag]

    answer = guarded.at("careplan", nurse).post("", preview)

    assert answer.status == 422
    assert answer.issues[0].startswith("The resource has system tags other than")


def test_others_do_not_send_a_plan_back(guarded, preview, episode, team) -> None:
    mine = {"care_team": team, "episode_of_care": episode}
    without = EDIT.replace("FHIR.transaction ", "")
    away = {**mine, "care_team": guarded.team()}
    elsewhere = {**mine, "episode_of_care": guarded.episode(team)}

    for principal in (
        who("PRACTITIONER", without, **mine),
        who("PRACTITIONER", EDIT, **away),
        who("PRACTITIONER", EDIT, **elsewhere),
    ):
        assert guarded.at("careplan", principal).post("", preview).status == 403
