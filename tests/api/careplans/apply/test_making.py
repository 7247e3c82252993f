"""``$apply``: what comes of a plan."""

import json
import re
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[5] / "shared/data/ig-exchanges.jsonl"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
TRIGGER = {
    "url": EHEALTH + "actionTrigger",
    "extension": [
        {"url": "triggerBehavior", "valueCode": "all"},
        {"url": "action", "valueCoding": {"code": "status-on-hold-to-active"}},
    ],
}


def exchange(name):
    if not RECORDED.exists():
        pytest.skip("no recorded exchanges beside the checkout")
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        if found["name"] == name:
            return found
    raise LookupError(name)


def shape(value):
    """Tell what a resource is made of, without what differs from call to call."""
    if isinstance(value, dict):
        kept = {k: shape(v) for k, v in value.items() if k not in ("source", "display")}
        return kept
    if isinstance(value, list):
        return [shape(one) for one in value]
    if isinstance(value, str):
        text = re.sub(r"https?://[^/]*/(?:[a-z-]+/)?fhir/", "BASE/", value)
        text = re.sub(r"/[A-Za-z0-9-]+$", "/ID", text) if "BASE/" in text else text
        text = re.sub(r"^urn:uuid:.*", "urn:uuid:ID", text)
        return re.sub(r"^\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)$", "MOMENT", text)
    return value


def only(resource, name):
    (found,) = [one for one in resource["extension"] if one["url"].endswith(name)]
    return next(one for key, one in found.items() if key != "url")


def requests_of(clinic, plan):
    listed = [one["reference"]["reference"] for one in plan["activity"]]
    return [clinic.read(one.rpartition("/fhir/")[2]) for one in listed]


def below(clinic, plan):
    found = clinic.all.get("CarePlan", {"part-of": f"CarePlan/{plan['id']}"})
    return found.resources


def test_a_plan_becomes_a_draft_with_an_activity_for_each_action(
    clinic, episode
) -> None:
    plan = clinic.plan(clinic.activity(), clinic.activity())

    answer = clinic.apply(plan, episode)

    assert answer.status == 200
    made = clinic.read(f"CarePlan/{answer.json['id']}")
    assert (made["resourceType"], made["status"]) == ("CarePlan", "draft")
    assert made["intent"] == "order"
    now = f"{clinic.clock():%Y-%m-%dT%H:%M:%S}+00:00"
    assert made["period"] == {"start": now}
    assert made["instantiatesCanonical"] == [f"http://localhost/plan/fhir/{plan}"]
    stored = clinic.read(episode)
    assert made["subject"] == stored["patient"]
    assert made["addresses"] == [stored["diagnosis"][0]["condition"]]
    assert made["careTeam"] == stored["team"]
    requests = requests_of(clinic, made)
    assert [one["status"] for one in requests] == ["draft", "draft"]
    assert {one["intent"] for one in requests} == {"order"}
    assert all(only(one, "workflow-episodeOfCare") for one in requests)


def test_activities_take_over_what_their_definitions_say(clinic, episode) -> None:
    activity = clinic.activity()
    made = clinic.apply(clinic.plan(activity), episode).json

    (request,) = requests_of(clinic, made)

    definition = clinic.read(activity)
    assert request["code"] == definition["code"]
    assert request["occurrenceTiming"] == definition["timingTiming"]
    assert request["instantiatesCanonical"] == [
        f"http://localhost/plan/fhir/{activity}"
    ]
    for name in ("sharingPolicy", "sharingApprovalPolicy", "reuseCriteria"):
        assert only(request, name) == only(definition, name)


def test_the_timing_of_an_action_counts_more_than_that_of_its_activity(
    clinic, episode
) -> None:
    moment = "2026-02-01T10:00:00+00:00"
    led = f"http://localhost/plan/fhir/{clinic.activity()}"
    action = {"definitionCanonical": led, "timingDateTime": moment}
    made = clinic.apply(clinic.plan(action=[action]), episode).json

    (request,) = requests_of(clinic, made)

    assert request["occurrenceDateTime"] == moment
    assert "occurrenceTiming" not in request


