"""The states of episodes of care, over HTTP: what brings them about, and their teams."""

import base64
import json

import pytest

from ..guide import EHEALTH, PATCH, to
from .states import after, history, of, patch, planned, to_status, work

# Episodes of care


def test_an_episode_becomes_active_by_a_consent(clinic, nurse, episode) -> None:
    without = patch(nurse, episode, to_status("active"))
    clinic.consent(episode)
    with_it = patch(nurse, episode, to_status("active"))

    assert (without.status, without.issues) == (
        422,
        ["The patient has given no consent that holds for this episode of care."],
    )
    assert with_it.status == 200
    stored = clinic.read(episode)
    assert [
        (one["status"], "end" in one["period"]) for one in stored["statusHistory"]
    ] == [
        ("planned", True),
        ("active", False),
    ]


OVER = {"period": {"start": "2020-01-01", "end": "2025-12-31"}}
LATER = {"period": {"start": "2030-01-01"}}


@pytest.mark.parametrize(
    "more",
    [
        {"status": "inactive"},
        {"status": "proposed"},
        {"category": [{"coding": [{"code": "SSLPCI"}]}]},
        {"patient": to("Patient/other")},
        {"provision": OVER},
        {"provision": LATER},
        {"provision": {"type": "deny"}},
        {"about": "EpisodeOfCare/other"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_another_consent_does_not_count(clinic, nurse, episode, more) -> None:
    about = more.pop("about", episode) if "about" in more else episode
    data = [{"meaning": "instance", "reference": to(about)}]
    more["provision"] = {"data": data, **more.get("provision", {})}
    clinic.consent(episode, **more)

    assert patch(nurse, episode, to_status("active")).status == 422


@pytest.mark.parametrize(("status", "expected"), [("active", 200), ("inactive", 422)])
def test_a_consent_of_the_same_transaction_counts(
    clinic, nurse, episode, status, expected
) -> None:
    consent = clinic.read(clinic.consent(episode, status="proposed"))
    operations = json.dumps([to_status("active")]).encode()
    binary = {
        "resourceType": "Binary",
        "contentType": PATCH,
        "data": base64.b64encode(operations).decode(),
    }
    requests = [
        ("PATCH", episode, binary),
        ("PUT", f"Consent/{consent['id']}", {**consent, "status": status}),
    ]
    entries = [
        {"request": {"method": method, "url": url}, "resource": resource}
        for method, url, resource in requests
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    assert nurse.post("", bundle).status == expected


def test_a_consent_holds_until_its_last_day_is_over(clinic, nurse, episode) -> None:
    today = f"{clinic.clock():%Y-%m-%d}"
    data = [{"meaning": "instance", "reference": to(episode)}]
    clinic.consent(
        episode, provision={"data": data, "period": {"start": today, "end": today}}
    )

    assert patch(nurse, episode, to_status("active")).status == 200


def test_a_pause_is_planned_and_ends_by_itself(clinic, nurse, episode) -> None:
    clinic.consent(episode)
    patch(nurse, episode, to_status("active"))
    pause = planned("EpisodeOfCare", "onhold", after(clinic, days=1))
    work(clinic)
    clinic.told()

    extension = [*clinic.read(episode).get("extension", []), pause]
    op = {"op": "add", "path": "/extension", "value": extension}
    assert patch(nurse, episode, op).status == 200
    work(clinic, days=1)
    assert clinic.read(episode)["status"] == "onhold"
    work(clinic, days=7)

    stored = clinic.read(episode)
    assert stored["status"] == "active"
    assert of(stored, "statusschedule") == []
    told = [one["status"] for one in stored["statusHistory"]]
    assert told == ["planned", "active", "onhold", "active"]
    assert clinic.told(episode).count(("ehealth-episodeofcare.status", "updated")) == 2


def test_a_pause_does_not_end_without_consent(clinic, nurse, episode) -> None:
    consent = clinic.consent(episode)
    patch(nurse, episode, to_status("active"))
    pause = planned("EpisodeOfCare", "onhold", after(clinic, days=1))
    extension = [*clinic.read(episode).get("extension", []), pause]
    patch(nurse, episode, {"op": "add", "path": "/extension", "value": extension})
    work(clinic, days=1)
    clinic.put({**clinic.read(consent), "status": "inactive"})

    work(clinic, days=7)

    assert clinic.read(episode)["status"] == "onhold"


def test_a_longer_pause_is_refused(clinic, nurse, episode) -> None:
    plan = [
        planned("EpisodeOfCare", "onhold", after(clinic, days=1)),
        planned("EpisodeOfCare", "active", after(clinic, days=31, seconds=1)),
    ]
    op = {"op": "add", "path": "/extension", "value": plan}

    assert patch(nurse, episode, op).issues == [
        "A pause that is planned ahead is at most 30 days long."
    ]


def test_a_finished_episode_may_go_on(clinic, nurse) -> None:
    episode = clinic.episode(status="finished")
    clinic.consent(episode)

    assert patch(nurse, episode, to_status("active")).status == 200


def test_a_step_that_is_not_in_the_table_is_refused(clinic, nurse, episode) -> None:
    before = clinic.read(episode)

    answer = patch(nurse, episode, to_status("finished"))

    assert answer.status == 422
    assert clinic.read(episode) == before


def test_a_team_comes_and_goes_as_planned(clinic, nurse, episode, team) -> None:
    other = clinic.team()

    def entry(who, comes, moment):
        parts = [
            {"url": "careteam", "valueReference": to(who)},
            {"url": "scheduledTime", "valueDateTime": moment},
            {"url": "addCareteam", "valueBoolean": comes},
        ]
        return {"url": f"{EHEALTH}teamschedule", "extension": parts}

    changes = [
        entry(other, True, after(clinic, hours=1)),
        entry(team, False, after(clinic, hours=2)),
    ]
    extension = [*clinic.read(episode).get("extension", []), *changes]
    patch(nurse, episode, {"op": "add", "path": "/extension", "value": extension})
    clinic.told()

    work(clinic, hours=2)

    stored = clinic.read(episode)
    assert stored["team"] == [to(other)]
    assert history(stored, "teamHistory") == [(team, True), (other, False)]
    told = clinic.told()
    assert ("ehealth-episodeofcare.team", "reference_added") in told
    assert ("ehealth-episodeofcare.team", "reference_removed") in told


# The last care team


def goes(who, moment, comes=False):
    parts = [
        {"url": "careteam", "valueReference": to(who)},
        {"url": "scheduledTime", "valueDateTime": moment},
        {"url": "addCareteam", "valueBoolean": comes},
    ]
    return {"url": f"{EHEALTH}teamschedule", "extension": parts}


def test_the_last_care_team_stays_on_an_episode(clinic, nurse, episode, team) -> None:
    other = clinic.team()
    none = {"op": "remove", "path": "/team"}
    parts = [{"name": "removeCareTeams", "valueReference": to(team)}]
    asked = {"resourceType": "Parameters", "parameter": parts}
    leaves = goes(team, after(clinic, days=1))

    refused = [
        patch(nurse, episode, none),
        nurse.post(f"{episode}/$update-care-teams", asked),
        patch(nurse, episode, {"op": "add", "path": "/extension", "value": [leaves]}),
    ]

    assert [one.status for one in refused] == [422] * 3
    assert clinic.read(episode)["team"] == [to(team)]
    another = {"op": "replace", "path": "/team", "value": [to(other)]}
    assert patch(nurse, episode, another).status == 200


def test_care_is_handed_over_at_one_moment(clinic, nurse, episode, team) -> None:
    other, moment = clinic.team(), after(clinic, hours=1)
    plan = [goes(team, moment), goes(other, moment, comes=True)]
    op = {"op": "add", "path": "/extension", "value": plan}
    assert patch(nurse, episode, op).status == 200
    # Who is to take over is not taken away by hand either.
    only = {"op": "replace", "path": "/extension", "value": [goes(team, moment)]}
    assert patch(nurse, episode, only).status == 422

    work(clinic, hours=1)

    assert clinic.read(episode)["team"] == [to(other)]


def test_an_episode_without_care_teams_may_stay_so(clinic, nurse) -> None:
    episode = clinic.episode()

    assert patch(nurse, episode, to_status("waitlist")).status == 200
