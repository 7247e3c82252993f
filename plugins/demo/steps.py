"""The story, a step a row: what happens, who does it, and what came of it.

Each step does something by HTTP with the token of whoever would do it, and tells in a
sentence what the server answered. A step that goes otherwise ends the story.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fyr.plugins.demo import authoring, ending, measuring, planning, preparing
from fyr.plugins.demo.listening import Heard
from fyr.plugins.demo.story import Step, Story

STEPS: tuple[Step, ...] = (
    Step(
        "organizations",
        "Organizations, and a care team in each",
        preparing.organizations,
    ),
    Step(
        "definitions", "A plan for COPD is written and published", authoring.definitions
    ),
    Step("mend", "The plan is mended by a second version", authoring.mend),
    Step(
        "citizen",
        "A citizen is looked up by CPR number and enrolled",
        preparing.citizen,
    ),
    Step("episode", "An episode of care is opened", preparing.episode),
    Step("consent", "The citizen consents, and the episode begins", preparing.activate),
    Step("apply", "The plan is applied to the citizen", planning.apply),
    Step("adapt", "The nurse says when, and activates it", planning.adapt),
    Step("teams", "A team of the hospital is asked to join", planning.teams),
    Step("due", "The citizen sees what is due", measuring.due),
    Step("measure", "Two weeks of measuring", measuring.days),
    Step("photo", "The nurse looks at the photo", measuring.look),
    Step("scheduled", "What was planned ahead has happened", ending.scheduled),
    Step("trigger", "An activity that waited for measurements", ending.trigger),
    Step("triage", "The team triages", ending.triage),
    Step("messages", "Team and citizen write", ending.messages),
    Step("finish", "The treatment ends", ending.finish),
    Step("counted", "What analysts count, and what NAS was told", ending.counted),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a step."""

    step: Step
    #: what the server answered, in a sentence
    told: str
    #: what subscribers heard meanwhile
    heard: Sequence[Heard]


def tell(story: Story) -> Iterator[Told]:
    """Let the story happen; after each step, tell what came of it.

    :raises StoryError: something goes otherwise.
    """
    for step in STEPS:
        told = step.do(story)
        story.stage.work()
        yield Told(step, told, story.stage.news())
