"""States of episodes of care, care plans and service requests: what guards and keeps them."""

import base64
import json

import pytest

from fyr.core.context import Principal

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
PATCH = "application/json-patch+json"
NURSE = Principal("PRACTITIONER", "nurse")


def to(reference):
    return {"reference": reference}


def planned(kind, status, moment):
    name = {
        "EpisodeOfCare": "episodeofcare-statusschedule",
        "CarePlan": "careplan-statusschedule",
        "ServiceRequest": "servicerequest-statusSchedule",
    }[kind]
    return {
        "url": EHEALTH + name,
        "extension": [
            {"url": "status", "valueCode": status},
            {"url": "scheduledTime", "valueDateTime": moment},
        ],
    }


def of(resource, name):
    return [one for one in resource.get("extension", []) if one["url"].endswith(name)]


def value(one):
    return next(v for k, v in one.items() if k != "url")


def history(resource, name="statusHistory"):
    """Tell states or teams with whether they have ended."""
    told = []
    for one in of(resource, name):
        what, period = map(value, one["extension"])
        said = what.get("reference") or what["coding"][0]["code"]
        told.append((said, "end" in period))
    return told


def work(clinic, **by):
    clinic.clock.advance(**by)
    clinic.built.worker().drain()


def after(clinic, **by):
    """Tell a moment that is to come, by the clock of the clinic."""
    from datetime import timedelta

    return f"{clinic.clock() + timedelta(**by):%Y-%m-%dT%H:%M:%S}+00:00"


@pytest.fixture
def team(clinic):
    return clinic.team()


@pytest.fixture
def episode(clinic, team):
    return clinic.episode(team, tags=("xa",))


@pytest.fixture
def nurse(clinic):
    return clinic.at("careplan", NURSE)


@pytest.fixture
def plan(clinic, episode):
    made = clinic.apply(clinic.plan(clinic.activity()), episode).json
    return f"CarePlan/{made['id']}"


@pytest.fixture
def request_of(clinic):
    def found(plan):
        reference = clinic.read(plan)["activity"][0]["reference"]["reference"]
        return reference

    return found


def patch(client, reference, *operations):
    body = json.dumps(list(operations)).encode()
    return client.patch(reference, body, PATCH)


def to_status(status):
    return {"op": "replace", "path": "/status", "value": status}


def put(clinic, client, reference, **changes):
    return client.update({**clinic.read(reference), **changes})


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
    assert clinic.told().count(("ehealth-episodeofcare.status", "updated")) == 2


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


# Care plans


def test_a_care_plan_begins_with_its_histories(clinic, plan, team) -> None:
    stored = clinic.read(plan)

    assert history(stored) == [("draft", False)]
    assert history(stored, "teamHistory") == [(team, False)]


def test_a_care_plan_is_activated_and_told(clinic, nurse, plan) -> None:
    clinic.told()

    assert put(clinic, nurse, plan, status="active").status == 200

    assert history(clinic.read(plan)) == [("draft", True), ("active", False)]
    assert ("ehealth-careplan.status", "updated") in clinic.told()


def unclear(clinic, episode, **more):
    """Make a draft of a plan with an activity that does not say when."""
    made = clinic.apply(clinic.plan(clinic.activity(timing=False)), episode).json
    plan = f"CarePlan/{made['id']}"
    reference = clinic.read(plan)["activity"][0]["reference"]["reference"]
    stored = clinic.read(reference)
    extension = [*stored["extension"], *more.pop("extension", ())]
    other = {**stored, **more, "extension": extension, "id": clinic.number()}
    listed = [{"reference": to(clinic.put(other))}]
    clinic.put({**clinic.read(plan), "activity": listed})
    return plan


@pytest.mark.parametrize("status", ["active", "on-hold", "completed"])
def test_a_plan_whose_activity_does_not_say_when_stays_a_draft(
    clinic, nurse, episode, status
) -> None:
    plan = unclear(clinic, episode, status=status)

    answer = put(clinic, nurse, plan, status="active")

    assert answer.status == 422
    assert "does not say when" in answer.issues[0]
    assert answer.json["issue"][0]["expression"] == ["CarePlan.activity[0].reference"]
    assert clinic.read(plan)["status"] == "draft"


def test_an_activity_that_will_be_active_has_to_say_when_too(
    clinic, nurse, episode
) -> None:
    soon = planned("ServiceRequest", "active", after(clinic, days=1))
    plan = unclear(clinic, episode, extension=[soon])

    assert put(clinic, nurse, plan, status="active").status == 422


