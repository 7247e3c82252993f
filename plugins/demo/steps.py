"""The story, a step a row: what happens, who does it, and what came of it.

Each step does something by HTTP with the token of whoever would do it, and tells in a
sentence what the server answered. A step that goes otherwise ends the story.
"""

from __future__ import annotations

from collections.abc import Iterator

from fyr.plugins.demo import ending, measuring, preparing
from fyr.plugins.demo.story import Step, Story

STEPS: tuple[Step, ...] = (
    Step(
        "organizations",
        "An organization, and a care team in it",
        preparing.organizations,
    ),
    Step(
        "definitions", "A plan for COPD is written and published", preparing.definitions
    ),
    Step(
        "citizen",
        "A citizen is looked up by CPR number and enrolled",
        preparing.citizen,
    ),
    Step("episode", "An episode of care is opened", preparing.episode),
    Step("consent", "The citizen consents, and the episode begins", preparing.activate),
    Step("apply", "The plan is applied to the citizen", preparing.apply),
    Step("adapt", "The nurse says when, and activates it", preparing.adapt),
    Step("due", "The citizen sees what is due", measuring.due),
    Step("measure", "Two weeks of measuring", measuring.days),
    Step("trigger", "An activity that waited for measurements", ending.trigger),
    Step("triage", "The team triages", ending.triage),
    Step("messages", "Team and citizen write", ending.messages),
    Step("finish", "The treatment ends", ending.finish),
    Step("counted", "What analysts count, and what NAS is to be told", ending.counted),
)


def tell(story: Story) -> Iterator[tuple[Step, str]]:
    """Let the story happen; after each step, tell what came of it.

    :raises StoryError: something goes otherwise.
    """
    for step in STEPS:
        told = step.do(story)
        story.stage.work()
        yield step, told
