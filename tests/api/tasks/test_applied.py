"""A plan that is applied, activated and measured for: its trigger and its rules."""

from fyr.core import Principal

from ..guide import SATURATION, concept, ext, url
from .conftest import alarm, codes, value
from .test_submitted import SUBMITS, observation, submit
from .test_triggers import trigger

ADHOC = {"repeat": {"boundsPeriod": {"start": "2026-01-01T08:00:00+00:00"}}}


def activity(ward, **more):
    return ward.of(
        "ActivityDefinition",
        status="active",
        version="1",
        code={"coding": [SATURATION]},
        timingTiming=ADHOC,
        extension=[
            alarm("RAL", high=88),
            ext("sharingPolicy", valueCodeableConcept=concept("noSharing")),
            ext("reuseCriteria", extension=[{"url": "allowed", "valueBoolean": False}]),
        ],
        **more,
    )


def test_a_plan_that_was_applied_is_triaged_and_starts_what_waits(ward) -> None:
    case = ward.case()
    first = activity(ward, library=[url(ward.library())])
    second = activity(ward)
    week = {"value": 1, "code": "wk"}
    definition = ward.of(
        "PlanDefinition",
        status="active",
        version="1",
        action=[
            {"id": "first", "definitionCanonical": url(first)},
            {
                "definitionCanonical": url(second),
                "extension": [trigger(("first", 2), offset=week)],
            },
        ],
    )
    nurse = ward.at("careplan", case.nurse("PlanDefinition$apply"))
    given = {"planDefinition": url(definition), "episodeOfCare": url(case.episode)}
    parameters = [{"name": name, "valueString": one} for name, one in given.items()]
    applied = nurse.post(
        "$apply", {"resourceType": "Parameters", "parameter": parameters}
    )
    assert applied.status in (200, 201), applied.body
    plan = ward.read(f"CarePlan/{applied.json['id']}")
    measured, waiting = [one["reference"]["reference"] for one in plan["activity"]]
    assert ward.read(waiting)["status"] == "on-hold"

    system = Principal("SYSTEM", "s", frozenset(["CarePlan.update", "CarePlan.read"]))
    started = ward.at("careplan", system)
    for reference in (measured, f"CarePlan/{plan['id']}"):
        found = started.get(reference).json
        answer = started.update({**found, "status": "active"})
        assert answer.status == 200, answer.body

    case.request, case.plan = measured, f"CarePlan/{plan['id']}"
    citizen = ward.at("measurement", case.citizen(SUBMITS))
    for number in (84, 97):
        answer = submit(citizen, observation(case, number))
        assert answer.status == 200, answer.body
    ward.work()

    triaged = [one for one in case.impressions() if codes(one)]
    assert sorted(codes(one)[0] for one in triaged) == ["green", "red"]
    after = ward.read(waiting)
    assert after["status"] == "active"
    assert value(after, "trigger-enablement-code") == "TRIGGER_DONE"
    bounds = after["occurrenceTiming"]["repeat"]["boundsPeriod"]
    assert bounds["start"] == "2026-01-15T08:00:00+00:00"
