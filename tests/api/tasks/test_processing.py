"""Automated processing: from a submission to impressions, tasks and messages."""

import pytest

from ..guide import CS, EPISODE, to
from .conftest import RANGES, alarm, category, codes, value, values


def test_a_red_value_gives_an_impression_a_task_and_a_message(triaged) -> None:
    measured = triaged.observation(84)
    triaged.submit(measured)
    (impression,) = triaged.impressions()
    (task,) = triaged.tasks()

    assert impression["code"]["coding"][0]["code"] == "TriagingResult"
    assert codes(impression) == ["red"]
    assert impression["status"] == "completed"
    assert value(impression, "clinicalimpression-careplan") == to(triaged.plan)
    assert value(impression, EPISODE) == to(triaged.episode)
    assert impression["investigation"][0]["item"] == [
        to(f"{measured}/_history/1"),
        to(measured),
    ]
    assert task["focus"] == to(f"ClinicalImpression/{impression['id']}")
    assert task["for"] == to(triaged.patient)
    assert (task["status"], task["intent"], task["priority"]) == (
        "requested",
        "order",
        "urgent",
    )
    assert category(task) == "MeasurementForAssessment"
    assert values(task, "task-responsible") == [to(triaged.team)]
    assert value(task, "restriction-category")["coding"][0]["code"] == (
        "measurement-monitoring"
    )
    assert value(task, "reference-careplan") == to(triaged.plan)
    (message,) = triaged.messages()
    assert message["about"] == [to(f"Task/{task['id']}")]
    assert value(message, "communication-recipientCareTeam") == to(triaged.team)


def test_the_decision_names_the_versions_that_it_was_made_with(ward) -> None:
    library = ward.library()
    case = ward.case(library=library, ranges=RANGES)
    measured = case.observation(84)
    case.submit(measured)
    (impression,) = case.impressions()

    assert value(impression, "clinicalimpression-decisionContext") == to("#context")
    (context,) = impression["contained"]
    assert [one["valueReference"]["reference"] for one in context["parameter"]] == [
        f"{library}/_history/1",
        f"{measured}/_history/1",
        f"{case.request}/_history/1",
    ]


@pytest.mark.parametrize(
    ("number", "finding", "priorities"),
    [(90, "yellow", ["routine"]), (97, "green", [])],
)
def test_yellow_is_routine_and_green_asks_for_nothing(
    triaged, number, finding, priorities
) -> None:
    triaged.submit(triaged.observation(number))
    (impression,) = triaged.impressions()

    assert codes(impression) == [finding]
    assert [one["priority"] for one in triaged.tasks()] == priorities
    assert triaged.messages() == []


def test_a_submission_is_told_of_as_processed_after_all_that_came_of_it(
    triaged,
) -> None:
    triaged.ward.messages.new()
    provenance = triaged.submit(triaged.observation(84))
    told = triaged.ward.messages.new()
    topics = [one.topic for one in told]

    assert topics.count("ehealth-provenance.measurement-processed") == 1
    assert topics.index("ehealth-provenance.measurement-received") == 0
    for topic in ("ehealth-clinicalimpression", "ehealth-task"):
        assert topics.index(topic) < topics.index(
            "ehealth-provenance.measurement-processed"
        )
    (one,) = [it for it in told if it.topic.endswith("measurement-processed")]
    assert provenance in str(one)
    assert triaged.patient in str(one)


def test_a_submission_is_processed_once_however_often_the_worker_looks(triaged) -> None:
    triaged.submit(triaged.observation(84))
    assert triaged.ward.work() >= 0
    other = triaged.ward.built.worker()
    other.drain()

    assert len(triaged.tasks()) == 1


def test_what_a_worker_did_before_it_died_is_undone_and_done_once_by_the_next(
    triaged,
) -> None:
    """All that comes of a submission is in the transaction of the cursor."""
    triaged.submit(triaged.observation(84), work=False)
    built = triaged.ward.built
    (clinical,) = [one.target for one in built.plugins if one.name == "clinical"]
    (consumer,) = [
        one
        for one in clinical.register_consumers()
        if one.name == "clinical.processing"
    ]
    change = list(built.outbox.tail(0))[-1]
    note = consumer.handle(change)

    def dies(session):
        note(session)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        built.database.write(dies)
    assert triaged.tasks() == []

    triaged.ward.work()
    assert len(triaged.tasks()) == 1
    assert len(triaged.impressions()) == 1


def test_a_provenance_about_something_else_is_nobodys_submission(triaged, ward) -> None:
    ward.of(
        "Provenance",
        target=[to(triaged.observation(84))],
        recorded="2026-01-08T08:00:00Z",
        policy=["http://ehealth.sundhed.dk/policy/dk/sundhedsloven"],
        agent=[{"who": to(triaged.patient)}],
    )
    ward.work()

    assert triaged.tasks() == []


