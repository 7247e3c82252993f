"""Two weeks at home: what is due, and what is measured."""

from __future__ import annotations

import base64
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fyr.core import picture_size
from fyr.plugins.demo import photo as picture
from fyr.plugins.demo import resources as r
from fyr.plugins.demo.stage import StoryError
from fyr.plugins.demo.story import (
    DAYS,
    MISSING,
    PHOTOGRAPHED,
    RED,
    REUSED,
    SATURATIONS,
    TRIGGERED,
    WRONG,
    Story,
    absolute,
    citizen_of,
    nurse_of,
)

if TYPE_CHECKING:
    from fyr.core import Resource


def due(story: Story) -> str:
    """The citizen sees what is due."""
    citizen = citizen_of(story)
    end = story.first + timedelta(days=7, minutes=-1)
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
    due = Counter(
        part["valueString"]
        for row in told["parameter"]
        for part in row["part"]
        if part["name"] == "Activity"
    )
    if due[r.WORDS[r.SATURATION]] != 7:
        raise StoryError(f"saturation is due every day, and {dict(due)} was told")
    listed = ", ".join(f"{name} x{count}" for name, count in due.items())
    return f"in the first week: {listed}"


def days(story: Story) -> str:
    """Two weeks of measuring."""
    for day in range(DAYS):
        start, _ = story.slot(day)
        story.stage.wait_until(start + timedelta(minutes=10))
        if day != MISSING:
            _measure(story, day)
        if day in (0, 7):
            _answer(story, day)
        if day == PHOTOGRAPHED:
            _photograph(story)
        if day == REUSED:
            _reuse(story)
        if day == WRONG:
            _invalidate(story, day)
        story.stage.wait_until(start + timedelta(hours=4))
    return (
        f"saturation on {len(story.observations)} of {DAYS} days, and nothing on day"
        f" {MISSING + 1}; {SATURATIONS[RED]:g} % on day {RED + 1} is a red alarm; what was"
        f" measured on day {REUSED + 1} is used a second time; {SATURATIONS[WRONG]:g} % on"
        f" day {WRONG + 1} was a mistake, and the nurse made it invalid; the pulse from day"
        f" {TRIGGERED + 1} on; questions answered twice, the second time with a photo"
    )


def _measure(story: Story, day: int) -> None:
    value = SATURATIONS.get(day, 95.0)
    one = _observed(story, day, r.SATURATION, value, "%")
    story.observations[day] = _submit(story, {"urn:uuid:o": one})["Observation"]
    if day >= TRIGGERED:
        pulse = f"{story.base}/ServiceRequest/{story.requests[r.PULSE]['id']}"
        story.requests[r.PULSE] = citizen_of(story).does("GET", pulse)
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


def _photograph(story: Story) -> None:
    """Send a photo of what was coughed up, as the answers were bad."""
    photo = r.measured(
        "Media",
        story.urls["patient"],
        story.urls["episode"],
        story.requests[r.PHOTO],
        story.base,
        **picture.photo(story.stage.clock()),
    )
    url = _submit(story, {"urn:uuid:m": photo})["Media"]
    kept = citizen_of(story).does("GET", url)
    if "data" in kept["content"]:
        raise StoryError("the photo was to leave the Media, and stands in it")
    story.media.append(kept)


def look(story: Story) -> str:
    """The nurse looks at the photo."""
    (media,) = story.media
    found = nurse_of(story).does("GET", media["content"]["url"])
    data = base64.b64decode(found["data"])
    if picture_size(data, found["contentType"], picture.PIXELS) != picture.SIZE:
        raise StoryError("the photo that was sent is not the one that came back")
    width, height = picture.SIZE
    return (
        f"{found['contentType']} of {width} x {height}, {len(data)} bytes: kept beside"
        " the Media, and given by Media/$get-data to whom may read it"
    )


def _reuse(story: Story) -> None:
    """Use the saturation of today again, for the same activity, beside its slots."""
    when = story.stage.clock()
    first = story.observations[REUSED]
    seen = citizen_of(story).does("GET", first)
    again = {
        **_observed(story, REUSED, r.SATURATION, 95.0, "%"),
        "effectiveDateTime": seen["effectiveDateTime"],
    }
    name = f"urn:uuid:{uuid4()}"
    said = r.reuse(story.urls["patient"], name, first, when)
    _submit(story, {name: again, "urn:uuid:p": said})


def _invalidate(story: Story, day: int) -> None:
    nurse = nurse_of(story)
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
    answer = citizen_of(story).call(
        f"{base}/$submit-measurement", ("measurement", "resource", r.bundle(parts))
    )
    story.stage.work()
    found = {}
    for one in answer["entry"]:
        url = one["response"]["location"].partition("/_history/")[0]
        found[url.split("/")[-2]] = absolute(story, url)
    return found
