"""How it begins: who takes part, and who is treated."""

from __future__ import annotations

from uuid import uuid4

from fyr.plugins.demo import resources as r
from fyr.plugins.demo.stage import TAG, StoryError
from fyr.plugins.demo.story import CPR, NUMBER, Story, absolute, nurse_of, status_is


def organizations(story: Story) -> str:
    """Organizations, and a care team in each."""
    registrar = story.person("Registrar", "system")
    registrar.create(r.treatment_area(TAG))
    story.urls["organization"] = registrar.create(r.organization("Fyr Kommune", 1))
    hospital = registrar.create(r.organization("Fyr Hospital", 2))
    story.urls["team"] = _team(story, "KOL-teamet", story.urls["organization"])
    story.urls["clinic"] = _team(story, "Lungeambulatoriet", hospital)
    return "Fyr Kommune and Fyr Hospital have a care team for COPD each"


def _team(story: Story, name: str, managing: str) -> str:
    """Have somebody of an organization make a care team in it; tell its URL."""
    leader = story.person(
        "Leader",
        "practitioner",
        organization=managing,
        privileges="CareTeam.write,CareTeam.read",
    )
    return leader.create(r.care_team(name, str(uuid4()), managing))


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