def test_a_plan_cannot_be_planned_to_begin_before_its_activities_say_when(
    clinic, nurse, episode
) -> None:
    plan = unclear(clinic, episode, status="active")
    stored = clinic.read(plan)
    soon = planned("CarePlan", "active", after(clinic, days=1))

    answer = put(clinic, nurse, plan, extension=[*stored["extension"], soon])

    assert answer.status == 422


def test_an_activity_that_stays_a_draft_need_not_say_when(
    clinic, nurse, episode
) -> None:
    assert put(clinic, nurse, unclear(clinic, episode), status="active").status == 200


def test_a_care_plan_becomes_active_as_planned(clinic, nurse, plan) -> None:
    soon = planned("CarePlan", "active", after(clinic, hours=3))
    stored = clinic.read(plan)
    put(clinic, nurse, plan, extension=[*stored["extension"], soon])

    work(clinic, hours=3)

    stored = clinic.read(plan)
    assert stored["status"] == "active"
    assert of(stored, "statusschedule") == []


def test_histories_are_the_servers(clinic, nurse, plan) -> None:
    stored = clinic.read(plan)
    kept = [one for one in stored["extension"] if "History" not in one["url"]]

    assert put(clinic, nurse, plan, extension=kept, title="x").status == 200

    assert history(clinic.read(plan)) == [("draft", False)]


def test_what_was_asked_for_stays_in_a_plan_that_was_begun(clinic, nurse, plan) -> None:
    put(clinic, nurse, plan, status="active")
    stored = clinic.read(plan)
    del stored["activity"]

    answer = nurse.update(stored)

    assert answer.status == 422
    assert answer.json["issue"][0]["expression"] == ["CarePlan.activity"]


def test_an_activity_may_be_left_out_of_a_draft(clinic, nurse, plan) -> None:
    stored = clinic.read(plan)
    del stored["activity"]

    assert nurse.update(stored).status == 200


def test_a_part_stays_a_part(clinic, nurse, episode) -> None:
    definition = clinic.plan(clinic.plan(clinic.activity()))
    made = clinic.apply(definition, episode).json
    (part,) = clinic.all.get(
        "CarePlan", {"part-of": f"CarePlan/{made['id']}"}
    ).resources
    reference = f"CarePlan/{part['id']}"
    put(clinic, nurse, reference, status="active")
    stored = clinic.read(reference)
    del stored["partOf"]

    assert nurse.update(stored).status == 422


@pytest.mark.parametrize("end", ["completed", "revoked"])
def test_a_plan_that_has_ended_stays_so(clinic, nurse, plan, end) -> None:
    put(clinic, nurse, plan, status="active")
    put(clinic, nurse, plan, status=end)

    assert clinic.read(plan)["status"] == end
    assert put(clinic, nurse, plan, status="active").status == 422
    reference = clinic.read(plan)["activity"][0]["reference"]["reference"]
    assert clinic.read(reference)["status"] == "draft"


# Service requests


def test_a_request_is_activated_and_its_history_kept(
    clinic, nurse, plan, request_of
) -> None:
    reference = request_of(plan)
    clinic.told()

    assert put(clinic, nurse, reference, status="active").status == 200

    assert history(clinic.read(reference)) == [("draft", True), ("active", False)]
    assert ("ehealth-procedurerequest", "updated") in clinic.told()


def test_a_request_becomes_active_as_planned(clinic, nurse, plan, request_of) -> None:
    reference = request_of(plan)
    soon = planned("ServiceRequest", "active", after(clinic, hours=1))
    stored = clinic.read(reference)
    assert (
        put(clinic, nurse, reference, extension=[*stored["extension"], soon]).status
        == 200
    )

    work(clinic, hours=1)

    stored = clinic.read(reference)
    assert stored["status"] == "active"
    assert of(stored, "statusSchedule") == []


def test_a_request_that_does_not_say_when_is_not_activated(
    clinic, nurse, plan, request_of
) -> None:
    reference = request_of(plan)
    stored = clinic.read(reference)
    del stored["occurrenceTiming"]

    answer = nurse.update({**stored, "status": "active"})

    assert answer.status == 422
    assert answer.issues == [
        f"ServiceRequest {stored['id']} does not say when it is to happen."
    ]


def test_a_timing_that_makes_no_sense_is_refused_with_its_place(
    clinic, nurse, plan, request_of
) -> None:
    reference = request_of(plan)
    bounds = {"start": "2026-01-08T08:00:00+00:00"}
    timing = {"repeat": {"boundsPeriod": bounds, "period": 1, "periodUnit": "d"}}

    answer = put(clinic, nurse, reference, status="active", occurrenceTiming=timing)

    assert answer.status == 422
    assert "cannot be used" in answer.issues[0]


