"""The story, a step a row: what happens, who does it, and what came of it.

Each step does something by HTTP with the token of whoever would do it, and tells in a
sentence what the server answered. A step that goes otherwise ends the story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from fyr.plugins.demo import resources as r
from fyr.plugins.demo.stage import TAG, Person, Stage, StoryError, codes

if TYPE_CHECKING:
    from fyr.core import Resource

#: A made-up citizen of the sample register, by a substitute number.
NUMBER = "7705480012"
CPR = "urn:oid:1.2.208.176.1.2"
DANISH = ZoneInfo("Europe/Copenhagen")
DAYS = 14
#: Day -> saturation; day 5 is missing, day 7 is red, day 9 a slip of the finger.
SATURATIONS = {7: 84.0, 9: 59.0}
MISSING, REUSED, WRONG = 5, 3, 9
#: With the submission of this day the pulse is to be measured, too.
TRIGGERED = 2


@dataclass
class Story:
    """What is known so far: people, URLs and what was seen."""

    stage: Stage
    people: dict[str, Person] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    #: service requests by the code of the activity
    requests: dict[str, Any] = field(default_factory=dict)
    #: observations by the day of the story
    observations: dict[int, str] = field(default_factory=dict)
    first: datetime = datetime.min

    def person(self, name: str, kind: str, **context: str) -> Person:
        """Let somebody log in, with what they have chosen."""
        token = self.stage.token(kind, name=name, **context)
        self.people[name] = Person(self.stage, token)
        return self.people[name]

    @property
    def base(self) -> str:
        """The careplan service."""
        return self.stage.service("careplan")

    def slot(self, day: int) -> tuple[datetime, datetime]:
        """Tell from when until when saturation is to be measured on a day."""
        start = self.first + timedelta(days=day)
        return start, start + timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens."""

    name: str
    what: str
    do: Callable[[Story], str]


def _organizations(story: Story) -> str:
    registrar = story.person("Registrar", "system")
    registrar.create(r.treatment_area(TAG))
    story.urls["organization"] = registrar.create(r.organization("Fyr Kommune"))
    leader = story.person(
        "Leader",
        "practitioner",
        organization=story.urls["organization"],
        privileges="CareTeam.write,CareTeam.read",
    )
    team = r.care_team("KOL-teamet", str(uuid4()), story.urls["organization"])
    story.urls["team"] = leader.create(team)
    return "Fyr Kommune has a care team for COPD"


def _definitions(story: Story) -> str:
    mine = story.urls["organization"]
    author = story.person("Author", "practitioner", organization=mine)
    story.urls["library"] = author.create(r.library(mine))
    story.urls["questionnaire"] = _published(author, r.questionnaire(mine))
    npu, snomed = r.NPU, "http://snomed.info/sct"
    ranges = (r.alarm("RAL", "%", high=88), r.alarm("GAL", "%", low=89, high=92))
    rules = story.urls["library"]
    asked = {"type": "composed-of", "resource": story.urls["questionnaire"]}
    activities = {
        "saturation": r.activity(
            mine, "saturation", r.SATURATION, npu, rules, extension=ranges
        ),
        "pulse": r.activity(
            mine,
            "pulse",
            r.PULSE,
            npu,
            rules,
            extension=(r.alarm("RAL", "1/min", low=120),),
        ),
        "questions": r.activity(
            mine, "questions", r.ANSWERS, snomed, rules, relatedArtifact=[asked]
        ),
    }
    made = {name: _published(author, one) for name, one in activities.items()}
    story.urls["plan"] = _published(author, r.plan(mine, made))
    return "three activities and a plan were drafts, and are published"


def _published(author: Person, definition: Resource) -> str:
    """Write a definition as a draft, then publish it; tell its URL."""
    url = author.create({**definition, "status": "draft"})
    draft = author.does("GET", url)
    author.does("PUT", url, {**draft, "status": "active"})
    return url


