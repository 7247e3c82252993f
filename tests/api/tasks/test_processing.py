"""Automated processing: from a submission to impressions, tasks and messages."""

import base64
import json

import pytest

from fyr.core import Principal, RuleOutcome, hookimpl
from fyr.core.errors import Unavailable
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import START, FakeClock
from fyr.plugins.clinical.tasks.libraries import Unusable, wanted_by

from ..guide import CS, EHEALTH, EPISODE, concept, ext, to, url
from .conftest import RANGES, Ward, alarm, category, codes, value, values


@pytest.fixture
def triaged(ward):
    return ward.case(library=ward.library(), ranges=RANGES)


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


def test_without_rules_somebody_looks_at_each_measurement(case) -> None:
    one, other = case.observation(84), case.observation(97)
    case.submit(one, other)

    tasks = case.tasks()
    assert [category(it) for it in tasks] == ["MeasurementForAssessmentNotTriaged"] * 2
    assert {it["focus"]["reference"] for it in tasks} == {one, other}
    assert {it["priority"] for it in tasks} == {"routine"}
    assert case.impressions() == []


def test_the_rules_of_the_plan_are_for_activities_without_their_own(ward) -> None:
    case = ward.case(plan_library=ward.library(), ranges=RANGES)
    case.submit(case.observation(84))

    assert [codes(it) for it in case.impressions()] == [["red"]]


def test_the_rules_of_an_activity_go_before_those_of_the_plan(ward) -> None:
    always = {
        "language": "fyr-rules/1",
        "rules": [{"name": "r", "when": "true", "finding": "insufficient-data"}],
    }
    case = ward.case(
        library=ward.library(always), plan_library=ward.library(), ranges=RANGES
    )
    case.submit(case.observation(84))

    assert [codes(it) for it in case.impressions()] == [["insufficient-data"]]


def test_rules_that_nothing_here_can_run_are_kept_and_said_so(ward) -> None:
    drools = ward.library("package rules", kind="application/x-drools")
    case = ward.case(library=drools)
    measured = case.observation(84)
    case.submit(measured)
    (task,) = case.tasks()

    assert ward.read(drools)["content"][0]["contentType"] == "application/x-drools"
    assert category(task) == "MeasurementForAssessmentFailureInAutoProcessing"
    assert task["priority"] == "urgent"
    assert task["focus"] == to(measured)
    assert "no engine of this server runs" in task["description"]
    (message,) = case.messages()
    assert message["about"] == [to(f"Task/{task['id']}")]


def test_rules_that_fail_give_a_task_that_says_why(ward) -> None:
    odd = {"name": "odd", "when": "%value < 'a'", "finding": "red"}
    source = {"language": "fyr-rules/1", "rules": [odd]}
    case = ward.case(library=ward.library(source))
    case.submit(case.observation(84))
    (task,) = case.tasks()

    assert category(task) == "MeasurementForAssessmentFailureInAutoProcessing"
    assert "odd: " in task["description"]


def test_faulty_rules_are_refused_when_they_are_stored(ward) -> None:
    author = Principal("SYSTEM", "author", frozenset(["Library.create"]))
    faulty = {**ward.read(ward.library()), "status": "draft"}
    faulty["content"][0]["data"] = base64.b64encode(b'{"language": "x"}').decode()
    del faulty["id"]

    answer = ward.at("library", author).create(faulty)

    assert answer.status == 422
    assert answer.issues[0].startswith("language: ")
    assert answer.json["issue"][0]["expression"] == ["Library.content[0].data"]


def test_rules_that_are_not_there_give_a_task(ward) -> None:
    case = ward.case(library="Library/nowhere")
    case.submit(case.observation(84))
    (task,) = case.tasks()

    assert category(task) == "MeasurementForAssessmentFailureInAutoProcessing"
    assert "is not there" in task["description"]


def test_answers_are_triaged_and_the_basis_is_told(ward) -> None:
    def condition(operator, number):
        return {
            "url": f"{EHEALTH}answer-Condition",
            "extension": [
                {"url": "value", "valueInteger": number},
                {"url": "operator", "valueCode": operator},
            ],
        }

    def significance(colour, operator, number):
        said = {"url": "significance", "valueCoding": {"code": colour}}
        return ext(
            "questionnaire-answerSignificance",
            extension=[condition(operator, number), said],
        )

    questionnaire = ward.of(
        "Questionnaire",
        status="active",
        item=[
            {
                "linkId": "cough",
                "type": "integer",
                "extension": [significance("red", ">", 3)],
            },
            {
                "linkId": "sleep",
                "type": "integer",
                "extension": [significance("green", "<", 9)],
            },
        ],
    )
    library = ward.library(
        {"language": "fyr-rules/1", "triage": ["answer-significance"]}
    )
    case = ward.case(
        library=library, code=concept("QR", f"{CS}activitydefinition-code")
    )
    items = [
        {"linkId": "cough", "answer": [{"valueInteger": 5}]},
        {"linkId": "sleep", "answer": [{"valueInteger": 2}]},
    ]
    case.submit(case.response(questionnaire, *items))
    (impression,) = case.impressions()

    assert codes(impression) == ["red-question-answer"]
    basis = [
        {part["url"].rpartition("-")[2]: part for part in one["extension"]}
        for one in impression["extension"]
        if one["url"].endswith("finding-basis")
    ]
    assert [one["linkId"]["valueString"] for one in basis] == ["cough", "sleep"]
    assert [one["value"]["valueInteger"] for one in basis] == [5, 2]
    assert basis[0]["answerSignificance"]["extension"][0]["extension"][0] == {
        "url": "value",
        "valueInteger": 3,
    }
    assert [one["priority"] for one in case.tasks()] == ["urgent"]


