"""What the guide's server answered to these operations, held against what is answered here.

What an exchange refers to is stored first; hosts are written as those of the services here.
"""

import json
import re
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[4] / "shared/data/ig-exchanges.jsonl"
_HOST = re.compile(r"https?://([a-z-]+)\.[a-z0-9.-]*\.local/fhir")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)$")


def exchange(name):
    if not RECORDED.exists():
        pytest.skip("no recorded exchanges beside the checkout")
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        if f'"{name}"' in line[:200]:
            return json.loads(_HOST.sub(r"http://localhost/\1/fhir", line))
    raise LookupError(name)


def shape(value):
    """Leave out what differs from call to call: ids that were given, and moments."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k not in ("source", "id")}
        return {key: shape(one) for key, one in kept.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    if not isinstance(value, str) or not value:
        return value
    text = _MOMENT.sub("MOMENT", value)
    made = "EpisodeOfCare|Condition|CarePlan|ServiceRequest"
    return re.sub(rf"/({made})/[A-Za-z0-9]+$", r"/\1/ID", text)


def sent(one):
    return one["request_body"]


def reference(url):
    return "/".join(url.split("/")[-2:])


def kept(clinic, url, **more):
    """Store what a recorded reference leads to."""
    kind, identity = reference(url).split("/")
    return clinic.put({"resourceType": kind, "id": identity, **more})


def values(body):
    return {
        one["name"]: one["valueReference"]["reference"] for one in body["parameter"]
    }


def test_an_episode_begins_as_it_was_recorded(clinic) -> None:
    one = exchange("POST_create-episode-of-care")
    entries = sent(one)["parameter"][0]["resource"]["entry"]
    kept(clinic, entries[2]["resource"]["subject"]["reference"])

    answer = clinic.careplan.post(
        "$create-episode-of-care", sent(one), Prefer="return=representation"
    )

    assert answer.status == 200, answer.issues
    ours, theirs = answer.json["entry"], one["response_body"]["entry"]
    assert [e["response"]["status"] for e in ours] == [
        e["response"]["status"] for e in theirs
    ]
    for mine, other in zip(ours, theirs, strict=True):
        left, right = shape(mine["resource"]), shape(other["resource"])
        # Who has asked: nobody is known in open mode.
        for agent in (*left.get("agent", ()), *right.get("agent", ())):
            agent.pop("who")
        # The end of a pause is given to the second, by both.
        assert left == right
    pauses = [
        part["valueDateTime"]
        for extension in ours[1]["resource"]["extension"][1:]
        for part in extension["extension"]
        if part["url"] == "scheduledTime"
    ]
    assert pauses == ["2025-02-04T15:33:42+00:00", "2025-02-11T15:33:42+00:00"]


def test_a_plan_is_applied_as_it_was_recorded(clinic) -> None:
    from fyr.core.context import Principal

    one = exchange("POST_apply")
    told = one["response_body"]
    asked = values(sent(one))
    number = clinic.number()
    activity = clinic.activity()
    led = [{"definitionCanonical": f"http://localhost/plan/fhir/{activity}"}]
    kept(clinic, asked["planDefinition"], status="active", action=led)
    kept(clinic, told["subject"]["reference"])
    kept(
        clinic,
        asked["episodeOfCare"],
        status="active",
        patient={"reference": reference(told["subject"]["reference"])},
        managingOrganization={"reference": f"Organization/{number}"},
        diagnosis=[{"condition": {"reference": f"Condition/{number}"}}],
    )
    team = one["claims"]["context"]["care_team_id"]
    who = Principal("PRACTITIONER", "n", context={"care_team": team})

    answer = clinic.at("careplan", who).post("$apply", sent(one))

    assert answer.status == 200, answer.issues
    mine, theirs = shape(answer.json), shape(told)
    assert mine.pop("extension") == theirs.pop("extension")
    assert mine == theirs


def test_care_teams_are_changed_as_it_was_recorded(clinic) -> None:
    one = exchange("POST_CarePlan_update-care-teams")
    told, asked = one["response_body"], values(sent(one))
    teams = [one["reference"] for one in told["careTeam"]]
    kept(clinic, asked["addCareTeams"])
    before = [team for team in teams if team != asked["addCareTeams"]]
    before.insert(1, asked["removeCareTeams"])
    stored = {k: v for k, v in told.items() if k not in ("careTeam", "extension")}
    stored["careTeam"] = [{"reference": team} for team in before]
    stored["extension"] = told["extension"][:1]
    clinic.put(stored)

    answer = clinic.careplan.post(
        f"CarePlan/{told['id']}/$update-care-teams", sent(one)
    )

    assert answer.status == 200, answer.issues
    # Theirs tells no history of teams there, and does so in other exchanges.
    mine = {k: v for k, v in answer.json.items() if k != "extension"}
    theirs = {k: v for k, v in told.items() if k != "extension"}
    assert shape(mine) == shape(theirs)


def test_a_context_is_told_as_it_was_recorded(clinic) -> None:
    one = exchange("POST_EpisodeOfCare_is-context-allowed")
    patient = reference(values(sent(one))["patient"])
    kept(clinic, patient)
    episode = clinic.episode(patient=patient)

    answer = clinic.careplan.post(f"{episode}/$is-context-allowed", sent(one))

    assert answer.status == 200, answer.issues
    assert answer.json == one["response_body"]