@pytest.mark.parametrize("extra", [True, False, None])
def test_what_may_be_sent_beside_the_slots_is_said_by_the_action(
    clinic, episode, extra
) -> None:
    action = {"definitionCanonical": f"http://localhost/plan/fhir/{clinic.activity()}"}
    if extra is not None:
        url = EHEALTH + "include-as-extra"
        action["extension"] = [{"url": url, "valueBoolean": extra}]
    made = clinic.apply(clinic.plan(action=[action]), episode).json

    (request,) = requests_of(clinic, made)

    assert only(request, "include-as-extra") is (extra is True)


def test_an_activity_with_a_trigger_waits_for_it(clinic, episode) -> None:
    led = f"http://localhost/plan/fhir/{clinic.activity()}"
    action = {"definitionCanonical": led, "extension": [TRIGGER]}
    plan = clinic.plan(action=[{"definitionCanonical": led}, action])
    made = clinic.apply(plan, episode).json

    first, second = requests_of(clinic, made)

    assert (first["status"], only(first, "trigger-enablement-code")) == (
        "draft",
        "NO_TRIGGER",
    )
    assert (second["status"], only(second, "trigger-enablement-code")) == (
        "on-hold",
        "TRIGGER_ENABLED",
    )


def test_plans_within_plans_become_parts_of_the_care_plan(clinic, episode) -> None:
    deep = clinic.plan(clinic.activity())
    middle = clinic.plan(clinic.activity(), deep)
    plan = clinic.plan(clinic.activity(), middle)

    made = clinic.apply(plan, episode).json

    (child,) = below(clinic, made)
    (grandchild,) = below(clinic, child)
    assert child["instantiatesCanonical"] == [f"http://localhost/plan/fhir/{middle}"]
    assert grandchild["instantiatesCanonical"] == [f"http://localhost/plan/fhir/{deep}"]
    assert len(requests_of(clinic, grandchild)) == 1
    assert grandchild["careTeam"] == clinic.read(f"CarePlan/{made['id']}")["careTeam"]


def test_actions_in_groups_count_too(clinic, episode) -> None:
    led = f"http://localhost/plan/fhir/{clinic.activity()}"
    group = {"title": "Measure", "action": [{"definitionCanonical": led}]}

    made = clinic.apply(clinic.plan(action=[group]), episode).json

    assert len(made["activity"]) == 1


def test_what_is_made_has_the_tags_of_the_episode(clinic, episode) -> None:
    made = clinic.apply(clinic.plan(clinic.activity()), episode).json

    for one in (made, *requests_of(clinic, made)):
        assert [tag["code"] for tag in one["meta"]["tag"]] == ["xa"]


def test_a_get_stores_nothing_and_answers_a_transaction(clinic, episode) -> None:
    plan = clinic.plan(clinic.activity(), clinic.plan(clinic.activity()))
    before = clinic.all.get("CarePlan", {"_summary": "count"}).json["total"]

    answer = clinic.careplan.get(
        "$apply",
        {
            "planDefinition": f"http://localhost/plan/fhir/{plan}",
            "episodeOfCare": f"http://localhost/careplan/fhir/{episode}/_history/1",
        },
    )

    assert answer.status == 200, answer.body
    bundle = answer.json
    kinds = [one["resource"]["resourceType"] for one in bundle["entry"]]
    assert bundle["type"] == "transaction"
    assert kinds == ["ServiceRequest", "CarePlan", "ServiceRequest", "CarePlan"]
    first, plan_entry, _, part = bundle["entry"]
    assert first["request"] == {"method": "POST", "url": "ServiceRequest"}
    assert plan_entry["resource"]["activity"] == [
        {"reference": {"reference": first["fullUrl"]}}
    ]
    assert part["resource"]["partOf"] == [{"reference": plan_entry["fullUrl"]}]
    after = clinic.all.get("CarePlan", {"_summary": "count"}).json["total"]
    assert after == before


