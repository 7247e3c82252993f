"""Closed mode: who may adapt an applied plan and send it back, and who may not."""

import pytest

from .asking import EDIT, ROOT, SYSTEM, asked, to, who


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