def waiting(clinic, episode):
    """Make a request that waits for its trigger."""
    action = {
        "definitionCanonical": f"http://localhost/plan/fhir/{clinic.activity()}",
        "extension": [
            {
                "url": f"{EHEALTH}actionTrigger",
                "extension": [{"url": "triggerBehavior", "valueCode": "all"}],
            }
        ],
    }
    made = clinic.apply(clinic.plan(action=[action]), episode).json
    stored = clinic.read(f"CarePlan/{made['id']}")
    return stored["activity"][0]["reference"]["reference"]


def switched(resource, code):
    url = f"{EHEALTH}trigger-enablement-code"
    kept = [one for one in resource["extension"] if one["url"] != url]
    return [*kept, {"url": url, "valueCode": code}]


def trigger(resource):
    return of(resource, "trigger-enablement-code")[0]["valueCode"]


def test_a_trigger_may_be_switched_off_and_on(clinic, nurse, episode) -> None:
    reference = waiting(clinic, episode)

    for code in ("TRIGGER_DISABLED", "TRIGGER_ENABLED"):
        stored = clinic.read(reference)
        answer = nurse.update({**stored, "extension": switched(stored, code)})
        assert answer.status == 200, answer.issues
        assert trigger(clinic.read(reference)) == code


@pytest.mark.parametrize("code", ["NO_TRIGGER", "TRIGGER_DONE"])
def test_other_changes_of_a_trigger_are_refused(clinic, nurse, episode, code) -> None:
    reference = waiting(clinic, episode)
    stored = clinic.read(reference)

    answer = nurse.update({**stored, "extension": switched(stored, code)})

    assert answer.status == 422
    assert answer.issues == [
        f"From TRIGGER_ENABLED the ServiceRequest cannot become {code}: that is no step"
        " of a trigger"
    ]


def test_what_has_no_trigger_gets_none(clinic, nurse, plan, request_of) -> None:
    reference = request_of(plan)
    stored = clinic.read(reference)

    answer = nurse.update({**stored, "extension": switched(stored, "TRIGGER_ENABLED")})

    assert answer.status == 422


def test_what_is_started_by_hand_waits_for_no_trigger(clinic, nurse, episode) -> None:
    reference = waiting(clinic, episode)

    assert put(clinic, nurse, reference, status="active").status == 200

    assert trigger(clinic.read(reference)) == "TRIGGER_DISABLED"


def test_the_server_says_that_a_trigger_is_done(clinic, episode) -> None:
    reference = waiting(clinic, episode)
    stored = clinic.read(reference)

    def start(acting):
        resource = acting.read(reference)
        resource["status"] = "active"
        resource["extension"] = switched(resource, "TRIGGER_DONE")
        acting.update(resource)

    clinic.built.act(start)

    stored = clinic.read(reference)
    assert (stored["status"], trigger(stored)) == ("active", "TRIGGER_DONE")


# System tags


def test_foreign_tags_are_refused(clinic, nurse, plan) -> None:
    tag = {"system": "http://ehealth.sundhed.dk/cs/ehealth-system", "code": "xb"}
    stored = clinic.read(plan)
    meta = {**stored["meta"], "tag": [*stored["meta"]["tag"], tag]}

    answer = put(clinic, nurse, plan, meta=meta)

    assert answer.status == 422
    assert answer.issues[0].startswith("The resource has system tags other than those")


# What becomes of plans when an episode of care ends, and of care without a consent


def course(clinic, nurse, team, *definitions):
    """Begin an episode of care, with a plan of activities that are under way."""
    episode = clinic.episode(team, status="active")
    clinic.consent(episode)
    top = clinic.plan(*(definitions or (clinic.activity(), clinic.activity())))
    plan = f"CarePlan/{clinic.apply(top, episode).json['id']}"
    requests = [one["reference"]["reference"] for one in activities(clinic, plan)]
    for one in (*requests, plan):
        assert put(clinic, nurse, one, status="active").status == 200
    return episode, plan, requests


def activities(clinic, plan):
    return clinic.read(plan)["activity"]


def statuses(clinic, *references):
    return [clinic.read(one)["status"] for one in references]