def _citizen(story: Story) -> str:
    enroller = story.person(
        "Enroller",
        "practitioner",
        privileges="Person$match,Patient$createPatient",
    )
    base = story.stage.service("patient")
    identifier = {"system": CPR, "value": NUMBER}
    asked = {"resourceType": "Person", "identifier": [identifier]}
    found = enroller.call(f"{base}/Person/$match", ("resource", "resource", asked))
    (entry,) = found["entry"]
    if "link" in entry["resource"]:
        raise StoryError("the citizen is a patient already")
    patient = enroller.call(
        f"{base}/Patient/$createPatient", ("crn", "valueIdentifier", identifier)
    )
    story.urls["patient"] = f"{base}/Patient/{patient['id']}"
    name = patient["name"][0]
    return f"{' '.join(name['given'])} {name['family']} was found in the register, and is a patient"


def _episode(story: Story) -> str:
    nurse = _nurse(story, patient=story.urls["patient"])
    start = story.stage.clock()
    given = r.enrolment(
        story.urls["patient"], story.urls["organization"], story.urls["team"], start
    )
    answer = nurse.call(
        f"{story.base}/$create-episode-of-care",
        ("episodeOfCareAndProvenances", "resource", given),
    )
    places = [one["response"]["location"] for one in answer["entry"]]
    (place,) = [one for one in places if "/EpisodeOfCare/" in f"/{one}"]
    story.urls["episode"] = _absolute(story, place)
    return f"an episode of care is planned, with {len(places)} resources"


def _activate(story: Story) -> str:
    nurse = _nurse(story)
    refused = nurse.send("PATCH", story.urls["episode"], [_status("active")])
    if refused.status != 422:
        raise StoryError(f"an episode began without consent: {refused.status}")
    nurse.create(
        r.consent(story.urls["patient"], story.urls["episode"], story.stage.clock())
    )
    nurse.does("PATCH", story.urls["episode"], [_status("active")])
    return "without consent it stays planned; with it, it is active"


def _apply(story: Story) -> str:
    nurse = _nurse(story)
    made = nurse.call(
        f"{story.base}/$apply",
        ("planDefinition", "valueString", story.urls["plan"]),
        ("episodeOfCare", "valueString", story.urls["episode"]),
    )
    story.urls["careplan"] = f"{story.base}/CarePlan/{made['id']}"
    for one in made["activity"]:
        request = nurse.does("GET", one["reference"]["reference"])
        story.requests[_code(request)] = request
    states = sorted(one["status"] for one in story.requests.values())
    return f"a care plan with {len(states)} activities: {', '.join(states)}"


def _adapt(story: Story) -> str:
    """Say when to measure, from tomorrow at nine; the pulse waits for its trigger."""
    nurse = _nurse(story)
    tomorrow = story.stage.clock().astimezone(DANISH) + timedelta(days=1)
    story.first = tomorrow.replace(hour=9, minute=0, second=0, microsecond=0)
    weekly = {"period": 1, "periodUnit": "wk"}
    for code, repeat in ((r.SATURATION, {}), (r.PULSE, {}), (r.ANSWERS, weekly)):
        request = dict(story.requests[code])
        request["occurrenceTiming"] = r.timing(story.first, **repeat)
        if request["status"] == "draft":
            request["status"] = "active"
        url = f"{story.base}/ServiceRequest/{request['id']}"
        story.requests[code] = nurse.does("PUT", url, request)
    found = nurse.does("GET", story.urls["careplan"])
    nurse.does("PUT", story.urls["careplan"], {**found, "status": "active"})
    return "saturation daily at nine, questions weekly; the plan is active"


def _due(story: Story) -> str:
    citizen = _citizens(story)
    end = story.first + timedelta(days=7)
    answer = citizen.call(
        f"{story.base}/$get-patient-procedures",
        ("patient", "valueReference", r.to(story.urls["patient"])),
        ("start", "valueDateTime", story.stage.clock().isoformat()),
        ("end", "valueDateTime", end.isoformat()),
    )
    (told,) = [
        one["resource"]
        for one in answer["entry"]
        if one["resource"]["resourceType"] == "Parameters"
    ]
    rows = len(told["parameter"])
    if rows < 8:
        raise StoryError(f"eight things are due in a week, and {rows} were told")
    return f"{rows} slots are due within a week"


