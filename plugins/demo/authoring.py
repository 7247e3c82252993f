"""What is planned, before there is anybody to plan it for: a plan, and a better one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.plugins.demo import definitions as d
from fyr.plugins.demo import resources as r
from fyr.plugins.demo.stage import Person, StoryError
from fyr.plugins.demo.story import Story

if TYPE_CHECKING:
    from fyr.core import Resource

#: Submissions of saturation before the pulse is measured too: at first, and mended.
TOO_LATE, IN_TIME = 5, 3


def definitions(story: Story) -> str:
    """A plan for COPD is written and published."""
    mine = story.urls["organization"]
    author = author_of(story)
    story.urls["library"] = author.create(d.library(mine))
    story.urls["questionnaire"] = _published(author, d.questionnaire(mine))
    made = {
        name: _published(author, one) for name, one in _activities(story, mine).items()
    }
    story.urls["plan"] = _published(author, d.plan(mine, made, TOO_LATE))
    return (
        f"rules, a questionnaire, {len(made)} activities, of which one waits for"
        f" {TOO_LATE} measurements of another, and a plan of them: drafts, then published"
    )


def mend(story: Story) -> str:
    """The plan is mended: the pulse is measured sooner."""
    author = author_of(story)
    first = story.urls["plan"]
    made = author.call(
        f"{first}/$create-clone",
        ("clone-operation", "valueCoding", {"code": "minor-version"}),
        ("default-clone-behavior", "valueBoolean", False),
    )
    (draft,) = [one["resource"] for one in made["entry"]]
    old = author.does("GET", first)
    story.urls["first plan"] = first
    story.urls["plan"] = f"{first.rpartition('/')[0]}/{draft['id']}"
    mended = author.does("PUT", story.urls["plan"], d.with_count(draft, IN_TIME))
    author.does("PUT", story.urls["plan"], {**mended, "status": "active"})
    author.does("PUT", first, {**old, "status": "retired"})
    if mended["version"] == old["version"]:
        raise StoryError(f"a clone is to be another version than {old['version']}")
    return (
        f"version {mended['version']} asks for the pulse after {IN_TIME} measurements"
        f" instead of {TOO_LATE}, and is published; version {old['version']} is retired"
    )


def author_of(story: Story) -> Person:
    """Log in who writes plans."""
    return story.person(
        "Author", "practitioner", organization=story.urls["organization"]
    )


def _activities(story: Story, mine: str) -> dict[str, Resource]:
    npu, snomed = r.NPU, r.SNOMED
    rules = story.urls["library"]
    ranges = (d.alarm("RAL", "%", high=88), d.alarm("GAL", "%", low=89, high=92))
    fast = (d.alarm("RAL", "1/min", low=120),)
    asked = {"type": "composed-of", "resource": story.urls["questionnaire"]}
    return {
        "saturation": d.activity(
            mine, "saturation", r.SATURATION, npu, rules, extension=ranges
        ),
        "pulse": d.activity(mine, "pulse", r.PULSE, npu, rules, extension=fast),
        "questions": d.activity(
            mine, "questions", r.ANSWERS, snomed, rules, relatedArtifact=[asked]
        ),
        # No rule looks at pictures: people do.
        "photo": d.activity(mine, "photo", r.PHOTO, snomed),
    }


def _published(author: Person, definition: Resource) -> str:
    """Write a definition as a draft, then publish it; tell its URL."""
    url = author.create({**definition, "status": "draft"})
    draft = author.does("GET", url)
    author.does("PUT", url, {**draft, "status": "active"})
    return url