@pytest.mark.parametrize(
    ("end", "begun"), [("finished", "completed"), ("cancelled", "revoked")]
)
def test_care_plans_end_with_their_episode(clinic, nurse, team, end, begun) -> None:
    episode, plan, (first, second) = course(clinic, nurse, team)
    draft = (
        f"CarePlan/{clinic.apply(clinic.plan(clinic.activity()), episode).json['id']}"
    )
    (of_draft,) = (one["reference"]["reference"] for one in activities(clinic, draft))
    soon = planned("ServiceRequest", "completed", after(clinic, days=1))
    extension = [*clinic.read(second)["extension"], soon]
    put(clinic, nurse, second, status="on-hold", extension=extension)
    clinic.told()

    assert patch(nurse, episode, to_status(end)).status == 200

    assert statuses(clinic, plan, first, second) == [begun] * 3
    assert statuses(clinic, draft, of_draft) == ["revoked"] * 2
    assert history(clinic.read(plan))[-2:] == [("active", True), (begun, False)]
    assert of(clinic.read(second), "statusSchedule") == []
    told = clinic.told()
    assert told.count(("ehealth-careplan.status", "updated")) == 2
    assert told.count(("ehealth-procedurerequest", "updated")) == 3


def test_what_waits_for_its_trigger_or_never_said_when_is_revoked(
    clinic, nurse, team
) -> None:
    episode, plan, (waiting, unclear) = course(clinic, nurse, team)
    enabled = {
        "url": f"{EHEALTH}trigger-enablement-code",
        "valueCode": "TRIGGER_ENABLED",
    }
    waits, says_nothing = (clinic.read(one) for one in (waiting, unclear))
    kept = [one for one in waits["extension"] if "trigger" not in one["url"]]
    waits.update(status="on-hold", extension=[*kept, enabled])
    del says_nothing["occurrenceTiming"]
    made = [clinic.put({**one, "id": clinic.number()}) for one in (waits, says_nothing)]
    listed = [{"reference": to(one)} for one in made]
    # As another system has stored it.
    loaded = {**clinic.read(plan), "activity": listed, "id": clinic.number()}
    other = clinic.put(loaded)

    assert patch(nurse, episode, to_status("finished")).status == 200

    assert statuses(clinic, plan, waiting, unclear) == ["completed"] * 3
    assert statuses(clinic, other, *made) == ["completed", "revoked", "revoked"]


def test_what_belongs_to_another_episode_does_not_end(clinic, nurse, team) -> None:
    episode, plan, _ = course(clinic, nurse, team)
    _, other, (foreign, _) = course(clinic, nurse, team)
    listed = [*activities(clinic, plan), {"reference": to(foreign)}]
    clinic.put({**clinic.read(plan), "activity": listed})

    patch(nurse, episode, to_status("finished"))

    assert statuses(clinic, plan, other, foreign) == ["completed", "active", "active"]


def test_an_episode_that_ends_as_planned_ends_its_plans(clinic, nurse, team) -> None:
    episode, plan, requests = course(clinic, nurse, team)
    end = planned("EpisodeOfCare", "finished", after(clinic, days=1))
    op = {"op": "add", "path": "/extension", "value": [end]}
    assert patch(nurse, episode, op).status == 200

    work(clinic, days=1)

    ended = ["finished", *["completed"] * 3]
    assert statuses(clinic, episode, plan, *requests) == ended


def test_an_end_is_the_end_of_what_was_planned(clinic, nurse, team) -> None:
    episode = clinic.episode(team, status="active")
    clinic.consent(episode)
    pause = planned("EpisodeOfCare", "onhold", after(clinic, days=1))
    patch(nurse, episode, {"op": "add", "path": "/extension", "value": [pause]})
    assert len(of(clinic.read(episode), "statusschedule")) == 2

    patch(nurse, episode, to_status("finished"))
    work(clinic, days=10)

    stored = clinic.read(episode)
    assert (stored["status"], of(stored, "statusschedule")) == ("finished", [])
    given_up = clinic.built.timers.given_up(1000)
    assert episode not in {one.subject for one in given_up}


@pytest.mark.parametrize("end", ["finished", "cancelled"])
def test_nothing_begins_in_an_episode_that_is_over(clinic, nurse, team, end) -> None:
    episode = clinic.episode(team, status="active")
    plan = (
        f"CarePlan/{clinic.apply(clinic.plan(clinic.activity()), episode).json['id']}"
    )
    (request,) = (one["reference"]["reference"] for one in activities(clinic, plan))
    # As it was stored before plans ended with their episode.
    clinic.put({**clinic.read(plan), "status": "active"})
    patch(nurse, episode, to_status(end))
    copies = [
        clinic.put({**clinic.read(one), "status": "draft", "id": clinic.number()})
        for one in (plan, request)
    ]

    for one in copies:
        answer = put(clinic, nurse, one, status="active")
        assert answer.status == 422
        assert answer.issues == [
            "The content breaks a rule: "
            f"{episode} is {end}: nothing is active in it any more"
        ]
        # What was left behind is put in order by hand.
        assert put(clinic, nurse, one, status="revoked").status == 200