def _days(story: Story) -> str:
    for day in range(DAYS):
        start, _ = story.slot(day)
        story.stage.wait_until(start + timedelta(minutes=10))
        if day != MISSING:
            _measure(story, day)
        if day in (0, 7):
            _answer(story, day)
        if day == REUSED:
            _reuse(story)
        if day == WRONG:
            _invalidate(story, day)
        story.stage.wait_until(start + timedelta(hours=4))
    return f"{len(story.observations)} of {DAYS} days were measured, one was missed"


def _measure(story: Story, day: int) -> None:
    value = SATURATIONS.get(day, 95.0)
    one = _observed(story, day, r.SATURATION, value, "%")
    story.observations[day] = _submit(story, {"urn:uuid:o": one})["Observation"]
    if day >= TRIGGERED:
        pulse = f"{story.base}/ServiceRequest/{story.requests[r.PULSE]['id']}"
        story.requests[r.PULSE] = _citizens(story).does("GET", pulse)
        _submit(story, {"urn:uuid:o": _observed(story, day, r.PULSE, 72.0, "1/min")})


def _observed(story: Story, day: int, code: str, value: float, unit: str) -> Resource:
    """Write what is measured on a day, in its slot."""
    start, end = story.slot(day)
    return r.measured(
        "Observation",
        story.urls["patient"],
        story.urls["episode"],
        story.requests[code],
        story.base,
        (start.isoformat(), end.isoformat()),
        performer=[r.to(story.urls["patient"])],
        **r.observation(code, value, unit, story.stage.clock()),
    )


def _answer(story: Story, day: int) -> None:
    start, end = story.slot(day)
    phlegm = {"linkId": "phlegm", "answer": [{"valueInteger": 5 if day else 1}]}
    sleep = {"linkId": "sleep", "answer": [{"valueInteger": 6}]}
    when = story.stage.clock()
    one = r.measured(
        "QuestionnaireResponse",
        story.urls["patient"],
        story.urls["episode"],
        story.requests[r.ANSWERS],
        story.base,
        (start.isoformat(), end.isoformat()),
        status="completed",
        questionnaire=story.urls["questionnaire"],
        authored=when.isoformat(),
        source=r.to(story.urls["patient"]),
        item=[phlegm, sleep],
    )
    _submit(story, {"urn:uuid:q": one})


def _reuse(story: Story) -> None:
    """Use the saturation of today again, for the same activity, beside its slots."""
    when = story.stage.clock()
    first = story.observations[REUSED]
    seen = _citizens(story).does("GET", first)
    again = {
        **_observed(story, REUSED, r.SATURATION, 95.0, "%"),
        "effectiveDateTime": seen["effectiveDateTime"],
    }
    name = f"urn:uuid:{uuid4()}"
    said = r.reuse(story.urls["patient"], name, first, when)
    _submit(story, {name: again, "urn:uuid:p": said})


def _invalidate(story: Story, day: int) -> None:
    nurse = _nurse(story)
    seen = nurse.does("GET", story.observations[day])
    given = r.invalidation(
        story.urls["patient"],
        story.urls["episode"],
        story.observations[day],
        seen["meta"]["versionId"],
    )
    task = story.stage.service("task")
    nurse.call(
        f"{task}/ClinicalImpression/$set-measurement-validity",
        ("clinicalImpression", "resource", given),
    )
    if nurse.does("GET", story.observations[day])["status"] != "entered-in-error":
        raise StoryError("a measurement was invalidated, and counts all the same")


def _submit(story: Story, parts: dict[str, Any]) -> dict[str, str]:
    """Submit what was measured, and tell where it is, by type."""
    base = story.stage.service("measurement")
    answer = _citizens(story).call(
        f"{base}/$submit-measurement", ("measurement", "resource", r.bundle(parts))
    )
    story.stage.work()
    found = {}
    for one in answer["entry"]:
        url = one["response"]["location"].partition("/_history/")[0]
        found[url.split("/")[-2]] = _absolute(story, url)
    return found


def _trigger(story: Story) -> str:
    pulse = story.requests[r.PULSE]
    now = _nurse(story).does("GET", f"{story.base}/ServiceRequest/{pulse['id']}")
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