def test_what_rules_miss_is_asked_for_once(ward) -> None:
    case = ward.case(library=ward.library(), ranges=[alarm("RELRAL", high=-5)])
    case.submit(case.observation(90))
    case.submit(case.observation(91))
    asked, *others = sorted(case.tasks(), key=category, reverse=True)

    assert category(asked) == "RefBaseNeeded"
    assert asked["focus"] == to(case.request)
    # Nothing was said of the measurements meanwhile: each is for somebody to look at.
    untriaged = ["MeasurementForAssessmentNotTriaged"] * 2
    assert [category(one) for one in others] == untriaged


@pytest.mark.parametrize("focus", ["impression", "measurement", "activity"])
def test_a_rule_says_what_its_task_is_about(ward, focus) -> None:
    proposed = {"description": "Look at it", "focus": focus}
    always = {"name": "r", "when": "true", "finding": "yellow", "task": proposed}
    source = {"language": "fyr-rules/1", "rules": [always]}
    case = ward.case(library=ward.library(source))
    measured = case.observation(89)
    case.submit(measured)
    (impression,) = case.impressions()
    (task,) = case.tasks()

    assert (
        task["focus"]["reference"]
        == {
            "impression": f"ClinicalImpression/{impression['id']}",
            "measurement": measured,
            "activity": case.request,
        }[focus]
    )
    assert impression["finding"][0]["basis"] == "by the rule r"


def test_what_belongs_to_an_episode_has_its_tags(ward) -> None:
    case = ward.case(ranges=RANGES, library=ward.library())
    tag = {"system": f"{CS}ehealth-system", "code": "xa"}
    ward.put({**ward.read(case.episode), "meta": {"tag": [tag]}})
    case.submit(case.observation(84))

    for found in (*case.tasks(), *case.impressions(), *case.messages()):
        assert found["meta"]["tag"] == [tag]


def test_a_measurement_that_was_invalidated_meanwhile_is_not_triaged(ward) -> None:
    case = ward.case(ranges=RANGES, library=ward.library())
    measured = case.observation(84)
    ward.put({**ward.read(measured), "status": "entered-in-error"})
    case.submit(measured)

    assert case.tasks() == []


def test_a_submission_of_odd_data_holds_up_no_other(ward, triaged) -> None:
    """What is kept from before the rules held may lack what they count on."""
    odd = triaged.observation(84)
    found = ward.read(odd)
    del found["subject"]
    ward.put({**found, "basedOn": [to("ServiceRequest/none")]})
    triaged.submit(odd, work=False)
    triaged.submit(triaged.observation(84))

    priorities = [one["priority"] for one in triaged.tasks()]
    assert sorted(priorities) == ["routine", "urgent"]


def test_a_plan_that_is_active_goes_before_one_that_was(ward, triaged) -> None:
    plan = ward.read(triaged.plan)
    ward.put({**plan, "id": ward.number()})
    ward.put({**plan, "status": "revoked"})
    triaged.submit(triaged.observation(84))
    (task,) = triaged.tasks()

    assert value(task, "reference-careplan") != to(triaged.plan)


def test_what_is_measured_for_two_plans_is_for_somebody_to_look_at(triaged) -> None:
    """An impression is of one care plan, and nobody knows which is meant."""
    ward = triaged.ward
    ward.put({**ward.read(triaged.plan), "id": ward.number()})
    triaged.submit(triaged.observation(84))
    (task,) = triaged.tasks()

    assert category(task) == "MeasurementForAssessmentFailureInAutoProcessing"
    assert triaged.impressions() == []


def test_of_a_burst_each_has_what_came_of_its_own(ward) -> None:
    """They are read, judged and stored together, those that are odd among them."""
    library = ward.library()
    cases = [ward.case(library=library, ranges=RANGES) for _ in range(3)]
    unjudged = ward.case()
    torn = cases[1]
    ward.put({**ward.read(torn.plan), "id": ward.number()})
    quiet = cases[2]
    ward.of(
        "CommunicationRequest",
        status="active",
        subject=to(quiet.patient),
        recipient=[to(quiet.team)],
        doNotPerform=True,
    )
    for case in (*cases, unjudged):
        case.submit(case.observation(84), work=False)
    ward.work()

    found = [
        (category(task), [codes(one) for one in case.impressions()])
        for case in (*cases, unjudged)
        for task in case.tasks()
    ]
    assert found == [
        ("MeasurementForAssessment", [["red"]]),
        ("MeasurementForAssessmentFailureInAutoProcessing", []),
        ("MeasurementForAssessment", [["red"]]),
        ("MeasurementForAssessmentNotTriaged", []),
    ]
    assert [len(case.messages()) for case in cases] == [1, 0, 0]