def test_relative_ranges_use_the_goal_of_the_activity(ward) -> None:
    case = ward.case(library=ward.library(), ranges=[alarm("RELRAL", high=-5)])
    ward.of(
        "Goal",
        lifecycleStatus="active",
        description=concept("reference-value", f"{CS}goal-description"),
        subject=to(case.patient),
        startDate="2026-01-01",
        addresses=[to(case.request)],
        target=[
            {
                "measure": concept("NPU03011", "urn:oid:1.2.208.176.2.1"),
                "detailQuantity": {"value": 95, "code": "%"},
            }
        ],
    )
    case.submit(case.observation(90))

    assert [codes(it) for it in case.impressions()] == [["red"]]


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


def test_earlier_data_is_given_as_the_library_asks(ward) -> None:
    source = {
        "language": "fyr-rules/1",
        "rules": [
            {
                "name": "falling",
                "when": "%week.count() = 2 and %week.first().value.value = 90"
                " and %value < 90",
                "finding": "red",
            }
        ],
    }
    requirement = {
        "id": "week",
        "type": "Observation",
        "limit": 2,
        "dateFilter": [
            {"path": "effective", "valueDuration": {"value": 1, "code": "wk"}}
        ],
        "sort": [{"path": "effective", "direction": "descending"}],
    }
    case = ward.case(library=ward.library(source, dataRequirement=[requirement]))
    for day, number in (("01", 60), ("05", 95), ("06", 93), ("07", 90)):
        case.ward.put(
            {
                **ward.read(case.observation(number)),
                "effectiveDateTime": f"2026-01-{day}T08:00:00Z",
            }
        )
    invalid = ward.read(case.observation(1))
    ward.put({**invalid, "status": "entered-in-error"})
    case.submit(case.observation(89))

    assert [codes(it) for it in case.impressions()] == [["red"]]


def test_earlier_answers_and_pictures_are_found_by_their_own_dates(ward) -> None:
    source = {
        "language": "fyr-rules/1",
        "rules": [
            {
                "name": "both",
                "when": "%answers.count() = 1 and %Media.count() = 1",
                "finding": "yellow",
            }
        ],
    }
    asked = [
        {"id": "answers", "type": "QuestionnaireResponse", "limit": 3},
        {"type": "Media", "limit": 3},
        {"type": "Patient"},
    ]
    case = ward.case(library=ward.library(source, dataRequirement=asked))
    case.response(
        ward.of("Questionnaire", status="active"),
        {"linkId": "q", "answer": [{"valueInteger": 1}]},
    )
    for created in ("2026-01-07T08:00:00Z", "2023-01-07T08:00:00Z"):
        ward.of(
            "Media",
            status="completed",
            subject=to(case.patient),
            basedOn=[to(case.request)],
            createdDateTime=created,
            content={"title": "x"},
        )
    case.submit(case.observation(89))

    assert [codes(it) for it in case.impressions()] == [["yellow"]]


@pytest.mark.parametrize(
    ("requirement", "why"),
    [
        ({}, "A duration or a limit is missing"),
        ({"limit": 501}, "above 500"),
        (
            {"limit": 1, "sort": [{"path": "birth", "direction": "ascending"}]},
            "sorted by birth",
        ),
        (
            {"dateFilter": [{"path": "birth", "valueDuration": {"value": 1}}]},
            "by the date birth",
        ),
        ({"dateFilter": [{"valueDuration": {"value": 1}}]}, "which date"),
        (
            {"dateFilter": [{"path": "effective", "valueDuration": {"value": 1}}]},
            "UCUM unit",
        ),
        (
            {
                "dateFilter": [
                    {"path": "effective", "valueDuration": {"value": 5, "code": "a"}}
                ]
            },
            "longer than 12 months",
        ),
        ({"dateFilter": [{"path": "effective"}]}, "A duration or a limit"),
    ],
)
def test_a_library_that_asks_wrongly_gets_no_earlier_data_and_somebody_is_told(
    ward, requirement, why
) -> None:
    asked = [{"type": "Observation", **requirement}]
    library = ward.library(dataRequirement=asked)
    case = ward.case(library=library, ranges=RANGES)
    case.submit(case.observation(84))

    mending = [
        it for it in case.tasks() if category(it) == "LibraryUseMismatchFixingNeeded"
    ]
    assert [why in it["description"] for it in mending] == [True]
    assert [codes(it) for it in case.impressions()] == [["red"]]


