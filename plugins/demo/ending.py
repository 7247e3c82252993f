"""What comes of it: triggers, triage, messages, numbers."""

from __future__ import annotations

from fyr.plugins.demo import resources as r
from fyr.plugins.demo.listening import counted as counted_names
from fyr.plugins.demo.stage import StoryError, codes
from fyr.plugins.demo.story import (
    Story,
    citizen_of,
    nurse_of,
    status_is,
)

#: What the categories of tasks are called; the resources have codes only.
_TASKS = {
    "MeasurementForAssessment": "red, by the rules",
    "MeasurementForAssessmentNotTriaged": "nothing that a rule judges",
    "MissingMeasurementResolving": "not measured when it was due",
}


def scheduled(story: Story) -> str:
    """What was planned ahead has happened, by itself."""
    nurse = nurse_of(story)
    plan = nurse.does("GET", story.urls["careplan"])
    teams = [one["reference"] for one in plan["careTeam"]]
    if teams != [story.urls["team"], story.urls["clinic"]]:
        raise StoryError(f"the second team was to join, and there are {teams}")
    url = f"{story.base}/ServiceRequest/{story.requests[r.ANSWERS]['id']}"
    questions = nurse.does("GET", url)
    if questions["status"] != "completed":
        raise StoryError(f"the questions were to end, and are {questions['status']}")
    left = [
        one["url"]
        for resource in (plan, questions)
        for one in resource["extension"]
        if one["url"].lower().endswith("schedule")
    ]
    if left:
        raise StoryError(f"what has happened is planned still: {left}")
    return "Lungeambulatoriet has joined the plan, and the questions have ended"


def trigger(story: Story) -> str:
    """An activity that waited for measurements."""
    pulse = story.requests[r.PULSE]
    now = nurse_of(story).does("GET", f"{story.base}/ServiceRequest/{pulse['id']}")
    if now["status"] != "active":
        raise StoryError(f"the pulse was to be measured, and is {now['status']}")
    history = [
        part["valueCode"]
        if "valueCode" in part
        else part["valueCodeableConcept"]["coding"][0]["code"]
        for one in now["extension"]
        if one["url"].endswith("servicerequest-statusHistory")
        for part in one["extension"]
        if part["url"] == "status"
    ]
    return f"the third submission had the pulse measured, too: {' -> '.join(history)}"


def triage(story: Story) -> str:
    """The team triages."""
    nurse = nurse_of(story)
    tasks = nurse.find(
        "Task",
        responsible=story.urls["team"],
        episodeOfCare=story.urls["episode"],
        status="requested",
    )
    kinds = [
        one["valueCodeableConcept"]["coding"][0]["code"]
        for task in tasks
        for one in task["extension"]
        if one["url"].endswith("task-category")
    ]
    wanted = {"MeasurementForAssessment", "MissingMeasurementResolving"}
    if not wanted <= set(kinds):
        raise StoryError(f"tasks of {wanted} were to be there, and are {kinds}")
    base = story.stage.service("task")
    for task in tasks:
        nurse.does("PATCH", f"{base}/Task/{task['id']}", [status_is("in-progress")])
        nurse.does("PATCH", f"{base}/Task/{task['id']}", [status_is("completed")])
    urgent = sum(task["priority"] == "urgent" for task in tasks)
    if urgent < 2:
        raise StoryError(f"red values were to make urgent tasks, and {urgent} are")
    told = ", ".join(
        f"{kinds.count(one)} {one} ({_TASKS.get(one, 'a task')})"
        for one in dict.fromkeys(kinds)
    )
    return f"the team had {told}, {urgent} of them urgent, and did them"


def messages(story: Story) -> str:
    """Team and citizen write."""
    nurse, citizen = nurse_of(story), citizen_of(story)
    base = story.stage.service("patient")
    both = story.urls["team"], story.urls["patient"]
    called = r.message("Vi ringer i morgen.", *both)
    answered = r.message("Tak, jeg er hjemme.", *both, back=True)
    for who, one in ((nurse, called), (citizen, answered)):
        sent = who.does("POST", f"{base}/Communication", one)
        if sent["status"] != "completed":
            raise StoryError(f"a message was to be sent, and is {sent['status']}")
    query = f"{base}/Communication?recipient={story.urls['patient']}&_count=100"
    found = citizen.does("GET", query)
    received = [one["resource"] for one in found.get("entry", ())]
    reasons = counted_names(filter(None, codes(received, "reasonCode")))
    return (
        f"the citizen has {len(received)} messages: {reasons}, and one that the team"
        " wrote, and has answered that one"
    )


def finish(story: Story) -> str:
    """The treatment ends."""
    nurse = nurse_of(story)
    for code, request in story.requests.items():
        url = f"{story.base}/ServiceRequest/{request['id']}"
        now = nurse.does("GET", url)
        if now["status"] != "completed":
            now = nurse.does("PUT", url, {**now, "status": "completed"})
        story.requests[code] = now
    found = nurse.does("GET", story.urls["careplan"])
    nurse.does("PUT", story.urls["careplan"], {**found, "status": "completed"})
    nurse.does("PATCH", story.urls["episode"], [status_is("finished")])
    ended = nurse.does("GET", story.urls["episode"])
    story.stage.work()
    states = " -> ".join(one["status"] for one in ended["statusHistory"])
    return f"plan and activities are completed; the episode went {states}"


def counted(story: Story) -> str:
    """What analysts count, and what NAS was told."""
    privileges = "report-query,report-non-anonymized"
    analyst = story.person("Analyst", "practitioner", privileges=privileges)
    question = {
        "from": "Observation",
        "groupBy": [{"terms": "status"}],
        "metrics": {"n": {"count": True}},
    }
    answer = analyst.does("POST", f"{story.stage.url}/reporting/query", question)
    rows = [f"{one['n']} {one['status']}" for one in answer["rows"]]
    told = list(story.stage.notifications())
    kinds = ", ".join(sorted({one["topic"].rpartition(":")[2] for one in told}))
    return f"measurements: {', '.join(rows)}; {len(told)} notifications: {kinds}"
