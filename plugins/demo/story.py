"""What a story knows so far: people who have logged in, URLs, and what was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from fyr.plugins.demo.stage import Person, Stage

if TYPE_CHECKING:
    from fyr.core import Resource

#: A made-up citizen of the sample register, by a substitute number.
NUMBER = "7705480012"
CPR = "urn:oid:1.2.208.176.1.2"
DANISH = ZoneInfo("Europe/Copenhagen")
DAYS = 14
#: Days of which there is something to tell; the first is 0.
MISSING, REUSED, RED, WRONG = 5, 3, 7, 9
#: Day -> saturation, where it is not as it should be; WRONG is a slip of the finger.
SATURATIONS = {RED: 84.0, WRONG: 59.0}
#: With the submission of this day the pulse is to be measured, too.
TRIGGERED = 2
#: After the slot of this day the team of the hospital joins; a photo is sent then, too.
JOINS = PHOTOGRAPHED = 7


@dataclass
class Story:
    """What is known so far: people, URLs and what was seen."""

    stage: Stage
    #: by name and what they have chosen
    people: dict[tuple[object, ...], Person] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)
    #: service requests by the code of the activity
    requests: dict[str, Any] = field(default_factory=dict)
    #: observations by the day of the story
    observations: dict[int, str] = field(default_factory=dict)
    #: Media that were submitted, as they are kept
    media: list[Any] = field(default_factory=list)
    first: datetime = datetime.min

    def person(self, name: str, kind: str, **context: str) -> Person:
        """Let somebody log in with what they have chosen, unless they are so already."""
        chosen = (name, kind, *sorted(context.items()))
        if chosen not in self.people:
            token = self.stage.token(kind, name=name, **context)
            self.people[chosen] = Person(self.stage, token)
        return self.people[chosen]

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


def nurse_of(story: Story, **context: str) -> Person:
    """Log a nurse of the care team in, by default for the citizen."""
    return story.person(
        "Nurse",
        "practitioner",
        organization=story.urls["organization"],
        care_team=story.urls["team"],
        **(context or of_the_citizen(story)),
    )


def of_the_citizen(story: Story) -> dict[str, str]:
    """Tell what a practitioner chooses who is about to look after the citizen."""
    return {
        "patient": story.urls["patient"],
        "episode_of_care": story.urls["episode"],
    }


def citizen_of(story: Story) -> Person:
    """Log the citizen in."""
    return story.person(
        "Citizen",
        "patient",
        user=story.urls["patient"],
        patient=story.urls["patient"],
        episode_of_care=story.urls["episode"],
        privileges="$submit-measurement,$search-measurements,CarePlan.search,CarePlan.read,"
        "Observation.read,Media.read,QuestionnaireResponse.read,Communication.read,Communication.write",
    )


def status_is(code: str) -> dict[str, str]:
    """Write an operation of a JSON Patch."""
    return {"op": "replace", "path": "/status", "value": code}


def code_of(request: Resource) -> str:
    """Tell the code of what is asked for."""
    return str(request["code"]["coding"][0]["code"])


def absolute(story: Story, location: str) -> str:
    """Tell the URL of what an answer's location names."""
    kind, identity = location.partition("/_history/")[0].split("/")[-2:]
    return f"{story.stage.home(kind)}/{kind}/{identity}"