@pytest.mark.parametrize(
    ("sort", "name"),
    [
        ({"path": "effective"}, "LIBRARY_EVALUATE_SORT_DIRECTION_NOT_RECOGNIZED"),
        (
            {"path": "effective", "direction": "up"},
            "LIBRARY_EVALUATE_SORT_DIRECTION_NOT_RECOGNIZED",
        ),
        ({"direction": "ascending"}, "LIBRARY_EVALUATE_SORT_EMPTY"),
    ],
)
def test_what_the_structure_of_a_library_lets_by_nobody_is_told_too(sort, name) -> None:
    with pytest.raises(Unusable) as told:
        wanted_by({"type": "Observation", "limit": 1, "sort": [sort]}, "1", START)

    assert told.value.issue.error_code == name


def test_tasks_go_to_the_team_that_takes_part_for_them(ward) -> None:
    case = ward.case(ranges=RANGES, library=ward.library())
    other = ward.of("CareTeam", status="active")
    stranger = ward.of("CareTeam", status="active")

    def participant(team):
        function = "Default-careteam-for-task-and-communication"
        return ext(
            "participant",
            extension=[
                {"url": "function", "valueCoding": {"code": function}},
                {"url": "actor", "valueReference": to(team)},
            ],
        )

    plan = ward.read(case.plan)
    plan["careTeam"].append(to(other))
    plan["extension"] += [participant(other), participant(stranger)]
    ward.put(plan)
    case.submit(case.observation(84))

    (task,) = case.tasks()
    assert values(task, "task-responsible") == [to(other)]


def test_an_episode_without_any_team_gets_its_task_all_the_same(ward) -> None:
    case = ward.case(ranges=RANGES, library=ward.library())
    plan, episode = ward.read(case.plan), ward.read(case.episode)
    del plan["careTeam"], episode["team"]
    # The last team stays on an episode: this one never had any.
    ward.built.act(lambda acting: acting.delete(case.episode))
    for one in (plan, episode):
        ward.put(one)
    case.submit(case.observation(84))

    (task,) = case.tasks()
    assert values(task, "task-responsible") == []
    assert case.messages() == []


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


def test_the_team_sees_its_task_and_no_other_team_does(triaged, ward) -> None:
    triaged.submit(triaged.observation(84))
    (task,) = triaged.tasks()
    may = "Task.read Task.search RestrictionCategory$measurement-monitoring"
    query = f"Task?responsible={url(triaged.team)}&status=requested"
    anywhere = {"episode_of_care": "", "patient": ""}
    nurse = ward.at("task", triaged.nurse(may, **anywhere))
    other = ward.of("CareTeam", status="active")
    stranger = ward.at("task", triaged.nurse(may, team=other, **anywhere))

    assert [one["id"] for one in nurse.get(query).resources] == [task["id"]]
    assert stranger.get(query).status == 403
    assert stranger.get(f"Task/{task['id']}").status == 403


class Breaking:
    """An engine that fails in ways that engines should not."""

    answer: object = RuleOutcome()

    @hookimpl
    def evaluate_rules(self, library):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def broken(tmp_path, monkeypatch):
    from types import ModuleType

    engine = Breaking()
    module = ModuleType("breaking")
    module.evaluate_rules = hookimpl(lambda library: engine.evaluate_rules(library))
    options = {"plugins": {"enabled": ["search", "administrative", "clinical"]}}
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), {"breaking": module}) as built:
        yield Ward(built, built.clock), engine


@pytest.mark.parametrize(
    "misdeed", [RuntimeError("no such module"), SystemExit(3), object()]
)
def test_an_engine_that_breaks_leaves_no_measurement_unseen(broken, misdeed) -> None:
    ward, engine = broken
    engine.answer = misdeed
    case = ward.case(library=ward.library())
    provenance = case.submit(case.observation(84))
    (task,) = case.tasks()

    assert category(task) == "MeasurementForAssessmentFailureInAutoProcessing"
    identity = provenance.partition("/")[2]
    assert task["description"] == (
        f"The measurement of Provenance {identity} could not be processed."
    )


def test_an_engine_that_is_down_is_waited_for(broken) -> None:
    ward, engine = broken
    engine.answer = Unavailable("asleep")
    case = ward.case(library=ward.library())
    case.submit(case.observation(84))
    assert case.tasks() == []

    engine.answer = RuleOutcome()
    ward.clock.advance(hours=1)
    ward.work()
    topics = [one.topic for one in ward.built.outbox.tail(0)]
    assert "event_messages.told" in topics


def test_odd_proposals_of_an_engine_are_taken_as_far_as_they_make_sense(broken) -> None:
    ward, engine = broken
    engine.answer = RuleOutcome(
        resources=[
            {"resourceType": "Task", "priority": "at once", "status": "completed"},
            {"resourceType": "Communication", "payload": []},
            {"resourceType": "Patient"},
        ]
    )
    case = ward.case(library=ward.library())
    case.submit(case.observation(84))
    (task,) = case.tasks()

    assert (task["status"], task["priority"]) == ("requested", "routine")
    assert json.dumps(task)