def _triage(story: Story) -> str:
    nurse = _nurse(story)
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
        nurse.does("PATCH", f"{base}/Task/{task['id']}", [_status("in-progress")])
        nurse.does("PATCH", f"{base}/Task/{task['id']}", [_status("completed")])
    told = ", ".join(f"{kinds.count(one)} {one}" for one in dict.fromkeys(kinds))
    return f"the team had {told}, and did them"


def _messages(story: Story) -> str:
    nurse, citizen = _nurse(story), _citizens(story)
    base = story.stage.service("patient")
    sent = nurse.does(
        "POST",
        f"{base}/Communication",
        r.message(story.urls["team"], story.urls["patient"], "Vi ringer i morgen."),
    )
    if sent["status"] != "completed":
        raise StoryError(f"a message was to be sent, and is {sent['status']}")
    query = f"{base}/Communication?recipient={story.urls['patient']}&_count=100"
    found = citizen.does("GET", query)
    received = [one["resource"] for one in found.get("entry", ())]
    reasons = dict.fromkeys(filter(None, codes(received, "reasonCode")))
    return f"the citizen has {len(received)} messages: {', '.join(reasons)}, and one of the team"


def _finish(story: Story) -> str:
    nurse = _nurse(story)
    for code, request in story.requests.items():
        url = f"{story.base}/ServiceRequest/{request['id']}"
        now = nurse.does("GET", url)
        story.requests[code] = nurse.does("PUT", url, {**now, "status": "completed"})
    found = nurse.does("GET", story.urls["careplan"])
    nurse.does("PUT", story.urls["careplan"], {**found, "status": "completed"})
    nurse.does("PATCH", story.urls["episode"], [_status("finished")])
    ended = nurse.does("GET", story.urls["episode"])
    story.stage.work()
    states = " -> ".join(one["status"] for one in ended["statusHistory"])
    return f"plan and activities are completed; the episode went {states}"


def _counted(story: Story) -> str:
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


def _nurse(story: Story, **context: str) -> Person:
    chosen = context or {
        "patient": story.urls["patient"],
        "episode_of_care": story.urls["episode"],
    }
    return story.person(
        "Nurse",
        "practitioner",
        organization=story.urls["organization"],
        care_team=story.urls["team"],
        **chosen,
    )


def _citizens(story: Story) -> Person:
    return story.person(
        "Citizen",
        "patient",
        user=story.urls["patient"],
        patient=story.urls["patient"],
        episode_of_care=story.urls["episode"],
        privileges="$submit-measurement,$search-measurements,CarePlan.search,CarePlan.read,"
        "Observation.read,QuestionnaireResponse.read,Communication.read,Communication.write",
    )


def _status(code: str) -> dict[str, str]:
    return {"op": "replace", "path": "/status", "value": code}


def _code(request: Resource) -> str:
    return str(request["code"]["coding"][0]["code"])


def _absolute(story: Story, location: str) -> str:
    kind, identity = location.partition("/_history/")[0].split("/")[-2:]
    return f"{story.stage.home(kind)}/{kind}/{identity}"


STEPS: tuple[Step, ...] = (
    Step("organizations", "An organization, and a care team in it", _organizations),
    Step("definitions", "A plan for COPD is written and published", _definitions),
    Step("citizen", "A citizen is looked up by CPR number and enrolled", _citizen),
    Step("episode", "An episode of care is opened", _episode),
    Step("consent", "The citizen consents, and the episode begins", _activate),
    Step("apply", "The plan is applied to the citizen", _apply),
    Step("adapt", "The nurse says when, and activates it", _adapt),
    Step("due", "The citizen sees what is due", _due),
    Step("measure", "Two weeks of measuring", _days),
    Step("trigger", "An activity that waited for measurements", _trigger),
    Step("triage", "The team triages", _triage),
    Step("messages", "Team and citizen write", _messages),
    Step("finish", "The treatment ends", _finish),
    Step("counted", "What analysts count, and what NAS is to be told", _counted),
)


def tell(story: Story) -> Iterator[tuple[Step, str]]:
    """Let the story happen; after each step, tell what came of it.

    :raises StoryError: something goes otherwise.
    """
    for step in STEPS:
        told = step.do(story)
        story.stage.work()
        yield step, told
