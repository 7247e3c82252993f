"""What is planned for the citizen: the plan is applied, adapted, and a team is to join."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fyr.plugins.demo import definitions as d
from fyr.plugins.demo import resources as r
from fyr.plugins.demo.stage import StoryError
from fyr.plugins.demo.story import (
    DANISH,
    DAYS,
    JOINS,
    Story,
    code_of,
    nurse_of,
    of_the_citizen,
)

if TYPE_CHECKING:
    from fyr.core import Resource

#: Who says which teams there are has a privilege of its own.
_COORDINATES = "CarePlan.read,CarePlan.update,Careplan$update.responsibility"


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
    (canonical,) = made["instantiatesCanonical"]
    if not canonical.startswith(story.urls["plan"]):
        raise StoryError(f"the mended plan was to be applied, and {canonical} was")
    told = [f"{r.WORDS[code]} {one['status']}" for code, one in story.requests.items()]
    return f"a care plan of the mended version, with {', '.join(told)}"


def teams(story: Story) -> str:
    """Another team is looked for, and is to join later."""
    nurse = nurse_of(story)
    found = nurse.call(
        f"{story.urls['careplan']}/$suggest-care-teams",
        ("regionCode", "valueString", r.REGION),
    )
    suggested = [
        one["resource"]
        for one in found["entry"]
        if one["resource"]["resourceType"] == "CareTeam"
    ]
    names = [one["name"] for one in suggested]
    if names != ["KOL-teamet", "Lungeambulatoriet"]:
        raise StoryError(f"both teams for COPD were to be suggested, and {names} were")
    plan = nurse.does("GET", story.urls["careplan"])
    entry = r.joins(story.urls["clinic"], story.slot(JOINS)[1])
    asked = {**plan, "extension": [*plan["extension"], entry]}
    refused = nurse.send("PUT", story.urls["careplan"], asked)
    if refused.status != 403:
        raise StoryError(f"a nurse had a team join: {refused.status}")
    coordinator = nurse_of(story, privileges=_COORDINATES, **of_the_citizen(story))
    coordinator.does("PUT", story.urls["careplan"], asked)
    return (
        f"{' and '.join(names)} treat COPD here; the second is to join in a week, says a"
        " coordinator, as a nurse may not"
    )


def adapt(story: Story) -> str:
    """Say when to measure, from tomorrow at nine; the pulse waits for its trigger."""
    nurse = nurse_of(story)
    tomorrow = story.stage.clock().astimezone(DANISH) + timedelta(days=1)
    story.first = tomorrow.replace(hour=9, minute=0, second=0, microsecond=0)
    for code in story.requests:
        request = _timed(story, code)
        if request["status"] == "draft":
            request["status"] = "active"
        url = f"{story.base}/ServiceRequest/{request['id']}"
        story.requests[code] = nurse.does("PUT", url, request)
    found = nurse.does("GET", story.urls["careplan"])
    nurse.does("PUT", story.urls["careplan"], {**found, "status": "active"})
    return (
        "saturation daily at nine, questions weekly, until they end by themselves after"
        f" {DAYS} days; a photo whenever it helps; the plan is active"
    )


def _timed(story: Story, code: str) -> Resource:
    """Say when one thing is to be done, and when that ends."""
    request = dict(story.requests[code])
    if code == r.PHOTO:
        bounds = {"boundsPeriod": {"start": story.first.isoformat()}}
        request["occurrenceTiming"] = {"repeat": bounds}
        return request
    weekly = {"period": 1, "periodUnit": "wk"} if code == r.ANSWERS else {}
    request["occurrenceTiming"] = d.timing(story.first, **weekly)
    if code == r.ANSWERS:
        ends = r.becomes("completed", story.slot(DAYS - 1)[1])
        request["extension"] = [*request["extension"], ends]
    return request
