"""How it begins: who takes part, what is planned, who is treated."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from fyr.plugins.demo import definitions as d
from fyr.plugins.demo import resources as r
from fyr.plugins.demo.stage import TAG, Person, StoryError
from fyr.plugins.demo.story import (
    CPR,
    DANISH,
    NUMBER,
    Story,
    absolute,
    code_of,
    nurse_of,
    status_is,
)

if TYPE_CHECKING:
    from fyr.core import Resource


def organizations(story: Story) -> str:
    """An organization, and a care team in it."""
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


def definitions(story: Story) -> str:
    """A plan for COPD is written and published."""
    mine = story.urls["organization"]
    author = story.person("Author", "practitioner", organization=mine)
    story.urls["library"] = author.create(d.library(mine))
    story.urls["questionnaire"] = _published(author, d.questionnaire(mine))
    npu, snomed = r.NPU, "http://snomed.info/sct"
    ranges = (d.alarm("RAL", "%", high=88), d.alarm("GAL", "%", low=89, high=92))
    rules = story.urls["library"]
    asked = {"type": "composed-of", "resource": story.urls["questionnaire"]}
    activities = {
        "saturation": d.activity(
            mine, "saturation", r.SATURATION, npu, rules, extension=ranges
        ),
        "pulse": d.activity(
            mine,
            "pulse",
            r.PULSE,
            npu,
            rules,
            extension=(d.alarm("RAL", "1/min", low=120),),
        ),
        "questions": d.activity(
            mine, "questions", r.ANSWERS, snomed, rules, relatedArtifact=[asked]
        ),
    }
    made = {name: _published(author, one) for name, one in activities.items()}
    story.urls["plan"] = _published(author, d.plan(mine, made))
    return "three activities and a plan were drafts, and are published"


def _published(author: Person, definition: Resource) -> str:
    """Write a definition as a draft, then publish it; tell its URL."""
    url = author.create({**definition, "status": "draft"})
    draft = author.does("GET", url)
    author.does("PUT", url, {**draft, "status": "active"})
    return url


def citizen(story: Story) -> str:
    """A citizen is looked up by CPR number and enrolled."""
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


def episode(story: Story) -> str:
    """An episode of care is opened."""
    nurse = nurse_of(story, patient=story.urls["patient"])
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
    story.urls["episode"] = absolute(story, place)
    return f"an episode of care is planned, with {len(places)} resources"


def activate(story: Story) -> str:
    """The citizen consents, and the episode begins."""
    nurse = nurse_of(story)
    refused = nurse.send("PATCH", story.urls["episode"], [status_is("active")])
    if refused.status != 422:
        raise StoryError(f"an episode began without consent: {refused.status}")
    nurse.create(
        r.consent(story.urls["patient"], story.urls["episode"], story.stage.clock())
    )
    nurse.does("PATCH", story.urls["episode"], [status_is("active")])
    return "without consent it stays planned; with it, it is active"


def apply(story: Story) -> str:
    """The plan is applied to the citizen."""
    nurse = nurse_of(story)
    made = nurse.call(
        f"{story.base}/$apply",
        ("planDefinition", "valueString", story.urls["plan"]),
        ("episodeOfCare", "valueString", story.urls["episode"]),
    )
    story.urls["careplan"] = f"{story.base}/CarePlan/{made['id']}"
    for one in made["activity"]:
        request = nurse.does("GET", one["reference"]["reference"])
        story.requests[code_of(request)] = request
    states = sorted(one["status"] for one in story.requests.values())
    return f"a care plan with {len(states)} activities: {', '.join(states)}"


def adapt(story: Story) -> str:
    """Say when to measure, from tomorrow at nine; the pulse waits for its trigger."""
    nurse = nurse_of(story)
    tomorrow = story.stage.clock().astimezone(DANISH) + timedelta(days=1)
    story.first = tomorrow.replace(hour=9, minute=0, second=0, microsecond=0)
    weekly = {"period": 1, "periodUnit": "wk"}
    for code, repeat in ((r.SATURATION, {}), (r.PULSE, {}), (r.ANSWERS, weekly)):
        request = dict(story.requests[code])
        request["occurrenceTiming"] = d.timing(story.first, **repeat)
        if request["status"] == "draft":
            request["status"] = "active"
        url = f"{story.base}/ServiceRequest/{request['id']}"
        story.requests[code] = nurse.does("PUT", url, request)
    found = nurse.does("GET", story.urls["careplan"])
    nurse.does("PUT", story.urls["careplan"], {**found, "status": "active"})
    return "saturation daily at nine, questions weekly; the plan is active"