def test_half_of_that_transaction_is_refused(clinic, episode) -> None:
    plan = clinic.plan(clinic.activity(), clinic.activity())
    asked = {
        "planDefinition": f"http://localhost/plan/fhir/{plan}",
        "episodeOfCare": f"http://localhost/careplan/fhir/{episode}",
    }
    bundle = clinic.careplan.get("$apply", asked).json
    half = [
        one for one in bundle["entry"] if one["resource"]["resourceType"] == "CarePlan"
    ]

    answer = clinic.careplan.post("", {**bundle, "entry": half})

    assert answer.status == 422, answer.body
    assert [one["expression"] for one in answer.json["issue"]] == [
        [f"Bundle.entry[0].resource.activity[{number}].reference"] for number in (0, 1)
    ]
    found = clinic.all.get("CarePlan", {"episodeOfCare": episode}).json
    assert not found.get("entry")


def test_the_answer_to_a_get_has_the_recorded_shape(clinic, episode) -> None:
    led = f"http://localhost/plan/fhir/{clinic.activity(timing=False)}"
    moment = {"definitionCanonical": led, "timingDateTime": "2026-02-01T10:00:00+00:00"}
    waiting = {**moment, "extension": [TRIGGER]}
    part = clinic.plan(action=[moment, waiting])
    canonical = f"http://localhost/plan/fhir/{part}"
    plan = clinic.plan(action=[moment, {"definitionCanonical": canonical}])

    told = clinic.careplan.get(
        "$apply",
        {
            "planDefinition": f"http://localhost/plan/fhir/{plan}",
            "episodeOfCare": f"http://localhost/careplan/fhir/{episode}",
        },
    ).json

    recorded = shape(exchange("GET_apply")["response_body"])
    ours = shape(told)
    assert [one["request"] for one in ours["entry"]] == [
        one["request"] for one in recorded["entry"]
    ]
    for one, other in zip(ours["entry"], recorded["entry"], strict=True):
        assert one["fullUrl"] == other["fullUrl"]
        mine, theirs = one["resource"], other["resource"]
        assert mine.keys() == theirs.keys()
        assert [e["url"] for e in mine["extension"]] == [
            e["url"] for e in theirs["extension"]
        ]
        for key in mine.keys() - {"extension", "code"}:
            assert mine[key] == theirs[key], key


def test_both_ways_to_name_the_plan_and_the_episode_are_taken(clinic, episode) -> None:
    plan = clinic.plan(clinic.activity())
    sent = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "episodeOfCare", "valueReference": {"reference": episode}},
            {
                "name": "planDefinition",
                "valueReference": {"reference": f"http://localhost/plan/fhir/{plan}"},
            },
        ],
    }

    assert clinic.careplan.post("$apply", sent).status == 200


def test_a_plan_is_applied_at_the_plan_service_too(clinic, episode) -> None:
    plan = clinic.plan(clinic.activity())
    sent = {
        "resourceType": "Parameters",
        "parameter": [{"name": "episodeOfCare", "valueString": episode}],
    }

    answer = clinic.at("plan").post(f"{plan}/$apply", sent)

    assert answer.status == 200, answer.body
    assert answer.json["resourceType"] == "CarePlan"
    assert clinic.read(f"CarePlan/{answer.json['id']}")["status"] == "draft"


def test_what_is_applied_is_told_by_its_topics(clinic, episode) -> None:
    plan = clinic.plan(clinic.activity(), clinic.plan(clinic.activity()))
    clinic.told()

    clinic.apply(plan, episode)

    told = clinic.told()
    assert told.count(("ehealth-careplan", "created")) == 2
    assert told.count(("ehealth-procedurerequest", "created")) == 2
    assert told.count(("ehealth-careplan.partof", "reference_added")) == 1
    assert told.count(("ehealth-careplan.subject", "reference_added")) >= 1
