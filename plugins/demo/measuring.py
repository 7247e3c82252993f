"""Two weeks at home: what is due, and what is measured."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from fyr.plugins.demo import resources as r
from fyr.plugins.demo.stage import StoryError
from fyr.plugins.demo.story import (
    DAYS,
    MISSING,
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


def days(story: Story) -> str:
    """Two weeks of measuring."""
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
