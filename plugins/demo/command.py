"""``fyr demo``: tells the story, a line a step."""

from __future__ import annotations

import signal
import textwrap
import time
from collections.abc import Sequence
from contextlib import ExitStack

import click

from fyr.config.load import ConfigError
from fyr.core import FyrError
from fyr.core.observability.masking import masked
from fyr.plugins.demo.clock import Clock
from fyr.plugins.demo.listening import NAS, Heard, counted
from fyr.plugins.demo.stage import Stage, StoryError, playing
from fyr.plugins.demo.steps import STEPS, tell
from fyr.plugins.demo.story import Story
from fyr.plugins.demo.thrown_away import index_thrown_away, thrown_away

_WIDTH = 100
_BEGINNING = """\
Two weeks of telemedicine, told by a server at {url} ({broker}).
Each step is HTTP requests with tokens of whoever makes them; weeks pass as the clock is moved.
MQTT: what a subscriber heard in that step. NAS: what citizens' notifications are made of.
Nobody here exists; the store is thrown away{but}.
"""
_END = """
The end, after {seconds:.0f} seconds. How it goes on: docs/services.md (what can be called),
docs/workflow/ (what may follow what), docs/events.md (how to subscribe)."""


@click.command()
def demo() -> None:
    """Tell the story of a citizen with COPD, on a store that is thrown away.

    Takes a configuration with all plugins of the story and the development issuer:
    config/examples/demo.toml.
    """
    settings = click.get_current_context().find_root().obj
    began = time.monotonic()
    # Told to end, it tidies up as it does when somebody interrupts it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as ending:
            own = ending.enter_context(thrown_away(settings))
            stage = ending.enter_context(playing(own, Clock()))
            ending.enter_context(index_thrown_away(stage.application))
            _tell(stage)
    except (StoryError, ConfigError, FyrError, OSError) as error:
        raise click.ClickException(str(error)) from None
    _say(_END.format(seconds=time.monotonic() - began))


def _tell(stage: Stage) -> None:
    """Tell the story as it happens."""
    where = {"url": stage.url, "broker": _broker(stage), "but": _what_stays(stage)}
    _say(_BEGINNING.format(**where))
    for number, one in enumerate(tell(Story(stage)), 1):
        click.echo(f"[{number:>2}/{len(STEPS)}] {one.step.what}: {one.told}.")
        _heard(one.heard)


def _heard(heard: Sequence[Heard]) -> None:
    """Tell what came over MQTT during a step: event messages, then notifications."""
    names = [one.name for one in heard]
    events = [one for one in names if not one.startswith(NAS)]
    notified = [one.removeprefix(NAS) for one in names if one.startswith(NAS)]
    for title, some in (("MQTT", events), ("NAS", notified)):
        if some:
            _say(f"{title:<4} {counted(some)}", " " * 8, " " * 13)


def _broker(stage: Stage) -> str:
    url = stage.application.settings.messages.url
    return f"events at {url}" if url else "no broker for events (messages.url)"


def _what_stays(stage: Stage) -> str:
    """Tell what the story leaves behind."""
    url = stage.application.settings.blobs.url
    if not url.startswith("s3"):
        return ""
    return f", but for the blobs in {masked(url)}"


def _say(text: str, indent: str = "", further: str = "") -> None:
    for part in text.split("\n"):
        click.echo(
            textwrap.fill(
                part,
                _WIDTH,
                initial_indent=indent,
                subsequent_indent=further,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