def test_an_end_and_what_is_not_to_end_are_not_of_one_transaction(
    clinic, nurse, team
) -> None:
    episode, plan, _ = course(clinic, nurse, team)
    operations = json.dumps([to_status("finished")]).encode()
    binary = {
        "resourceType": "Binary",
        "contentType": PATCH,
        "data": base64.b64encode(operations).decode(),
    }

    def answer(**changes):
        stored = {**clinic.read(plan), **changes}
        entries = [
            {"request": {"method": method, "url": url}, "resource": resource}
            for method, url, resource in (
                ("PATCH", episode, binary),
                ("PUT", plan, stored),
            )
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        return nurse.post("", bundle).status

    assert answer(title="goes on") == 422
    assert statuses(clinic, episode, plan) == ["active", "active"]
    assert answer(status="completed") == 200
    assert statuses(clinic, episode, plan) == ["finished", "completed"]


def test_a_finished_episode_is_not_planned_to_go_on(clinic, nurse, team) -> None:
    episode = clinic.episode(team, status="active")
    clinic.consent(episode)
    plan = [
        planned("EpisodeOfCare", "finished", after(clinic, days=1)),
        planned("EpisodeOfCare", "active", after(clinic, days=2)),
    ]

    answer = patch(nurse, episode, {"op": "add", "path": "/extension", "value": plan})

    assert (answer.status, answer.issues) == (
        422,
        [
            "The content breaks a rule: EpisodeOfCare, by episode-of-care: from"
            " finished to active is done by hand, and not planned"
        ],
    )


@pytest.mark.parametrize("status", ["inactive", "rejected"])
def test_an_episode_whose_consent_is_withdrawn_pauses(
    clinic, nurse, team, status
) -> None:
    episode, plan, requests = course(clinic, nurse, team)
    consent = clinic.consent(episode)
    (first,) = (
        f"Consent/{one['id']}"
        for one in clinic.all.get("Consent", {"data": episode}).resources
        if f"Consent/{one['id']}" != consent
    )
    work(clinic)
    clinic.put({**clinic.read(first), "status": status})
    work(clinic)
    # The other one still holds.
    assert statuses(clinic, episode) == ["active"]
    clinic.told()

    clinic.put({**clinic.read(consent), "status": status})
    work(clinic)

    stored = clinic.read(episode)
    assert stored["status"] == "onhold"
    assert stored["statusHistory"][-1]["status"] == "onhold"
    told = clinic.told()
    assert ("ehealth-episodeofcare.status", "updated") in told
    # The citizen, and the care team.
    assert told.count(("ehealth-message", "created")) == 2
    assert statuses(clinic, plan, *requests) == ["active"] * 3
    assert patch(nurse, episode, to_status("active")).status == 422
    clinic.consent(episode)
    assert patch(nurse, episode, to_status("active")).status == 200


@pytest.mark.parametrize(
    "more",
    [
        {"status": "draft"},
        {"status": "inactive", "category": [{"coding": [{"code": "SSLPCI"}]}]},
        {"status": "inactive", "patient": to("Patient/other")},
        {"status": "entered-in-error"},
    ],
    ids=["draft", "another category", "another patient", "mistake"],
)
def test_what_withdraws_nothing_pauses_nothing(clinic, team, more) -> None:
    episode = clinic.episode(team, status="active")
    clinic.consent(episode, **more)

    work(clinic)

    assert statuses(clinic, episode) == ["active"]


@pytest.mark.parametrize("own", [True, False])
def test_a_citizen_ends_care_that_is_for_self_treatment_alone(
    clinic, nurse, team, own
) -> None:
    episode = clinic.episode(team, status="active")
    topic = {"topic": [{"coding": [{"code": "self-treatment"}]}]} if own else {}
    definition = clinic.plan(clinic.activity(), **topic)
    plan = f"CarePlan/{clinic.apply(definition, episode).json['id']}"
    citizen = clinic.at("careplan", Principal("PATIENT", "citizen"))
    end = planned("EpisodeOfCare", "finished", after(clinic, days=1))
    ahead = {"op": "add", "path": "/extension", "value": [end]}

    answers = [
        patch(citizen, episode, one).status for one in (ahead, to_status("cancelled"))
    ]

    # The plan is not theirs to end, so its episode is not either, now or later.
    assert answers == ([200, 200] if own else [422, 422])
    expected = ["cancelled", "revoked"] if own else ["active", "draft"]
    assert statuses(clinic, episode, plan) == expected
    put(clinic, nurse, plan, status="revoked")
    assert patch(citizen, episode, to_status("cancelled")).status == 200


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
